"""Statistics of neighbouring pixels in blocks: fractions, Euler number, surface and mean curvature, all exact.

Each is a sum over pixels of what a pixel and a few of its neighbours are. A block counts its own pixels and looks at
those around it, so that nothing is counted twice and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics.blocks.adding import added
from matlens.microstructure.statistics.blocks.block import Block
from matlens.microstructure.statistics.size_shape.mean_curvature import curvature_of_blocks
from matlens.microstructure.statistics.size_shape.neighbours import block_histogram, shifted_pair
from matlens.microstructure.statistics.size_shape.specific_surface import line_steps, surface_of_changes
from matlens.microstructure.statistics.statistic import Blockwise

__all__ = ["EULER_DENSITY", "EULER_NUMBER", "MEAN_CURVATURE", "SPECIFIC_SURFACE", "VOLUME_FRACTION"]

State = dict[str, Any]
Mask = NDArray[np.bool_]

_TILE = 1 << 18  # pixels; what is computed of so many stays in the cache
_ROW = 512  # of them along the last axis


def _tiles(block: Block) -> Iterator[Block]:
    # long rows: numpy goes through a view row by row, and rows of 64 pixels took twice the time
    others = block.whole.ndim - 1
    return block.tiles([*[round((_TILE / _ROW) ** (1 / others))] * others, _ROW])


def _kinds(ndim: int) -> list[tuple[int, ...]]:
    """Axes along which a cell is two pixels long, for all kinds of cells."""
    return [axes for size in range(ndim + 1) for axes in combinations(range(ndim), size)]


def _indicators(labels: NDArray[np.uint8], whole: LargeMicrostructure) -> Iterator[Mask]:
    return (labels == phase for phase in range(whole.n_phases))


# Volume fractions


def count_pixels(state: State | None, block: Block) -> State:
    """Count the pixels of each phase.

    Parameters
    ----------
    state : dict, optional
        ``pixels``, shape (K,).
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.
    """
    counts = np.zeros(block.whole.n_phases, dtype=np.int64)
    for tile in _tiles(block):
        counts += np.bincount(tile.labels.ravel(), minlength=counts.size)
    return added(state, {"pixels": counts})


VOLUME_FRACTION = Blockwise(
    update=count_pixels, merge=added, compute=lambda state, whole: state["pixels"] / prod(whole.shape)
)


# Euler numbers


def count_cells(state: State | None, block: Block) -> State:
    """Count the cells, one or two pixels along each axis, all or any of whose pixels lie in each phase.

    Parameters
    ----------
    state : dict, optional
        ``all`` and ``any``, shape (K, 2^d): cells of the window, or of the repeated structure if it is periodic;
        ``all_alone`` and ``any_alone``: cells of the structure as it stands, around which all is another phase.
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.
    """
    whole = block.whole
    counts = {name: np.zeros((whole.n_phases, 2**whole.ndim), np.int64) for name in ("all", "any")}
    alone = {name: np.zeros_like(values) for name, values in counts.items()}
    one = (1,) * whole.ndim
    for tile in _tiles(block):
        labels = tile.window((0,) * whole.ndim, one)
        at_border = [(low == 0, high == side) for low, high, side in zip(tile.start, tile.stop, whole.shape)]
        inside = not any(map(any, at_border))
        # without the next period, which a window does not have
        own = labels[tuple(slice(n + (not ends)) for n, (_, ends) in zip(tile.shape, at_border))]
        for phase, mask in enumerate(_indicators(labels, whole)):
            for name, found in _counted(mask, tile.shape).items():
                counts[name][phase] += found
                if inside:
                    alone[name][phase] += found
            if not inside:
                outside = np.pad(own == phase, [(int(begins), int(ends)) for begins, ends in at_border])
                places = [n + begins for n, (begins, _) in zip(tile.shape, at_border)]
                for name, found in _counted(outside, places).items():
                    alone[name][phase] += found
    return added(state, counts | {f"{name}_alone": values for name, values in alone.items()})


def _counted(mask: Mask, places: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    """Number of cells of each kind, with their low corner in the first places along each axis, that lie in the mask."""
    own = tuple(slice(n) for n in places)
    full: dict[tuple[int, ...], Mask] = {(): mask}
    some: dict[tuple[int, ...], Mask] = {(): mask}
    for axes in _kinds(mask.ndim)[1:]:
        step = [int(axis == axes[-1]) for axis in range(mask.ndim)]
        for found, join in ((full, np.logical_and), (some, np.logical_or)):
            found[axes] = join(*shifted_pair(found[axes[:-1]], step, False))
    return {
        name: np.array([np.count_nonzero(cells[own]) for cells in found.values()], dtype=np.int64)
        for name, found in (("all", full), ("any", some))
    }


def _euler_numbers(state: State, whole: LargeMicrostructure) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sizes = np.array([len(axes) for axes in _kinds(whole.ndim)])
    return state["all_alone"] @ (-1) ** sizes, state["any_alone"] @ (-1) ** (whole.ndim - sizes)


def _euler_densities(state: State, whole: LargeMicrostructure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    periodic = whole.periodic
    found = []
    for name in ("all", "any"):
        total = np.zeros(whole.n_phases)
        for kind, axes in enumerate(_kinds(whole.ndim)):
            places = prod(side - (axis in axes and not periodic) for axis, side in enumerate(whole.shape))
            sign = (-1) ** (len(axes) if name == "all" else whole.ndim - len(axes))
            total = total + sign * (state[name][:, kind] / places if places else np.full(whole.n_phases, np.nan))
        found.append(total / float(np.prod(whole.spacing)))
    return found[0], found[1]


EULER_NUMBER = Blockwise(update=count_cells, merge=added, compute=_euler_numbers, halo=lambda whole, reach: 1)
EULER_DENSITY = Blockwise(update=count_cells, merge=added, compute=_euler_densities, halo=lambda whole, reach: 1)


# Surface


def count_changes(state: State | None, block: Block) -> State:
    """Count, for each direction of test lines, the pairs of pixels that lie on different sides of a phase's interface.

    Parameters
    ----------
    state : dict, optional
        ``changes``, shape (phases, directions); of two phases only the first is counted, as they share the interface.
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.
    """
    whole = block.whole
    steps = line_steps(whole.spacing)
    around = np.abs(steps).max(axis=0).tolist()
    changes = np.zeros((1 if whole.n_phases == 2 else whole.n_phases, len(steps)), dtype=np.int64)
    for tile in _tiles(block):
        first, _ = tile.bounds(around, around)
        labels = tile.window(around, around)
        for direction, step in enumerate(steps):
            here, there = _ends(tile, labels, first, step)
            for phase in range(len(changes)):
                # of two phases, whether labels differ says it
                apart = here != there if len(changes) == 1 else (here == phase) != (there == phase)
                changes[phase, direction] += np.count_nonzero(apart)
    return added(state, {"changes": changes})


def _ends(
    tile: Block, labels: NDArray[np.uint8], first: Sequence[int], step: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Labels of the tile's pixels x, and of x + step, where both are in the structure."""
    here, there = [], []
    for low, high, side, begin, move in zip(tile.start, tile.stop, tile.whole.shape, first, step):
        if not tile.whole.periodic:
            low, high = max(low, -move), min(high, side - move)
        high = max(low, high)
        here.append(slice(low - begin, high - begin))
        there.append(slice(low - begin + move, high - begin + move))
    return labels[tuple(here)], labels[tuple(there)]


def _surface(state: State, whole: LargeMicrostructure) -> NDArray[np.float64]:
    places = [
        prod(side if whole.periodic else max(side - abs(move), 0) for side, move in zip(whole.shape, step))
        for step in line_steps(whole.spacing)
    ]
    shares = np.divide(state["changes"], places, out=np.zeros(state["changes"].shape), where=np.array(places) > 0)
    found = [surface_of_changes(phase.tolist(), whole.spacing) for phase in shares]
    return np.array(found if whole.n_phases != 2 else found * 2)


SPECIFIC_SURFACE = Blockwise(
    update=count_changes,
    merge=added,
    compute=_surface,
    halo=lambda whole, reach: int(np.abs(line_steps(whole.spacing)).max()),
)


# Mean curvature


def count_corners(state: State | None, block: Block) -> State:
    """Count the kinds of blocks of 2 x 2 x 2 voxels of each phase; nothing in the plane.

    Parameters
    ----------
    state : dict, optional
        ``kinds``, shape (K, 256).
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.
    """
    counts = np.zeros((block.whole.n_phases, 256), dtype=np.int64)
    if block.whole.ndim == 3:
        for tile in _tiles(block):
            labels = tile.window((0, 0, 0), (1, 1, 1))
            if min(labels.shape) > 1:
                for phase, mask in enumerate(_indicators(labels, block.whole)):
                    counts[phase] += block_histogram(mask, False)
    return added(state, {"kinds": counts})


def _curvature(state: State, whole: LargeMicrostructure) -> NDArray[np.float64]:
    if whole.ndim == 2:
        return np.full(whole.n_phases, np.nan)
    return curvature_of_blocks(list(state["kinds"]), whole.spacing)


MEAN_CURVATURE = Blockwise(update=count_corners, merge=added, compute=_curvature, halo=lambda whole, reach: 1)
