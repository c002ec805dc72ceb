"""Correlation length: the first distance at which the normalised covariance is negligible.

The two phases of a two-phase structure have one covariance, as each is what the other leaves. Estimated from a window,
each phase has an estimate of its own, since the borders cut different parts of both. The correlation length is that of
their mean, and so one number; the `covariance_reach` is how far either estimate goes, and says how far to look.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.statistics.correlation.offsets import along_axes, half_sides, radial_mean
from matlens.microstructure.statistics.correlation.two_point import (
    normalised_covariance,
    two_point_axes,
    two_point_map,
    two_point_radial,
)
from matlens.microstructure.statistics.statistic import N_LOG_N, Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["CORRELATION_LENGTH", "anisotropy", "correlation_length", "correlation_length_radial", "covariance_reach"]

LEVEL = 0.1


def first_below(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the first r with |c(r)| < 0.1 along the last axis.

    Parameters
    ----------
    covariance : ndarray, shape (..., R)
        Normalised covariance at r = 0, 1, 2, ... pixels; may hold NaN.

    Returns
    -------
    ndarray of float64, shape (...)
        r in pixels; NaN where |c| stays larger.

    Examples
    --------
    >>> first_below(np.array([[1.0, 0.5, 0.05, 0.2], [1.0, 0.9, 0.8, 0.7]]))
    array([ 2., nan])
    """
    small = np.abs(covariance) < LEVEL  # NaN compares false
    return np.where(small.any(axis=-1), small.argmax(axis=-1), np.nan)


def length_of(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the correlation length from the normalised covariance of each phase.

    Parameters
    ----------
    covariance : ndarray, shape (K, ..., R)
        Normalised covariance of every phase at r = 0, 1, 2, ... pixels; may hold NaN.

    Returns
    -------
    ndarray of float64, shape (K, ...)
        `first_below` of each phase; of the mean of both, where there are two phases.

    Examples
    --------
    >>> length_of(np.array([[1.0, 0.5, 0.12, 0.02], [1.0, 0.4, 0.04, 0.02]]))
    array([2., 2.])
    """
    if len(covariance) == 2:  # the mean is 1 - P(the ends lie in different phases) / (2 phi (1 - phi)), a variogram
        covariance = np.broadcast_to(covariance.mean(axis=0), covariance.shape)
    return first_below(covariance)


def correlation_length(m: Microstructure) -> NDArray[np.float64]:
    """Find the correlation length of every phase along every axis.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Returns
    -------
    ndarray of float64, shape (K, ndim)
        First r > 0 with |c(r)| < 0.1, in pixels; NaN where c stays larger up to half the side, or the phase is absent.
        Both phases of two have the same. The ratio between axes is the `anisotropy`.

    Notes
    -----
    The covariance is that of Torquato, Random Heterogeneous Materials (2002); the level 0.1 is a convention.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> stripes = np.tile([0, 0, 1, 1], (8, 2))
    >>> correlation_length(Microstructure(stripes, periodic=True))[1]
    array([nan,  1.])
    """
    fractions = m.volume_fractions[:, None, None]
    return length_of(normalised_covariance(two_point_axes(m), fractions))


def correlation_length_radial(m: Microstructure) -> NDArray[np.float64]:
    """Find the correlation length of every phase from the radially averaged covariance.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.

    Returns
    -------
    ndarray of float64, shape (K,)
        As `correlation_length`, averaged over directions.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> squares = np.kron([[0, 1], [1, 0]], np.ones((6, 6), dtype=int))
    >>> correlation_length_radial(Microstructure(squares, periodic=True))
    array([3., 3.])
    """
    return length_of(_radial(m))


def covariance_reach(m: Microstructure) -> NDArray[np.float64]:
    """Find how far the radially averaged covariance of every phase reaches, each phase by its own estimate.

    Reconstruction and comparison look so far. In a window, the estimates of two phases differ where their covariance
    falls slowly; the `correlation_length_radial` is of the mean of both.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.

    Returns
    -------
    ndarray of float64, shape (K,)
        First r > 0 with |c(r)| < 0.1, in pixels; NaN where c stays larger up to half the side, or the phase is absent.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> squares = np.kron([[0, 1], [1, 0]], np.ones((6, 6), dtype=int))
    >>> covariance_reach(Microstructure(squares, periodic=True))
    array([3., 3.])
    """
    return first_below(_radial(m))


@lru_cache(maxsize=4)  # a plan asks for its size, the method for what it looks at, and the copy test for its patches
def _radial(m: Microstructure) -> NDArray[np.float64]:
    return normalised_covariance(two_point_radial(m), m.volume_fractions[:, None])


def anisotropy(m: Microstructure) -> NDArray[np.float64]:
    """Compare the correlation lengths along the axes: the longest over the shortest, for every phase.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.

    Returns
    -------
    ndarray of float64, shape (K,)
        1 or more, of physical lengths; NaN where an axis has no correlation length. How far it can be trusted is seen
        from its values in windows: even an isotropic material lies above 1 in a small one.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> bricks = np.kron([[0, 1], [1, 0]], np.ones((4, 12), dtype=int))
    >>> anisotropy(Microstructure(bricks, periodic=True))
    array([3., 3.])
    """
    return _ratio(correlation_length(m) * np.asarray(m.spacing))


def _lengths_and_anisotropy(m: Microstructure) -> tuple[NDArray[np.float64], ...]:
    half, found, fractions = half_sides(m.shape), two_point_map(m), m.volume_fractions
    spacing = np.asarray(m.spacing)
    along = length_of(normalised_covariance(along_axes(found, half), fractions[:, None, None])) * spacing
    radial = length_of(normalised_covariance(radial_mean(found, half, m.spacing), fractions[:, None]))
    quarters = [anisotropy(window) for window in m.tiles([max(1, side // 2) for side in m.shape], masked=True)]
    # fmin and fmax pass over windows in which it is not known
    low, high = np.fmin.reduce(quarters), np.fmax.reduce(quarters)
    return along, radial * float(np.exp(np.log(spacing).mean())), _ratio(along), low, high


def _ratio(lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = lengths.max(axis=1) / lengths.min(axis=1)
    return ratio


_ANISOTROPY = "longest over shortest correlation length along an axis"


CORRELATION_LENGTH = Statistic(
    name="correlation_length",
    long_name="correlation length",
    compute=_lengths_and_anisotropy,
    variables=(
        Variable(
            name="correlation_length",
            dims=("phase", "axis"),
            long_name="first r with |c(r)| < 0.1",
            units="{unit}",
            display=Display(section="shape", place=4, caption="where the covariance has fallen below a tenth"),
            facts=Facts(least=0, layers=True, laminate=lambda w: [np.nan, w / 2]),
        ),
        Variable(
            name="correlation_length_radial",
            dims=("phase",),
            long_name="first distance with |c(r)| < 0.1",
            units="{unit}",
            facts=Facts(least=0),
        ),
        Variable(
            name="anisotropy",
            dims=("phase",),
            long_name=_ANISOTROPY,
            display=Display(
                section="shape",
                place=5,
                caption="longest over shortest correlation length; the line spans windows of half the side",
            ),
            facts=Facts(least=1, laminate=lambda w: np.nan),
        ),
        Variable(
            name="anisotropy_low",
            dims=("phase",),
            long_name=f"{_ANISOTROPY}, least of windows of half the side",
            facts=Facts(least=1, shift=False, turns=True),
        ),
        Variable(
            name="anisotropy_high",
            dims=("phase",),
            long_name=f"{_ANISOTROPY}, most of windows of half the side",
            facts=Facts(least=1, shift=False, turns=True),
        ),
    ),
    cost=Cost(seconds=(0.068, 0.079), bytes=(52, 57), exponent=N_LOG_N),
    cites=("torquato2002random",),
)
