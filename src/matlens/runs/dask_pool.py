"""Pool of workers of Dask: of a cluster on this machine, of a running scheduler, or of jobs of a batch system.

Dask carries names only. Its workers start a process of ours for the tasks of a run (`matlens.runs.child`), so that they
stay responsive while it computes, and the truth is in the files of the run whatever Dask remembers or loses.
"""

from __future__ import annotations

import importlib
import logging
import platform
import queue
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from matlens._version import __version__
from matlens.core.guard import reason_of
from matlens.errors import InputError, ResourceError, RunError
from matlens.hooks import Progress
from matlens.runs.child import Child, Killed
from matlens.runs.pieces import SHORT, Pieces
from matlens.runs.pool import Work
from matlens.runs.serving import Answer
from matlens.runs.tally import Tally
from matlens.runs.tasks import TRIES, write_plan

__all__ = ["DaskPool"]

_BATCH = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster", "sge": "SGECluster"} | {
    "htcondor": "HTCondorCluster"
}
_WAIT = 60.0  # seconds for the first worker of a scheduler that runs already, and until orphans of one leave
_CONNECT = 10.0  # seconds for a scheduler to answer
_LEAVES = 300  # seconds before the end of its job at which a worker leaves in order
_AHEAD = 2  # pieces in the hands of Dask for each of its threads, so that none of these waits for the client
_LOGGERS = ("distributed", "asyncio", "tornado")
_LOOK = 1.0  # seconds between two questions how many threads there are


class DaskPool:
    """Compute results on workers of Dask.

    Parameters
    ----------
    workers : int
        Number of workers that are started; of a scheduler that runs already, all workers are used.
    scheduler : str, optional
        Address of a running scheduler, or the name of a batch system; by default both are started on this machine.

    Raises
    ------
    ResourceError
        If Dask, or for a batch system dask-jobqueue, is not installed.
    InputError
        If the scheduler is neither an address nor a known batch system.
    """

    def __init__(self, workers: int, scheduler: str | None = None) -> None:
        self._distributed = _loaded("distributed")
        if scheduler is not None and "://" not in scheduler and scheduler not in _BATCH:
            raise InputError(
                f"the scheduler {scheduler!r} is not understood; write an address, e.g. tcp://node7:8786, or one of "
                f"{', '.join(_BATCH)}."
            )
        self._jobs = _loaded("dask_jobqueue") if scheduler in _BATCH else None
        self._workers, self._scheduler = workers, scheduler

    def map(self, work: Work, keys: Sequence[str], progress: Progress) -> dict[str, str]:
        """Make the results; a task whose worker dies goes to another one."""
        if not keys:
            return {}
        write_plan(work.root, work.name, work.label, work.files)
        with self._client(work.root) as client:
            tally = Tally(work, len(keys), progress)
            try:
                for answer in self._answers(client, work, keys, tally):
                    tally.add(answer)
            finally:
                tally.end()
        return tally.failed

    def _answers(self, client: Any, work: Work, keys: Sequence[str], tally: Tally) -> Iterator[Answer]:
        """Yield what became of each task, and submit pieces again whose workers Dask has given up."""
        root, token = str(work.root.absolute()), secrets.token_hex(4)  # a scheduler may serve several runs
        waiting, numbers, room = Pieces(keys), count(), _Room(client)
        futures: dict[Any, tuple[tuple[str, ...], int]] = {}
        finished: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def submit(piece: tuple[str, ...], attempt: int) -> None:
            name = f"matlens-{token}-{work.name}-{next(numbers)}"
            # Dask takes some 10 ms for whatever it carries: short tasks are handed over by the dozen.
            future = client.submit(_do, root, work.name, piece, __version__, key=name, pure=False)
            futures[future] = (piece, attempt)
            future.add_done_callback(finished.put)

        while waiting or futures:
            while waiting and len(futures) < room.pieces():
                submit(waiting.take(room.pieces()), 0)
            try:
                future = finished.get(timeout=1.0)
            except queue.Empty:
                tally.show()
                if client.status not in ("running", "connecting"):
                    raise _gone(work) from None
                continue
            piece, attempt = futures.pop(future)
            if future.status == "finished":
                answers, seconds = future.result()
                future.release()
                waiting.back(piece, len(answers), seconds)
                yield from (Answer(*answer) for answer in answers)
            elif self._lost(future) and attempt < TRIES and client.status == "running":
                submit(piece, attempt + 1)
            else:
                raise RunError(self._words(work, future)) if client.status == "running" else _gone(work)

    def _lost(self, future: Any) -> bool:
        """Whether the workers of a task died; a scheduler that was restarted has forgotten it."""
        return future.status in ("lost", "cancelled") or isinstance(
            future.exception(), self._distributed.scheduler.KilledWorker
        )

    def _words(self, work: Work, future: Any) -> str:
        error = None if future.status in ("lost", "cancelled") else future.exception()
        if error is None or isinstance(error, self._distributed.scheduler.KilledWorker):
            return (
                f"workers of Dask die one after the other; see their logs, and go on with 'matlens resume {work.root}'."
            )
        return (
            f"a worker of Dask cannot make tasks ({reason_of(error)}); install the same MatLens ({__version__}) there, "
            f"and go on with 'matlens resume {work.root}'."
        )

    @contextmanager
    def _client(self, root: Path) -> Iterator[Any]:
        """Connect to the scheduler, which is started where none runs, and stopped then at the end."""
        import dask

        # What Dask says of workers that come and go is for its log; what matters is raised. Some of its parts have
        # levels of their own.
        for name in (*_LOGGERS, *(one for one in logging.root.manager.loggerDict if one.split(".")[0] in _LOGGERS)):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        settings = {
            "distributed.scheduler.allowed-failures": TRIES,
            "distributed.comm.timeouts.connect": f"{_CONNECT} s",
        }
        with dask.config.set(settings), ExitStack() as stack:
            try:
                target = self._scheduler if self._jobs is None and self._scheduler else self._cluster(stack)
                client = stack.enter_context(self._distributed.Client(target, timeout=_CONNECT, set_as_default=False))
            except (
                OSError,
                RuntimeError,
                ValueError,
                AssertionError,
            ) as error:  # Dask asserts what slow machines break
                where = self._scheduler or "this machine"
                raise RunError(
                    f"no scheduler of Dask answers at {where} ({reason_of(error)}); start one with 'dask scheduler' "
                    f"or check the address, and go on with 'matlens resume {root}'."
                ) from None
            if self._jobs is None:
                self._wait_for_worker(client, root)
            yield client

    def _cluster(self, stack: ExitStack) -> Any:
        if self._jobs is None:
            return stack.enter_context(
                self._distributed.LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address=None,
                    death_timeout=_WAIT,
                )
            )
        made = getattr(self._jobs, _BATCH[str(self._scheduler)])
        try:
            cluster = made(
                scheduler_options={"dashboard": False, "dashboard_address": None},
                death_timeout=_WAIT,
                worker_extra_args=_lifetime(str(self._scheduler)),
            )
        except (ValueError, TypeError) as error:
            raise RunError(
                f"jobs of {self._scheduler} need settings ({reason_of(error)}); write cores, memory and walltime in "
                "~/.config/dask/jobqueue.yaml."
            ) from None
        stack.enter_context(cluster)
        # Jobs that end at their walltime are replaced.
        cluster.adapt(minimum_jobs=self._workers, maximum_jobs=self._workers)
        return cluster

    def _wait_for_worker(self, client: Any, root: Path) -> None:
        try:
            client.wait_for_workers(1, timeout=_WAIT)
        except TimeoutError:
            raise RunError(
                f"the scheduler {client.scheduler.address} has no workers; start some with 'dask worker "
                f"{client.scheduler.address}', and go on with 'matlens resume {root}'."
            ) from None


class _Room:
    """How many pieces Dask is given at once: its workers come and go."""

    def __init__(self, client: Any) -> None:
        self._client, self._threads, self._looked = client, 1, -_LOOK

    def pieces(self) -> int:
        if time.monotonic() - self._looked > _LOOK:
            self._looked = time.monotonic()
            with suppress(OSError):  # a scheduler that has died is found by what it was given
                self._threads = max(sum(self._client.nthreads().values()), 1)
        return _AHEAD * self._threads


def _lifetime(system: str) -> list[str]:
    """Arguments by which workers leave before the batch system kills their jobs, not all at once."""
    import dask

    walltime = dask.config.get(f"jobqueue.{system}.walltime", None)
    seconds = _seconds(str(walltime)) if walltime else 0
    return ["--lifetime", f"{seconds - _LEAVES}s", "--lifetime-stagger", "60s"] if seconds > 2 * _LEAVES else []


def _seconds(walltime: str) -> int:
    """Seconds of a walltime such as 01:30:00 or 2-00:00:00; 0 where it is written in another way.

    Examples
    --------
    >>> _seconds("01:30:00"), _seconds("2-00:00:00"), _seconds("1h")
    (5400, 172800, 0)
    """
    days, _, clock = walltime.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdecimal() for part in [*parts, days or "0"]):
        return 0
    seconds = 0
    for part in parts:
        seconds = 60 * seconds + int(part)
    return seconds + 86400 * int(days or 0)


def _gone(work: Work) -> RunError:
    return RunError(
        "the scheduler of Dask has ended, and what is finished is kept; start it again, and go on with 'matlens resume "
        f"{work.root}'."
    )


def _loaded(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ResourceError(
            f'--pool dask needs the package {module.replace("_", "-")}, which is not installed; install it with "pip '
            "install 'matlens[cluster]'\", or choose --pool processes."
        ) from None


_children: dict[tuple[str, str, int], Child] = {}
"""Processes of this worker of Dask, by run, work and thread."""


def _do(root: str, name: str, keys: Sequence[str], version: str) -> tuple[list[Answer], float]:
    """Make a piece as far as its time goes, and tell how long that took; runs in a worker of Dask."""
    begun, answers = time.monotonic(), []
    for key in keys:
        answers.append(_done(root, name, key, version))
        if time.monotonic() - begun > SHORT:
            break
    return answers, time.monotonic() - begun


def _done(root: str, name: str, key: str, version: str) -> Answer:
    """Make a task in the process that this worker keeps for the work."""
    if version != __version__:
        words = f"a worker of Dask on {platform.node()} has MatLens {__version__}, and the run was begun with {version}"
        return Answer(key, "refused", f"{words}; install the same version there.")
    if not Path(root).is_dir():
        words = f"a worker of Dask on {platform.node()} does not see {root}"
        return Answer(key, "refused", f"{words}; use a folder that all machines share.")
    place = (root, name, threading.get_ident())
    for other in [one for one in _children if one[2] == place[2] and one != place]:
        _children.pop(other).stop()
    for _ in range(TRIES + 1):
        child = _children.get(place) or Child(Path(root), name)
        _children[place] = child
        try:
            return child.do(key)
        except Killed:
            _children.pop(place).stop()
    return Answer(key, "refused", f"workers of {root} end before they begin; see .state/tasks/workers.txt in it.")
