"""A worker process seen from the process that waits for it: a key goes in as a line, an answer comes out as a line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from matlens.runs.manifest import STATE
from matlens.runs.serving import Answer

__all__ = ["Child", "Killed"]

_SECONDS = 30.0  # in which a worker that is told to stop saves its state


class Killed(Exception):
    """A worker died at a task, by a signal or for lack of memory."""


class Child:
    """Process that makes tasks of one work of a run, one after the other, until it is stopped.

    It leads a group of its own, so that Ctrl-C reaches only the process that waits for it; it ends with that process,
    however that ends.

    Parameters
    ----------
    root : Path
        The run directory.
    name : str
        Name of the work.

    Examples
    --------
    >>> child = Child(Path("nowhere"), "trial")
    >>> child.do("folds_0").reason
    'nowhere is not a run directory: it has no settings.toml; name one that a command wrote.'
    >>> child.stop()
    """

    def __init__(self, root: Path, name: str) -> None:
        with _log(root) as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "matlens.cli.serve", str(root), name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                start_new_session=True,
            )
        self.pid = self._process.pid

    def do(self, key: str) -> Answer:
        """Let the process make a task, and wait for it.

        Parameters
        ----------
        key : str
            Key of the task.

        Returns
        -------
        Answer
            What became of it.

        Raises
        ------
        Killed
            If the process died.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):  # it has ended: what it said before is what counts
            self._process.stdin.write(json.dumps(key) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise Killed
        return Answer(*json.loads(line))

    def interrupt(self) -> None:
        """Tell the process to save its state and end, as SIGTERM does, without waiting for it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Let the process end when its task is done, and kill it if it does not."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # of what was not sent to a process that died
                    stream.close()
        try:
            self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _log(root: Path) -> IO[bytes]:
    """Where words of libraries go: the workers' log, while the run needs it."""
    try:
        return open(root / STATE / "tasks" / "workers.txt", "ab")
    except OSError:
        return open(os.devnull, "wb")
