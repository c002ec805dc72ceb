"""Swaps of two voxels with their effect on two-point probabilities along the axes: annealing of volumes, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matlens.microstructure.reconstruction.classical.pixel_swaps import draw

__all__ = ["Lines", "pairs_along_axes", "swap_voxels"]

Function = TypeVar("Function", bound=Callable[..., Any])

_TRIES = 10000


def _compiled(function: Function) -> Function:
    return cast(Function, njit(cache=True)(function))


class Lines(NamedTuple):
    """Volume, with the pairs of voxels along its axes that lie in one phase.

    Attributes
    ----------
    labels : ndarray of uint8, shape (D, H, W)
        Phase labels of a periodic volume.
    random : ndarray of uint64, shape (1,)
        State of the random generator.
    slot : ndarray of int, shape (K,)
        Number of each phase among those counted, or -1.
    pairs, wanted, weights : ndarray, shape (P, 3, R + 1)
        Pairs counted and wanted at the offsets 0 to R along each axis, and weights of their squared differences.

    Examples
    --------
    >>> none = np.zeros((1, 3, 2))
    >>> Lines(np.zeros((2, 2, 2), np.uint8), np.zeros(1, np.uint64), np.array([-1, 0]), none, none, none).pairs.shape
    (1, 3, 2)
    """

    labels: NDArray[np.uint8]
    random: NDArray[np.uint64]
    slot: NDArray[np.int64]
    pairs: NDArray[np.float64]
    wanted: NDArray[np.float64]
    weights: NDArray[np.float64]


def pairs_along_axes(labels: NDArray[np.uint8], phase: int, reach: int) -> NDArray[np.float64]:
    """Count the pairs of voxels of a phase along the axes of a periodic volume.

    Parameters
    ----------
    labels : ndarray of uint8, shape (D, H, W)
        Phase labels.
    phase : int
        The phase.
    reach : int
        Largest offset.

    Returns
    -------
    ndarray, shape (3, reach + 1)
        Counts at the offsets 0, 1, ....

    Examples
    --------
    >>> labels = np.zeros((2, 2, 4), np.uint8)
    >>> labels[:, :, :2] = 1
    >>> pairs_along_axes(labels, 1, 1).tolist()
    [[8.0, 8.0], [8.0, 8.0], [8.0, 4.0]]
    """
    own = labels == phase
    return np.array([[float((own & np.roll(own, -r, axis=a)).sum()) for r in range(reach + 1)] for a in range(3)])


@_compiled
def _around(labels: NDArray[np.uint8], at: tuple[int, int, int], phase: int, sign: float, change: Any) -> None:
    """Add to ``change`` the voxels of a phase on both sides of a voxel, by offset along each axis."""
    z, y, x = at
    deep, high, wide = labels.shape
    for r in range(1, change.shape[1]):
        change[0, r] += sign * ((labels[(z + r) % deep, y, x] == phase) + (labels[(z - r) % deep, y, x] == phase))
        change[1, r] += sign * ((labels[z, (y + r) % high, x] == phase) + (labels[z, (y - r) % high, x] == phase))
        change[2, r] += sign * ((labels[z, y, (x + r) % wide] == phase) + (labels[z, y, (x - r) % wide] == phase))


@_compiled
def _chosen(labels: NDArray[np.uint8], random: NDArray[np.uint64], power: float, other: int) -> tuple[int, int, int]:
    """Draw a voxel not of phase ``other``, with weight (unlike neighbours / 6) ** power; power < 0: any voxel."""
    deep, high, wide = labels.shape
    z, y, x = 0, 0, 0
    for _ in range(_TRIES):
        z, y, x = int(draw(random) * deep), int(draw(random) * high), int(draw(random) * wide)
        own = labels[z, y, x]
        if own == other:
            continue
        if power < 0:
            break
        unlike = (
            (labels[(z + 1) % deep, y, x] != own)
            + (labels[z - 1, y, x] != own)
            + (labels[z, (y + 1) % high, x] != own)
            + (labels[z, y - 1, x] != own)
            + (labels[z, y, (x + 1) % wide] != own)
            + (labels[z, y, x - 1] != own)
        )
        if unlike > 0 and (power == 0 or draw(random) < (unlike / 6.0) ** power):
            break
    return z, y, x


@_compiled
def _cost(lines: Lines, slot: int, change: NDArray[np.float64]) -> float:
    pairs, wanted, weights = lines.pairs[slot], lines.wanted[slot], lines.weights[slot]
    cost = 0.0
    for axis in range(3):
        for r in range(1, change.shape[1]):
            d = change[axis, r]
            if d != 0.0:
                cost += weights[axis, r] * d * (2 * (pairs[axis, r] - wanted[axis, r]) + d)
    return cost


@_compiled
def swap_voxels(lines: Lines, power: float, temperature: float, proposals: int) -> int:
    """Propose swaps of two voxels of different phases, accept them by the Metropolis rule, and update the counts.

    Parameters
    ----------
    lines : Lines
        Volume and counts, changed in place.
    power : float
        Exponent of the weight by which voxels are chosen: (neighbours of other phases / 6) ** power; if negative, any
        voxel is chosen.
    temperature : float
        Temperature in units of the energy.
    proposals : int
        Number of proposed swaps.

    Returns
    -------
    int
        Number of accepted swaps.

    Notes
    -----
    Yeong and Torquato, Phys. Rev. E 58, 224 (1998): volumes from the two-point probability of sections along the axes.

    Examples
    --------
    >>> labels = np.zeros((4, 4, 4), np.uint8)
    >>> labels[:2] = 1
    >>> pairs = pairs_along_axes(labels, 1, 1)[None]
    >>> lines = Lines(labels, np.ones(1, np.uint64), np.array([-1, 0]), pairs, pairs.copy(), np.ones(pairs.shape))
    >>> swap_voxels(lines, 0.0, 1e9, 10), bool((lines.pairs[0] == pairs_along_axes(labels, 1, 1)).all())
    (10, True)
    """
    labels = lines.labels
    shape = lines.pairs.shape
    leaving, joining = np.zeros((shape[1], shape[2])), np.zeros((shape[1], shape[2]))
    accepted = 0
    for _ in range(proposals):
        z, y, x = _chosen(labels, lines.random, power, -1)
        a = int(labels[z, y, x])
        w, v, u = _chosen(labels, lines.random, power, a)
        b = int(labels[w, v, u])
        if a == b:
            continue
        limit = -temperature * np.log(1.0 - draw(lines.random))
        mine, theirs = int(lines.slot[a]), int(lines.slot[b])
        labels[z, y, x] = labels[w, v, u] = 255  # of no phase while pairs are counted
        cost = 0.0
        if mine >= 0:
            leaving[:] = 0.0
            _around(labels, (z, y, x), a, -1.0, leaving)
            _around(labels, (w, v, u), a, 1.0, leaving)
            cost += _cost(lines, mine, leaving)
        if theirs >= 0:
            joining[:] = 0.0
            _around(labels, (w, v, u), b, -1.0, joining)
            _around(labels, (z, y, x), b, 1.0, joining)
            cost += _cost(lines, theirs, joining)
        if cost <= limit:
            labels[z, y, x], labels[w, v, u] = b, a
            if mine >= 0:
                lines.pairs[mine] += leaving
            if theirs >= 0:
                lines.pairs[theirs] += joining
            accepted += 1
        else:
            labels[z, y, x], labels[w, v, u] = a, b
    return accepted
