"""Changes of the conductivity of a structure when single pixels change their phase, solved exactly.

The derivative with respect to a pixel's conductivity is exact, but a flip is no small change: from matrix to a
conductor 50 times better, the field avoids the pixel's interior, and the linear estimate is some twenty times too
large. Sensitivities of a model are therefore compared with solved flips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.physics import effective_conductivity, solve_conduction

__all__ = ["Conduction", "draw_flips", "flip_effects", "flip_map", "interface", "linearised_map", "toggled"]

Array = NDArray[np.float64]
Labels = NDArray[np.uint8]
Pixels = NDArray[np.intp]
_TOGETHER = 2**18  # cells of flipped structures solved at once
_TOLERANCE = 1e-5  # of the potential; the tensor's error is its square
_EXACT = 1e-8  # where the potential itself is used


@dataclass(frozen=True)
class Conduction:
    """Conduction problem: phases' conductivities, boundary conditions and the component of interest.

    Parameters
    ----------
    phase_values : tuple of float
        Conductivity of each of the two phases.
    component : (int, int)
        Row and column of the effective tensor.
    spacing : tuple of float
        Size of a pixel along each axis.
    periodic : bool
        Whether opposite borders continue each other; else the potential is fixed on two faces.

    Raises
    ------
    InputError
        If there are not two values of zero or more, or a component off the diagonal is requested without periodicity.

    Examples
    --------
    >>> conduction = Conduction((1.0, 4.0), (0, 0), (1.0, 1.0))
    >>> float(conduction.solve(np.array([[[0, 0], [1, 1]]], np.uint8))[0][0].round(6))
    1.6
    """

    phase_values: tuple[float, ...]
    component: tuple[int, int]
    spacing: tuple[float, ...]
    periodic: bool = True

    def __post_init__(self) -> None:
        if min(self.phase_values) < 0 or len(self.phase_values) != 2:
            raise InputError(
                "flips are of two phases with a conductivity of zero or more each, found the values "
                f"{list(self.phase_values)}; give two."
            )
        if not self.periodic and self.component[0] != self.component[1]:
            raise InputError(
                f"component {self.component} of a structure that is not periodic is not known: mirrored sides force it "
                "to zero; explain a component on the diagonal."
            )

    def solve(self, labels: Labels, start: torch.Tensor | None = None) -> tuple[Array, torch.Tensor]:
        """Solve the conduction problem of structures.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Structures.
        start : Tensor, optional
            Potentials to start with; by default zero.

        Returns
        -------
        values : ndarray, shape (n,)
            Component of the effective conductivity.
        potentials : Tensor
            Potentials, to start similar problems with.
        """
        axes = tuple(sorted(set(self.component)))
        found = solve_conduction(
            self.field(labels),
            spacing=self.spacing,
            boundary="periodic" if self.periodic else "fixed",
            axes=axes,
            tolerance=_TOLERANCE,
            start=start,
        )
        values: Array = found.tensor[:, self.component[0], self.component[1]].numpy()
        return values, found.potential

    def field(self, labels: Labels) -> torch.Tensor:
        """Return the conductivity of each pixel.

        Parameters
        ----------
        labels : ndarray of uint8
            Structures of any shape.

        Returns
        -------
        Tensor of float64
            Conductivities, shape of ``labels``.
        """
        return torch.from_numpy(np.asarray(self.phase_values, dtype=np.float64)[labels])


def interface(labels: Labels, *, periodic: bool = True) -> NDArray[np.bool_]:
    """Find the pixels that share a side with another phase.

    Parameters
    ----------
    labels : ndarray of int, shape (\\*space)
        One structure.
    periodic : bool
        Whether opposite borders touch.

    Returns
    -------
    ndarray of bool, shape (\\*space)
        True for pixels at an interface.

    Examples
    --------
    >>> interface(np.array([[0, 0, 1, 1]]), periodic=False).tolist(), interface(np.array([[0, 0, 1, 1]])).tolist()
    ([[False, True, True, False]], [[True, True, True, True]])
    """
    found = np.zeros(labels.shape, dtype=bool)
    for axis in range(labels.ndim):
        differs = labels != np.roll(labels, -1, axis)
        if not periodic:
            np.moveaxis(differs, axis, 0)[-1] = False
        found |= differs | np.roll(differs, 1, axis)
    return found


def draw_flips(labels: Labels, count: int, *, periodic: bool = True, seed: int | Sequence[int] = 0) -> Pixels:
    """Draw interface pixels of a structure of two phases, half of them of each phase.

    Parameters
    ----------
    labels : ndarray of int, shape (\\*space)
        One structure.
    count : int
        Number of pixels.
    periodic : bool
        Whether opposite borders touch.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ndarray of int, shape (m,)
        Flat indices, those of phase 0 first; equally many of each phase, and fewer than ``count`` if a phase has too
        few.

    Examples
    --------
    >>> draw_flips(np.array([[0, 0, 1, 1]]), 2, periodic=False).tolist()
    [1, 2]
    """
    random = np.random.default_rng(seed)
    border = interface(labels, periodic=periodic).ravel()
    places = [np.flatnonzero(border & (labels.ravel() == phase)) for phase in (0, 1)]
    each = min(count // 2, *(len(found) for found in places))
    return np.concatenate([np.sort(random.choice(found, each, replace=False)) for found in places])


def toggled(labels: Labels, places: Pixels) -> Labels:
    """Copy a structure of two phases, with the phases of other pixels exchanged in each copy.

    Parameters
    ----------
    labels : ndarray of uint8, shape (\\*space)
        One structure.
    places : ndarray of int, shape (m,) or (m, r)
        Flat indices of the one or r pixels of each copy.

    Returns
    -------
    ndarray of uint8, shape (m, \\*space)
        The copies.

    Examples
    --------
    >>> toggled(np.array([[0, 1]], np.uint8), np.array([[0, 1]])).tolist()
    [[[1, 0]]]
    """
    found = np.repeat(labels.reshape(1, -1), len(places), axis=0)
    rows = np.arange(len(places))[:, None]
    chosen = places.reshape(len(places), -1)
    found[rows, chosen] = 1 - found[rows, chosen]
    return found.reshape(-1, *labels.shape)


def flip_effects(
    labels: Labels, places: Pixels, conduction: Conduction, progress: Progress | None = None
) -> tuple[float, Array]:
    """Solve a structure, and again with pixels exchanged.

    Parameters
    ----------
    labels : ndarray of uint8, shape (\\*space)
        One structure of two phases.
    places : ndarray of int, shape (m,) or (m, r)
        Flat indices of the pixels to exchange, those of a row together.
    conduction : Conduction
        Conduction problem.
    progress : Progress, optional
        Called with flips solved and total.

    Returns
    -------
    value : float
        Component of the conductivity of the structure.
    change : ndarray, shape (m,)
        Its change by each exchange.

    Examples
    --------
    >>> layers = np.array([[0, 0], [0, 0], [1, 1]], np.uint8)
    >>> value, change = flip_effects(layers, np.array([[0, 1]]), Conduction((1.0, 4.0), (0, 0), (1.0, 1.0)))
    >>> round(value, 4), change.round(4).tolist()  # a whole layer exchanged: harmonic means of layers
    (1.3333, [0.6667])
    """
    progress = progress or Silent()
    before, potential = conduction.solve(labels[None])
    step = max(1, _TOGETHER // labels.size)
    progress.begin(len(places), "solving flips")
    after = [np.zeros(0)]
    for start in range(0, len(places), step):
        many = toggled(labels, places[start : start + step])
        after.append(conduction.solve(many, potential.expand(len(many), *potential.shape[1:]))[0])
        progress.update(start + len(many), "flips")
    progress.end()
    return float(before[0]), np.concatenate(after) - before[0]


def flip_map(labels: Labels, conduction: Conduction, progress: Progress | None = None) -> Array:
    """Solve the flip of every interface pixel.

    Parameters
    ----------
    labels : ndarray of uint8, shape (\\*space)
        One structure of two phases.
    conduction : Conduction
        Conduction problem.
    progress : Progress, optional
        Called with flips solved and total.

    Returns
    -------
    ndarray, shape (\\*space)
        Change of the component when the pixel becomes phase 1; for pixels of phase 1, the negative of the change when
        they become phase 0. NaN off the interface.

    Examples
    --------
    >>> structure = np.array([[0, 0, 0, 1]] * 4, np.uint8)
    >>> found = flip_map(structure, Conduction((1.0, 4.0), (0, 0), (1.0, 1.0)))
    >>> bool(np.isnan(found[0, 1])), bool(found[0, 0] > 0)
    (True, True)
    """
    places = np.flatnonzero(interface(labels, periodic=conduction.periodic))
    found = np.full(labels.size, np.nan)
    change = flip_effects(labels, places, conduction, progress)[1]
    found[places] = change * towards(labels, places)
    return found.reshape(labels.shape)


def towards(labels: Labels, places: Pixels) -> Array:
    """Return the sign of flips: 1 where a pixel becomes phase 1, -1 where it becomes phase 0.

    Parameters
    ----------
    labels : ndarray of uint8, shape (\\*space)
        One structure of two phases.
    places : ndarray of int
        Flat indices of pixels.

    Returns
    -------
    ndarray
        Signs, shape of ``places``.

    Examples
    --------
    >>> towards(np.array([[0, 1]], np.uint8), np.array([0, 1])).tolist()
    [1.0, -1.0]
    """
    return 1.0 - 2.0 * labels.ravel()[places].astype(np.float64)


def linearised_map(labels: Labels, conduction: Conduction) -> Array:
    """Compute the exact derivative of the component with respect to each pixel's share of phase 1.

    Parameters
    ----------
    labels : ndarray of uint8, shape (n, \\*space)
        Structures of two phases.
    conduction : Conduction
        Conduction problem.

    Returns
    -------
    ndarray, shape (n, \\*space)
        Derivative with respect to the pixel's conductivity times the difference of the phases; zero where a pixel does
        not conduct.

    Examples
    --------
    >>> stripes = np.array([[[0, 0], [1, 1]]], np.uint8)
    >>> found = linearised_map(stripes, Conduction((1.0, 4.0), (1, 1), (1.0, 1.0)))  # along the layers: k is the mean
    >>> found.round(6).tolist()
    [[[0.75, 0.75], [0.75, 0.75]]]
    """
    field = conduction.field(labels).requires_grad_(True)
    found = effective_conductivity(
        field,
        spacing=conduction.spacing,
        boundary="periodic" if conduction.periodic else "fixed",
        tolerance=_EXACT,
    )
    row, column = conduction.component
    (derivative,) = torch.autograd.grad(found[:, row, column].sum(), field)
    step = conduction.phase_values[1] - conduction.phase_values[0]
    result: Array = derivative.numpy() * step
    return result
