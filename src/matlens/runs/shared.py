"""A run directory as a worker sees it, while the process that has the lock waits for the worker's results."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from matlens.runs.directory import RunDirectory, read_settings
from matlens.runs.manifest import Manifest
from matlens.runs.serving import Serving

__all__ = ["SharedRun"]


class SharedRun(RunDirectory):
    """Run directory without a lock, which only the tasks of a worker write to.

    The steps before the tasks are repeated from their files, and their writes are dropped: those files are there, and
    the status of the run is that of the process that waits.

    Parameters
    ----------
    path : path-like
        An existing run directory.
    pool : Serving
        Makes what the worker is asked for.

    Raises
    ------
    RunError
        If the directory holds no run, or its settings cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {"seed": 3})
    >>> shared = SharedRun(run.path, Serving("trial", [], print))
    >>> shared.mark("finished")
    >>> shared.settings["seed"], run.status
    (3, 'running')
    """

    def __init__(self, path: str | os.PathLike[str], pool: Serving) -> None:
        self.path = Path(path)
        self.settings = read_settings(self.path)
        self.pool = pool
        worker = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._manifest = Manifest(self.path, worker=worker)
        self._serving = pool

    def mark(self, status: str, **facts: Any) -> None:
        """Do nothing: the status is that of the process that waits."""

    @contextmanager
    def writing(self, name: str) -> Iterator[BytesIO]:
        """Provide a file in memory that becomes a file of the run, if a task is at work."""
        if not self._serving.writes:
            yield BytesIO()
            return
        with super().writing(name) as file:
            yield file

    def remove(self, name: str) -> None:
        """Remove a file of the run, if a task is at work."""
        if self._serving.writes:
            super().remove(name)

    def spend(self, key: str) -> None:
        """Do nothing: the process that waits removes what is spent."""

    def close(self) -> None:
        """Do nothing, as there is no lock."""
