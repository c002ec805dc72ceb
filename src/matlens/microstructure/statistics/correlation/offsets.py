"""Maps over offsets r, centred at r = 0: how far they reach, what they are divided by, how they become curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["along_axes", "centred", "half_sides", "overlap_counts", "radial_mean", "radial_size", "take_offsets"]

Array = NDArray[np.float64]
Number = TypeVar("Number", bound=np.generic)


def half_sides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the largest offset along each axis, half the side.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis.

    Returns
    -------
    tuple of int
        Offsets in pixels.

    Examples
    --------
    >>> half_sides((5, 8))
    (2, 4)
    """
    return tuple(side // 2 for side in shape)


def overlap_counts(shape: Sequence[int], half: Sequence[int], periodic: bool) -> Array:
    """Count the positions x for which x and x + r are both inside, for every offset |r_i| <= half_i.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis.
    half : sequence of int
        Largest offset along each axis, at most half the side.
    periodic : bool
        Whether x + r is wrapped, so that every position counts.

    Returns
    -------
    ndarray of float64, shape (2 half_1 + 1, ...)
        Counts; the centre is r = 0.

    Examples
    --------
    >>> overlap_counts((4, 4), (1, 1), False)
    array([[ 9., 12.,  9.],
           [12., 16., 12.],
           [ 9., 12.,  9.]])
    """
    counts = np.ones([1] * len(shape))
    for axis, (side, reach) in enumerate(zip(shape, half, strict=True)):
        line = side - (0 if periodic else 1) * np.abs(np.arange(-reach, reach + 1.0))
        counts = counts * line.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return counts


def take_offsets(values: NDArray[Number], reach: int, axis: int) -> NDArray[Number]:
    """Cut offsets -reach..reach out of one axis in FFT order.

    Parameters
    ----------
    values : ndarray
        Values whose offsets along the axis run 0, 1, ..., -1.
    reach : int
        Largest offset in pixels.
    axis : int
        Axis to cut.

    Returns
    -------
    ndarray
        Values with 2 reach + 1 entries along the axis.

    Examples
    --------
    >>> take_offsets(np.arange(5.0), 1, 0).tolist()
    [4.0, 0.0, 1.0]
    """
    taken: NDArray[Number] = np.take(values, np.arange(-reach, reach + 1) % values.shape[axis], axis=axis)
    return taken


def centred(values: NDArray[Number], half: Sequence[int]) -> NDArray[Number]:
    """Cut offsets -half..half out of the trailing axes of a correlation in FFT order.

    Parameters
    ----------
    values : ndarray, shape (*leading, *space)
        Correlation.
    half : sequence of int
        Largest offset along each axis, at most half the side.

    Returns
    -------
    ndarray, shape (*leading, 2 half_1 + 1, ...)
        The centre is r = 0.

    Examples
    --------
    >>> centred(np.arange(5.0), (1,)).tolist()
    [4.0, 0.0, 1.0]
    """
    first = values.ndim - len(half)
    for axis, reach in enumerate(half, start=first):
        values = take_offsets(values, reach, axis)
    return values


def radial_mean(values: Array, half: Sequence[int], spacing: Sequence[float] | None = None) -> Array:
    """Average a centred map over shells round(|r|) = 0, 1, 2, ..., as far as every axis reaches.

    Parameters
    ----------
    values : ndarray, shape (*leading, 2 half_1 + 1, ...)
        Map whose centre is r = 0.
    half : sequence of int
        Largest offset along each axis, at most half the side.
    spacing : sequence of float, optional
        Size of a pixel along each axis. Distances are then real ones, in units of the geometric mean of these sizes.

    Returns
    -------
    ndarray of float64, shape (*leading, R)
        Mean over each shell; R = min(half) + 1 where all sizes are equal.

    Examples
    --------
    >>> radial_mean(np.array([[0.0, 1, 0], [1, 5, 1], [0, 1, 0]]), (1, 1))
    array([5. , 0.5])
    """
    steps, size = _steps(spacing, len(half)), radial_size(half, spacing)
    # what lies beyond the largest shell along an axis needs no look
    ends = [min(reach, math.ceil((size - 1) / step)) for reach, step in zip(half, steps)]
    near: tuple[Any, ...] = (..., *(slice(h - end, h + end + 1) for h, end in zip(half, ends)))
    squares = np.zeros([1] * len(half))
    for axis, (end, step) in enumerate(zip(ends, steps)):
        line = (np.arange(-end, end + 1) * step) ** 2
        squares = squares + line.reshape([-1 if i == axis else 1 for i in range(len(half))])
    shell = np.minimum(np.rint(np.sqrt(squares)), size).astype(np.intp).ravel()
    flat = values[near].reshape(-1, shell.size)
    sums = [np.bincount(shell, weights=row, minlength=size + 1)[:size] for row in flat]
    leading = values.shape[: values.ndim - len(half)]
    return np.stack(sums).reshape(*leading, size) / np.bincount(shell, minlength=size + 1)[:size]


def radial_size(half: Sequence[int], spacing: Sequence[float] | None = None) -> int:
    """Count the shells of `radial_mean`.

    Parameters
    ----------
    half : sequence of int
        Largest offset along each axis.
    spacing : sequence of float, optional
        Size of a pixel along each axis.

    Returns
    -------
    int
        Number of shells, with that of distance 0.

    Examples
    --------
    >>> radial_size((8, 16)), radial_size((8, 16), (4.0, 1.0))
    (9, 9)
    """
    return int(min(reach * step for reach, step in zip(half, _steps(spacing, len(half)))) + 1e-9) + 1


def _steps(spacing: Sequence[float] | None, ndim: int) -> Array:
    """Sizes of a pixel in units of their geometric mean; exactly 1 where all are equal."""
    if spacing is None or len(set(spacing)) == 1:
        return np.ones(ndim)
    sizes = np.asarray(spacing, dtype=np.float64)
    return np.asarray(sizes / np.exp(np.log(sizes).mean()))


def along_axes(values: Array, half: Sequence[int]) -> Array:
    """Read a centred map along the positive axes.

    Parameters
    ----------
    values : ndarray, shape (*leading, 2 half_1 + 1, ...)
        Map whose centre is r = 0.
    half : sequence of int
        Largest offset along each axis, at most half the side.

    Returns
    -------
    ndarray of float64, shape (*leading, ndim, R)
        Offsets 0, 1, 2, ... in pixels, R = max(half) + 1; NaN beyond an axis' own half side.

    Examples
    --------
    >>> along_axes(np.array([[0.0, 1, 0], [2, 5, 2], [0, 1, 0]]), (1, 1)).tolist()
    [[5.0, 1.0], [5.0, 2.0]]
    """
    leading = values.ndim - len(half)
    curves = np.full((*values.shape[:leading], len(half), max(half) + 1), np.nan)
    for axis, reach in enumerate(half):
        index = tuple(slice(h, None) if i == axis else h for i, h in enumerate(half))
        curves[..., axis, : reach + 1] = values[(..., *index)]
    return curves
