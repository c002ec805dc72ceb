"""The largest square of a result that also stands, pixel for pixel, in an exemplar."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.structure import MAX_PHASES, Microstructure

__all__ = ["largest_verbatim_block", "symmetries"]

T = TypeVar("T", bound=np.generic)
Hashes = NDArray[np.uint64]

# any fixed numbers do: equal blocks always have equal hashes, unequal ones practically never (64 bits)
_PHASE, _FACTOR = (
    np.random.default_rng(20181).integers(1, 2**63, size=size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    for size in (MAX_PHASES + 1, 64)  # the last for what is masked
)
_FIRST = 22  # bits that are looked at first
_REST = np.uint64(64 - _FIRST)


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
        Side of the square or cube in pixels. Squares of a single phase do not count.

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
    while low < high:  # whoever shares a block shares its parts
        side = (low + high + 1) // 2
        if _shares_block(result, exemplars, side):
            low = side
        else:
            high = side - 1
    return low if low > 1 else 0


def _shares_block(result: Microstructure, exemplars: Sequence[Microstructure], side: int) -> bool:
    plain = np.unique(
        [_block_hashes(np.full((side,) * result.ndim, k, dtype=np.uint8), side) for k in range(result.n_phases)]
    )
    wanted = np.concatenate([_block_hashes(turned, side).ravel() for turned in symmetries(result.labels, result.ndim)])
    wanted = wanted[~np.isin(wanted, plain)]
    return wanted.size > 0 and any(_share_value(_block_hashes(_known(e), side).ravel(), wanted) for e in exemplars)


def _known(m: Microstructure) -> NDArray[np.uint8]:
    """Labels, with one that no structure has where they are masked."""
    return m.labels if m.mask is None else np.where(m.mask, m.labels, np.uint8(MAX_PHASES))


def _share_value(values: Hashes, wanted: Hashes) -> bool:
    """Whether two lists have a value in common.

    Most values are ruled out by their first bits, in a time that grows with their number alone; sorting takes longer.
    """
    for _ in range(2):
        values, wanted = wanted, values[_begins_like(wanted)[values >> _REST]]
    return bool(wanted.size) and bool(values.size) and bool(np.isin(values, wanted).any())


def _begins_like(values: Hashes) -> NDArray[np.bool_]:
    """Which first bits occur."""
    table = np.zeros(1 << _FIRST, dtype=bool)
    table[values >> _REST] = True
    return table


def _block_hashes(labels: NDArray[np.uint8], side: int) -> Hashes:
    """Hash of the block of ``side`` pixels that starts at every position where it fits."""
    hashes: Hashes = _PHASE[labels.astype(np.intp)]
    reach, level = 1, 0
    while reach < side:  # a block is made of 2^d blocks of (about) half the side, overlapping if need be
        step = min(reach, side - reach)
        hashes = _joined(hashes, step, level)
        reach, level = reach + step, level + 1
    return hashes


def _joined(hashes: Hashes, step: int, level: int) -> Hashes:
    parts = product((0, step), repeat=hashes.ndim)
    total: Hashes = np.zeros([side - step for side in hashes.shape], dtype=np.uint64)
    for index, part in enumerate(parts):
        view = hashes[tuple(slice(p, p + side - step) for p, side in zip(part, hashes.shape, strict=True))]
        total += view * _FACTOR[(level * 8 + index) % _FACTOR.size]
    total ^= total >> np.uint64(29)  # products alone are linear: mirrored sums would collide
    return total
