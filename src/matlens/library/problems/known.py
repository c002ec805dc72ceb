"""A materials library whose truth is known: the law behind it, its exact gradients, and what its layout supports."""

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
_ENOUGH = 3  # compositions that differ in a component, close by, make its direction supported
_CEILING = 0.93  # R2 of the noise-free figure of merit against the measured one, at noise 1


class Law(Protocol):
    """How composition and the state of a sample become a spectrum, and both a figure of merit; differentiable."""

    @property
    def state_names(self) -> tuple[str, ...]:
        """What differs between samples of one composition; 0 is nominal."""
        ...

    def record(self, compositions: Tensor, state: Tensor) -> Tensor | None:
        """Noise-free intensities as an instrument would write them, shape (n, C); None where there is no spectrum."""
        ...

    def merit(self, compositions: Tensor, spectra: Tensor | None) -> Tensor:
        """Noise-free figure of merit, shape (n,), of fractions (n, D) and of intensities (n, C)."""
        ...


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of a library, in the unit of its figure of merit.

    All derivatives stand at the noise-free spectrum of each sample (its own state, without detector noise), and are
    exact (automatic differentiation of the law in double precision).

    Parameters
    ----------
    merit : ndarray, shape (n,)
        Noise-free figure of merit.
    partial : ndarray, shape (n, D)
        Derivative per unit fraction with the recorded spectrum held. The law is one smooth extension off the simplex
        among many, so only what compensation schemes make of it has a meaning.
    total : ndarray, shape (n, D)
        The same, the spectrum following the composition at the sample's own state. Equal to ``partial`` without
        spectra.
    spectral : ndarray, shape (n, C), or None
        Derivative per unit of the intensities as they stand in the file, the composition held.
    supported : ndarray of int8, shape (n, D)
        2, 1 or 0: whether the layout holds three, some, or no compositions that tell of a component; `layout_support`.
    groups : tuple of frozenset of str
        Components that act alike by law.
    bands : tuple of (low, high)
        Regions of the axis that the figure of merit follows.
    ceiling : float
        R2 that the noise-free figure of merit itself reaches against the measured one.
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
    """A library, its truth, and the law that made it.

    Parameters
    ----------
    name : str
        The family and its seed.
    library : MaterialsLibrary
        What a user would have.
    truth : Truth
        What only the maker knows.
    law : Law
        What nature does.
    state : ndarray, shape (n, S)
        What differs between samples of equal composition (columns ``law.state_names``), which no file tells.
    """

    name: str
    library: MaterialsLibrary
    truth: Truth
    law: Law
    state: Floats = field(repr=False)

    def response(self, compositions: ArrayLike, state: ArrayLike | None = None) -> Floats:
        """Exact noise-free figure of merit at other compositions, whose spectra follow.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        state : array_like, shape (n,) or (n, S), optional
            Latent state; one number a sample is the first of ``law.state_names``. None is nominal, zero.

        Returns
        -------
        ndarray, shape (n,)

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
        """Noise-free spectra at other compositions, shape (n, C); None in a family without spectra."""
        x, z = self._tensors(compositions, state)
        spectra = self.law.record(x, z)
        return None if spectra is None else _array(spectra)

    def held(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Floats:
        """Noise-free figure of merit with given spectra, shape (n,): the law that a model of both has to find."""
        x, _ = self._tensors(compositions, None)
        return _array(self.law.merit(x, None if spectra is None else torch.as_tensor(np.array(spectra, np.float64))))

    def identifiable(self) -> Floats | None:
        """Part of the true spectral gradient that any data of this law can tell, shape (n, C); None without spectra.

        At a given composition spectra move only along their derivatives with respect to the state; across these
        directions no derivative shows in the figure of merit. This is the projection onto them, at each sample.

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
    """Differentiate a law: figure of merit (n,), partial (n, D), total (n, D) and spectral (n, C) derivatives."""
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
    """Say which directions the layout of a library supports at each of its samples.

    A component's direction is told by compositions of the system that the sample and the component make together (and,
    where the sample holds the component, of the system without it) within ``reach``, in which that component differs.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    reach : float
        How much of a sample may be exchanged (half the sum of absolute differences) for another to count as near.
    least : float
        Change of the component's fraction that counts as a difference.

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
    """Add replicate scatter, larger where the figure of merit is; return also the R2 that the truth keeps.

    At ``noise`` 1 the noise-free values reach an R2 of 0.93 against the measured ones.
    """
    spread = 0.3 + 0.7 * merit / merit.mean()
    share = noise**2 * (1 - _CEILING) / _CEILING
    error = rng.standard_normal(len(merit)) * spread * np.sqrt(share * merit.var() / (spread**2).mean())
    measured = merit + error
    return measured, float(1 - (error**2).mean() / measured.var())


def checked_size(n: int, least: int, noise: float, *others: float) -> int:
    """Check the number of samples and the strengths of a family."""
    if int(n) != n or n < least:
        raise InputError(f"n must be a whole number of samples, at least {least}, found {n!r}.")
    for value in (noise, *others):
        if not (np.isfinite(value) and value >= 0):
            raise InputError(f"noise and other strengths must be zero or positive numbers, found {value!r}.")
    return int(n)


def _array(values: Tensor) -> Floats:
    return np.asarray(values.detach().numpy(), dtype=np.float64)
