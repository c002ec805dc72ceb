"""The largest square of a result that also stands, pixel for pixel, in an exemplar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations, product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.structure import MAX_PHASES, Microstructure

__all__ = ["largest_verbatim_block", "symmetries"]

T = TypeVar("T", bound=np.generic)
Hashes = NDArray[np.uint64]
Turn = tuple[tuple[int, ...], tuple[bool, ...]]

# any fixed odd numbers do: equal blocks always have equal hashes, unequal ones practically never (64 bits)
_PHASE, _BASES = (
    np.random.default_rng(20181).integers(1, 2**63, size=size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    for size in (MAX_PHASES + 1, 3)  # the last for what is masked; one for each axis
)
_PLACES = 1 << 19  # of a result that are looked at
_KEPT = 1 << 25  # running sums that are kept from one side to the next, of 8 bytes each


def symmetries(values: NDArray[T], ndim: int) -> list[NDArray[T]]:
    """Turn and mirror the last axes in every way: 8 in two dimensions, 48 in three.

    Parameters
    ----------
    values : ndarray, shape (*leading, *space)
        Array to turn.
    ndim : int
        Number of axes of the space.

    Returns
    -------
    list of ndarray
        Views of the array, turned and mirrored.

    Examples
    --------
    >>> len(symmetries(np.arange(4).reshape(2, 2), 2)), len(symmetries(np.zeros((2, 2, 2)), 3))
    (8, 48)
    """
    first = values.ndim - ndim
    found = []
    for order in permutations(range(ndim)):
        turned = values.transpose(*range(first), *(first + axis for axis in order))
        for flips in product((False, True), repeat=ndim):
            found.append(np.flip(turned, tuple(first + axis for axis in range(ndim) if flips[axis])))
    return found


def largest_verbatim_block(result: Microstructure, exemplars: Sequence[Microstructure]) -> int:
    """Find the largest square (cube) of the result that an exemplar holds too, in any orientation.

    Parameters
    ----------
    result : Microstructure
        Two- or three-dimensional.
    exemplars : sequence of Microstructure
        Structures of the same dimension; what is masked is held by none.

    Returns
    -------
    int
        Side of the square or cube in pixels. Squares of a single phase do not count. In a result of more than half a
        million pixels only squares at every second place along each axis are looked at (every third above 2.1 million,
        and so on), and the largest may be that much larger.

    Examples
    --------
    >>> from matlens.microstructure.problems import white_noise
    >>> noise = white_noise((32, 32), (0.5, 0.5), seed=0)
    >>> copy = np.array(white_noise((32, 32), (0.5, 0.5), seed=1).labels)
    >>> copy[3:15, 5:17] = noise.labels[10:22, 0:12].T
    >>> largest_verbatim_block(Microstructure(copy), [noise])
    12
    """
    low, high = 1, min([*result.shape, *(side for exemplar in exemplars for side in exemplar.shape)])
    here = _Turned(result.labels)
    there = [_Blocks(_known(exemplar)) for exemplar in exemplars]
    found = False
    while low < high:  # whoever shares a block shares its parts
        side = (low + high + 1) // 2 if found else min(max(2 * low, 4), high)
        if _shares_block(here, there, side, result.n_phases):
            low = side
        else:
            high, found = side - 1, True
    return low if low > 1 else 0


def _shares_block(here: _Turned, there: Sequence[_Blocks], side: int, n_phases: int) -> bool:
    uniform = [np.full((side,) * here.ndim, k, dtype=np.uint8) for k in range(n_phases)]
    plain = np.concatenate([_Blocks(labels).hashes(side).ravel() for labels in uniform])
    wanted = here.hashes(side)
    wanted = wanted[~np.isin(wanted, plain)]
    return wanted.size > 0 and any(_share_value(blocks.hashes(side).ravel(), wanted) for blocks in there)


def _known(m: Microstructure) -> NDArray[np.uint8]:
    """Labels, with one that no structure has where they are masked."""
    return m.labels if m.mask is None else np.where(m.mask, m.labels, np.uint8(MAX_PHASES))


def _share_value(values: Hashes, wanted: Hashes) -> bool:
    """Whether two lists have a value in common.

    Most values are ruled out by their first bits, in a time that grows with their number alone; sorting takes longer.
    """
    bits = max(values.size, wanted.size).bit_length() + 2  # a table of which one place in four is taken at most
    for _ in range(2):
        values, wanted = wanted, values[_begins_like(wanted, bits)[values >> np.uint64(64 - bits)]]
    return bool(wanted.size) and bool(values.size) and bool(np.isin(values, wanted).any())


def _begins_like(values: Hashes, bits: int) -> NDArray[np.bool_]:
    """Which first bits occur."""
    table = np.zeros(1 << bits, dtype=bool)
    table[values >> np.uint64(64 - bits)] = True
    return table


class _Turned:
    """The blocks of a result in every orientation, at places that are not too many."""

    def __init__(self, labels: NDArray[np.uint8]) -> None:
        self.ndim = labels.ndim
        self._labels = labels
        self._step = math.ceil((labels.size / _PLACES) ** (1 / labels.ndim))
        orders = permutations(range(labels.ndim))
        self._turns = [(order, flips) for order in orders for flips in product((False, True), repeat=labels.ndim)]
        kept = labels.size * len(self._turns) <= _KEPT
        self._made = [_Blocks(labels, turn) for turn in self._turns] if kept else None

    def hashes(self, side: int) -> Hashes:
        """Hash of every block that is looked at, in every orientation."""
        made = self._made or (_Blocks(self._labels, turn) for turn in self._turns)
        return np.concatenate([blocks.hashes(side, self._step).ravel() for blocks in made])


class _Blocks:
    """Hashes of all blocks of a field, of any side, as they are or turned: from running sums.

    The hash of a block is the sum of its pixels' numbers, each times a power of one base along each axis. The sum over
    a block is taken from running sums of the field with such powers, divided by the power at the block's corner; all is
    done modulo 2^64, where odd numbers can be divided by. Mirrored blocks have the inverse of a base in its place, and
    turned ones another order of the bases, so that the field itself is never turned.
    """

    def __init__(self, labels: NDArray[np.uint8], turn: Turn | None = None) -> None:
        order, flips = turn or (tuple(range(labels.ndim)), (False,) * labels.ndim)
        chosen = [int(base) for base in _BASES[: labels.ndim]]
        bases = {axis: _inverse(base) if flip else base for axis, base, flip in zip(order, chosen, flips)}
        self._mirrored = [base for base, flip in zip(chosen, flips) if flip]
        sums: Hashes = _PHASE[labels]
        for axis, length in enumerate(labels.shape):
            sums *= _along(_powers(bases[axis], length), axis, labels.ndim)
            np.cumsum(sums, axis=axis, out=sums)
        self._sums = np.pad(sums, [(1, 0)] * labels.ndim)
        self._divisors = [_powers(_inverse(bases[axis]), length) for axis, length in enumerate(labels.shape)]

    def hashes(self, side: int, step: int = 1) -> Hashes:
        """Hash of the block of ``side`` pixels that starts at every ``step``-th position where it fits."""
        ndim = self._sums.ndim
        ends = [length - side for length in self._sums.shape]
        total: Hashes = np.zeros([-(-end // step) for end in ends], dtype=np.uint64)
        for far in product((False, True), repeat=ndim):
            part = self._sums[tuple(slice(f * side, f * side + end, step) for f, end in zip(far, ends))]
            if (ndim - sum(far)) % 2:
                total -= part
            else:
                total += part
        for axis, (divisors, end) in enumerate(zip(self._divisors, ends)):
            total *= _along(divisors[:end:step], axis, ndim)
        for base in self._mirrored:
            total *= np.uint64(pow(base, side - 1, 1 << 64))
        return total


def _inverse(base: int) -> int:
    return pow(base, -1, 1 << 64)


def _powers(base: int, count: int) -> Hashes:
    powers = np.full(count, base, dtype=np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _along(values: Hashes, axis: int, ndim: int) -> Hashes:
    return values.reshape([-1 if other == axis else 1 for other in range(ndim)])
