"""Realisations that are made side by side, each on one thread: one bar, one store and one interruption for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from matlens.core.threads import one_thread
from matlens.hooks import Arrays, Progress, StateStore

__all__ = ["Together", "make_together"]

Found = TypeVar("Found")


class Together:
    """What realisations that are made side by side share.

    Parameters
    ----------
    progress : Progress
        Shows the steps of all of them in one bar.
    checkpoint : StateStore
        Stores their states and results; one thread at a time uses it.
    count, workers : int
        Number of realisations, and how many are made at a time.

    Examples
    --------
    >>> from matlens.hooks import NoStore, Silent
    >>> both = Together(Silent(), NoStore(), count=2, workers=2)
    >>> one = both.progress_of(0)
    >>> one.begin(100, "realisation 1 of 2")
    >>> one.update(50)
    >>> both.done
    {0: 50}
    """

    def __init__(self, progress: Progress, checkpoint: StateStore, count: int, workers: int) -> None:
        # One lock for bar and store: both may write files of the run, the bar those of its log.
        self._lock = threading.Lock()
        self.store: StateStore = _Locked(checkpoint, self._lock)
        self.stop = threading.Event()
        self.done: dict[int, float] = {}
        self._progress, self._count, self._workers = progress, count, workers
        self._total: float = 0

    def progress_of(self, index: int) -> Progress:
        """Return the progress of one realisation.

        Parameters
        ----------
        index : int
            Number of the realisation.

        Returns
        -------
        Progress
            Its steps count in the common bar. Its ``update`` raises KeyboardInterrupt once the user has interrupted.
        """
        return _Part(self, index)

    def begin(self, total: float) -> None:
        """Show the bar, when the first realisation begins."""
        with self._lock:
            if not self._total:
                self._total = total
                self._progress.begin(total * self._count, f"{self._count} realisations, {self._workers} at a time")

    def update(self, index: int, done: float | None = None) -> None:
        """Count the work of a realisation; None counts all of them."""
        with self._lock:
            # A line search may take an evaluation more than planned, and decoding counts from where it begins.
            done = self._total if done is None else min(done, self._total)
            self.done[index] = max(done, self.done.get(index, 0))
            self._progress.update(sum(self.done.values()))

    def end(self) -> None:
        """Close the bar."""
        self._progress.end()

    def say(self, text: str) -> None:
        """Show a finding."""
        with self._lock:
            self._progress.say(text)


class _Part:
    def __init__(self, together: Together, index: int) -> None:
        self._together, self._index = together, index

    def begin(self, total: float, label: str) -> None:
        self._together.begin(total)

    def update(self, done: float, text: str = "") -> None:
        # Python interrupts the main thread only; the others learn of it here.
        if self._together.stop.is_set():
            raise KeyboardInterrupt
        self._together.update(self._index, done)

    def end(self) -> None:
        pass  # the bar is closed once, when all realisations have ended

    def say(self, text: str) -> None:
        self._together.say(text)


class _Locked:
    """State store that one thread at a time uses."""

    def __init__(self, store: StateStore, lock: threading.Lock) -> None:
        self._store, self._lock = store, lock

    def load(self, key: str) -> Arrays | None:
        with self._lock:
            return self._store.load(key)

    def save(self, key: str, state: Callable[[], Arrays], *, force: bool = False) -> None:
        with self._lock:
            self._store.save(key, state, force=force)

    def show(self, key: str, labels: Callable[[], NDArray[np.generic]], *, force: bool = False) -> None:
        with self._lock:
            self._store.show(key, labels, force=force)

    def drop(self, key: str) -> None:
        with self._lock:
            self._store.drop(key)

    def finish(self, key: str, result: Arrays) -> None:
        with self._lock:
            self._store.finish(key, result)

    def result(self, key: str) -> Arrays | None:
        with self._lock:
            return self._store.result(key)

    def share(self, keys: Sequence[str], make: Callable[[str], Arrays], label: str) -> None:
        with self._lock:
            self._store.share(keys, make, label)


def make_together(
    make: Callable[[int], Found], indices: Sequence[int], together: Together, workers: int
) -> Mapping[int, Found]:
    """Make realisations on several threads.

    Parameters
    ----------
    make : callable
        Takes the number of a realisation and returns what was made, on an interruption what there is so far.
    indices : sequence of int
        Numbers of the realisations.
    together : Together
        What they share.
    workers : int
        Number of threads; torch computes on one thread within each of them.

    Returns
    -------
    dict
        What was made, by number, in the order of ``indices``; without those that an interruption kept from beginning.

    Examples
    --------
    >>> from matlens.hooks import NoStore, Silent
    >>> make_together(lambda index: index**2, [2, 3], Together(Silent(), NoStore(), 2, 2), 2)
    {2: 4, 3: 9}
    """

    def alone(index: int) -> Found | None:
        if together.stop.is_set():
            return None
        try:
            with one_thread():
                found = make(index)
        except BaseException:
            together.stop.set()
            raise
        together.update(index)
        return found

    try:
        with ThreadPoolExecutor(workers) as pool:
            futures = {index: pool.submit(alone, index) for index in indices}
            try:
                wait(futures.values())
            except KeyboardInterrupt:
                together.stop.set()
                wait(futures.values())
    finally:
        together.end()
    results = {index: future.result() for index, future in futures.items()}
    return {index: found for index, found in results.items() if found is not None}
