"""A materials library whose truth is known: the law behind it, its exact gradients, and the support of its layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from matlens.errors import InputError
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["KnownLibrary", "Law", "Truth", "checked_size", "derive", "layout_support", "scattered"]

Floats = NDArray[np.float64]
# docs/decisions/0034-known-libraries.md
_ENOUGH = 3  # number of nearby compositions with another fraction of a component that support its direction
_CEILING = 0.93  # R2 of the noise-free figure of merit against the measured one, at noise 1


class Law(Protocol):
    """A differentiable law of a library.

    Composition and state of a sample give a spectrum, composition and spectrum give a figure of merit.
    """

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states, in which samples of one composition differ; 0 is nominal."""
        ...

    def record(self, compositions: Tensor, state: Tensor) -> Tensor | None:
        """Compute noise-free intensities as an instrument records them.

        Parameters
        ----------
        compositions : Tensor, shape (n, D)
            Fractions.
        state : Tensor, shape (n, S)
            States.

        Returns
        -------
        Tensor, shape (n, C), or None
            Intensities; None where the library has no spectra.
        """
        ...

    def merit(self, compositions: Tensor, spectra: Tensor | None) -> Tensor:
        """Compute the noise-free figure of merit.

        Parameters
        ----------
        compositions : Tensor, shape (n, D)
            Fractions.
        spectra : Tensor, shape (n, C), or None
            Intensities.

        Returns
        -------
        Tensor, shape (n,)
            Figure of merit.
        """
        ...


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth about a library, in the unit of its figure of merit.

    All derivatives are taken at the noise-free spectrum of each sample (with its own state, without detector noise).
    They are exact: automatic differentiation of the law in double precision.

    Parameters
    ----------
    merit : ndarray, shape (n,)
        Noise-free figure of merit.
    partial : ndarray, shape (n, D)
        Derivative with respect to the fractions at a fixed spectrum. The law is one of many smooth extensions beyond
        the simplex, so only combinations of these derivatives by a compensation scheme have a meaning.
    total : ndarray, shape (n, D)
        Derivative with respect to the fractions when the spectrum follows the composition at the sample's own state.
        Equal to ``partial`` without spectra.
    spectral : ndarray, shape (n, C), or None
        Derivative with respect to the intensities of the file at fixed composition.
    supported : ndarray of int8, shape (n, D)
        Support of each component's direction by the layout, 2, 1 or 0; see `layout_support`.
    groups : tuple of frozenset of str
        Components that have the same effect by the law.
    bands : tuple of (float, float)
        Bands of the axis on which the figure of merit depends.
    ceiling : float
        R2 of the noise-free figure of merit against the measured one.

    Examples
    --------
    >>> from matlens.library.problems import blend
    >>> truth = blend(40).truth
    >>> truth.merit.shape, truth.total.shape, truth.supported.dtype.name
    ((40,), (40, 5), 'int8')
    """

    merit: Floats
    partial: Floats
    total: Floats
    spectral: Floats | None
    supported: NDArray[np.int8]
    groups: tuple[frozenset[str], ...] = ()
    bands: tuple[tuple[float, float], ...] = ()
    ceiling: float = 1.0


@dataclass(frozen=True, eq=False)
class KnownLibrary:
    """A synthetic library with its truth and the law that made it.

    Parameters
    ----------
    name : str
        Family and seed.
    library : MaterialsLibrary
        The library as a user has it.
    truth : Truth
        Noise-free values and exact gradients.
    law : Law
        The law.
    state : ndarray, shape (n, S)
        States of the samples (columns ``law.state_names``), which no file contains.

    Examples
    --------
    >>> from matlens.library.problems import blend
    >>> known = blend(40)
    >>> known.truth.total.shape, known.state.shape
    ((40, 5), (40, 0))
    """

    name: str
    library: MaterialsLibrary
    truth: Truth
    law: Law
    state: Floats = field(repr=False)

    def response(self, compositions: ArrayLike, state: ArrayLike | None = None) -> Floats:
        """Compute the exact noise-free figure of merit at other compositions, whose spectra follow.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        state : array_like, shape (n,) or (n, S), optional
            States; a single number for each sample is the first of ``law.state_names``. By default all are nominal,
            zero.

        Returns
        -------
        ndarray, shape (n,)
            Figure of merit.

        Raises
        ------
        InputError
            If shapes do not fit.

        Examples
        --------
        >>> from matlens.library.problems import photoanode
        >>> known = photoanode(40, seed=1)
        >>> bool(np.allclose(known.response(known.library.compositions, known.state), known.truth.merit))
        True
        """
        x, z = self._tensors(compositions, state)
        return _array(self.law.merit(x, self.law.record(x, z)))

    def recorded(self, compositions: ArrayLike, state: ArrayLike | None = None) -> Floats | None:
        """Compute noise-free spectra at other compositions.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        state : array_like, shape (n,) or (n, S), optional
            States, as in `response`.

        Returns
        -------
        ndarray, shape (n, C), or None
            Intensities; None in a family without spectra.

        Raises
        ------
        InputError
            If shapes do not fit.

        Examples
        --------
        >>> from matlens.library.problems import diffraction
        >>> diffraction(30).recorded([[0.8, 0.1, 0.1]]).shape
        (1, 551)
        """
        x, z = self._tensors(compositions, state)
        spectra = self.law.record(x, z)
        return None if spectra is None else _array(spectra)

    def merit_with_spectra(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Floats:
        """Compute the noise-free figure of merit for given spectra, the law that a model of both inputs has to learn.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities; None in a family without spectra.

        Returns
        -------
        ndarray, shape (n,)
            Figure of merit.

        Raises
        ------
        InputError
            If the shape of the compositions does not fit.

        Examples
        --------
        >>> from matlens.library.problems import diffraction
        >>> known = diffraction(30)
        >>> spectra = known.recorded(known.library.compositions, known.state)
        >>> bool(np.allclose(known.merit_with_spectra(known.library.compositions, spectra), known.truth.merit))
        True
        """
        x, _ = self._tensors(compositions, None)
        return _array(self.law.merit(x, None if spectra is None else torch.as_tensor(np.array(spectra, np.float64))))

    def identifiable(self) -> Floats | None:
        """Project the true spectral gradient onto the directions that data of this law can determine.

        At a given composition spectra change only along their derivatives with respect to the states. A derivative
        across these directions has no effect on any figure of merit in the data.

        Returns
        -------
        ndarray, shape (n, C), or None
            Projected gradient of each sample; None without spectra.

        Examples
        --------
        >>> from matlens.library.problems import photoanode
        >>> known = photoanode(40)
        >>> share = (known.identifiable() ** 2).sum(axis=1) / (known.truth.spectral**2).sum(axis=1)
        >>> bool(((share > 0.2) & (share < 0.9)).all())
        True
        """
        if self.truth.spectral is None:
            return None
        x, z = self._tensors(self.library.compositions, self.state)
        differentiate: Any = torch.autograd.functional.jvp  # it has no types
        moves = [
            differentiate(lambda state: self.law.record(x, state), z, one.expand_as(z))[1]
            for one in torch.eye(z.shape[1], dtype=torch.float64)
        ]
        basis, _ = torch.linalg.qr(torch.stack(moves, dim=2))  # (n, C, S)
        gradient = torch.as_tensor(self.truth.spectral)[:, :, None]
        return _array((basis @ (basis.mT @ gradient))[:, :, 0])

    def _tensors(self, compositions: ArrayLike, state: ArrayLike | None) -> tuple[Tensor, Tensor]:
        x = np.array(compositions, np.float64)
        if x.ndim != 2 or x.shape[1] != len(self.library.components):
            raise InputError(f"compositions must have shape (n, {len(self.library.components)}), found {x.shape}.")
        z = np.zeros((len(x), len(self.law.state_names)))
        if state is not None:
            given = np.array(state, np.float64)
            given = given[:, None] if given.ndim == 1 else given
            if given.ndim != 2 or len(given) != len(x) or given.shape[1] not in {min(1, z.shape[1]), z.shape[1]}:
                raise InputError(f"state must have shape ({len(x)},) or {z.shape}, found {np.shape(state)}.")
            z[:, : given.shape[1]] = given
        return torch.as_tensor(x), torch.as_tensor(z)


def derive(law: Law, compositions: Floats, state: Floats) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Compute the figure of merit of a law and its derivatives.

    Parameters
    ----------
    law : Law
        The law.
    compositions : ndarray, shape (n, D)
        Fractions.
    state : ndarray, shape (n, S)
        States.

    Returns
    -------
    merit : ndarray, shape (n,)
        Noise-free figure of merit.
    partial, total : ndarray, shape (n, D)
        Derivatives with respect to the fractions, at a fixed spectrum and when the spectrum follows; see `Truth`.
    spectral : ndarray, shape (n, C), or None
        Derivative with respect to the intensities; None without spectra.

    Examples
    --------
    >>> from matlens.library.problems import blend
    >>> known = blend(40)
    >>> merit, partial, total, spectral = derive(known.law, known.library.compositions, known.state)
    >>> partial.shape, spectral is None
    ((40, 5), True)
    """
    x = torch.tensor(compositions, dtype=torch.float64, requires_grad=True)
    spectra = law.record(x, torch.tensor(state, dtype=torch.float64))
    alone = torch.tensor(compositions, dtype=torch.float64, requires_grad=True)
    if spectra is None:
        merit = law.merit(alone, None)
        (partial,) = torch.autograd.grad(merit.sum(), alone)
        return _array(merit), _array(partial), _array(partial), None
    held = spectra.detach().requires_grad_()
    merit = law.merit(alone, held)
    partial, spectral = torch.autograd.grad(merit.sum(), (alone, held))
    (through,) = torch.autograd.grad(spectra, x, grad_outputs=spectral)
    return _array(merit), _array(partial), _array(partial + through), _array(spectral)


def layout_support(compositions: ArrayLike, reach: float, least: float = 1e-3) -> NDArray[np.int8]:
    """Count which directions the layout of a library supports at each of its samples.

    A direction changes one component. Compositions within ``reach`` that differ in that component support it, if they
    belong to the system of the sample together with the component (or, where the sample contains the component, to the
    system without it).

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    reach : float
        Largest distance of a composition that counts as near: half the sum of absolute differences.
    least : float
        Smallest difference of the component's fraction that counts.

    Returns
    -------
    ndarray of int8, shape (n, D)
        2 with three distinct compositions or more, 1 with one or two, 0 with none.

    Examples
    --------
    >>> layout_support([[0.5, 0.5, 0], [0.6, 0.4, 0], [0.4, 0.6, 0], [0.55, 0.45, 0], [0.5, 0.4, 0.1]], 0.2)[0].tolist()
    [2, 2, 1]
    """
    x = np.asarray(compositions, np.float64)
    points, inverse = np.unique(x.round(6), axis=0, return_inverse=True)
    systems = (points > PRESENT) @ (1 << np.arange(points.shape[1]))
    near = np.zeros((len(points), len(points)))
    for k in range(points.shape[1]):
        near += np.abs(points[:, None, k] - points[None, :, k])
    close = near <= 2 * reach
    counts = np.zeros(points.shape, np.intp)
    for k in range(points.shape[1]):
        with_k = systems | (1 << k)
        fits = with_k[:, None] == systems[None, :]
        fits |= (systems == with_k)[:, None] & ((with_k - (1 << k))[:, None] == systems[None, :])
        counts[:, k] = (fits & close & (np.abs(points[:, None, k] - points[None, :, k]) >= least)).sum(axis=1)
    return np.where(counts >= _ENOUGH, 2, np.minimum(counts, 1)).astype(np.int8)[inverse.ravel()]


def scattered(merit: Floats, noise: float, rng: np.random.Generator) -> tuple[Floats, float]:
    """Add replicate scatter to a figure of merit, larger where the figure of merit is larger.

    Parameters
    ----------
    merit : ndarray, shape (n,)
        Noise-free figure of merit.
    noise : float
        Factor of the scatter; at 1 the noise-free values reach an R2 of 0.93 against the measured ones.
    rng : Generator
        Source of the random numbers.

    Returns
    -------
    measured : ndarray, shape (n,)
        Figure of merit with scatter.
    ceiling : float
        R2 of the noise-free values against the measured ones.

    Examples
    --------
    >>> measured, ceiling = scattered(np.arange(1.0, 6.0), 0.0, np.random.default_rng(0))
    >>> measured.tolist(), ceiling
    ([1.0, 2.0, 3.0, 4.0, 5.0], 1.0)
    """
    deviation = 0.3 + 0.7 * merit / merit.mean()
    share = noise**2 * (1 - _CEILING) / _CEILING
    error = rng.standard_normal(len(merit)) * deviation * np.sqrt(share * merit.var() / (deviation**2).mean())
    measured = merit + error
    return measured, float(1 - (error**2).mean() / measured.var())


def checked_size(n: int, least: int, noise: float, *others: float) -> int:
    """Check the number of samples and the strengths of a family.

    Parameters
    ----------
    n : int
        Number of samples.
    least : int
        Smallest allowed number.
    noise, *others : float
        Strengths, zero or more.

    Returns
    -------
    int
        The number of samples.

    Raises
    ------
    InputError
        If the number is too small or not whole, or a strength is negative or not finite.

    Examples
    --------
    >>> checked_size(100, 20, 1.0)
    100
    """
    if int(n) != n or n < least:
        raise InputError(f"n must be a whole number of samples, at least {least}, found {n!r}.")
    for value in (noise, *others):
        if not (np.isfinite(value) and value >= 0):
            raise InputError(f"noise and other strengths must be zero or positive numbers, found {value!r}.")
    return int(n)


def _array(values: Tensor) -> Floats:
    return np.asarray(values.detach().numpy(), dtype=np.float64)
