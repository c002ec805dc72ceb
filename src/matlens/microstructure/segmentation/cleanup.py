"""Steps on grey values and labels: downsampling, removal of small objects and holes, thresholds."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.structure import distinct_values

__all__ = ["block_majority", "block_mean", "found_thresholds", "thresholds_of_counts", "without_small"]

_OUTLYING = 0.002  # share of the pixels at either end that may be hot, dead or of another material


def block_mean(values: NDArray[Any], factor: int) -> NDArray[np.float32]:
    """Average blocks of pixels; an incomplete block at the end of an axis is dropped.

    Parameters
    ----------
    values : ndarray
        Values in two or three dimensions.
    factor : int
        Side of a block in pixels.

    Returns
    -------
    ndarray of float32
        Mean of each block.

    Raises
    ------
    InputError
        If an axis is shorter than a block.

    Examples
    --------
    >>> block_mean(np.arange(16.0).reshape(4, 4), 2).tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    sides = _blocks(values.shape, factor)
    total = sum(part.astype(np.float64) for part in _parts(values, sides, factor))
    return np.asarray(total / factor**values.ndim, dtype=np.float32)


def block_majority(labels: NDArray[np.uint8], factor: int, n_phases: int) -> NDArray[np.uint8]:
    """Take the most frequent label of blocks of pixels.

    In a tie the label of the block's first pixel wins if it is among the most frequent.

    Parameters
    ----------
    labels : ndarray of uint8
        Labels in two or three dimensions.
    factor : int
        Side of a block in pixels.
    n_phases : int
        Number of phases.

    Returns
    -------
    ndarray of uint8
        Label of each block.

    Raises
    ------
    InputError
        If an axis is shorter than a block.

    Examples
    --------
    >>> block_majority(np.array([[1, 0, 2, 2], [0, 1, 0, 1]], dtype=np.uint8), 2, 3).tolist()
    [[1, 2]]
    """
    sides = _blocks(labels.shape, factor)
    parts = _parts(labels, sides, factor)
    votes = np.zeros((n_phases, *sides), dtype=np.float32)
    for index, part in enumerate(parts):
        for phase in range(n_phases):
            votes[phase] += (part == phase) * (1.5 if index == 0 else 1.0)  # so that ties favour no phase
    return np.asarray(votes.argmax(axis=0), dtype=np.uint8)


def without_small(
    labels: NDArray[np.uint8], phases: list[int], size: int, valid: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], int]:
    """Replace face-connected clusters below a size by the phase of their nearest neighbours.

    Parameters
    ----------
    labels : ndarray of uint8
        Labels in two or three dimensions.
    phases : list of int
        Phases whose small clusters are replaced.
    size : int
        Smallest number of pixels of a cluster that is kept.
    valid : ndarray of bool, optional
        Pixels that count; by default all.

    Returns
    -------
    labels : ndarray of uint8
        Same shape; unchanged if every pixel belongs to a small cluster.
    count : int
        Number of replaced clusters.

    Examples
    --------
    >>> labels = np.zeros((5, 5), dtype=np.uint8); labels[1, 1] = 1; labels[3, 1:5] = 1
    >>> cleaned, count = without_small(labels, [1], 3)
    >>> int(cleaned.sum()), count
    (4, 1)
    """
    from scipy import ndimage

    known = np.ones(labels.shape, dtype=bool) if valid is None else valid
    small, count = np.zeros(labels.shape, dtype=bool), 0
    for phase in phases:
        patches, _ = ndimage.label((labels == phase) & known)
        tiny = np.bincount(patches.ravel()) < size
        tiny[0] = False
        small |= tiny[patches]
        count += int(tiny.sum())
    if not count or not (known & ~small).any():
        return labels, 0
    nearest = ndimage.distance_transform_edt(small | ~known, return_distances=False, return_indices=True)
    return labels[tuple(nearest)], count


def found_thresholds(
    grey: NDArray[Any], wanted: int | tuple[float, ...], name: str = "the picture"
) -> tuple[float, ...]:
    """Return given thresholds, or compute them by Otsu's method on a histogram without hot and dead pixels.

    Parameters
    ----------
    grey : ndarray
        Grey values, of any shape.
    wanted : int or tuple of float
        Number of classes (2 for Otsu's method, more for multi-Otsu), or the thresholds themselves.
    name : str
        What the grey values are of, for messages.

    Returns
    -------
    tuple of float
        Thresholds in ascending order.

    Raises
    ------
    InputError
        If there are fewer distinct grey values than classes.

    Notes
    -----
    Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979); implementation of scikit-image (van der Walt et al., PeerJ 2,
    e453, 2014).

    Examples
    --------
    >>> found_thresholds(np.array([1.0, 2.0, 9.0, 10.0]), (5.0,))
    (5.0,)
    """
    if isinstance(wanted, tuple):
        return wanted
    from skimage.filters import threshold_multiotsu, threshold_otsu

    _check_enough(distinct_values(grey).size, wanted, name)
    grey = _without_outliers(grey)
    if wanted == 2:
        return (float(threshold_otsu(grey)),)
    return tuple(float(level) for level in threshold_multiotsu(grey, classes=wanted))


def thresholds_of_counts(
    values: NDArray[Any], counts: NDArray[np.int64], wanted: int, name: str = "the picture"
) -> tuple[float, ...]:
    """Compute the thresholds that `found_thresholds` finds, from how often each grey value occurs.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Distinct grey values in ascending order.
    counts : ndarray of int, shape (n,)
        How often each occurs.
    wanted : int
        Number of classes.
    name : str
        What the grey values are of, for messages.

    Returns
    -------
    tuple of float
        Thresholds in ascending order.

    Raises
    ------
    InputError
        If there are fewer distinct grey values than classes.

    Examples
    --------
    >>> grey = np.array([10, 11, 12, 90, 91, 200])
    >>> thresholds_of_counts(grey[:5], np.array([5, 9, 5, 3, 4]), 2) == found_thresholds(
    ...     np.repeat(grey[:5], [5, 9, 5, 3, 4]).astype(np.float32), 2)
    True
    """
    from skimage.filters import threshold_multiotsu, threshold_otsu

    _check_enough(int(values.size), wanted, name)
    grey = values.astype(np.float32)
    ends = [_quantile(grey, counts, share) for share in (_OUTLYING, 1 - _OUTLYING)]
    grey = _clipped(grey, *ends)
    numbers, edges = np.histogram(grey, bins=256, weights=counts)
    histogram = (numbers, (edges[:-1] + edges[1:]) / 2)
    if wanted == 2:
        return (float(threshold_otsu(hist=histogram)),)
    return tuple(float(level) for level in threshold_multiotsu(hist=histogram, classes=wanted))


def _quantile(values: NDArray[Any], counts: NDArray[np.int64], share: float) -> float:
    """Quantile of values that occur several times, between two of them by proportion."""
    before = np.cumsum(counts)
    place = (int(before[-1]) - 1) * share
    low, high = (float(values[np.searchsorted(before, at, side="right")]) for at in (int(place), -int(-place // 1)))
    return low + (place - int(place)) * (high - low)


def _check_enough(distinct: int, wanted: int, name: str) -> None:
    if distinct < wanted:
        raise InputError(
            f"{name} holds {distinct} distinct grey value{'s' * (distinct != 1)} where {wanted} phases need at least "
            f"{wanted}; check the picture and the part of it that is used."
        )


def _without_outliers(grey: NDArray[Any]) -> NDArray[Any]:
    """Clip the few values far from all others: 256 bins that reach to a hot pixel resolve nothing else."""
    return _clipped(grey, *(float(value) for value in np.quantile(grey, (_OUTLYING, 1 - _OUTLYING))))


def _clipped(grey: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    reach = 0.5 * (high - low)
    if float(grey.min()) >= low - reach and float(grey.max()) <= high + reach:
        return grey
    return np.clip(grey, low - 0.1 * reach, high + 0.1 * reach) if reach else grey


def _blocks(shape: tuple[int, ...], factor: int) -> tuple[int, ...]:
    sides = tuple(side // factor for side in shape)
    if min(sides) < 1:
        raise InputError(f"a picture of shape {shape} cannot be downsampled by {factor}; choose a smaller factor.")
    return sides


def _parts(values: NDArray[Any], sides: tuple[int, ...], factor: int) -> list[NDArray[Any]]:
    """The first pixel of every block, the second, and so on."""
    whole = values[tuple(slice(side * factor) for side in sides)]
    offsets = product(range(factor), repeat=values.ndim)
    return [whole[tuple(slice(offset, None, factor) for offset in corner)] for corner in offsets]
