"""A block of a large microstructure with what lies around it, and the division of a volume into blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.large import LargeMicrostructure

__all__ = ["Block", "divided", "even_cuts"]

Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Block:
    """A box of a large microstructure.

    Parameters
    ----------
    whole : LargeMicrostructure
        The structure.
    start, stop : tuple of int
        First pixel of each axis, and the one behind the last.
    reach : int
        Largest offset of correlations in pixels.
    room : float
        Bytes that an update may take for its own arrays.
    kept : tuple of (tuple of int, ndarray), optional
        First pixel and labels of a box around the block that has been read.

    Examples
    --------
    >>> whole = LargeMicrostructure(np.arange(12).reshape(3, 4), (1.0, 1.0), "px", tuple("abcdefghijkl"))
    >>> block = Block(whole, (1, 1), (3, 3))
    >>> block.window((1, 0), (1, 1)).tolist()
    [[1, 2, 3], [5, 6, 7], [9, 10, 11]]
    """

    whole: LargeMicrostructure
    start: tuple[int, ...]
    stop: tuple[int, ...]
    reach: int = 64
    room: float = 2.5e8
    kept: tuple[tuple[int, ...], Labels] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of pixels along each axis."""
        return tuple(high - low for low, high in zip(self.start, self.stop))

    def bounds(self, before: Sequence[int], after: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the box that reaches beyond the block, as far as the structure goes.

        Parameters
        ----------
        before, after : sequence of int
            Pixels beyond the low and the high face of each axis.

        Returns
        -------
        low, high : tuple of int
            First pixel, and the one behind the last; of a periodic structure they may lie beyond its border.
        """
        low = tuple(at - more for at, more in zip(self.start, before))
        high = tuple(at + more for at, more in zip(self.stop, after))
        if self.whole.periodic:
            return low, high
        return tuple(max(at, 0) for at in low), tuple(min(at, side) for at, side in zip(high, self.whole.shape))

    def window(self, before: Sequence[int], after: Sequence[int]) -> Labels:
        """Read the labels of the block and of what lies around it.

        Parameters
        ----------
        before, after : sequence of int
            Pixels beyond the low and the high face of each axis; fewer where a window ends.

        Returns
        -------
        ndarray of uint8
            Labels.
        """
        low, high = self.bounds(before, after)
        if self.kept is not None:
            first, labels = self.kept
            if all(a <= b and d <= a + n for a, b, d, n in zip(first, low, high, labels.shape)):
                return labels[tuple(slice(b - a, d - a) for a, b, d in zip(first, low, high))]
        return self.whole.read(low, high)

    @property
    def labels(self) -> Labels:
        """Labels of the block alone."""
        none = (0,) * self.whole.ndim
        return self.window(none, none)

    def fetched(self, halo: int) -> Block:
        """Read the block once, with what lies around it, for all that follows.

        Parameters
        ----------
        halo : int
            Pixels beyond each face; along an axis that the block takes whole, none are needed.

        Returns
        -------
        Block
            The same block, which holds its labels.
        """
        around = [0 if n == side else min(halo, side) for n, side in zip(self.shape, self.whole.shape)]
        low, _ = self.bounds(around, around)
        return Block(self.whole, self.start, self.stop, self.reach, self.room, (low, self.window(around, around)))

    def tiles(self, side: Sequence[int]) -> Iterator[Block]:
        """Yield the parts of the block, each at most of the given sides; they share what has been read.

        Parameters
        ----------
        side : sequence of int
            Largest number of pixels along each axis.

        Yields
        ------
        Block
            The parts, in the order of the array.
        """
        cuts = [even_cuts(low, high, most) for low, high, most in zip(self.start, self.stop, side)]
        for start, stop in _boxes(cuts):
            yield Block(self.whole, start, stop, self.reach, self.room, self.kept)


def even_cuts(low: int, high: int, most: int) -> list[int]:
    """Divide a range into parts of nearly equal length.

    Parameters
    ----------
    low, high : int
        Ends of the range.
    most : int
        Largest length of a part.

    Returns
    -------
    list of int
        Ends of the parts, from ``low`` to ``high``.

    Examples
    --------
    >>> even_cuts(0, 10, 4)
    [0, 4, 7, 10]
    """
    count = -(-(high - low) // max(most, 1))
    short, longer = divmod(high - low, count)
    return [low + k * short + min(k, longer) for k in range(count + 1)]


def divided(whole: LargeMicrostructure, cuts: Sequence[Sequence[int]], *, reach: int, room: float) -> list[Block]:
    """Divide a structure into blocks.

    Parameters
    ----------
    whole : LargeMicrostructure
        The structure.
    cuts : sequence of sequence of int
        Ends of the blocks along each axis, from 0 to the side.
    reach : int
        Largest offset of correlations in pixels.
    room : float
        Bytes that an update may take for its own arrays.

    Returns
    -------
    list of Block
        The blocks, in the order of the array.

    Examples
    --------
    >>> whole = LargeMicrostructure(np.zeros((3, 4)), (1.0, 1.0), "px", ("a",))
    >>> [block.shape for block in divided(whole, [[0, 3], [0, 1, 4]], reach=2, room=1e6)]
    [(3, 1), (3, 3)]
    """
    return [Block(whole, start, stop, reach, room) for start, stop in _boxes(cuts)]


def _boxes(cuts: Sequence[Sequence[int]]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    for ends in product(*(list(pairwise(line)) for line in cuts)):
        yield tuple(low for low, _ in ends), tuple(high for _, high in ends)
