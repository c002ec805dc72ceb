"""Two-point probabilities in blocks, up to a reach: exact counts of pairs of which the first pixel lies in the block.

A tile is correlated with itself and its neighbours as far as the reach. Their spectra are multiplied and summed over
all tiles of a block before the one transform back, so that a tile costs two transforms. Pairs of the last phase are
what those of the others leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics.blocks.adding import added
from matlens.microstructure.statistics.blocks.block import Block
from matlens.microstructure.statistics.correlation.offsets import (
    along_axes,
    half_sides,
    overlap_counts,
    radial_mean,
    radial_size,
)
from matlens.microstructure.statistics.statistic import Blockwise

__all__ = ["TWO_POINT", "TWO_POINT_CROSS", "count_pairs", "merge_pairs", "reaches"]

State = dict[str, Any]
Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Spectrum = NDArray[np.complex128]

_CHUNK = 1 << 16  # values of a batch of columns: they stay in the cache
_FAST = [n for n in range(16, 4097) if fft.next_fast_len(n, real=True) == n and n % 16 == 0]
"""Lengths of transforms that are tried."""


def reaches(shape: Sequence[int], reach: int) -> tuple[int, ...]:
    """Return the largest offset along each axis: the reach, but at most half the side.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis.
    reach : int
        Asked offset in pixels.

    Returns
    -------
    tuple of int
        Offsets in pixels.

    Examples
    --------
    >>> reaches((100, 40), 32)
    (32, 20)
    """
    return tuple(min(reach, half) for half in half_sides(shape))


def count_pairs(state: State | None, block: Block) -> State:
    """Count the pairs of pixels by their phases and the offset between them.

    Parameters
    ----------
    state : dict, optional
        ``pairs_A_B`` for all phases A and B but the last, shape (h_1 + 1, 2 h_2 + 1, ...): pairs x in A and x + r in B,
        for offsets r that do not point back along the first axis; ``ends_A``, shape (2 h_1 + 1, ...): pixels x in A
        for which x + r is in the structure.
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.
    """
    half = reaches(block.whole.shape, block.reach)
    layout = _layout(block, half)
    phases = range(block.whole.n_phases - 1)
    found = {f"pairs_{a}_{b}": _pairs(block, a, b, half, layout) for a, b in product(phases, phases)}
    found["half"] = np.array(half)
    for phase in phases:
        found[f"ends_{phase}"] = _ends(block, phase, half, layout.tile)
    return found if state is None else merge_pairs(state, found)


def merge_pairs(first: State, second: State) -> State:
    """Merge the states of two sets of blocks.

    Parameters
    ----------
    first, second : dict
        States of `count_pairs`.

    Returns
    -------
    dict
        The state of both.
    """
    return added(first, second) | {"half": first["half"]}


@dataclass(frozen=True)
class _Layout:
    """Sides of a tile, lengths of its transforms, and how many pixels before and behind it belong to it."""

    tile: tuple[int, ...]
    size: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    def bytes(self) -> float:
        """Memory of the spectra of a tile, of its neighbours and of the sum."""
        rows = self.size[0] + 2 * self.tile[0] + self.after[0]
        return 16.0 * rows * prod(self.size[1:-1]) * (self.size[-1] // 2 + 1)


def _layout(block: Block, half: Sequence[int]) -> _Layout:
    """The tile that costs least of those that fit into the room; the smallest where none fits."""
    choices = [_lengths(block, axis, reach) for axis, reach in enumerate(half)]
    found = [_Layout(*zip(*sides)) for sides in product(*choices)]
    fitting = [one for one in found if one.bytes() <= block.room] or [min(found, key=_Layout.bytes)]

    def work(one: _Layout) -> float:
        return prod(ceil(n / side) * length for n, side, length in zip(block.shape, one.tile, one.size))

    return min(fitting, key=work)


def _lengths(block: Block, axis: int, reach: int) -> list[tuple[int, int, int, int]]:
    """Sides of a tile along an axis, each with its length of transform and its pixels before and behind."""
    extent, whole = block.shape[axis], block.whole
    before = reach if axis else 0  # pairs that point back along the first axis are mirror images of others
    found = [(n - before - reach, n, before, reach) for n in _FAST if 8 <= n - before - reach < extent]
    if extent < whole.shape[axis]:
        return [*found, (extent, fft.next_fast_len(extent + before + reach, real=True), before, reach)]
    length = extent if whole.periodic else fft.next_fast_len(extent + reach, real=True)
    return [*found, (extent, length, 0, 0)]


def _pairs(block: Block, first: int, second: int, half: Sequence[int], layout: _Layout) -> Counts:
    rows, size = layout.size[0], layout.size
    total: Spectrum = np.zeros((rows, prod(size[1:-1]) * (size[-1] // 2 + 1)), dtype=np.complex128)
    chunk = max(1, _CHUNK // rows)
    for tile in block.tiles(layout.tile):
        own = _without_first(tile.labels == first, size)
        others = _without_first(_around(tile, second, layout), size)
        for start in range(0, total.shape[1], chunk):
            part = slice(start, start + chunk)
            pairs = fft.fft(own[:, part], n=rows, axis=0)
            np.conjugate(pairs, out=pairs)
            pairs *= fft.fft(others[:, part], n=rows, axis=0)
            total[:, part] += pairs
    return _back(total, half, layout)


def _around(tile: Block, phase: int, layout: _Layout) -> NDArray[np.bool_]:
    """Where a phase is in a tile and around it; False beyond the border of a window."""
    low, _ = tile.bounds(layout.before, layout.after)
    shown = tile.window(layout.before, layout.after) == phase
    missing = [more - (at - first) for more, at, first in zip(layout.before, tile.start, low)]
    return np.pad(shown, [(more, 0) for more in missing]) if any(missing) else shown


def _without_first(shown: NDArray[np.bool_], size: Sequence[int]) -> Spectrum:
    """Transform along all axes but the first, plane by plane; shape (side, other frequencies)."""
    found = np.empty((len(shown), *size[1:-1], size[-1] // 2 + 1), dtype=np.complex128)
    for plane, spectrum in zip(shown, found):
        lines = fft.rfft(plane.astype(np.float64), n=size[-1], axis=-1)
        spectrum[...] = lines if plane.ndim == 1 else fft.fft(lines, n=size[1], axis=0, overwrite_x=True)
    return found.reshape(len(shown), -1)


def _back(total: Spectrum, half: Sequence[int], layout: _Layout) -> Counts:
    """Transform a sum of products back and keep the wanted offsets."""
    size, columns = layout.size, total.shape[1]
    chunk = max(1, _CHUNK // size[0])
    for start in range(0, columns, chunk):
        part = slice(start, start + chunk)
        total[: half[0] + 1, part] = fft.ifft(total[:, part], axis=0, norm="forward")[: half[0] + 1]
    counts = np.empty((half[0] + 1, *(2 * reach + 1 for reach in half[1:])), dtype=np.int64)
    wanted = [(np.arange(-reach, reach + 1) + more) % n for reach, more, n in zip(half, layout.before, size)]
    for row, found in zip(total, counts):
        spectrum = row.reshape(*size[1:-1], -1)
        if len(size) == 3:
            spectrum = fft.ifft(spectrum, axis=0, norm="forward")[wanted[1]]
        values = fft.irfft(spectrum, n=size[-1], axis=-1, norm="forward")[..., wanted[-1]]
        found[...] = np.rint(values / prod(size))
    return counts


def _ends(block: Block, phase: int, half: Sequence[int], side: Sequence[int]) -> Counts:
    """Count the pixels x of a phase for which x + r is in the structure, by the offset r."""
    found = np.zeros([2 * reach + 1 for reach in half], dtype=np.int64)
    for tile in block.tiles(side):
        sums: NDArray[Any] = tile.labels == phase
        for axis, reach in enumerate(half):
            sums = _sums_by_offset(sums, axis, tile, reach)
        found += sums
    return found


def _sums_by_offset(sums: NDArray[Any], axis: int, tile: Block, reach: int) -> Counts:
    """Sum along an axis over the pixels of the tile that an offset leaves in the structure; 1 entry if it is all."""
    side, low, high = tile.whole.shape[axis], tile.start[axis], tile.stop[axis]
    if tile.whole.periodic or (low >= reach and high <= side - reach):
        return np.asarray(sums.sum(axis=axis, keepdims=True, dtype=np.int64))
    offsets = np.arange(-reach, reach + 1)
    first = np.clip(np.maximum(-offsets, 0) - low, 0, high - low)
    last = np.clip(side - np.maximum(offsets, 0) - low, first, high - low)
    running = np.cumsum(sums, axis=axis, dtype=np.int64)
    running = np.concatenate([np.zeros_like(np.take(running, [0], axis=axis)), running], axis=axis)
    return np.asarray(np.take(running, last, axis=axis) - np.take(running, first, axis=axis))


class _Pairs:
    """Counts of pairs of any two phases, for offsets into all directions."""

    def __init__(self, state: State, whole: LargeMicrostructure) -> None:
        self.half = tuple(int(reach) for reach in state["half"])
        self.last = whole.n_phases - 1
        self.places = overlap_counts(whole.shape, self.half, whole.periodic)
        self._state = state

    def ends(self, phase: int) -> Array:
        """Pixels x in the phase for which x + r is in the structure."""
        if phase < self.last:
            return np.asarray(self._state[f"ends_{phase}"], dtype=np.float64)
        return np.asarray(self.places - sum(self.ends(other) for other in range(self.last)))

    def __call__(self, first: int, second: int) -> Array:
        """Pairs x in the first phase and x + r in the second."""
        if second == self.last:
            return np.asarray(self.ends(first) - sum(self(first, other) for other in range(self.last)))
        if first == self.last:
            return _turned(self(second, first))
        ahead = self._state[f"pairs_{first}_{second}"]
        back = self._state[f"pairs_{second}_{first}"]
        return np.concatenate([_turned(back[1:]), ahead]).astype(np.float64)


def _turned(counts: NDArray[Any]) -> NDArray[Any]:
    return counts[(slice(None, None, -1),) * counts.ndim]


def _complete(half: Sequence[int], whole: LargeMicrostructure) -> int:
    """Number of shells that hold the same offsets as those of the whole structure, whose map reaches further."""
    full, size = half_sides(whole.shape), radial_size(half, whole.spacing)
    if tuple(half) == full:
        return size
    steps = np.asarray(whole.spacing) / np.exp(np.log(whole.spacing).mean())
    # with long voxels, a shell may hold offsets along short sides that `radial_mean` does not look at
    looked_at = [min(reach, ceil((size - 1) / step - 1e-9)) for reach, step in zip(half, steps)]
    ends = [(at + 1) * step for at, side, step in zip(looked_at, full, steps) if at < side]
    return int(max(min([size, *(ceil(end - 0.5 - 1e-9) for end in ends)]), 0))


def _radial_and_axes(state: State, whole: LargeMicrostructure) -> tuple[Array, Array]:
    pairs = _Pairs(state, whole)
    maps = np.stack([pairs(phase, phase) / pairs.places for phase in range(whole.n_phases)])
    radial = radial_mean(maps, pairs.half, whole.spacing)
    return radial[..., : _complete(pairs.half, whole)], along_axes(maps, pairs.half)


def _cross(state: State, whole: LargeMicrostructure) -> Array:
    pairs = _Pairs(state, whole)
    half, last = pairs.half, pairs.last
    found = np.zeros((last + 1, last + 1, radial_size(half, whole.spacing)))
    for a in range(last + 1):
        for b in range(a, last):
            found[a, b] = found[b, a] = radial_mean(pairs(a, b) / pairs.places, half, whole.spacing)
        total = radial_mean(pairs.ends(a) / pairs.places, half, whole.spacing)
        found[a, -1] = found[-1, a] = total - found[a, :-1].sum(axis=0)
    return found[..., : _complete(half, whole)]


TWO_POINT = Blockwise(update=count_pairs, merge=merge_pairs, compute=_radial_and_axes, halo=lambda whole, reach: reach)
TWO_POINT_CROSS = Blockwise(update=count_pairs, merge=merge_pairs, compute=_cross, halo=lambda whole, reach: reach)
