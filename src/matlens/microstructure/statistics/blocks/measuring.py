"""Statistics of a large microstructure: which blocks fit into the memory, and the passage through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import xarray as xr

from matlens.core.arguments import checked_arguments
from matlens.core.memory import free_memory, size_text
from matlens.errors import InputError
from matlens.hooks import Arrays, Progress, Silent
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics.blocks.block import Block, divided, even_cuts
from matlens.microstructure.statistics.blocks.pairs import reaches
from matlens.microstructure.statistics.catalogue import find_statistics
from matlens.microstructure.statistics.dataset import Statistics, completed, finding, labelled
from matlens.microstructure.statistics.equivalence.bands import with_distance
from matlens.microstructure.statistics.statistic import Blockwise, Statistic
from matlens.microstructure.structure import Microstructure

__all__ = ["REACH", "BlockPlan", "characterize_in_blocks", "plan_blocks"]

REACH = 64
"""Largest offset of correlations in pixels, by default."""

_LIBRARIES = 0.4e9  # bytes of Python and what it has loaded
_ROOM = 0.6  # share of what libraries and states leave; the rest is for the labels of a block
_LOWEST = 16  # pixels along the first axis of a block, before other axes are divided
_FEWEST = 8  # blocks, where halos allow it: progress is shown, and an interrupted run resumes, by the block
_SEPARATOR = "|"


@dataclass(frozen=True)
class BlockPlan:
    """How statistics of a large microstructure are taken.

    Parameters
    ----------
    whole : LargeMicrostructure
        The structure.
    statistics : tuple of Statistic
        What is measured.
    blocks : tuple of Block
        The blocks in the order of the array.
    bytes : float
        Memory of the process, at most.
    left_out : tuple of str
        Statistics that cannot be taken in blocks, where all were asked for.

    Examples
    --------
    >>> plan = plan_blocks(LargeMicrostructure.of(Microstructure(np.eye(64, dtype=int))), reach=8, blocks=(2, 1))
    >>> [block.shape for block in plan.blocks]
    [(32, 64), (32, 64)]
    """

    whole: LargeMicrostructure
    statistics: tuple[Statistic, ...]
    blocks: tuple[Block, ...]
    bytes: float
    left_out: tuple[str, ...] = ()

    @property
    def halo(self) -> int:
        """Pixels that are read around a block."""
        return _halo(self.statistics, self.whole, self.blocks[0].reach)

    def count(self, block: Block) -> Arrays:
        """Take what is needed of one block.

        Parameters
        ----------
        block : Block
            One of the blocks.

        Returns
        -------
        dict of str to ndarray
            The state of this block.
        """
        held = block.fetched(self.halo)
        found: Arrays = {}
        for name, way in self._ways().items():
            state = way.update(None, held)
            found |= {f"{name}{_SEPARATOR}{entry}": np.asarray(value) for entry, value in state.items()}
        return found

    def merge(self, first: Arrays | None, second: Arrays) -> Arrays:
        """Merge the states of two sets of blocks.

        Parameters
        ----------
        first : dict of str to ndarray, optional
            A state; None for no block.
        second : dict of str to ndarray
            Another.

        Returns
        -------
        dict of str to ndarray
            The state of all their blocks.
        """
        if first is None:
            return second
        found: Arrays = {}
        for name, way in self._ways().items():
            merged = way.merge(_part(first, name), _part(second, name))
            found |= {f"{name}{_SEPARATOR}{entry}": np.asarray(value) for entry, value in merged.items()}
        return found

    def compute(self, state: Arrays, progress: Progress | None = None) -> Statistics:
        """Compute the statistics of the whole.

        Parameters
        ----------
        state : dict of str to ndarray
            The state of all blocks.
        progress : Progress, optional
            Shows the numbers that were found.

        Returns
        -------
        Statistics
            As `characterize` returns them.
        """
        variables: dict[str, xr.Variable] = {}
        for statistic in self.statistics:
            way = statistic.blockwise()
            arrays = way.compute(_part(state, way.update.__name__), self.whole)
            found = labelled(self.whole, statistic, arrays if isinstance(arrays, tuple) else (arrays,))
            variables |= found
            for variable in statistic.variables:
                values = found[variable.name]
                if values.dims == ("phase",) and np.isfinite(values.values).any():
                    (progress or Silent()).say(finding(variable.long_name, values, self.whole.phase_names))
                    break
        length = max(self.whole.shape) // 2 + 1
        return completed(with_distance(xr.Dataset(variables), self.whole, length), [self.whole])

    def seconds(self) -> float:
        """Estimate the time of all blocks on one core.

        Returns
        -------
        float
            Seconds, by what the statistics take of a structure that fits.
        """
        shape, phases = self.whole.shape, self.whole.n_phases
        million = (1024, 1024) if len(shape) == 2 else (128, 128, 64)
        once = [statistic.cost.estimate(million, phases)[0] for statistic in self.statistics]
        return 1.2 * sum(once) * prod(shape) / 2**20

    def state_bytes(self) -> float:
        """Estimate the size of the state of a block, as a file.

        Returns
        -------
        float
            Bytes.
        """
        return _of_states(self.statistics, self.whole, self.blocks[0].reach)

    def _ways(self) -> dict[str, Blockwise]:
        """One declaration for each kind of state, as statistics may share one."""
        ways = (statistic.blockwise() for statistic in self.statistics)
        return {way.update.__name__: way for way in ways}


def plan_blocks(
    whole: LargeMicrostructure,
    *,
    statistics: Sequence[str] | None = None,
    reach: int = REACH,
    memory: float | None = None,
    blocks: Sequence[int] | None = None,
) -> BlockPlan:
    """Choose blocks that fit into the memory.

    Parameters
    ----------
    whole : LargeMicrostructure
        The structure.
    statistics : sequence of str, optional
        Names of the catalogue; by default all that can be taken in blocks.
    reach : int
        Largest offset of correlations in pixels.
    memory : float, optional
        Bytes that the process may take in all; by default four fifths of what is free.
    blocks : sequence of int, optional
        Number of blocks along each axis; by default as few as fit.

    Returns
    -------
    BlockPlan
        The plan, with the memory that it keeps to.

    Raises
    ------
    InputError
        If a statistic is unknown or cannot be taken in blocks, or no block fits.

    Examples
    --------
    >>> volume = LargeMicrostructure(np.broadcast_to(np.uint8(0), (2000,) * 3), (1.0,) * 3, "px", ("a", "b"))
    >>> plan = plan_blocks(volume, memory=1.5e9)
    >>> plan.bytes <= 1.5e9, plan.blocks[0].shape
    (True, (63, 1000, 1000))
    >>> plan_blocks(volume, memory=0.42e9)
    Traceback (most recent call last):
    matlens.errors.InputError: these statistics of 2000 x 2000 x 2000 pixels in blocks need about 824 MB of memory, and
    420 MB are given; give more --memory, or ask for a shorter --reach or fewer --statistics.
    """
    chosen = find_statistics(statistics)
    unable = [statistic.name for statistic in chosen if not statistic.blocks]
    if statistics is not None and unable:
        raise InputError(
            f"{', '.join(unable)} cannot be taken in blocks, because a pixel's part depends on the whole; choose from "
            f"{', '.join(one.name for one in find_statistics() if one.blocks)}, or crop to what fits the memory."
        )
    chosen = [statistic for statistic in chosen if statistic.blocks]
    given = 0.8 * free_memory() if memory is None else memory
    states, halo = _of_states(chosen, whole, reach), _halo(chosen, whole, reach)
    left = given - _LIBRARIES - states
    smallest = _of_labels((min(_LOWEST, whole.shape[0]), *(min(64, side) for side in whole.shape[1:])), whole, halo)
    needed = _LIBRARIES + states + smallest / (1 - _ROOM)
    if given < needed:
        size = " x ".join(map(str, whole.shape))
        raise InputError(
            f"these statistics of {size} pixels in blocks need about {size_text(1.02 * needed)} of memory, and "
            f"{size_text(given)} are given; give more --memory, or ask for a shorter --reach or fewer --statistics."
        )
    parts = _parts(whole, halo, (1 - _ROOM) * left) if blocks is None else list(blocks)
    if len(parts) != whole.ndim or any(not 1 <= n <= side for n, side in zip(parts, whole.shape)):
        raise InputError(
            f"found {parts} blocks along the axes of {whole!r}; give a number from 1 to the side for each."
        )
    cuts = [even_cuts(0, side, -(-side // n)) for side, n in zip(whole.shape, parts)]
    made = divided(whole, cuts, reach=reach, room=_ROOM * left)
    labels = _of_labels([max(b - a for a, b in pairwise(line)) for line in cuts], whole, halo)
    used = _LIBRARIES + labels + _ROOM * left + states
    if used > given:
        raise InputError(
            f"blocks of {' x '.join(map(str, made[0].shape))} pixels need about {size_text(used)} of memory, and "
            f"{size_text(given)} are given; ask for more blocks, or give more --memory."
        )
    return BlockPlan(whole, tuple(chosen), tuple(made), used, tuple(unable))


def _halo(statistics: Sequence[Statistic], whole: LargeMicrostructure, reach: int) -> int:
    return max(statistic.blockwise().halo(whole, reach) for statistic in statistics)


def _of_labels(sides: Sequence[int], whole: LargeMicrostructure, halo: int) -> float:
    """Bytes of the labels of a block with what lies around it, and of what is read before they are labels."""
    around = [n + 2 * halo * (n < side) for n, side in zip(sides, whole.shape)]
    return float(prod(around)) + 4e7


def _of_states(statistics: Sequence[Statistic], whole: LargeMicrostructure, reach: int) -> float:
    """Bytes of a state, of that of a block, and of both merged; roughly, for clusters depend on the structure."""
    names = {statistic.blockwise().update.__name__ for statistic in statistics}
    plane = prod(whole.shape[1:])
    size = 0.0
    if "count_pairs" in names:
        offsets = prod(2 * half + 1 for half in reaches(whole.shape, reach))
        size += 8 * offsets * (whole.n_phases - 1) * (2 + whole.n_phases)
    if "count_runs" in names:
        size += 10 * plane * 3
    if "count_clusters" in names:
        size += 4 * plane * 6 + 1e7
    return size


def _parts(whole: LargeMicrostructure, halo: int, most: float) -> list[int]:
    """As few blocks as fit, in slabs across the first axis as long as these are thick enough for their halos."""
    parts = [1] * whole.ndim

    def sides() -> list[int]:
        return [-(-side // n) for side, n in zip(whole.shape, parts)]

    thick = max(_LOWEST, halo)
    while _of_labels(sides(), whole, halo) > most:
        along = 0 if sides()[0] > thick else max(range(1, whole.ndim), key=lambda axis: sides()[axis])
        if sides()[along] <= 1:
            along = max(range(whole.ndim), key=lambda axis: sides()[axis])
        parts[along] += 1
    while prod(parts) < _FEWEST and sides()[0] > 2 * thick:
        parts[0] += 1
    return parts


@checked_arguments
def characterize_in_blocks(
    m: LargeMicrostructure | Microstructure,
    *,
    statistics: Sequence[str] | None = None,
    reach: int = REACH,
    memory: float | None = None,
    blocks: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """Compute the statistics of a microstructure that need not fit into memory.

    Parameters
    ----------
    m : LargeMicrostructure or Microstructure
        Result of `open_microstructure`, or a structure in memory without masked pixels.
    statistics : sequence of str, optional
        Which statistics; by default all that can be taken in blocks.
    reach : int
        Largest offset of two-point probabilities in pixels; beyond, they are NaN.
    memory : float, optional
        Bytes that the process may take in all; by default four fifths of what is free.
    blocks : sequence of int, optional
        Number of blocks along each axis; by default as few as fit.
    progress : Progress, optional
        Shows the blocks that are done, and the numbers that were found.

    Returns
    -------
    Statistics
        As `characterize` returns them, and equal to it: whole counts are merged, so that the division into blocks
        changes nothing. Mean sizes of particles and mean local thickness agree to 1e-12, as sums of floats do.

    Raises
    ------
    InputError
        If a statistic is unknown or cannot be taken in blocks, no block fits, or a block of the file cannot be read.

    See Also
    --------
    characterize : the same of structures that fit.

    Examples
    --------
    >>> m = Microstructure(np.kron([[0, 1], [1, 0]], np.ones((8, 8), dtype=int)))
    >>> found = characterize_in_blocks(m, statistics=["lineal_path"], blocks=(2, 2))
    >>> found["lineal_path"].sel(phase=1, axis="x").values[:3].round(3).tolist()
    [0.5, 0.467, 0.429]
    """
    whole = LargeMicrostructure.of(m) if isinstance(m, Microstructure) else m
    plan = plan_blocks(whole, statistics=statistics, reach=reach, memory=memory, blocks=blocks)
    shown = progress or Silent()
    state: Arrays | None = None
    shown.begin(len(plan.blocks), "blocks")
    try:
        for done, block in enumerate(plan.blocks):
            shown.update(done, f"block {done + 1} of {len(plan.blocks)}")
            state = plan.merge(state, plan.count(block))
        shown.update(len(plan.blocks))
    finally:
        shown.end()
    assert state is not None
    return plan.compute(state, progress)


def _part(state: Arrays, name: str) -> dict[str, Any]:
    prefix = f"{name}{_SEPARATOR}"
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
