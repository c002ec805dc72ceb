"""Small steps on grey values and labels: joining pixels, removing specks and pinholes, finding thresholds."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError

__all__ = ["block_majority", "block_mean", "found_thresholds", "without_small"]


def block_mean(values: NDArray[Any], factor: int) -> NDArray[np.float32]:
    """Mean of blocks of ``factor`` pixels along each axis; an incomplete block at the end is dropped.

    Examples
    --------
    >>> block_mean(np.arange(16.0).reshape(4, 4), 2).tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    sides = _blocks(values.shape, factor)
    total = sum(part.astype(np.float64) for part in _parts(values, sides, factor))
    return np.asarray(total / factor**values.ndim, dtype=np.float32)


def block_majority(labels: NDArray[np.uint8], factor: int, n_phases: int) -> NDArray[np.uint8]:
    """Most frequent label of blocks; a tie goes to the phase of the block's first pixel if it is among the winners.

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
            votes[phase] += (part == phase) * (1.5 if index == 0 else 1.0)  # a fair draw: no phase gains by ties
    return np.asarray(votes.argmax(axis=0), dtype=np.uint8)


def without_small(labels: NDArray[np.uint8], phases: list[int], size: int) -> tuple[NDArray[np.uint8], int]:
    """Give face-connected patches of the phases that are smaller than ``size`` pixels to their nearest neighbours.

    Returns
    -------
    labels : ndarray of uint8
        Same shape.
    count : int
        How many patches were given away.

    Examples
    --------
    >>> labels = np.zeros((5, 5), dtype=np.uint8); labels[1, 1] = 1; labels[3, 1:5] = 1
    >>> cleaned, count = without_small(labels, [1], 3)
    >>> int(cleaned.sum()), count
    (4, 1)
    """
    from scipy import ndimage

    small, count = np.zeros(labels.shape, dtype=bool), 0
    for phase in phases:
        patches, _ = ndimage.label(labels == phase)
        tiny = np.bincount(patches.ravel()) < size
        tiny[0] = False
        small |= tiny[patches]
        count += int(tiny.sum())
    if not count or small.all():
        return labels, 0
    nearest = ndimage.distance_transform_edt(small, return_distances=False, return_indices=True)
    return labels[tuple(nearest)], count


def found_thresholds(grey: NDArray[Any], wanted: int | tuple[float, ...]) -> tuple[float, ...]:
    """Thresholds of Otsu (two classes) or multi-Otsu, or the given ones.

    Raises
    ------
    InputError
        If all grey values are the same.

    Examples
    --------
    >>> found_thresholds(np.array([1.0, 2.0, 9.0, 10.0]), (5.0,))
    (5.0,)
    """
    if isinstance(wanted, tuple):
        return wanted
    from skimage.filters import threshold_multiotsu, threshold_otsu

    distinct = len(np.unique(grey))
    if distinct < wanted:
        raise InputError(
            f"found {distinct} distinct grey values where {wanted} phases are to be told apart; check the picture."
        )
    if wanted == 2:
        return (float(threshold_otsu(grey)),)
    return tuple(float(level) for level in threshold_multiotsu(grey, classes=wanted))


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
