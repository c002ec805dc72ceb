"""Integral range: over how large a piece of material a phase is one random draw.

A = sum over r of c(r), the normalised covariance. The volume fraction of windows of volume V much larger than A
scatters with variance phi (1 - phi) A / V, as the mean of V / A independent draws does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.offsets import half_sides, overlap_counts, radial_mean
from matlens.microstructure.statistics.correlation.two_point import known_places, known_sums, two_point_map
from matlens.microstructure.structure import Microstructure

__all__ = ["fraction_variance", "integral_range", "short_covariance"]

Array = NDArray[np.float64]


def integral_range(m: Microstructure) -> Array:
    """Estimate the integral range of every phase from the covariance, in pixels (voxels).

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Returns
    -------
    ndarray of float64, shape (K,)
        Area or volume; near zero for an ordered material. NaN as in `short_covariance`.

    Notes
    -----
    Matheron (1971); Lantuejoul, J. Microsc. 161, 387 (1991).

    Examples
    --------
    >>> from matlens.microstructure.problems import discs
    >>> m = discs((512, 512), radius=6, fraction=0.4, seed=0)
    >>> integral_range(m).round(-1)
    array([100., 100.])
    """
    values: Array = short_covariance(m).reshape(m.n_phases, -1).sum(axis=1)
    return values


def short_covariance(m: Microstructure) -> Array:
    """Estimate the normalised covariance of the material where a micrograph can tell it, and take it as zero beyond.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Returns
    -------
    ndarray of float64, shape (K, 2 h_1 + 1, ...), h_i = side_i // 2
        Centred. Kept up to the first zero of the radial curve, and over the swings that follow as long as they exceed
        what a micrograph of this size shows by chance. NaN where the phase is absent or fills everything, or the radial
        curve never falls to zero: then the micrograph is too small.

    Notes
    -----
    Taken around the micrograph's own fraction, a covariance is too low by the variance of that fraction, A / V; this is
    put right.

    Examples
    --------
    >>> from matlens.microstructure.problems import white_noise
    >>> short_covariance(white_noise((64, 64), (0.5, 0.5)))[1, 32, 30:35].round(1)
    array([0., 0., 1., 0., 0.])
    """
    half = half_sides(m.shape)
    covariance = _centred_covariance(m, half)
    distance = np.sqrt(sum(g.astype(float) ** 2 for g in np.ogrid[tuple(slice(-h, h + 1) for h in half)]))
    for phase, curve in enumerate(radial_mean(covariance, half)):
        end = _end_of_order(curve, m.n_known, m.ndim)
        near = distance <= end
        lowered = near.sum() / m.n_known
        if end == 0 or lowered >= 0.5:
            covariance[phase] = np.nan
            continue
        total = covariance[phase][near].sum() / (1 - lowered)
        covariance[phase] = np.where(near, covariance[phase] + total / m.n_known, 0.0)
    return covariance


def _centred_covariance(m: Microstructure, half: Sequence[int]) -> Array:
    """Normalised covariance around the means of the two parts of the window that are compared at each offset.

    Around the mean of the whole window, two complementary phases would differ.
    """
    values = two_point_map(m)
    places = known_places(m, half, m.mask)
    for phase, fraction in enumerate(m.volume_fractions):
        means = known_sums(m, phase, half, m.mask) / places
        values[phase] -= means * means[(slice(None, None, -1),) * m.ndim]
        values[phase] /= fraction * (1 - fraction) or np.nan
    return values


def _end_of_order(curve: Array, size: int, ndim: int) -> int:
    """Offset of the zero after which a radial covariance stays within its noise; 0 if there is none."""
    zeros = np.flatnonzero(curve[1:] * curve[:-1] <= 0) + 1
    if not zeros.size:
        return 0
    distance = np.arange(zeros[0])
    core = (curve[: zeros[0]] * distance ** (ndim - 1)).sum() * (2 * np.pi if ndim == 2 else 4 * np.pi)
    noise = 2 * np.sqrt(max(core, 1.0) / size)
    for zero, following in zip(zeros, [*zeros[1:], curve.size]):
        if np.abs(curve[zero:following]).max() < noise:
            return int(zero)
    return int(zeros[-1])


def fraction_variance(covariance: ArrayLike, window: Sequence[int], fraction: float) -> float:
    """Compute the variance of the volume fraction of windows from the covariance of the material, exactly.

    Parameters
    ----------
    covariance : array_like
        Normalised covariance for all offsets |r_i| < window_i at least, centred at r = 0, odd sides.
    window : sequence of int
        Pixels of the window along each axis.
    fraction : float
        Volume fraction phi.

    Returns
    -------
    float
        phi (1 - phi) sum over r of c(r) N(r) / V^2, N the number of pairs of pixels at r in the window.

    Raises
    ------
    InputError
        If the covariance does not reach as far as the window.

    Examples
    --------
    >>> uncorrelated = np.zeros((7, 7))
    >>> uncorrelated[3, 3] = 1.0
    >>> fraction_variance(uncorrelated, (4, 4), 0.5)
    0.015625
    """
    values, volume = np.asarray(covariance, dtype=float), prod(window)
    reach = [side - 1 for side in window]
    if values.ndim != len(window) or any(n // 2 < r for n, r in zip(values.shape, reach)):
        raise InputError(
            f"a covariance of shape {values.shape} does not reach over a window of {tuple(window)}; give offsets up to "
            "the window's side."
        )
    cut = values[tuple(slice(n // 2 - r, n // 2 + r + 1) for n, r in zip(values.shape, reach))]
    pairs = overlap_counts(window, reach, periodic=False)
    return float(fraction * (1 - fraction) * (cut * pairs).sum() / volume**2)
