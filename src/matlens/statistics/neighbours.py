"""Pairs and blocks of neighbouring pixels: what surfaces and Euler numbers are counted from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["block", "shifted_pair"]

Mask = NDArray[np.bool_]


def shifted_pair(mask: Mask, offset: Sequence[int], periodic: bool) -> tuple[Mask, Mask]:
    """View a mask at x and at x + offset, over the positions where both are known.

    Examples
    --------
    >>> a, b = shifted_pair(np.array([[True, False, False]]), (0, 1), False)
    >>> a.tolist(), b.tolist()
    ([[True, False]], [[False, False]])
    """
    if periodic:
        return mask, np.roll(mask, [-step for step in offset], axis=range(mask.ndim))
    here = tuple(slice(max(0, -step), side - max(0, step)) for step, side in zip(offset, mask.shape, strict=True))
    there = tuple(slice(max(0, step), side - max(0, -step)) for step, side in zip(offset, mask.shape, strict=True))
    return mask[here], mask[there]


def block(mask: Mask, axes: Sequence[int], periodic: bool, *, full: bool) -> Mask:
    """Tell for every block, 2 pixels along ``axes`` and 1 along the others, whether all or any of it lies in the phase.

    Examples
    --------
    >>> block(np.array([[True, True, False]]), (1,), False, full=True).tolist()
    [[True, False]]
    >>> block(np.array([[True, True, False]]), (1,), True, full=False).tolist()
    [[True, True, True]]
    """
    for axis in axes:
        offset = [1 if i == axis else 0 for i in range(mask.ndim)]
        first, second = shifted_pair(mask, offset, periodic)
        mask = first & second if full else first | second
    return mask


def half_directions(ndim: int) -> list[tuple[int, ...]]:
    """List one of each two opposite offsets to the 3^d - 1 neighbours: 4 in two dimensions, 13 in three.

    Examples
    --------
    >>> half_directions(2)
    [(0, 1), (1, -1), (1, 0), (1, 1)]
    """
    return [offset for offset in product((-1, 0, 1), repeat=ndim) if offset > (0,) * ndim]
