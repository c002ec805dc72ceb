"""A worker's side of a pool: it repeats the steps of a run from their files up to one work, and makes what it is asked.

Nothing is pickled: a task is a name. A worker calls the command's ``work`` on a run that others share, where all steps
before have their results in files, so that it arrives at the work in question with everything that its tasks need.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from matlens.errors import Interrupted, RunError
from matlens.hooks import Progress
from matlens.runs.pool import Serial, Work
from matlens.runs.tasks import BEAT, TRIES, Lease, claim, failures, folder_of, record_failure

__all__ = ["Answer", "Served", "Serving", "Share"]

_WAIT = 0.5  # seconds between two looks at a task that another worker has


class Answer(NamedTuple):
    """What became of a task: ``done``, ``failed`` by its own error, or ``refused``, as all of the run would be.

    Examples
    --------
    >>> Answer("folds_0", "done")
    Answer(key='folds_0', state='done', reason='')
    """

    key: str
    state: Literal["done", "failed", "refused"]
    reason: str = ""


class Served(BaseException):
    """All that was asked is made; ends the replay of a command, whose further steps are not a worker's."""


class Share:
    """Progress of a task, which goes into its lease; follows `matlens.hooks.Progress`.

    Examples
    --------
    >>> share = Share()
    >>> share.begin(200, "realisation 1")
    >>> share.update(50, "loss 0.125")
    >>> share.text
    'realisation 1 25 %'
    """

    def __init__(self) -> None:
        self.text = ""
        self._total, self._label = 0.0, ""

    def begin(self, total: float, label: str) -> None:
        """Note the computation."""
        self._total, self._label = total, label
        self.text = label

    def update(self, done: float, text: str = "") -> None:
        """Note how much is done."""
        self.text = f"{self._label} {min(100 * done / self._total, 100):.0f} %" if self._total else self._label

    def end(self) -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing: findings are shown by the process that waits for all tasks."""


class Serving:
    """Pool within a worker: it makes the results of the keys that it is asked for, and nothing else.

    Parameters
    ----------
    name : str
        Name of the work.
    asked : iterable of str
        Keys, perhaps of a stream that waits for the next.
    answer : callable
        Takes the `Answer` for each key.

    Examples
    --------
    >>> Serving("trial", [], print).progress.text
    ''
    """

    def __init__(
        self,
        name: str,
        asked: Iterable[str],
        answer: Callable[[Answer], None],
    ) -> None:
        self.name, self.progress = name, Share()
        self._asked, self._answer = asked, answer
        self.writes = False
        """Whether a task is at work: only then a worker writes to the run."""

    def map(self, work: Work, keys: Sequence[str], progress: Progress) -> dict[str, str]:
        """Make what was asked, if this is the work; of another one before it, tell what failed."""
        if self.writes:  # a part of a task
            return Serial().map(work, keys, progress)
        if work.name != self.name:
            known = failures(work.root, work.name)
            if not work.independent and (missing := [key for key in keys if key not in known]):
                raise RunError(
                    f"{work.root} has no result {work.name}/{missing[0]} yet, which comes before {self.name}; go on "
                    f"with 'matlens resume {work.root}'."
                )
            return {key: known[key] for key in keys if key in known}
        folder = folder_of(work.root, work.name)
        for key in self._asked:
            self._answer(self._made(work, folder, key))
        raise Served

    def _made(self, work: Work, folder: Path, key: str) -> Answer:
        if key not in work.files:
            return Answer(
                key, "refused", f"{work.root} has no task {work.name}/{key}; see 'matlens status {work.root}'."
            )
        with ExitStack() as held:
            lease = self._leased(work, folder, key, held)
            if isinstance(lease, Answer):
                return lease
            try:
                with _beating(lease, self.progress):
                    self.writes = True
                    work.make(key)
            except (KeyboardInterrupt, Interrupted):
                raise
            except RunError as error:  # the run's files cannot be used, by any task
                return Answer(key, "refused", str(error))
            except Exception as error:
                return Answer(key, "failed", record_failure(folder, key, error))
            finally:
                self.writes = False
        return Answer(key, "done")

    def _leased(self, work: Work, folder: Path, key: str, held: ExitStack) -> Lease | Answer:
        """Wait until the task is ours, or has become what it will be in the hands of another worker."""
        failed = folder / f"{key}.error.json"
        while True:
            if work.is_done(key):
                return Answer(key, "done")
            if failed.is_file():
                return Answer(key, "failed", failures(work.root, work.name)[key])
            lease = claim(folder, key)
            if isinstance(lease, Lease):
                held.callback(lease.release)  # at once: an interrupt may come at any time
                if not work.is_done(key):  # else whose lease ended just now has made it
                    break
                return Answer(key, "done")
            time.sleep(_WAIT)
        if lease.holder.kills >= TRIES:
            reason = f"{lease.holder.kills} workers were killed at it one after the other, perhaps for lack of memory"
            return Answer(key, "failed", record_failure(folder, key, reason))
        return lease


@contextmanager
def _beating(lease: Lease, share: Share) -> Iterator[None]:
    """Keep a lease by its heartbeat within a block."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            try:
                lease.beat(share.text)
            except RunError:  # the task itself meets the same disk
                return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
