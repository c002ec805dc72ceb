"""Local tangent spaces of spectra: directions in which measured spectra vary, and projection of gradients on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from matlens.library.gradients.composition_response import channel_noise

__all__ = ["TangentSpaces", "channel_width", "local_tangent_spaces", "pinned_channels"]

Array = NDArray[np.float64]
# docs/decisions/0036-spectral-gradients-that-data-support.md
_NEIGHBOURS = 400
_GLOBAL, _MOST = 60, 20  # directions of the whole library, and greatest number of directions at a sample
_SMOOTH = 0.9999  # share of the variance that is kept where spectra have little noise
_TIES = 0.1  # share of the samples with exactly the same value, from which a channel counts as pinned


@dataclass(frozen=True)
class TangentSpaces:
    """Directions in which spectra around each sample vary by more than noise.

    Use `local_tangent_spaces` to find them.

    Parameters
    ----------
    basis : ndarray, shape (C, R)
        Orthonormal directions of the whole library.
    local : ndarray of float32, shape (n, R, r)
        Directions of each sample as combinations of ``basis``; zeros beyond its ``dimension``.
    weight : ndarray of float32, shape (n, r)
        Share of the variance of each direction that is not noise.
    dimension : ndarray of int, shape (n,)
        Number of directions of each sample.
    variance : ndarray, shape (n, C)
        Variance of each channel in these directions, without noise.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 1))
    >>> spaces = local_tangent_spaces(x * [3.0, 4.0, 0.0, 0.0], noise=np.zeros(4))
    >>> spaces.share_off(np.ones((100, 4)))[0].round(2)
    np.float64(0.51)
    """

    basis: Array
    local: NDArray[np.float32]
    weight: NDArray[np.float32]
    dimension: NDArray[np.intp]
    variance: Array

    def project(self, gradient: ArrayLike) -> NDArray[np.float32]:
        """Project gradients on the local tangent spaces, so that they do not lead away from the data.

        Parameters
        ----------
        gradient : array_like, shape (m, n, C)
            Spectral gradients of m models.

        Returns
        -------
        ndarray of float32, shape (m, n, C)
            Projected gradients.
        """
        values = np.asarray(gradient, np.float32)
        single = self.basis.astype(np.float32)
        scores = (values @ single).transpose(1, 0, 2)  # (n, m, R)
        kept = ((scores @ self.local) * self.weight[:, None]) @ self.local.transpose(0, 2, 1)
        found = np.ascontiguousarray(kept.transpose(1, 0, 2)) @ single.T
        return found.astype(np.float32, copy=False)

    def share_off(self, gradient: ArrayLike) -> Array:
        """Return the share of the squared norm of gradients that projection removes.

        Parameters
        ----------
        gradient : array_like, shape (n, C)
            Spectral gradients.

        Returns
        -------
        ndarray, shape (n,)
            Shares, 0 to 1; NaN where the gradient is zero.
        """
        values = np.asarray(gradient, np.float32)
        kept = (self.project(values[None])[0].astype(np.float64) ** 2).sum(1)
        whole = (values.astype(np.float64) ** 2).sum(1)
        return np.where(whole > 0, np.clip(1 - kept / np.where(whole > 0, whole, 1), 0, 1), np.nan)


def local_tangent_spaces(
    variation: ArrayLike,
    places: ArrayLike | None = None,
    measured: ArrayLike | None = None,
    *,
    seen: ArrayLike | None = None,
    noise: ArrayLike | None = None,
    neighbours: int = _NEIGHBOURS,
) -> TangentSpaces:
    """Find the local tangent space of the spectra at each sample by principal components of its neighbours.

    A direction is kept if its variance exceeds what noise alone would show in as many spectra (the upper edge of
    Marchenko and Pastur, Math. USSR Sb. 1, 457, 1967), until 99.99 % of the variance are reached.

    Parameters
    ----------
    variation : array_like, shape (N, C)
        Measured spectra, or their residuals that composition does not explain.
    places : array_like, shape (n, P), optional
        Points at which tangent spaces are sought, for example compositions; by default the rows of ``variation``.
    measured : array_like, shape (N, P), optional
        Points at which the spectra were measured, in the same coordinates; by default ``places``.
    seen : array_like of bool, shape (C,), optional
        Channels that the model uses; directions are zero elsewhere. By default all.
    noise : array_like, shape (C,), optional
        Standard deviation of the noise of each channel; by default from `channel_noise`.
    neighbours : int
        Number of spectra in a neighbourhood.

    Returns
    -------
    TangentSpaces
        Directions with their weights at each point.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 1))
    >>> found = local_tangent_spaces(x * [3.0, 4.0, 0.0, 0.0], noise=np.zeros(4))
    >>> found.project(np.ones((1, 100, 4)))[0, 0].astype(float).round(2).tolist()  # on (0.6, 0.8, 0, 0)
    [0.84, 1.12, 0.0, 0.0]
    """
    clouds = np.asarray(variation, np.float64)
    mask = np.ones(clouds.shape[1], bool) if seen is None else np.asarray(seen, bool)
    clouds = np.where(mask, clouds - clouds.mean(0), 0)
    sigma = channel_noise(clouds) if noise is None else np.asarray(noise, np.float64)
    here = clouds if places is None else np.asarray(places, np.float64)
    known = here if measured is None else np.asarray(measured, np.float64)
    size = min(neighbours, len(clouds))
    level = float((sigma[mask] ** 2).mean()) if mask.any() else 0.0
    edge = level * (1 + np.sqrt(mask.sum() / size)) ** 2
    basis = _global(clouds)
    scores = clouds @ basis
    most = min(_MOST, basis.shape[1])
    local = np.zeros((len(here), basis.shape[1], most), np.float32)
    weight = np.zeros((len(here), most), np.float32)
    dimension = np.zeros(len(here), np.intp)
    variance = np.zeros((len(here), clouds.shape[1]))
    for row, near in enumerate(_nearest(here, known, size)):
        power, vectors = np.linalg.eigh(np.cov(scores[near], rowvar=False, bias=True).reshape(basis.shape[1], -1))
        power, vectors = power[::-1][:most], vectors[:, ::-1][:, :most]
        kept = _kept(power, edge)
        local[row, :, :kept], dimension[row] = vectors[:, :kept], kept
        weight[row, :kept] = 1 - edge / power[:kept]
        variance[row] = (basis @ vectors[:, :kept]) ** 2 @ (power[:kept] - level)
    return TangentSpaces(basis, local, weight, dimension, variance)


def pinned_channels(spectra: ArrayLike, measured: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Find pinned values: a channel has exactly the same value in at least a tenth of the samples.

    Division by the maximum in a band sets one channel of each spectrum to 1, and detectors saturate. Data do not show
    the effect of a change of such values.

    Parameters
    ----------
    spectra : array_like, shape (n, C)
        Spectra to be judged.
    measured : array_like, shape (N, C), optional
        Spectra in which repeated values are counted; by default ``spectra``.

    Returns
    -------
    ndarray of bool, shape (n, C)
        True where a value is pinned.

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
    """Compute the width of each channel: half the distance between its neighbours.

    Parameters
    ----------
    axis : array_like, shape (C,)
        Positions of the channels.

    Returns
    -------
    ndarray, shape (C,)
        Widths in the unit of the axis; 1 for a single channel.

    Examples
    --------
    >>> channel_width([0.0, 1.0, 3.0]).tolist()
    [1.0, 1.5, 2.0]
    """
    positions = np.asarray(axis, np.float64)
    if positions.size < 2:
        return np.ones_like(positions)
    return np.abs(np.gradient(positions, np.arange(positions.size)))


def _global(clouds: Array) -> Array:
    """Directions of the greatest variance over the whole library, shape (C, R)."""
    few = clouds if len(clouds) < clouds.shape[1] else clouds.T
    size = len(few)
    most = min(_GLOBAL, size)
    values, vectors = eigh(few @ few.T, subset_by_index=(size - most, size - 1))
    kept = values > 1e-12 * max(values[-1], 1e-300)
    if few is clouds:
        vectors = clouds.T @ (vectors[:, kept] / np.sqrt(values[kept]))
        return np.asarray(vectors[:, ::-1])
    return np.asarray(vectors[:, kept][:, ::-1])


def _nearest(values: Array, known: Array, size: int) -> NDArray[np.intp]:
    squared = (known**2).sum(1) - 2 * values @ known.T  # the square of the values themselves changes no order
    return np.argpartition(squared, size - 1, axis=1)[:, :size]


def _kept(power: Array, edge: float) -> int:
    total = power.clip(0).sum()
    if total <= 0:
        return 0
    enough = int(np.searchsorted(np.cumsum(power.clip(0)) / total, _SMOOTH)) + 1
    return min(int((power > max(edge, 1e-12 * power[0])).sum()), enough)
