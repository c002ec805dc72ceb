"""Local thickness in blocks: the largest balls over the pixels of a tile, found in a window that is wide enough.

A ball over a pixel of the tile is right if its centre and the nearest pixel of another phase are in the window. Centres
count within half the halo around the tile, and the halo grows until no ball among them is wider than this half. As
radii change no faster than one moves, a wider ball from further away would show in these centres.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, log, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.memory import size_text
from matlens.errors import InputError
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics.blocks.block import Block
from matlens.microstructure.statistics.size_shape.distance import integer_weights, squared_distance
from matlens.microstructure.statistics.size_shape.local_thickness import largest_balls
from matlens.microstructure.statistics.size_shape.survival import share_at_least
from matlens.microstructure.statistics.statistic import Blockwise

__all__ = ["LOCAL_THICKNESS", "measure_thickness", "merge_thickness"]

State = dict[str, Any]
Array = NDArray[np.float64]

_BYTES = 50  # for each pixel of a window, at most
_HALO = 16  # pixels, at first
_MARGIN = 2  # pixels by which steps on the grid may miss a radius
_SMALLEST = 8  # pixels along a tile, below which no further tiles are made
_UNBOUNDED = -1  # instead of a squared radius, where the phase fills the structure


def measure_thickness(state: State | None, block: Block) -> State:
    """Count the pixels of each phase by the squared radius of the largest ball over them.

    Parameters
    ----------
    state : dict, optional
        ``counts`` of pixels with a ``phase`` and ``squares``, each of shape (n,).
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.

    Raises
    ------
    InputError
        If balls are so wide that the window around the smallest tile does not fit into the room.
    """
    window = round((block.room / _BYTES) ** (1 / block.whole.ndim))
    side = max(window // 2, window - 4 * _HALO, _SMALLEST)
    found: State | None = None
    halos = [_HALO] * block.whole.n_phases  # what a tile needed, its neighbour needs as well
    for tile in block.tiles([side] * block.whole.ndim):
        for phase in range(block.whole.n_phases):
            for halo, squares in _largest(tile, phase, halos[phase]):
                halos[phase] = halo
                levels, counts = np.unique(squares, return_counts=True)
                part = {"phase": np.full(levels.size, phase), "squares": levels.astype(np.int64), "counts": counts}
                found = part if found is None else merge_thickness(found, part)
    assert found is not None
    return found if state is None else merge_thickness(state, found)


def merge_thickness(first: State, second: State) -> State:
    """Merge the states of two sets of blocks.

    Parameters
    ----------
    first, second : dict
        States of `measure_thickness`.

    Returns
    -------
    dict
        The state of both.
    """
    both = {name: np.concatenate([first[name], second[name]]) for name in first}
    order = np.lexsort((both["squares"], both["phase"]))
    phase, squares, counts = (both[name][order] for name in ("phase", "squares", "counts"))
    new = np.flatnonzero((np.diff(phase, prepend=-1) != 0) | (np.diff(squares, prepend=-2) != 0))
    return {"phase": phase[new], "squares": squares[new], "counts": np.add.reduceat(counts, new)}


def _largest(tile: Block, phase: int, halo: int) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Squared radii of the largest balls over the pixels of a tile that are of the phase, with the halo they needed."""
    own_labels = tile.labels
    if not (own_labels == phase).any():
        return
    whole = tile.whole
    weights, _ = integer_weights(whole.spacing)
    around = [max(round(halo * (weights.min() / weight) ** 0.5), 2 * _MARGIN + 2) for weight in weights]
    low, high = tile.bounds(around, around)
    size = _BYTES * prod(b - a for a, b in zip(low, high))
    if size > tile.room:
        if max(tile.shape) <= _SMALLEST:
            raise InputError(
                f"local thickness needs {halo} pixels around a block of {' x '.join(map(str, tile.shape))}, a window "
                f"of {size_text(size)} where {size_text(tile.room)} are planned; leave local_thickness out of "
                "--statistics, or give more --memory."
            )
        for part in tile.tiles([max(-(-side // 2), _SMALLEST) for side in tile.shape]):
            yield from _largest(part, phase, halo)
        return
    shown = tile.window(around, around) == phase
    own = tuple(slice(a - b, c - b) for a, b, c in zip(tile.start, low, tile.stop))
    more = [  # axes along which there is something beyond the window
        whole.periodic or a > 0 or b < side for a, b, side in zip(low, high, whole.shape)
    ]
    covers = all(b - a >= side for a, b, side in zip(low, high, whole.shape))
    if shown.all() and covers:
        yield halo, np.full(int(np.count_nonzero(shown[own])), _UNBOUNDED, dtype=np.int32)
        return
    if not shown.all():
        squares = squared_distance(shown, weights.tolist())
        near = tuple(slice(max(part.start - step // 2, 0), part.stop + step // 2) for part, step in zip(own, around))
        squares = squares[near]
        limits = [
            int(weight) * (step // 2 - _MARGIN) ** 2
            for step, weight, any_more in zip(around, weights, more)
            if any_more
        ]
        if not limits or squares.max() <= min(limits):
            inner = tuple(slice(part.start - n.start, part.stop - n.start) for part, n in zip(own, near))
            yield halo, largest_balls(np.ascontiguousarray(squares), weights, False)[inner][shown[own]]
            return
    yield from _largest(tile, phase, 2 * halo)


def _shares_and_means(state: State, whole: LargeMicrostructure) -> tuple[Array, Array]:
    _, unit = integer_weights(whole.spacing)
    pixel = exp(sum(map(log, whole.spacing)) / whole.ndim)
    size = max(whole.shape) // 2 + 1
    shares, means = np.full((whole.n_phases, size), np.nan), np.full(whole.n_phases, np.nan)
    for phase in range(whole.n_phases):
        mine = state["phase"] == phase
        squares, counts = state["squares"][mine], state["counts"][mine]
        if squares.size and squares[0] != _UNBOUNDED:
            thickness = 2 * unit * np.sqrt(squares)
            shares[phase] = share_at_least(thickness / pixel, size, counts)
            means[phase] = float(np.average(thickness, weights=counts))
    return shares, means


LOCAL_THICKNESS = Blockwise(
    update=measure_thickness, merge=merge_thickness, compute=_shares_and_means, halo=lambda whole, reach: _HALO
)
