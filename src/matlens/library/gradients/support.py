"""Support of gradients by measured compositions and spectra, judged from the data alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients.simplex import directions
from matlens.library.table import PRESENT

__all__ = [
    "ENOUGH_PAIRS",
    "ENOUGH_SAMPLES",
    "Support",
    "component_pairs",
    "composition_support",
    "count_level",
    "spectral_support",
]

Array = NDArray[np.float64]
# docs/decisions/0037-marks-of-support.md
_REACH = 0.65  # longest step along a direction, relative to the range of the component in the library
_NARROW, _WIDE = 0.4, 1.0  # greatest distance beside the direction, relative to the step: supported, weak
_ENOUGH = 2  # measured compositions along a supported direction
ENOUGH_SAMPLES, ENOUGH_PAIRS = 5, 3
"""Least number of measured compositions that support a component, and a pair of components."""
_TRACE = 0.05  # a component below this share of its range counts as absent from pairs


@dataclass(frozen=True)
class Support:
    """Support of the gradient of each component in each sample. Use `composition_support` to compute it.

    Parameters
    ----------
    flags : ndarray of int8, shape (n, D)
        2 supported, 1 weak, 0 unsupported.
    distance : ndarray, shape (n, D)
        Change of the fraction to the nearest measured composition along the direction; NaN if there is none.
    count : ndarray of int, shape (n, D)
        Number of measured compositions along the direction.
    elements : ndarray of int, shape (D,)
        Number of measured compositions with each component.
    pairs : ndarray of int, shape (D, D)
        Number of measured compositions with both components.

    Examples
    --------
    >>> line = np.array([[1 - w, w] for w in np.linspace(0, 0.1, 11)])
    >>> composition_support(line[:1], line).elements.tolist()
    [11, 10]
    """

    flags: NDArray[np.int8]
    distance: Array
    count: NDArray[np.intp]
    elements: NDArray[np.intp]
    pairs: NDArray[np.intp]


def composition_support(
    compositions: ArrayLike,
    measured: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    scheme: str = "dilution",
    sites: ArrayLike | None = None,
) -> Support:
    """Judge the support of each component's gradient at each sample by measured compositions.

    A direction is supported if at least two measured compositions lie along it, and if enough measured compositions
    contain the component and each of its pairs with other components of the sample. Other gradients are extrapolations,
    even if all members of an ensemble agree.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions of the samples at which gradients are computed.
    measured : array_like, shape (N, D)
        Fractions of the training samples.
    groups : array_like of int, shape (N,), optional
        Number of the composition of each training sample; each counts once. By default each sample counts.
    scheme : {"dilution", "tangent"}
        Compensation scheme of the directions.
    sites : array_like of int, shape (D,), optional
        Number of the site of each component; by default all share one.

    Returns
    -------
    Support
        Levels of support with the counts behind them.

    Examples
    --------
    >>> line = np.array([[1 - w, w, 0] for w in np.linspace(0, 0.1, 11)])
    >>> composition_support(line[1:2], line).flags.tolist()  # the third component was never measured
    [[2, 2, 0]]
    """
    x = np.asarray(compositions, np.float64)
    points = _unique(np.asarray(measured, np.float64), groups)
    pairs = component_pairs(points)
    elements = np.diag(pairs)
    span = np.ptp(points, axis=0)
    lines = directions(scheme, x, sites=sites)
    flags = np.zeros(x.shape, np.int8)
    distance = np.full(x.shape, np.nan)
    count = np.zeros(x.shape, np.intp)
    for k in range(x.shape[1]):
        if span[k] <= PRESENT:
            continue
        step, beside = _seen_from(x, points, lines[:, k], k)
        within = (np.abs(step) <= _REACH * span[k]) & (np.abs(step) > 1e-3 * span[k])
        near, far = (within & (beside <= wide * np.abs(step)) for wide in (_NARROW, _WIDE))
        count[:, k] = near.sum(1)
        nearest = np.where(near, np.abs(step), np.inf).min(1)
        distance[:, k] = np.where(np.isfinite(nearest), nearest, np.nan)
        flags[:, k] = np.where(count[:, k] >= _ENOUGH, 2, far.any(1))
    flags = np.minimum(flags, _counted(x, span, elements, pairs))
    return Support(flags, distance, count, elements, pairs)


def component_pairs(compositions: ArrayLike) -> NDArray[np.intp]:
    """Count the compositions that contain both components of each pair.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.

    Returns
    -------
    ndarray of int, shape (D, D)
        Symmetric matrix of counts; those of single components on the diagonal.

    Examples
    --------
    >>> component_pairs([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]).tolist()
    [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    """
    there = (np.asarray(compositions) > PRESENT).astype(np.intp)
    found: NDArray[np.intp] = there.T @ there
    return found


def count_level(counts: ArrayLike, enough: int) -> NDArray[np.int8]:
    """Turn counts into levels of support.

    Parameters
    ----------
    counts : array_like of int
        Numbers of measured compositions.
    enough : int
        Least count for full support.

    Returns
    -------
    ndarray of int8, shape of ``counts``
        2 from ``enough`` on, 1 below, 0 for none.

    Examples
    --------
    >>> count_level([0, 1, 5], enough=5)
    array([0, 1, 2], dtype=int8)
    """
    number = np.asarray(counts)
    return np.select([number >= enough, number > 0], [2, 1], 0).astype(np.int8)


def spectral_support(
    variance: ArrayLike, noise: ArrayLike, unexplained: ArrayLike, pinned: ArrayLike
) -> NDArray[np.int8]:
    """Judge the support of spectral gradients: a channel must vary by more than noise and not with composition alone.

    Parameters
    ----------
    variance : array_like, shape (n, C)
        Variance of each channel around each sample, without noise.
    noise : array_like, shape (C,)
        Standard deviation of the noise.
    unexplained : array_like, shape (C,)
        Share of the variance of each channel, without noise, that composition does not explain.
    pinned : array_like of bool, shape (n, C)
        True where a channel is pinned, from `pinned_channels`.

    Returns
    -------
    ndarray of int8, shape (n, C)
        2 supported, 1 weak, 0 unsupported.

    Examples
    --------
    >>> spectral_support([[4.0, 0.5, 4.0, 4.0]], np.ones(4), [0.5, 0.5, 0.001, 0.5], [[False, False, False, True]])
    array([[2, 1, 0, 0]], dtype=int8)
    """
    signal, sigma2 = np.asarray(variance, np.float64), np.asarray(noise, np.float64) ** 2
    free = np.nan_to_num(np.asarray(unexplained, np.float64))
    flags = np.select([(signal > sigma2) & (free > 0.05), (signal > 0.25 * sigma2) & (free > 0.01)], [2, 1], 0)
    return np.where(np.asarray(pinned), 0, flags).astype(np.int8)


def _unique(points: Array, groups: ArrayLike | None) -> Array:
    if groups is None:
        return points
    return points[np.unique(np.asarray(groups), return_index=True)[1]]


def _seen_from(x: Array, points: Array, line: Array, k: int) -> tuple[Array, Array]:
    """Steps along the direction of component k to measured compositions, and their distances beside it, (n, N).

    Distances are shares of atoms to be exchanged: half the sum of the absolute differences of the fractions.
    """
    step = points[:, k] - x[:, k, None]
    beside = np.zeros_like(step)
    for j in range(x.shape[1]):
        beside += 0.5 * np.abs(points[:, j] - x[:, j, None] - step * line[:, j, None])
    return step, beside


def _counted(x: Array, span: Array, elements: NDArray[np.intp], pairs: NDArray[np.intp]) -> NDArray[np.int8]:
    """Greatest level of support by the counts of components and pairs, shape (n, D)."""
    single, both = count_level(elements, ENOUGH_SAMPLES), count_level(pairs, ENOUGH_PAIRS)
    np.fill_diagonal(both, 2)
    held = x > _TRACE * span
    worst = np.where(held[:, None, :], both[None], 2).min(-1)
    result: NDArray[np.int8] = np.minimum(single, worst).astype(np.int8)
    return result
