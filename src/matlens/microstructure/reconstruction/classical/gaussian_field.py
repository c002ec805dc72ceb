"""Level-cut Gaussian random fields with the exemplar's two-point probabilities.

The two-point probability of a field of correlation rho, cut at a quantile, follows from rho by the bivariate normal
distribution; this relation is inverted at every offset of the exemplar's map. The measured result is rarely the
correlation of any field; the nearest one is found by alternating projections between the known offsets and spectra
without negative power. More than two phases are cut one after the other, each with a field of its own out of the
region that the phases before have left, so that every relation stays invertible.

In an isotropic medium a section has the two-point probability of the volume. A volume from sections therefore has their
mean over directions at every offset in space. Not every such function belongs to a volume; the nearest one that does is
fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.optimize import nnls

from matlens.errors import InputError
from matlens.microstructure.problems import level_cut_covariance
from matlens.microstructure.reconstruction.classical.base import Classical
from matlens.microstructure.reconstruction.classical.sections_in_space import plane_maps, stretched_line
from matlens.microstructure.reconstruction.classical.targets import (
    at_fraction,
    mean_fractions,
    mean_map,
    offsets,
    reach_of,
)
from matlens.microstructure.reconstruction.method import Made, Maker, Task
from matlens.microstructure.statistics import normalised_covariance, two_point_map
from matlens.microstructure.structure import Microstructure

__all__ = ["GaussianField", "field_correlation", "in_space", "isotropic_correlation", "nearest_correlation"]

Array = NDArray[np.float64]
Nearest = Callable[[Array, Sequence[int]], Array]

# docs/decisions/0018-level-cut-gaussian-fields.md
_MOST_PHASES = 4  # the order of cutting is tried out: 12 orders for four phases
_SWEEPS = 20
_FAR, _SURE = 0.05, 30.0  # weights of no correlation far away, and of one at offset zero


@dataclass(frozen=True)
class GaussianField(Classical):
    """Cut Gaussian random fields of the exemplar's anisotropic correlation at quantiles, one field fewer than phases.

    A volume from sections is isotropic, or an isotropic medium that is stretched along the axes where sections have the
    names of their planes.

    Parameters
    ----------
    reach : int
        Largest offset matched, in pixels; 0 chooses three times the reach of the covariance, at least 16.

    Notes
    -----
    Quiblier, J. Colloid Interface Sci. 98, 84 (1984); Berk, Phys. Rev. A 44, 5069 (1991).

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> m = gaussian_field((64, 64), 6, 0.3, seed=0)
    >>> make = GaussianField().learn([m], (64, 64), seed=0)
    >>> int(make(Task((64, 64), m.volume_fractions, seed=0)).labels.sum()) == int(m.labels.sum())
    True
    """

    name: ClassVar[str] = "gaussian-field"
    citations: ClassVar[tuple[str, ...]] = ("berk1991scattering", "quiblier1984new")
    takes_masks: ClassVar[bool] = True
    from_sections: ClassVar[bool] = True
    takes_nearest: ClassVar[bool] = True  # a field has no other

    reach: int = 0

    def check(self, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> tuple[str, ...]:
        """Check the option, and that there are at most four phases, for which all orders of cutting are tried.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.

        Returns
        -------
        tuple of str
            Remarks if there are more than two phases, or a volume is made from sections.

        Raises
        ------
        InputError
            If there are more than four phases, or ``reach`` is negative.
        """
        phases = exemplars[0].n_phases
        if phases > _MOST_PHASES:
            raise InputError(
                f"method 'gaussian-field' takes up to {_MOST_PHASES} phases, and the exemplar has {phases}; merge some "
                "or choose another method."
            )
        if self.reach < 0:
            raise InputError(f"gaussian-field option reach is {self.reach}; give 0 (to choose it) or more.")
        notes = []
        if len(shape) > exemplars[0].ndim:
            notes.append(
                "the volume is an isotropic medium, stretched along the axes where sections of named planes say so"
            )
        if phases > 2:
            notes.append(f"{phases} phases are cut from {phases - 1} independent fields, one after the other")
        return tuple(notes)

    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Measure the map of two-point probabilities.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.
        seed : int
            Seed of random choices.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """
        reach = reach_of(exemplars, shape, self.reach)
        return _maker(mean_map(exemplars, two_point_map, reach), mean_fractions(exemplars), nearest_correlation)

    def learn_volume(
        self, exemplars: Sequence[Microstructure], sections: Sequence[Sequence[int]], shape: Sequence[int], seed: int
    ) -> Maker:
        """Measure the map of two-point probabilities in space.

        Where the sections differ between axes, the medium is an isotropic one that is stretched along the axes.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Sections; rows and columns are axes of the volume in their order.
        sections : sequence of sequence of int
            For each axis of the volume, the numbers of the sections normal to it.
        shape : sequence of int
            Depth, height and width of the result in pixels.
        seed : int
            Seed of random choices.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """
        reach, own = reach_of(exemplars, shape, self.reach), mean_fractions(exemplars)
        if all(tuple(one) == tuple(sections[0]) for one in sections):
            return _maker(in_space(mean_map(exemplars, two_point_map, reach)), own, isotropic_correlation)
        line, stretches = stretched_line(plane_maps(exemplars, sections, reach), own)
        squares = [(np.arange(-reach, reach + 1) / stretch) ** 2 for stretch in stretches]
        apart = np.sqrt(sum(np.meshgrid(*squares, indexing="ij", sparse=True)))
        measured = np.stack([np.interp(apart, np.arange(reach + 1), one) for one in line])
        return _maker(measured, own, partial(isotropic_correlation, stretches=stretches))


def _maker(measured: Array, own: Array, nearest: Nearest) -> Maker:
    """Return the function that draws fields with a map of two-point probabilities, of the fractions ``own``."""
    reach = measured.shape[1] // 2

    def make(task: Task) -> Made:
        asked = task.counts / task.counts.sum()
        task.progress.begin(2, f"realisation {task.realisation + 1}")
        grid = tuple(max(side, 2 * reach + 1) for side in task.shape)
        cuts = _best_cuts(at_fraction(measured, own, asked), asked, grid, nearest)
        task.progress.update(1, "drawing")
        labels = _drawn(cuts, task, grid)
        return Made(labels, "drawn", periodic=grid == tuple(task.shape), evaluations=len(cuts))

    return make


@dataclass(frozen=True)
class _Cut:
    """Phase to be cut from the remaining region, with the correlation of its field on the grid."""

    phase: int
    correlation: Array


def field_correlation(two_point: Array, fraction: float) -> Array:
    """Compute the correlation of a Gaussian field from the two-point probability of the phase that is cut from it.

    Parameters
    ----------
    two_point : ndarray
        Two-point probability of a phase, any shape.
    fraction : float
        Its volume fraction.

    Returns
    -------
    ndarray
        Correlation in [-1, 1], shape of ``two_point``; sin(2 pi (S2 - 1/4)) at a fraction of one half.

    Notes
    -----
    Quiblier, J. Colloid Interface Sci. 98, 84 (1984); Berk, Phys. Rev. A 44, 5069 (1991).

    Examples
    --------
    >>> field_correlation(np.array([0.5, 1 / 3, 0.25]), 0.5).round(3) + 0.0
    array([1. , 0.5, 0. ])
    """
    # steps of equal angle: the relation is steep near a correlation of one
    table = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 4001))
    known = level_cut_covariance(table, fraction)
    return np.asarray(np.interp(normalised_covariance(two_point, fraction), known, table))


def in_space(plane: Array) -> Array:
    """Turn maps of the plane into those of an isotropic medium in space.

    Parameters
    ----------
    plane : ndarray, shape (K, 2 R + 1, 2 R + 1)
        Two-point probabilities at offsets in the plane.

    Returns
    -------
    ndarray, shape (K, 2 R + 1, 2 R + 1, 2 R + 1)
        The mean over directions at each distance, linear between the distances of the plane; constant beyond them.

    Examples
    --------
    >>> plane = np.array([[[0.1, 0.2, 0.1], [0.2, 0.5, 0.4], [0.1, 0.4, 0.1]]])
    >>> in_space(plane)[0, 1].round(3).tolist()
    [[0.1, 0.3, 0.1], [0.3, 0.5, 0.3], [0.1, 0.3, 0.1]]
    """
    reach = plane.shape[1] // 2
    distances, inverse = np.unique(offsets(reach, 2).ravel(), return_inverse=True)
    counts, wanted = np.bincount(inverse), offsets(reach, 3)
    means = (np.bincount(inverse, weights=one.ravel()) / counts for one in plane)
    return np.stack([np.interp(wanted, distances, mean) for mean in means])


def nearest_correlation(wanted: Array, grid: Sequence[int]) -> Array:
    """Find a correlation on a periodic grid that has no negative spectral power and matches a map at small offsets.

    Parameters
    ----------
    wanted : ndarray, shape (2 R + 1, ...)
        Correlation at offsets -R to R; one in the centre.
    grid : sequence of int
        Sides of the grid in pixels, at least 2 R + 1.

    Returns
    -------
    ndarray, shape ``grid``
        Correlation, with offsets in the order of an FFT.

    Notes
    -----
    Alternating projections. The weight of the wanted map falls with the offset: far correlations are small and mostly
    noise, and where noise asks for negative power, its absence appears as speckle. A few iterations find the shape;
    many more only follow the noise.

    Examples
    --------
    >>> wanted = np.exp(-(offsets(8, 2) / 3) ** 2)
    >>> found = nearest_correlation(wanted, (32, 32))
    >>> bool(abs(found[0, :9] - wanted[8, 8:]).max() < 0.02)
    True
    """
    reach = wanted.shape[0] // 2
    at = np.ix_(*[np.arange(-reach, reach + 1) % side for side in grid])
    distance = offsets(reach, wanted.ndim)
    trust = np.where(distance < reach, np.cos(np.pi * distance / (2 * reach)) ** 2, 0.0)
    values = np.zeros(grid)
    values[at] = trust * wanted
    for _ in range(_SWEEPS):
        feasible = fft.irfftn(np.maximum(fft.rfftn(values).real, 0.0), s=grid)
        values = feasible.copy()
        values[at] += trust * (wanted - feasible[at])
    return np.asarray(feasible / feasible.flat[0])


def isotropic_correlation(wanted: Array, grid: Sequence[int], stretches: Array | None = None) -> Array:
    """Find a correlation on a periodic grid that belongs to an isotropic medium in space and matches a radial map.

    Parameters
    ----------
    wanted : ndarray, shape (2 R + 1, 2 R + 1, 2 R + 1)
        Correlation at offsets -R to R, a function of distance; one in the centre.
    grid : sequence of int
        Sides of the grid in pixels, at least 2 R + 1.
    stretches : ndarray, shape (3,), optional
        Factor by which the medium is stretched along each axis; by default none is. The map is then a function of the
        distance after every axis is divided by its stretch.

    Returns
    -------
    ndarray, shape ``grid``
        Correlation, with offsets in the order of an FFT.

    Notes
    -----
    The correlation is a sum of sin(k r) / (k r) with weights that are not negative, fitted by least squares: in space
    alternating projections leave white noise, as most frequencies lie beyond those that matter. Far correlations count
    less, and the field has none beyond 2 R. Adler, Jacquin & Quiblier, Int. J. Multiphase Flow 16, 691 (1990).

    Examples
    --------
    >>> wanted = np.exp(-(offsets(8, 3) / 3) ** 2)
    >>> found = isotropic_correlation(wanted, (32, 32, 32))
    >>> bool(abs(found[0, 0, :9] - wanted[8, 8, 8:]).max() < 0.02)
    True
    """
    reach = wanted.shape[0] // 2
    distance = np.arange(2.0 * reach + 1)
    scales = np.ones(3) if stretches is None else stretches
    along = _along(wanted, scales) if stretches is not None else wanted[reach, reach, reach:]
    line = np.concatenate([along, np.zeros(reach)])
    trust = np.where(distance < reach, np.cos(np.pi * distance / (2 * reach)) ** 2, 0.0) + _FAR
    trust[0] = _SURE
    waves = np.pi * np.sqrt(3) * (np.arange(4 * reach) + 0.5) / (4 * reach)  # up to the corner of the grid's band
    shells = np.sinc(np.outer(distance, waves) / np.pi)
    power, _ = nnls(trust[:, None] * shells, trust * line)
    fine = np.arange(0, 2 * reach + 0.1, 0.1)
    fade = np.cos(np.pi / 2 * np.clip(fine / reach - 1, 0, 1)) ** 2
    steps = [(np.minimum(np.arange(side), side - np.arange(side)) / s) ** 2.0 for side, s in zip(grid, scales)]
    apart = np.sqrt(sum(np.meshgrid(*steps, indexing="ij", sparse=True)))
    values = np.interp(apart, fine, fade * (np.sinc(np.outer(fine, waves) / np.pi) @ power), right=0.0)
    feasible = fft.irfftn(np.maximum(fft.rfftn(values).real, 0.0), s=grid)
    return np.asarray(feasible / feasible.flat[0])


def _along(wanted: Array, scales: Array) -> Array:
    """Read a stretched map by distance 0 to R, where each axis gives its own points; beyond all of them it is zero."""
    reach = wanted.shape[0] // 2
    steps = np.arange(reach + 1.0)
    values = [wanted[reach:, reach, reach], wanted[reach, reach:, reach], wanted[reach, reach, reach:]]
    places = np.concatenate([steps / scale for scale in scales])
    order = np.argsort(places, kind="stable")
    return np.interp(steps, places[order], np.concatenate(values)[order], right=0.0)


def _best_cuts(wanted: Array, fractions: Array, grid: tuple[int, ...], nearest: Nearest) -> list[_Cut]:
    """Find the order of phases whose cuts match every phase's two-point probability best."""
    phases = len(fractions)
    if phases == 2:
        return [_cut(1, wanted[1], float(fractions[1]), grid, nearest)]
    # the last two phases share a field: their order is no choice
    orders = [order for order in permutations(range(phases)) if order[-2] < order[-1]]
    return min((_cuts(order, wanted, fractions, grid, nearest) for order in orders), key=lambda found: found[1])[0]


def _cut(phase: int, two_point: Array, share: float, grid: tuple[int, ...], nearest: Nearest) -> _Cut:
    """Compute the cut of a phase from its two-point probability in the region that is left, of which it has a share."""
    inside = np.clip(two_point, 0.0, 1.0)
    inside[tuple(side // 2 for side in inside.shape)] = share
    return _Cut(phase, nearest(field_correlation(inside, share), grid))


def _cuts(
    order: Sequence[int], wanted: Array, fractions: Array, grid: tuple[int, ...], nearest: Nearest
) -> tuple[list[_Cut], float]:
    """Compute the cuts for one order, and the squared error of all phases' two-point probabilities."""
    reach = wanted.shape[1] // 2
    near = np.ix_(*[np.arange(-reach, reach + 1) % side for side in grid])
    weight = 1 / np.maximum(offsets(reach, len(grid)), 1.0)
    left, remaining, cuts, miss = np.ones(wanted.shape[1:]), 1.0, [], 0.0
    for phase in order[:-1]:
        share = float(fractions[phase] / remaining)
        cuts.append(_cut(phase, wanted[phase] / np.maximum(left, 1e-9), share, grid, nearest))
        found = share**2 + share * (1 - share) * level_cut_covariance(cuts[-1].correlation[near], share)
        miss += float((weight * (left * found - wanted[phase]) ** 2).sum())
        left = left * (1 - 2 * share + found)
        remaining -= float(fractions[phase])
    return cuts, miss + float((weight * (left - wanted[order[-1]]) ** 2).sum())


def _drawn(cuts: Sequence[_Cut], task: Task, grid: tuple[int, ...]) -> NDArray[np.uint8]:
    """Draw the fields and cut exactly the wanted number of pixels of each phase from the remaining region."""
    counts, window = task.counts, tuple(slice(side) for side in task.shape)
    last = set(range(len(counts))) - {cut.phase for cut in cuts}
    labels = np.full(int(np.prod(task.shape)), last.pop(), dtype=np.uint8)
    free = np.arange(labels.size)
    for number, cut in enumerate(cuts):
        noise = fft.rfftn(task.random(number).standard_normal(grid))
        amplitude = np.sqrt(np.maximum(fft.rfftn(cut.correlation).real, 0.0))
        field = fft.irfftn(noise * amplitude, s=grid)[window].ravel()
        order = np.argsort(-field[free], kind="stable")
        labels[free[order[: counts[cut.phase]]]] = cut.phase
        free = np.sort(free[order[counts[cut.phase] :]])
    return labels.reshape(task.shape)
