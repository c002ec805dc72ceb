"""Swaps of two pixels with their effect on correlation functions, compiled: the inner loop of annealing.

Every count is an integer and is updated, not computed anew: the two-point probability on a map of offsets costs one
pass over the map per swap, the lineal path one pass over the lines through the two pixels. A swap may change clusters
anywhere, so that the cluster function is counted anew, but only for swaps that could still be accepted if they made it
perfect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Counts", "Goal", "Sample", "cluster_counts", "draw", "swap_pixels"]

Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    return cast(Function, njit(cache=True)(function))


def _compiled_fast(function: Function) -> Function:
    return cast(Function, njit(cache=True, fastmath=True)(function))


class Sample(NamedTuple):
    """Microstructure with padded indicators.

    Attributes
    ----------
    labels : ndarray of uint8, shape (H, W)
        Phase labels.
    ahead : ndarray of float32, shape (P, H + 2 R, W + 2 R)
        Indicators of the counted phases, padded by zeros or by the opposite border.
    behind : ndarray of float32, shape (P, H + 2 R, W + 2 R)
        The same, turned by 180 degrees, so that all loops run forward.
    random : ndarray of uint64, shape (1,)
        State of the random generator.

    Examples
    --------
    >>> padded = np.zeros((1, 6, 6), np.float32)
    >>> Sample(np.zeros((4, 4), np.uint8), padded, padded, np.zeros(1, np.uint64)).labels.shape
    (4, 4)
    """

    labels: NDArray[np.uint8]
    ahead: NDArray[np.float32]
    behind: NDArray[np.float32]
    random: NDArray[np.uint64]


class Edges(NamedTuple):
    """Interface pixels.

    Attributes
    ----------
    pixels : ndarray of int
        Flat indices of the interface pixels; the first ``length[0]`` entries count.
    places : ndarray of int
        Position of every pixel in that list, or -1.
    length : ndarray of int, shape (1,)
        Number of interface pixels.

    Examples
    --------
    >>> int(Edges(np.zeros(4, np.int64), np.full(4, -1), np.zeros(1, np.int64)).length[0])
    0
    """

    pixels: NDArray[np.int64]
    places: NDArray[np.int64]
    length: NDArray[np.int64]


class Counts(NamedTuple):
    """Counts behind the correlation functions of the sample.

    Attributes
    ----------
    pairs : ndarray of float32, shape (P, R + 1, 2 R + 1)
        Pairs of pixels at the offsets of a half plane.
    segments : ndarray, shape (K, 2, R + 1)
        Segments along the axes that lie in one phase.
    clusters : ndarray, shape (K, 2, R + 1)
        Pairs of pixels along the axes that lie in one cluster.

    Examples
    --------
    >>> Counts(np.zeros((1, 3, 5), np.float32), np.zeros((2, 2, 3)), np.zeros((2, 2, 3))).pairs.shape
    (1, 3, 5)
    """

    pairs: NDArray[np.float32]
    segments: NDArray[np.float64]
    clusters: NDArray[np.float64]


class Goal(NamedTuple):
    """Counts wanted, and the weights of their squared differences.

    Attributes
    ----------
    slot : ndarray of int, shape (K,)
        Number of each phase among those counted, or -1.
    pairs2, segments2, clusters2 : ndarray
        Twice the counts wanted, in the shapes of `Counts`.
    pair_weights, segment_weights, cluster_weights : ndarray
        Weights of the squared differences.
    lines, pieces : bool
        Whether lineal path and cluster function belong to the energy.
    periodic : bool
        Whether opposite borders continue each other.

    Examples
    --------
    >>> none = np.zeros((2, 2, 3))
    >>> pairs = np.zeros((1, 3, 5), np.float32)
    >>> Goal(np.array([-1, 0]), pairs, pairs, none, none, none, none, False, False, True).periodic
    True
    """

    slot: NDArray[np.int64]
    pairs2: NDArray[np.float32]
    pair_weights: NDArray[np.float32]
    segments2: NDArray[np.float64]
    segment_weights: NDArray[np.float64]
    clusters2: NDArray[np.float64]
    cluster_weights: NDArray[np.float64]
    lines: bool
    pieces: bool
    periodic: bool


@_compiled
def draw(random: NDArray[np.uint64]) -> float:
    """Draw a uniform number in [0, 1) by SplitMix64, whose state of one word fits into a checkpoint.

    Parameters
    ----------
    random : ndarray of uint64, shape (1,)
        State of the generator, changed in place.

    Returns
    -------
    float
        The number.

    Notes
    -----
    Steele, Lea and Flood, OOPSLA (2014).

    Examples
    --------
    >>> round(draw(np.zeros(1, np.uint64)), 3)
    0.883
    """
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) / 9007199254740992.0


@_compiled
def _put(sample: Sample, slot: int, y: int, x: int, value: float, periodic: bool) -> None:
    """Set a pixel of one indicator, with its copies beyond the borders."""
    height, width = sample.labels.shape
    ahead, behind = sample.ahead[slot], sample.behind[slot]
    high, wide = ahead.shape
    top, left = (high - height) // 2, (wide - width) // 2
    span = 1 if periodic else 0
    for i in range(-span, span + 1):
        row = y + top + i * height
        if 0 <= row < high:
            for j in range(-span, span + 1):
                column = x + left + j * width
                if 0 <= column < wide:
                    ahead[row, column] = value
                    behind[high - 1 - row, wide - 1 - column] = value


@_compiled_fast
def _pair_cost(sample: Sample, counts: Counts, goal: Goal, slot: int, place: tuple[int, int, int, int]) -> float:
    """Compute the change of the two-point energy when one pixel leaves and another joins; both are unset."""
    pairs, wanted2, weights = counts.pairs[slot], goal.pairs2[slot], goal.pair_weights[slot]
    ahead, behind = sample.ahead[slot], sample.behind[slot]
    y, x, v, u = place
    rows, columns = pairs.shape
    reach = rows - 1
    high, wide = ahead.shape
    cost = 0.0
    for dy in range(rows):
        leave, leave_back = ahead[y + reach + dy], behind[high - 1 - y - reach + dy]
        join, join_back = ahead[v + reach + dy], behind[high - 1 - v - reach + dy]
        count, wish, weight = pairs[dy], wanted2[dy], weights[dy]
        total: Any = np.float32(0.0)  # in double precision half as many fit into a register
        for k in range(columns):
            gain = join[u + k] + join_back[wide - 1 - u - 2 * reach + k]
            gain -= leave[x + k] + leave_back[wide - 1 - x - 2 * reach + k]
            total += weight[k] * gain * (np.float32(2.0) * count[k] + gain - wish[k])
        cost += total
    return cost


@_compiled_fast
def _count_pairs(sample: Sample, counts: Counts, slot: int, place: tuple[int, int, int, int]) -> None:
    """Update the pairs for a swap whose pixels are both unset."""
    pairs, ahead, behind = counts.pairs[slot], sample.ahead[slot], sample.behind[slot]
    y, x, v, u = place
    rows, columns = pairs.shape
    reach = rows - 1
    high, wide = ahead.shape
    for dy in range(rows):
        leave, leave_back = ahead[y + reach + dy], behind[high - 1 - y - reach + dy]
        join, join_back = ahead[v + reach + dy], behind[high - 1 - v - reach + dy]
        count = pairs[dy]
        for k in range(columns):
            count[k] += join[u + k] + join_back[wide - 1 - u - 2 * reach + k]
            count[k] -= leave[x + k] + leave_back[wide - 1 - x - 2 * reach + k]


@_compiled
def _extent(labels: NDArray[np.uint8], place: tuple[int, int, int, int], phase: int, periodic: bool) -> int:
    """Count the pixels of a phase in a row next to (y, x) in the direction (dy, dx)."""
    height, width = labels.shape
    y, x, dy, dx = place
    most = (height if dy != 0 else width) - 1
    found = 0
    while found < most:
        y, x = y + dy, x + dx
        if periodic:
            y, x = y % height, x % width
        elif not (0 <= y < height and 0 <= x < width):
            break
        if labels[y, x] != phase:
            break
        found += 1
    return found


@_compiled
def _add_run(line: NDArray[np.float64], run: int, closed: int, sign: float) -> None:
    """Add the segments of 1, 2, ... pixels in a run; a closed line of ``closed`` pixels holds that many of each."""
    for r in range(line.shape[0]):
        if closed > 0:
            line[r] += sign * closed
        elif run > r:
            line[r] += sign * (run - r)


@_compiled
def _count_segments(
    sample: Sample, change: NDArray[np.float64], y: int, x: int, phases: tuple[int, int], periodic: bool
) -> None:
    """Add to ``change`` the change of the segments through (y, x) when its phase changes; the label is set."""
    labels = sample.labels
    for axis in range(2):
        dy, dx = (1, 0) if axis == 0 else (0, 1)
        side = labels.shape[axis]
        for which in range(2):
            phase, sign = phases[which], -1.0 if which == 0 else 1.0
            before = _extent(labels, (y, x, -dy, -dx), phase, periodic)
            if before == side - 1 and periodic:  # the rest of the line is one run
                _add_run(change[phase, axis], 0, side, sign)
                _add_run(change[phase, axis], before, 0, -sign)
                continue
            after = _extent(labels, (y, x, dy, dx), phase, periodic)
            _add_run(change[phase, axis], before + 1 + after, 0, sign)
            _add_run(change[phase, axis], before, 0, -sign)
            _add_run(change[phase, axis], after, 0, -sign)
    labels[y, x] = phases[1]


@_compiled
def _root(parent: NDArray[np.int64], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@_compiled
def cluster_counts(labels: NDArray[np.uint8], counts: NDArray[np.float64], periodic: bool) -> None:
    """Count the pairs of pixels in one face-connected cluster along each axis.

    Parameters
    ----------
    labels : ndarray of uint8, shape (H, W)
        Phase labels.
    counts : ndarray, shape (K, 2, R + 1)
        Counts at offsets 0 to R, which are overwritten.
    periodic : bool
        Whether opposite borders continue each other.

    Notes
    -----
    The two-point cluster function of Torquato, Beasley and Chiew, J. Chem. Phys. 88, 6540 (1988), along the axes.

    Examples
    --------
    >>> counts = np.zeros((2, 2, 2))
    >>> cluster_counts(np.array([[0, 0, 1]], np.uint8), counts, False)
    >>> counts[:, 1].tolist()
    [[2.0, 1.0], [1.0, 0.0]]
    """
    height, width = labels.shape
    parent = np.arange(height * width)
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0)):
                v, u = y + dy, x + dx
                if (v < height and u < width) or periodic:
                    v, u = v % height, u % width
                    if labels[v, u] == labels[y, x]:
                        one, other = _root(parent, y * width + x), _root(parent, v * width + u)
                        parent[max(one, other)] = min(one, other)
    piece = np.empty((height, width), dtype=np.int32)
    for node in range(height * width):
        piece[node // width, node % width] = _root(parent, node)
    counts[:] = 0.0
    for y in range(height):
        for x in range(width):
            mine, phase = piece[y, x], labels[y, x]
            for r in range(counts.shape[2]):
                v, u = y + r, x + r
                if v < height or periodic:
                    counts[phase, 0, r] += piece[v - height if v >= height else v, x] == mine
                if u < width or periodic:
                    counts[phase, 1, r] += piece[y, u - width if u >= width else u] == mine


@_compiled
def _unlike(labels: NDArray[np.uint8], y: int, x: int, periodic: bool) -> int:
    """Count the neighbours, of eight, in other phases."""
    height, width = labels.shape
    found = 0
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            v, u = y + dy, x + dx
            if periodic:
                v, u = v % height, u % width
            if 0 <= v < height and 0 <= u < width and labels[v, u] != labels[y, x]:
                found += 1
    return found


@_compiled
def _list_edges(edges: Edges, labels: NDArray[np.uint8], y: int, x: int, periodic: bool) -> None:
    """Add a pixel to the list of interface pixels, or remove it, according to its neighbours."""
    height, width = labels.shape
    if periodic:
        y, x = y % height, x % width
    if not (0 <= y < height and 0 <= x < width):
        return
    pixel, length = y * width + x, edges.length[0]
    place, belongs = edges.places[pixel], _unlike(labels, y, x, periodic) > 0
    if belongs and place < 0:
        edges.pixels[length] = pixel
        edges.places[pixel] = length
        edges.length[0] = length + 1
    elif place >= 0 and not belongs:
        last = edges.pixels[length - 1]
        edges.pixels[place] = last
        edges.places[last] = place
        edges.places[pixel] = -1
        edges.length[0] = length - 1


@_compiled
def _choose(sample: Sample, edges: Edges, power: float, other: int, periodic: bool) -> tuple[int, int]:
    """Draw a pixel not of phase ``other``, with weight (unlike neighbours / 8) ** power; power < 0: any pixel."""
    height, width = sample.labels.shape
    y, x = 0, 0
    for _ in range(10000):
        if power < 0:
            pixel = int(draw(sample.random) * height * width)
        else:
            pixel = edges.pixels[int(draw(sample.random) * edges.length[0])]
        y, x = pixel // width, pixel % width
        if sample.labels[y, x] == other:
            continue
        if power <= 0 or draw(sample.random) < (_unlike(sample.labels, y, x, periodic) / 8.0) ** power:
            break
    return y, x


@_compiled
def _line_cost(counts: NDArray[np.float64], change: NDArray[np.float64], wanted2: Any, weights: Any) -> float:
    cost = 0.0
    for phase in range(counts.shape[0]):
        for axis in range(2):
            for r in range(1, counts.shape[2]):
                d = change[phase, axis, r]
                if d != 0.0:
                    cost += weights[phase, axis, r] * d * (2 * counts[phase, axis, r] + d - wanted2[phase, axis, r])
    return cost


@_compiled
def _energy(counts: NDArray[np.float64], wanted2: Any, weights: Any) -> float:
    return float((weights * (counts - wanted2 / 2) ** 2).sum())


@_compiled
def swap_pixels(sample: Sample, counts: Counts, goal: Goal, power: float, temperature: float, proposals: int) -> int:
    """Propose swaps of two pixels of different phases, accept them by the Metropolis rule, and update all counts.

    Parameters
    ----------
    sample : Sample
        Microstructure, changed in place.
    counts : Counts
        Its counts, changed in place.
    goal : Goal
        Counts wanted and their weights.
    power : float
        Exponent of the weight by which pixels are chosen: (neighbours of other phases / 8) ** power; if negative, any
        pixel is chosen.
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
    Yeong and Torquato, Phys. Rev. E 57, 495 (1998); choice of pixels after Tang et al., J. Microsc. 234, 262 (2009).

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> from matlens.microstructure.reconstruction.classical.annealing import Annealing, learned, started
    >>> from matlens.microstructure.reconstruction.method import Task
    >>> m = gaussian_field((48, 48), 5, 0.3, seed=0)
    >>> target = learned(Annealing(reach=8), [m], (48, 48))
    >>> sample, counts = started(target, m.labels.T.copy(), np.ones(1, np.uint64), 2)
    >>> swap_pixels(sample, counts, target.goal(Task((48, 48), m.volume_fractions, seed=0)), 0.0, 1e9, 10)
    10
    """
    labels, accepted = sample.labels, 0
    change, pieces = np.zeros_like(counts.segments), np.zeros_like(counts.clusters)
    # what the terms could still gain at most: swaps that need more are turned down without counting
    gap = _energy(counts.clusters, goal.clusters2, goal.cluster_weights) if goal.pieces else 0.0
    gap_lines = _energy(counts.segments, goal.segments2, goal.segment_weights) if goal.lines else 0.0
    edges = Edges(np.empty(labels.size, np.int64), np.full(labels.size, -1), np.zeros(1, np.int64))
    for pixel in range(labels.size):
        _list_edges(edges, labels, pixel // labels.shape[1], pixel % labels.shape[1], goal.periodic)
    for _ in range(proposals):
        y, x = _choose(sample, edges, power, -1, goal.periodic)
        a = int(labels[y, x])
        v, u = _choose(sample, edges, power, a, goal.periodic)
        b = int(labels[v, u])
        if a == b:
            continue
        limit = -temperature * np.log(1.0 - draw(sample.random))
        there, back = (y, x, v, u), (v, u, y, x)
        cost, on_lines, mine, theirs = 0.0, 0.0, int(goal.slot[a]), int(goal.slot[b])
        if mine >= 0:
            _put(sample, mine, y, x, 0.0, goal.periodic)
            cost += _pair_cost(sample, counts, goal, mine, there)
        if theirs >= 0:
            _put(sample, theirs, v, u, 0.0, goal.periodic)
            cost += _pair_cost(sample, counts, goal, theirs, back)
        if goal.lines and cost <= limit + gap + gap_lines:
            change[:] = 0.0
            _count_segments(sample, change, y, x, (a, b), goal.periodic)
            _count_segments(sample, change, v, u, (b, a), goal.periodic)
            on_lines = _line_cost(counts.segments, change, goal.segments2, goal.segment_weights)
            cost += on_lines
        labels[y, x], labels[v, u] = b, a
        after = 0.0
        if goal.pieces and cost <= limit + gap:
            cluster_counts(labels, pieces, goal.periodic)
            after = _energy(pieces, goal.clusters2, goal.cluster_weights)
        if cost + after - gap <= limit:
            if mine >= 0:
                _count_pairs(sample, counts, mine, there)
                _put(sample, mine, v, u, 1.0, goal.periodic)
            if theirs >= 0:
                _count_pairs(sample, counts, theirs, back)
                _put(sample, theirs, y, x, 1.0, goal.periodic)
            if goal.lines:
                counts.segments[:] += change
                gap_lines += on_lines
            if goal.pieces:
                counts.clusters[:] = pieces
                gap = after
            for k in range(9):
                _list_edges(edges, labels, y + k // 3 - 1, x + k % 3 - 1, goal.periodic)
                _list_edges(edges, labels, v + k // 3 - 1, u + k % 3 - 1, goal.periodic)
            accepted += 1
        else:
            labels[y, x], labels[v, u] = a, b
            if mine >= 0:
                _put(sample, mine, y, x, 1.0, goal.periodic)
            if theirs >= 0:
                _put(sample, theirs, v, u, 1.0, goal.periodic)
    return accepted
