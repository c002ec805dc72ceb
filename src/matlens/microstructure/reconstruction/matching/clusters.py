"""Sums of squared cluster sizes in adjacent windows, updated when pixels change and not counted anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["WindowClusters"]

_RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
_NEAR = 12  # pixels around a throat where the search for another connection begins

_Place = tuple[int, int]
_Swap = tuple[_Place | None, _Place | None]
"""The pixel that leaves a phase and the one that joins it, within one window; None where it lies in another."""


class WindowClusters:
    """Sum of squared cluster sizes of each phase, by faces and by faces and corners, over adjacent windows.

    A swap of two pixels changes few clusters. A pixel that joins merges the clusters beside it. One that leaves divides
    its cluster only if its neighbours are not connected around it; that is looked for nearby first. So a swap costs
    microseconds where labelling the windows costs milliseconds, and the sums are the same integers.

    Parameters
    ----------
    labels : ndarray of uint8, shape (H, W)
        Phase labels.
    n_phases : int
        Number of phases K.
    window : sequence of int
        Height and width of the windows to which clusters are cut.

    Attributes
    ----------
    sums : ndarray of int64, shape (K, 2)
        Sums of squared sizes by phase and connectivity.
    area : int
        Number of pixels in all windows.

    Examples
    --------
    >>> clusters = WindowClusters(np.eye(3, dtype=np.uint8), 2, (3, 3))
    >>> clusters.sums.tolist()
    [[18, 36], [3, 9]]
    >>> swapped = clusters.swapped(4, 1, 1, 0)  # the centre becomes phase 0, the pixel above it phase 1
    >>> swapped.tolist()
    [[36, 36], [5, 5]]
    """

    def __init__(self, labels: NDArray[np.uint8], n_phases: int, window: Sequence[int]) -> None:
        self._width, (height, width) = labels.shape[1], window
        self._window = (height, width)
        self._tiles = {
            (y // height, x // width): [
                [_Clusters(labels[y : y + height, x : x + width] == phase, full) for full in (False, True)]
                for phase in range(n_phases)
            ]
            for y in range(0, labels.shape[0] - height + 1, height)
            for x in range(0, labels.shape[1] - width + 1, width)
        }
        self.area = len(self._tiles) * height * width
        parts = [[[c.total for c in both] for both in tile] for tile in self._tiles.values()]
        self.sums: NDArray[np.int64] = np.array(parts, dtype=np.int64).sum(axis=0)

    def swapped(self, one: int, other: int, phase: int, rival: int) -> NDArray[np.int64]:
        """Return the sums after a swap, which is not made.

        Parameters
        ----------
        one, other : int
            Flat indices of a pixel of ``phase`` and of one of ``rival``, which exchange their phases.
        phase, rival : int
            The two phases.

        Returns
        -------
        ndarray of int64, shape (K, 2)
            Sums of squared sizes.
        """
        sums = self.sums.copy()
        for of, column, clusters, swap in self._touched(one, other, phase, rival):
            sums[of, column] += clusters.changed(*swap) - clusters.total
        return sums

    def swap(self, one: int, other: int, phase: int, rival: int) -> None:
        """Make a swap.

        Parameters
        ----------
        one, other, phase, rival : int
            As in `swapped`.
        """
        for of, column, clusters, swap in self._touched(one, other, phase, rival):
            self.sums[of, column] -= clusters.total
            clusters.change(*swap)
            self.sums[of, column] += clusters.total

    def _touched(self, one: int, other: int, phase: int, rival: int) -> Iterator[tuple[int, int, _Clusters, _Swap]]:
        """List phase, connectivity, clusters and pixels in each window that a swap touches."""
        first, second = self._place(one), self._place(other)
        for tile in dict.fromkeys((first[0], second[0])):
            if tile not in self._tiles:
                continue
            here = [place if where == tile else None for where, place in (first, second)]
            for of, (leaving, joining) in ((phase, (here[0], here[1])), (rival, (here[1], here[0]))):
                for column, clusters in enumerate(self._tiles[tile][of]):
                    yield of, column, clusters, (leaving, joining)

    def _place(self, flat: int) -> tuple[_Place, _Place]:
        """Return the window of a pixel, and its place there."""
        (y, x), (height, width) = divmod(flat, self._width), self._window
        return (y // height, x // width), (y % height, x % width)


class _Clusters:
    """Clusters of one phase in one window; numbers have a rim of zeros, so that every pixel has eight neighbours."""

    def __init__(self, inside: NDArray[np.bool_], full: bool) -> None:
        self._full = full
        self._structure = np.ones((3, 3)) if full else None
        self._beside = _RING if full else _RING[1::2]
        self._numbers = np.zeros((inside.shape[0] + 2, inside.shape[1] + 2), dtype=np.int32)
        self._count(inside)

    def _count(self, inside: NDArray[np.bool_]) -> None:
        ndimage.label(inside, self._structure, output=self._numbers[1:-1, 1:-1])
        self._sizes: list[int] = np.bincount(self._numbers.ravel()).tolist()
        self._sizes[0] = 0
        self.total = sum(size * size for size in self._sizes)

    def changed(self, leaving: _Place | None, joining: _Place | None) -> int:
        """Return the sum of squares after one pixel left and another joined."""
        group, parts, merged = self._regrouped(leaving, joining)
        gone = sum(self._sizes[number] ** 2 for number in group)
        return int(self.total - gone + sum(part * part for part in parts) + merged * merged)

    def change(self, leaving: _Place | None, joining: _Place | None) -> None:
        """Let one pixel leave and another join."""
        parts = self._regrouped(leaving, joining)[1]
        if sum(part > 0 for part in parts) > 1:
            inside = self._numbers[1:-1, 1:-1] > 0
            for place, now in ((leaving, False), (joining, True)):
                if place is not None:
                    inside[place] = now
            self._count(inside)
            return
        self.total = self.changed(leaving, joining)
        if joining is not None:
            beside = sorted(self._numbers_beside(joining)) or [len(self._sizes)]
            if beside[0] == len(self._sizes):
                self._sizes.append(0)
            for number in beside[1:]:
                self._numbers[self._numbers == number] = beside[0]
                self._sizes[beside[0]] += self._sizes[number]
                self._sizes[number] = 0
            self._numbers[joining[0] + 1, joining[1] + 1] = beside[0]
            self._sizes[beside[0]] += 1
        if leaving is not None:
            self._sizes[self._numbers[leaving[0] + 1, leaving[1] + 1]] -= 1
            self._numbers[leaving[0] + 1, leaving[1] + 1] = 0

    def _regrouped(self, leaving: _Place | None, joining: _Place | None) -> tuple[set[int], list[int], int]:
        """Return the clusters that change, the sizes of what one pixel leaves, and that of what another merges."""
        beside = set() if joining is None else self._numbers_beside(joining)
        merged = 0 if joining is None else 1 + sum(self._sizes[number] for number in beside)
        if leaving is None:
            return beside, [], merged
        own = int(self._numbers[leaving[0] + 1, leaving[1] + 1])
        if own not in beside:
            return beside | {own}, self._parts(leaving, {own}, None, self._sizes[own] - 1), merged
        # The pixel that joins comes first: what is then left of the merged cluster may fall apart.
        return beside, self._parts(leaving, beside, joining, merged - 1), 0

    def _numbers_beside(self, place: _Place) -> set[int]:
        block = self._numbers[place[0] : place[0] + 3, place[1] : place[1] + 3].tolist()
        return {block[y][x] for y, x in self._beside} - {0}

    def _parts(self, leaving: _Place, group: set[int], joining: _Place | None, size: int) -> list[int]:
        """Return the sizes of the parts of a cluster, of ``size`` pixels in the end, that a pixel leaves."""
        y, x = leaving
        block = self._numbers[y : y + 3, x : x + 3].tolist()
        ring = [block[dy][dx] in group or (y + dy - 1, x + dx - 1) == joining for dy, dx in _RING]
        if _connected_around(self._full)[sum(1 << place for place, inside in enumerate(ring) if inside)]:
            return [size]
        height, width = self._numbers.shape
        reach = _NEAR
        while True:
            top, left = max(y + 1 - reach, 1), max(x + 1 - reach, 1)
            bottom, right = min(y + 2 + reach, height - 1), min(x + 2 + reach, width - 1)
            box = self._numbers[top:bottom, left:right]
            inside = np.logical_or.reduce([box == number for number in group])
            inside[y + 1 - top, x + 1 - left] = False
            if joining is not None and top <= joining[0] + 1 < bottom and left <= joining[1] + 1 < right:
                inside[joining[0] + 1 - top, joining[1] + 1 - left] = True
            numbers = np.pad(ndimage.label(inside, self._structure)[0], 1)
            near = numbers[y + 1 - top : y + 4 - top, x + 1 - left : x + 4 - left]
            around = {int(near[place]) for place in self._beside} - {0}
            # Parts that reach the end of the box may be one beyond it; the others are complete.
            ends = [(numbers[1], top > 1), (numbers[-2], bottom < height - 1)]
            ends += [(numbers[:, 1], left > 1), (numbers[:, -2], right < width - 1)]
            far = around & {number for line, beyond in ends if beyond for number in line.tolist()}
            if len(around) == 1:
                return [size]
            if len(far) <= 1:
                counted = np.bincount(numbers.ravel())
                closed = [int(counted[number]) for number in around - far]
                return [*closed, size - sum(closed)]
            reach *= 3


@cache
def _connected_around(full: bool) -> tuple[bool, ...]:
    """Tell, for each of the 256 rings of neighbours, whether those beside the centre are connected within the ring."""
    found = []
    for code in range(256):
        block = np.zeros((3, 3), dtype=bool)
        for place, at in enumerate(_RING):
            block[at] = code >> place & 1
        numbers = ndimage.label(block, np.ones((3, 3)) if full else None)[0]
        found.append(len({int(numbers[at]) for at in (_RING if full else _RING[1::2])} - {0}) <= 1)
    return tuple(found)
