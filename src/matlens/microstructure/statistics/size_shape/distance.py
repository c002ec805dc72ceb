"""Exact squared distances to the nearest pixel outside a phase, in whole numbers.

Whole numbers make "inside the ball" a decision without rounding. Along the last axis the distance is a run; along each
further one it is the least of f(x + k) + k^2, tried only as far as k^2 can still improve on what is there. Pores are a
few pixels wide, so these few passes over the array cost less than a general transform.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["UNREACHED", "integer_weights", "squared_distance"]

UNREACHED = np.int32(2**30)
_FAR = 48  # pixels; beyond, the general transform is quicker
_SLAB = 1 << 16  # pixels worked on at once, so that they stay in the cache


def integer_weights(spacing: Sequence[float]) -> tuple[NDArray[np.int64], float]:
    """Express squared spacings as whole numbers times one unit.

    Parameters
    ----------
    spacing : sequence of float
        Spacing along each axis.

    Returns
    -------
    weights : ndarray of int, shape (ndim,)
        All 1 for equal spacings; else precise to 1 / 512, which is below what spacings are known to.
    unit : float
        Length whose square is the unit: distance = unit * sqrt(sum of weights * steps^2).

    Examples
    --------
    >>> weights, unit = integer_weights((1.0, 0.5))
    >>> (weights / weights.min()).tolist(), float(unit * np.sqrt(weights[0]))
    ([4.0, 1.0], 1.0)
    """
    squares = np.asarray(spacing, dtype=np.float64) ** 2 / min(spacing) ** 2
    for scale in (1, 2, 4, 9, 16, 25, 256):
        weights = np.rint(squares * scale).astype(np.int64)
        if np.allclose(weights, squares * scale, rtol=1e-9):
            break
    return weights, min(spacing) / float(np.sqrt(scale))


def squared_distance(mask: NDArray[np.bool_], weights: Sequence[int]) -> NDArray[np.int32]:
    """Compute the squared distance from each pixel of the phase to the nearest one outside, centre to centre.

    Parameters
    ----------
    mask : ndarray of bool
        True in the phase. Nothing is known outside the array, so its border is no boundary.
    weights : sequence of int
        Squared spacing of each axis.

    Returns
    -------
    ndarray of int32
        0 outside the phase; `UNREACHED` everywhere in it if it fills the array.

    Examples
    --------
    >>> squared_distance(np.array([[True, True, True, False]]), (1, 1))
    array([[9, 4, 1, 0]], dtype=int32)
    """
    if mask.all():
        return np.full(mask.shape, UNREACHED, dtype=np.int32)
    found = _along_lines(mask, int(weights[-1]))
    for axis in range(mask.ndim - 1):
        near = _lowered(found, axis, int(weights[axis]))
        if near is None:
            exact = ndimage.distance_transform_edt(mask, sampling=np.sqrt(weights))
            return np.asarray(np.rint(exact**2), dtype=np.int32)
        found = near
    return found


def _along_lines(mask: NDArray[np.bool_], weight: int) -> NDArray[np.int32]:
    side = mask.shape[-1]
    lines = mask.reshape(-1, side)
    squares = np.empty(lines.shape, dtype=np.int32)
    place = np.arange(side, dtype=np.int32)
    far = np.int32(2 * side)
    longest = np.int32(np.sqrt(UNREACHED / weight))  # beyond, squares would not fit
    rows = max(1, _SLAB // side)
    for start in range(0, len(lines), rows):
        part = lines[start : start + rows]
        steps = place - np.maximum.accumulate(np.where(part, -far, place), axis=-1)
        after = np.minimum.accumulate(np.where(part, side + far, place)[:, ::-1], axis=-1)[:, ::-1]
        np.minimum(steps, after - place, out=steps)
        unknown = steps >= side
        np.minimum(steps, longest, out=steps)
        squares[start : start + rows] = np.where(unknown, UNREACHED, steps * steps * np.int32(weight))
    return squares.reshape(mask.shape)


def _lowered(values: NDArray[np.int32], axis: int, weight: int) -> NDArray[np.int32] | None:
    """Least of values(x + k) + weight k^2 over k along an axis; None where that needs many steps."""
    # lines along the axis in slabs that stay in the cache, each tried as far as its own values need
    before, side = int(np.prod(values.shape[:axis])), values.shape[axis]
    lines = values.reshape(before, side, -1)
    found = np.empty_like(lines)
    columns = max(1, _SLAB // side)
    for first in range(before):
        for start in range(0, lines.shape[2], columns):
            part = np.ascontiguousarray(lines[first, :, start : start + columns])
            lowest = part.copy()
            for step in range(1, side):
                rise = np.int32(weight * step * step)
                if rise >= lowest.max():
                    break
                if step > _FAR:
                    return None
                raised = part + rise
                np.minimum(lowest[step:], raised[:-step], out=lowest[step:])
                np.minimum(lowest[:-step], raised[step:], out=lowest[:-step])
            found[first, :, start : start + columns] = lowest
    return found.reshape(values.shape)
