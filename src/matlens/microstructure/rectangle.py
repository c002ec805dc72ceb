"""The largest rectangle in which every pixel is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NARROWEST", "largest_rectangle"]

NARROWEST = 16
"""Pixels along the shortest side of a rectangle that says anything of the material."""


def largest_rectangle(valid: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Find the largest axis-aligned rectangle in which every pixel is valid.

    Parameters
    ----------
    valid : ndarray of bool
        Shape (y, x) or (z, y, x); in a volume the rectangle is valid in every slice between the first and the last that
        hold a valid pixel.

    Returns
    -------
    tuple of slice
        One slice for each axis; empty ones when no pixel is valid.

    Examples
    --------
    >>> valid = np.ones((6, 9), dtype=bool); valid[1, 2] = False
    >>> largest_rectangle(valid)
    (slice(0, 6, None), slice(3, 9, None))
    """
    if valid.all():
        return tuple(slice(0, side) for side in valid.shape)
    deep: tuple[slice, ...] = ()
    plane = valid
    if valid.ndim == 3:
        held = np.flatnonzero(valid.any(axis=(1, 2)))
        deep = (slice(held[0], held[-1] + 1) if held.size else slice(0, 0),)
        plane = np.asarray(valid[deep].all(axis=0))
    best, area = (slice(0, 0), slice(0, 0)), 0
    heights = np.zeros(plane.shape[1], dtype=int)
    for bottom, row in enumerate(plane):
        heights = np.where(row, heights + 1, 0)
        left, right, height = _widest(heights.tolist())
        if (right - left) * height > area:
            area = (right - left) * height
            best = (slice(bottom + 1 - height, bottom + 1), slice(left, right))
    return deep + best


def _widest(heights: list[int]) -> tuple[int, int, int]:
    """Largest rectangle under a histogram, (left, right, height), by one pass with a stack of rising bars."""
    best, area, rising = (0, 0, 0), 0, [(0, 0)]
    for position, height in enumerate([*heights, 0]):
        start = position
        while rising[-1][1] > height:
            start, tall = rising.pop()
            if (position - start) * tall > area:
                area, best = (position - start) * tall, (start, position, tall)
        if height > rising[-1][1]:
            rising.append((start, height))
    return best
