"""Pairs and blocks of neighbouring pixels: what surfaces and Euler numbers are counted from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["block", "block_histogram", "share", "shifted_pair"]

Mask = NDArray[np.bool_]


def shifted_pair(mask: NDArray[Any], offset: Sequence[int], periodic: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """View an array at x and at x + offset, over the positions where both are known.

    Parameters
    ----------
    mask : ndarray
        Labels or indicators.
    offset : sequence of int
        Offset in pixels along each axis.
    periodic : bool
        Whether positions are wrapped.

    Returns
    -------
    here, there : ndarray
        Values at x and at x + offset, of one shape.

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


def block(mask: NDArray[Any], axes: Sequence[int], periodic: bool, *, full: bool) -> NDArray[Any]:
    """Tell for every block, 2 pixels along ``axes`` and 1 along the others, whether all or any of it lies in the phase.

    For whole numbers the result holds the bits that all or any of the pixels have.

    Parameters
    ----------
    mask : ndarray
        Indicator of the phase, or whole numbers.
    axes : sequence of int
        Axes along which blocks are 2 pixels long.
    periodic : bool
        Whether blocks go across the border.
    full : bool
        Whether all pixels must lie in the phase; otherwise any.

    Returns
    -------
    ndarray
        A value for each block.

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


def block_histogram(mask: Mask, periodic: bool, known: Mask | None = None) -> NDArray[np.int64]:
    """Count the 2^(2^d) kinds of blocks of 2^d pixels; bit 4 z + 2 y + x of a kind's number is that corner.

    Only blocks whose pixels are all ``known`` count.

    Parameters
    ----------
    mask : ndarray of bool
        Indicator of the phase.
    periodic : bool
        Whether blocks go across the border.
    known : ndarray of bool, optional
        True where the label is known; by default everywhere.

    Returns
    -------
    ndarray of int, shape (2^(2^d),)
        Number of blocks of each kind.

    Examples
    --------
    >>> np.flatnonzero(block_histogram(np.array([[True, False], [False, True]]), False)).tolist()
    [9]
    """
    cells = np.pad(mask, [(0, 1)] * mask.ndim, mode="wrap") if periodic else mask
    code = cells.astype(np.uint8)
    # one axis after the other: each step doubles the corners that a number tells of
    for axis in reversed(range(mask.ndim)):
        low = tuple(slice(None, -1) if i == axis else slice(None) for i in range(mask.ndim))
        high = tuple(slice(1, None) if i == axis else slice(None) for i in range(mask.ndim))
        code = code[low] | code[high] << np.uint8(2 ** (mask.ndim - 1 - axis))
    whole = code.ravel() if known is None else code[block(known, range(mask.ndim), periodic, full=True)]
    return np.bincount(whole, minlength=2**2**mask.ndim)


def share(found: Mask, known: Mask | None = None) -> float:
    """Compute the share of known positions that are true, some ten times as fast as the mean.

    Parameters
    ----------
    found : ndarray of bool
        Values.
    known : ndarray of bool, optional
        Positions that count; by default all.

    Returns
    -------
    float
        Share from 0 to 1; NaN if no position counts.

    Examples
    --------
    >>> share(np.array([True, False]))
    0.5
    """
    places = found.size if known is None else np.count_nonzero(known)
    count = np.count_nonzero(found if known is None else found & known)
    return float(count / places) if places else float("nan")


def half_directions(ndim: int) -> list[tuple[int, ...]]:
    """List one of each two opposite offsets to the 3^d - 1 neighbours: 4 in two dimensions, 13 in three.

    Parameters
    ----------
    ndim : int
        Number of dimensions d.

    Returns
    -------
    list of tuple of int
        Offsets in pixels.

    Examples
    --------
    >>> half_directions(2)
    [(0, 1), (1, -1), (1, 0), (1, 1)]
    """
    return [offset for offset in product((-1, 0, 1), repeat=ndim) if offset > (0,) * ndim]
