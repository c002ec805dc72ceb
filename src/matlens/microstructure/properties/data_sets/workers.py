"""Generation of a data set in chunks by several processes; finished chunks are stored at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context, parent_process
from typing import Any, Protocol

from matlens.core.arguments import checked_arguments
from matlens.errors import InputError, RunError
from matlens.hooks import Progress, Silent
from matlens.microstructure.properties.data_sets.generation import Recipe, make_samples
from matlens.microstructure.properties.data_sets.structure_set import StructureSet, join_structures

__all__ = ["CHUNK", "ChunkStore", "Memory", "generate_structures"]

CHUNK = 12  # samples: a second or a few of work, all that an interrupt can cost a process


Ranges = Sequence[tuple[int, int]]
Made = Generator[tuple[int, StructureSet], None, None]


class ChunkStore(Protocol):
    """Store of finished chunks; a protocol, which `Memory` follows.

    Examples
    --------
    >>> store: ChunkStore = Memory()
    >>> store.load(0) is None
    True
    """

    def load(self, start: int) -> StructureSet | None:
        """Return the chunk that starts with this sample.

        Parameters
        ----------
        start : int
            Number of the first sample.

        Returns
        -------
        StructureSet or None
            None if the chunk is not stored.
        """

    def save(self, start: int, chunk: StructureSet) -> None:
        """Store a chunk.

        Parameters
        ----------
        start : int
            Number of the first sample.
        chunk : StructureSet
            The samples.
        """


class Memory:
    """Store of finished chunks in memory, which is lost when the process ends.

    Examples
    --------
    >>> Memory().load(0) is None
    True
    """

    def __init__(self) -> None:
        self._chunks: dict[int, StructureSet] = {}

    def load(self, start: int) -> StructureSet | None:
        """Return the chunk that starts with this sample, or None."""
        return self._chunks.get(start)

    def save(self, start: int, chunk: StructureSet) -> None:
        """Store a chunk."""
        self._chunks[start] = chunk


@checked_arguments
def generate_structures(
    recipe: Recipe,
    n: int,
    *,
    workers: int = 1,
    store: ChunkStore | None = None,
    progress: Progress | None = None,
) -> StructureSet:
    """Generate a labelled data set.

    The same recipe and number give the same bytes, for any number of processes and after any interruption; a smaller
    number gives the first part of a larger one.

    Parameters
    ----------
    recipe : Recipe
        Specification of the data set.
    n : int
        Number of structures.
    workers : int
        Number of processes. Several processes are spawned with one thread each; a script that asks for them needs the
        usual ``if __name__ == "__main__":``.
    store : ChunkStore, optional
        Store of finished chunks; by default, they are kept in memory.
    progress : Progress, optional
        Called with structures done and total.

    Returns
    -------
    StructureSet
        n periodic structures of two phases with their properties.

    Raises
    ------
    InputError
        If a number is out of range.
    RunError
        If a property could not be computed, or a process died.
    KeyboardInterrupt
        On an interrupt; finished chunks are in the store.

    Examples
    --------
    >>> found = generate_structures(Recipe(families=("sheets",), shape=(32, 32), conductivity_contrasts=(10,)), 3)
    >>> found
    StructureSet(3 structures of 32 x 32, 2 phases, targets k_00_c10, k_11_c10, k_01_c10)
    """
    if n < 1 or workers < 1:
        raise InputError(f"a data set needs at least one structure and one worker, found {n} and {workers}.")
    kept = Memory() if store is None else store
    ranges = [(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
    found = {start: kept.load(start) for start, _ in ranges}
    chunks = {start: chunk for start, chunk in found.items() if chunk is not None}
    missing = [(start, stop) for start, stop in ranges if start not in chunks]
    shown = Silent() if progress is None else progress
    shown.begin(n, f"{recipe.split} structures")
    try:
        make = _alone if workers == 1 or len(missing) < 2 else _together
        done = sum(len(chunk) for chunk in chunks.values())
        with closing(make(recipe, missing, workers)) as made:
            for start, chunk in made:
                kept.save(start, chunk)
                chunks[start] = chunk
                done += len(chunk)
                shown.update(done)
    finally:
        shown.end()
    return join_structures([chunks[start] for start, _ in ranges])


def _alone(recipe: Recipe, ranges: Ranges, workers: int) -> Made:
    for start, stop in ranges:
        yield start, make_samples(recipe, start, stop)


def _together(recipe: Recipe, ranges: Ranges, workers: int) -> Made:
    """Make chunks in several processes; on any error or interrupt, they end at their next sample."""
    context = get_context("spawn")
    stop_all = context.Event()
    crew = ProcessPoolExecutor(min(workers, len(ranges)), context, _start_worker, (stop_all,))
    try:
        starts = {crew.submit(_make_chunk, recipe, start, stop): start for start, stop in ranges}
        for future in as_completed(starts):
            yield starts[future], future.result()
    except BrokenProcessPool as error:
        raise RunError(
            "a process that made structures died, perhaps for lack of memory; go on with fewer --workers."
        ) from error
    finally:
        stop_all.set()
        crew.shutdown(cancel_futures=True)


_stop_all: Any = None  # the event of this worker process


def _start_worker(stop_all: Any) -> None:
    import torch

    global _stop_all
    _stop_all = stop_all
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent has ended: a killed parent cannot stop its workers, which would wait for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_chunk(recipe: Recipe, start: int, stop: int) -> StructureSet:
    return make_samples(recipe, start, stop, stopped=_stop_all.is_set)
