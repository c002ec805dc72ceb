"""Spectral gradients on the data: projection on the directions in which spectra vary, and channels that cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.insight.composition_response import channel_noise

__all__ = ["Subspaces", "channel_width", "local_subspaces", "pinned_channels"]

Array = NDArray[np.float64]
_NEIGHBOURS = 60
_MOST = 20  # directions kept at a sample
_SMOOTH = 0.999  # share of the variance kept where spectra have no noise to speak of
_TIES = 0.1  # share of the samples that hold a channel at one and the same value


@dataclass(frozen=True)
class Subspaces:
    """Directions in which the spectra around each sample vary by more than noise; made by `local_subspaces`.

    Parameters
    ----------
    basis : ndarray of float32, shape (n, C, R)
        Orthonormal columns; zeros beyond a sample's ``dimension``.
    dimension : ndarray of int, shape (n,)
    variance : ndarray, shape (n, C)
        Of each channel in these directions.
    """

    basis: NDArray[np.float32]
    dimension: NDArray[np.intp]
    variance: Array

    def project(self, gradient: ArrayLike) -> NDArray[np.float32]:
        """Take off what leads away from the data, of gradients of shape (m, n, C)."""
        values = np.asarray(gradient, np.float32)
        found = np.empty_like(values)
        for row, basis in enumerate(self.basis[:, :, : max(1, int(self.dimension.max()))]):
            found[:, row] = (values[:, row] @ basis) @ basis.T
        return found

    def share_off(self, gradient: ArrayLike) -> Array:
        """Share of the squared norm of gradients of shape (n, C) that projection takes off; NaN where they vanish."""
        values = np.asarray(gradient, np.float32)
        kept = (self.project(values[None])[0].astype(np.float64) ** 2).sum(1)
        whole = (values.astype(np.float64) ** 2).sum(1)
        return np.where(whole > 0, np.clip(1 - kept / np.where(whole > 0, whole, 1), 0, 1), np.nan)


def local_subspaces(
    spectra: ArrayLike,
    seen: ArrayLike | None = None,
    *,
    measured: ArrayLike | None = None,
    noise: ArrayLike | None = None,
    neighbours: int = _NEIGHBOURS,
) -> Subspaces:
    """Find the directions in which the measured spectra most like each sample's vary by more than noise.

    Parameters
    ----------
    spectra : array_like, shape (n, C)
    seen : array_like of bool, shape (C,), optional
        Channels that the model sees; directions have nothing elsewhere.
    measured : array_like, shape (N, C), optional
        Spectra that the model learned from; by default ``spectra``.
    noise : array_like, shape (C,), optional
        Standard deviation of the noise of each channel; by default `channel_noise`.
    neighbours : int
        Spectra that make a neighbourhood.

    Returns
    -------
    Subspaces
        A direction is kept when its variance is above all that noise alone would show in so few spectra (the edge of
        Marchenko and Pastur), and until 99.9 % of the variance are there.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 1))
    >>> found = local_subspaces(x * [3.0, 4.0, 0.0, 0.0], noise=np.zeros(4))
    >>> found.project(np.ones((1, 100, 4)))[0, 0].astype(float).round(2).tolist()  # on (0.6, 0.8, 0, 0)
    [0.84, 1.12, 0.0, 0.0]
    """
    values = np.asarray(spectra, np.float64)
    count, channels = values.shape
    mask = np.ones(channels, bool) if seen is None else np.asarray(seen, bool)
    known = values if measured is None else np.asarray(measured, np.float64)
    values, known = (np.where(mask, each - known.mean(0), 0) for each in (values, known))
    sigma = channel_noise(known) if noise is None else np.asarray(noise, np.float64)
    size = min(neighbours, len(known))
    edge = float((sigma[mask] ** 2).mean()) * (1 + np.sqrt(mask.sum() / size)) ** 2 if mask.any() else 0.0
    nearest = _nearest(values, known, size)
    most = min(_MOST, size, channels)
    basis = np.zeros((count, channels, most), np.float32)
    dimension = np.zeros(count, np.intp)
    variance = np.zeros((count, channels))
    for row in range(count):
        cloud = known[nearest[row]]
        cloud = cloud - cloud.mean(0)
        power, vectors = np.linalg.eigh(cloud @ cloud.T / size)
        power, vectors = power[::-1][:most], vectors[:, ::-1][:, :most]
        kept = _kept(power, edge)
        directions = cloud.T @ (vectors[:, :kept] / np.sqrt(size * power[:kept]))
        basis[row, :, :kept], dimension[row] = directions, kept
        variance[row] = directions**2 @ power[:kept]
    return Subspaces(basis, dimension, variance)


def pinned_channels(spectra: ArrayLike, measured: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Flag values that a channel repeats exactly in at least a tenth of the samples, shape (n, C).

    Dividing by the maximum in a band makes one channel of each spectrum exactly 1, and detectors saturate: there the
    data say nothing of what a change would do.

    Parameters
    ----------
    spectra : array_like, shape (n, C)
    measured : array_like, shape (N, C), optional
        Spectra whose repetitions count; by default ``spectra``.

    Examples
    --------
    >>> pinned_channels([[1.0, 0.2], [1.0, 0.3], [1.0, 0.4], [0.9, 0.5]]).sum(0).tolist()
    [3, 0]
    """
    values = np.asarray(spectra, np.float64)
    known = np.sort(values if measured is None else np.asarray(measured, np.float64), axis=0)
    enough = max(2, int(np.ceil(_TIES * len(known))))
    flags = np.zeros(values.shape, bool)
    if enough > len(known):
        return flags
    # a value stands often enough where the sorted column repeats over that distance
    starts = known[: len(known) - enough + 1]
    repeated = known[enough - 1 :] == starts
    for channel in np.flatnonzero(repeated.any(0)):
        flags[:, channel] = np.isin(values[:, channel], starts[repeated[:, channel], channel])
    return flags


def channel_width(axis: ArrayLike) -> Array:
    """Length of axis that each channel stands for: half the distance between its neighbours, shape (C,).

    Examples
    --------
    >>> channel_width([0.0, 1.0, 3.0]).tolist()
    [1.0, 1.5, 2.0]
    """
    positions = np.asarray(axis, np.float64)
    if positions.size < 2:
        return np.ones_like(positions)
    return np.abs(np.gradient(positions, np.arange(positions.size)))


def _nearest(values: Array, known: Array, size: int) -> NDArray[np.intp]:
    squared = (known**2).sum(1) - 2 * values @ known.T  # the square of the values themselves changes no order
    return np.argpartition(squared, size - 1, axis=1)[:, :size]


def _kept(power: Array, edge: float) -> int:
    total = power.clip(0).sum()
    if total <= 0:
        return 0
    enough = int(np.searchsorted(np.cumsum(power.clip(0)) / total, _SMOOTH)) + 1
    return min(int((power > max(edge, 1e-12 * power[0])).sum()), enough)
