"""Percolation and particle sizes in blocks, exact: clusters are labelled in tiles and put together over their faces.

A box remembers the clusters at its faces by their numbers there, and of each cluster its phase, pixels, extent and the
borders of the structure that it touches. A cluster that touches no face any more is finished: of those that are alike,
only the number is kept, as noise makes millions of them.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.physics import winds
from matlens.microstructure.statistics.blocks.block import Block
from matlens.microstructure.statistics.blocks.pieces import Box, Piece, as_state, covered, joined
from matlens.microstructure.statistics.size_shape.particle_sizes import (
    chance_in_window,
    curves_and_means,
    sizes_of_pieces,
)
from matlens.microstructure.statistics.statistic import Blockwise

__all__ = ["PARTICLE_SIZE", "PERCOLATION", "count_clusters", "merge_clusters"]

State = dict[str, Any]
Array = NDArray[np.float64]
Numbers = NDArray[np.int32]

_BYTES = 24  # for each pixel of a tile, while its clusters are found
_MOST, _LEAST = 1 << 24, 1 << 15  # pixels of a tile
_FACTS = ("phase", "pixels", "touched", "low", "high")
"""Of each cluster: phase, number of pixels, borders as bits (2 axis + end), and its ends along each axis."""
_DONE = ("phase", "pixels", "touched", "extent", "count")
"""Of clusters that are finished and alike in all this: how many there are."""


def count_clusters(state: State | None, block: Block) -> State:
    """Find the clusters of each phase, whose pixels share faces.

    Parameters
    ----------
    state : dict, optional
        ``done_FACT`` of the clusters that are finished, and for each box that is covered ``FACT`` of those at its
        faces, and ``face_AXIS_END`` with their numbers there.
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.
    """
    side = max(round(min(max(block.room / _BYTES, _LEAST), _MOST) ** (1 / block.whole.ndim)), 1)
    pieces = [((tile.start, tile.stop), _found(tile)) for tile in block.tiles([side] * block.whole.ndim)]
    found = _together(pieces, (block.start, block.stop), []) | {"shape": np.array(block.whole.shape)}
    return found if state is None else merge_clusters(state, found)


def merge_clusters(first: State, second: State) -> State:
    """Merge the states of two sets of blocks.

    Parameters
    ----------
    first, second : dict
        States of `count_clusters`.

    Returns
    -------
    dict
        The state of both.
    """
    shape = tuple(first["shape"].tolist())
    done = [{name: state[f"done_{name}"] for name in _DONE} for state in (first, second)]
    pieces = [*covered(first).items(), *covered(second).items()]
    return _together(pieces, ((0,) * len(shape), shape), done) | {"shape": first["shape"]}


def _together(pieces: list[tuple[Box, Piece]], frame: Box, finished: list[Piece]) -> State:
    """Join boxes, and set the clusters aside that are finished."""

    def join(low: Piece, high: Piece, axis: int, box: Box) -> Piece:
        made = _met(low, high, axis)
        finished.append(_without_finished(made))
        return made

    kept = joined(pieces, frame, join)
    if len(pieces) == 1:  # nothing was joined, and so nothing was set aside
        finished.append(_without_finished(kept[0][1]))
    return {f"done_{name}": values for name, values in _alike(finished).items()} | as_state(kept)


def _alike(parts: list[Piece]) -> Piece:
    """Count clusters that are alike once."""
    both = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in _DONE}
    keys = [both["phase"], both["pixels"], both["touched"], *both["extent"]]
    order = np.lexsort(keys)
    new = np.zeros(order.size, dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= np.diff(key[order].astype(np.int64)) != 0
    first = np.flatnonzero(new)
    made = {name: both[name][..., order[first]] for name in _DONE[:-1]}
    return made | {"count": np.add.reduceat(both["count"][order], first) if first.size else both["count"]}


def _found(tile: Block) -> Piece:
    """Clusters of a tile, numbered from 1 through all phases, and their numbers at its faces."""
    labels, ndim = tile.labels, tile.whole.ndim
    numbers = np.zeros(labels.shape, dtype=np.int32)
    parts: list[dict[str, NDArray[Any]]] = []
    before = 0
    for phase in range(tile.whole.n_phases):
        shown = labels == phase
        mine, count = ndimage.label(shown)
        if not count:
            continue
        extent = np.array([[(part.start, part.stop) for part in box] for box in ndimage.find_objects(mine)])
        parts.append(
            {
                "phase": np.full(count, phase, dtype=np.uint8),
                "pixels": np.bincount(mine.ravel(), minlength=count + 1)[1:],
                "low": (extent[:, :, 0].T + np.array(tile.start)[:, None]).astype(np.int32),
                "high": (extent[:, :, 1].T + np.array(tile.start)[:, None]).astype(np.int32),
            }
        )
        np.add(mine, before, out=mine, where=shown)
        numbers += mine
        before += count
    piece: Piece = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    touched = np.zeros(before, dtype=np.uint8)
    for axis in range(ndim):
        touched |= (piece["low"][axis] == 0).astype(np.uint8) << (2 * axis)
        touched |= (piece["high"][axis] == tile.whole.shape[axis]).astype(np.uint8) << (2 * axis + 1)
    piece["touched"] = touched
    for axis, side in enumerate(tile.whole.shape):
        for end, border in ((0, tile.start[axis] == 0), (1, tile.stop[axis] == side)):
            if tile.whole.periodic or not border:  # nothing follows at the border of a window
                piece[f"face_{axis}_{end}"] = numbers.take(-end, axis)
    return piece


def _met(low: Piece, high: Piece, axis: int) -> Piece:
    """Unite the clusters of two boxes that touch across their common face."""
    offset = low["phase"].size
    here, there = low[f"face_{axis}_1"], high[f"face_{axis}_0"]
    same = low["phase"][here - 1] == high["phase"][there - 1]
    number = _united(here[same] - 1, there[same] - 1 + offset, offset + high["phase"].size)
    made = _gathered({name: np.concatenate([low[name], high[name]], axis=-1) for name in _FACTS}, number)
    for name in (low.keys() | high.keys()) - set(_FACTS):
        along, end = (int(word) for word in name.split("_")[1:])
        if along != axis:
            face = np.concatenate([low[name], high[name] + offset], axis=axis - (along < axis))
        elif name in (part := high if end else low):
            face = part[name] + (offset if end else 0)
        else:
            continue
        made[name] = (number[face - 1] + 1).astype(np.int32)
    return made


def _united(first: NDArray[Any], second: NDArray[Any], count: int) -> NDArray[np.int64]:
    """New number, from 0, of each of the clusters, of which pairs are one."""
    pairs = np.unique(first.astype(np.int64) * count + second)
    graph = coo_array((np.ones(pairs.size, dtype=bool), (pairs // count, pairs % count)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _gathered(facts: Piece, number: NDArray[np.int64]) -> Piece:
    """Facts of clusters that are put together under new numbers."""
    order = np.argsort(number, kind="stable")
    first = np.flatnonzero(np.diff(number[order], prepend=-1))
    ways = {"phase": np.minimum, "pixels": np.add, "touched": np.bitwise_or, "low": np.minimum, "high": np.maximum}
    return {name: ways[name].reduceat(values[..., order], first, axis=-1) for name, values in facts.items()}


def _without_finished(piece: Piece) -> Piece:
    """Take the clusters out of a box that touch none of its faces, and so can grow no more; return their facts."""
    faces = [name for name in piece if name not in _FACTS]
    at_face = np.zeros(piece["phase"].size, dtype=bool)
    for name in faces:
        at_face[piece[name] - 1] = True
    ended = {name: piece[name][..., ~at_face] for name in ("phase", "pixels", "touched")}
    ended["extent"] = (piece["high"] - piece["low"])[:, ~at_face]
    ended["count"] = np.ones(ended["phase"].size, dtype=np.int64)
    number = np.cumsum(at_face).astype(np.int32)
    piece |= {name: piece[name][..., at_face] for name in _FACTS}
    piece |= {name: number[piece[name] - 1] for name in faces}
    return ended


def _all_clusters(state: State) -> Piece:
    """All clusters, as far as they hang together without going through the border: those at it first."""
    ((_, rest),) = covered(state).items()
    at_border = {**rest, "extent": rest["high"] - rest["low"], "count": np.ones(rest["phase"].size, dtype=np.int64)}
    return {name: np.concatenate([at_border[name], state[f"done_{name}"]], axis=-1) for name in _DONE}


def _borders(state: State, axis: int) -> tuple[Numbers, Numbers]:
    """Numbers of the clusters, from 1, at the last and the first face of a periodic structure."""
    ((_, rest),) = covered(state).items()
    return rest[f"face_{axis}_1"], rest[f"face_{axis}_0"]


def _percolation(state: State, whole: LargeMicrostructure) -> tuple[NDArray[np.bool_], Array]:
    clusters = _all_clusters(state)
    of_alike = clusters["pixels"] * clusters["count"]
    pixels = np.bincount(clusters["phase"], of_alike, whole.n_phases)
    through = np.zeros((whole.n_phases, whole.ndim))
    for axis in range(whole.ndim):
        both = (clusters["touched"] >> (2 * axis)) & 3 == 3
        through[:, axis] = np.bincount(clusters["phase"][both], of_alike[both], whole.n_phases)
    shares = np.full(through.shape, np.nan)
    np.divide(through, pixels[:, None], out=shares, where=pixels[:, None] > 0)
    if not whole.periodic:
        return through > 0, shares
    ((_, rest),) = covered(state).items()
    percolates = np.zeros(through.shape, dtype=bool)
    for phase in range(whole.n_phases):
        own = np.append(False, rest["phase"] == phase)
        borders = (_borders(state, axis) for axis in range(whole.ndim))
        faces = [(np.where(own[last], last, 0), np.where(own[first], first, 0)) for last, first in borders]
        percolates[phase] = [winds(faces, axis) for axis in range(whole.ndim)]
    return percolates, shares


def _particle_sizes(state: State, whole: LargeMicrostructure) -> tuple[Array, Array, Array]:
    clusters = _all_clusters(state)
    if whole.periodic:
        clusters = _through_borders(state, clusters)
        chance = np.ones(clusters["phase"].size)
    else:
        chance = np.where(clusters["touched"] == 0, chance_in_window(clusters["extent"], whole.shape), 0.0)
    particles = []
    for phase in range(whole.n_phases):
        mine = np.flatnonzero((clusters["phase"] == phase) & (chance > 0))
        mine = mine[np.lexsort((chance[mine], clusters["pixels"][mine]))]  # so that sums do not depend on the blocks
        mine = np.repeat(mine, clusters["count"][mine])
        pixels = clusters["pixels"][mine].astype(np.float64)
        particles.append(sizes_of_pieces(pixels, 1 / chance[mine], whole.spacing, prod(whole.shape)))
    return curves_and_means(particles, max(whole.shape) // 2 + 1)


def _through_borders(state: State, clusters: Piece) -> Piece:
    """Unite the clusters that go on at the opposite border; their extents then mean nothing."""
    pairs = []
    for axis in range(state["shape"].size):
        last, first = (face.ravel() - 1 for face in _borders(state, axis))
        same = clusters["phase"][last] == clusters["phase"][first]
        pairs.append((last[same], first[same]))
    one, other = (np.concatenate(ends) for ends in zip(*pairs))
    count = int(max(one.max(initial=0), other.max(initial=0))) + 1  # those at the border
    number = _united(one, other, count)
    order = np.argsort(number, kind="stable")
    new = np.flatnonzero(np.diff(number[order], prepend=-1))
    united = {name: clusters[name][..., order[new]] for name in _DONE}
    united["pixels"] = np.add.reduceat(clusters["pixels"][order], new)
    return {name: np.concatenate([united[name], clusters[name][..., count:]], axis=-1) for name in _DONE}


PERCOLATION = Blockwise(update=count_clusters, merge=merge_clusters, compute=_percolation)
PARTICLE_SIZE = Blockwise(update=count_clusters, merge=merge_clusters, compute=_particle_sizes)
