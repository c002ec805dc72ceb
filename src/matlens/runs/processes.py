"""Pool of processes on this machine."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from matlens.hooks import Progress
from matlens.runs.child import Child, Killed
from matlens.runs.pool import Work
from matlens.runs.serving import Answer
from matlens.runs.tally import Tally
from matlens.runs.tasks import TRIES, write_plan

__all__ = ["Processes"]


class Processes:
    """Compute results in several processes, each of which makes one task after the other.

    A process that dies is replaced, and its task is tried again, up to five times.

    Parameters
    ----------
    workers : int
        Number of processes.

    Examples
    --------
    >>> Processes(2).workers
    2
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(self, work: Work, keys: Sequence[str], progress: Progress) -> dict[str, str]:
        """Make the results; on an interrupt the processes save their states."""
        if not keys:
            return {}
        write_plan(work.root, work.name, work.label, work.files)
        tally, crew = Tally(work, len(keys), progress), _Crew(work, keys)
        try:
            crew.start(min(self.workers, len(keys)))
            for _ in keys:
                tally.add(crew.answer(tally))
        finally:
            crew.stop()
            tally.end()
        return tally.failed


class _Crew:
    """Threads that each talk to one process."""

    def __init__(self, work: Work, keys: Sequence[str]) -> None:
        self._work = work
        self._keys: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
        self._over = threading.Event()
        self._children: dict[int, Child] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        for key in keys:
            self._keys.put(key)

    def start(self, workers: int) -> None:
        self._threads = [threading.Thread(target=self._serve, args=(number,), daemon=True) for number in range(workers)]
        for thread in self._threads:
            thread.start()

    def answer(self, tally: Tally) -> Answer:
        while True:
            try:
                found = self._answers.get(timeout=1.0)
            except queue.Empty:
                tally.show()
                continue
            if isinstance(found, BaseException):
                raise found
            return found

    def stop(self) -> None:
        with self._lock:
            self._over.set()
            for child in self._children.values():
                child.interrupt()
        for thread in self._threads:
            thread.join()

    def _serve(self, number: int) -> None:
        try:
            while True:
                try:
                    key = self._keys.get_nowait()
                except queue.Empty:
                    return
                if (answer := self._made(number, key)) is None:
                    return
                self._answers.put(answer)
        except BaseException as error:  # raised where the main thread waits
            self._answers.put(error)
        finally:
            with self._lock:
                child = self._children.pop(number, None)
            if child is not None:
                child.stop()

    def _made(self, number: int, key: str) -> Answer | None:
        """Have a task made; None if the work is over before."""
        # The lease counts kills and ends the attempts; one more is for a worker that dies before it has a lease.
        for _ in range(TRIES + 1):
            with self._lock:
                if self._over.is_set():
                    return None
                child = self._children.get(number) or Child(self._work.root, self._work.name)
                self._children[number] = child
            try:
                return child.do(key)
            except Killed:
                child.stop()
                with self._lock:
                    del self._children[number]
        return Answer(key, "refused", f"workers of {self._work.root} end before they begin; see {_LOG} in it.")


_LOG = ".state/tasks/workers.txt"
