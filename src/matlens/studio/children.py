"""The processes that do the work: one for each run, which outlives the server.

What the studio knows of a process is in files: its command and its output below ``.studio/starts``, and, as soon as
it has made its run directory, the lock there.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from matlens.core.atomic import open_plain
from matlens.errors import RunError
from matlens.runs.lock import holder
from matlens.runs.manifest import SETTINGS, STATE
from matlens.studio.folder import Folder

__all__ = ["Children", "is_run"]

_TAIL = 1 << 14  # bytes of a process's output that are looked at
_GRACE = 5.0  # seconds in which a process may end by itself after it was told to stop at once


class Children:
    """Starts and stops the processes of runs.

    Parameters
    ----------
    folder : Folder
        The studio's folder.

    Examples
    --------
    >>> import tempfile
    >>> Children(Folder(tempfile.mkdtemp())).started()
    []
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        # Only so that a process that has ended leaves the system's table; nothing is remembered by it.
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, words: Sequence[str]) -> str:
        """Start a command in a new run directory below ``runs``.

        Parameters
        ----------
        command : str
            Its name.
        words : sequence of str
            Its words on the command line, without the place of results.

        Returns
        -------
        str
            Path of the run relative to the folder.
        """
        run = self._new(command)
        self._spawn(run, command, [*words, "--output", run])
        return run

    def resume(self, run: str) -> None:
        """Go on with a run that was stopped.

        Parameters
        ----------
        run : str
            Path of the run relative to the folder.

        Raises
        ------
        RunError
            If a process works on it.
        """
        if self.working_on(run):
            raise RunError(f"{run} is being worked on; stop it first, or wait for it.")
        self._spawn(run, "resume", ["resume", run])

    def stop(self, run: str, *, at_once: bool = False) -> None:
        """Ask the process of a run to stop; what was done is kept.

        Parameters
        ----------
        run : str
            Path of the run relative to the folder.
        at_once : bool
            Whether it ends without saving more than it has saved; a process that does not is killed, which loses no
            more, since a run can be resumed after any kill.

        Raises
        ------
        RunError
            If no process works on it.
        """
        pid = self.working_on(run)
        if pid is None:
            raise RunError(f"nothing works on {run}, so there is nothing to stop.")
        try:
            os.kill(pid, signal.SIGTERM if at_once else signal.SIGINT)
            end = time.monotonic() + _GRACE
            while at_once and self.working_on(run) == pid:
                if time.monotonic() > end:
                    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
                    break
                time.sleep(0.1)
        except ProcessLookupError:  # it has ended meanwhile, as it was asked to
            pass
        except (OSError, ValueError) as error:
            raise RunError(f"the process {pid} of {run} cannot be stopped ({error}).") from error

    def working_on(self, run: str) -> int | None:
        """Find the process that works on a run, also one that was started on the command line.

        Parameters
        ----------
        run : str
            Path of the run relative to the folder.

        Returns
        -------
        int or None
            Its id.
        """
        for process in self._processes[:]:
            if process.poll() is not None:
                self._processes.remove(process)
        locked = holder(self._folder.path(run) / STATE / "lock")
        if locked is not None:
            return locked
        note = self._folder.read_note(_note(run))
        return int(note["pid"]) if note and _writes(self._folder.notes / _output(run)) else None

    def started(self) -> list[dict[str, Any]]:
        """List what was started here.

        Returns
        -------
        list of dict
            ``run``, ``command``, ``pid``, and ``error``: the sentence with which its process ended, or "".
        """
        notes = (
            self._folder.read_note(f"starts/{file.name}") for file in (self._folder.notes / "starts").glob("*.json")
        )
        return [{**note, "error": self.error(note["run"])} for note in notes if "run" in note]

    def error(self, run: str) -> str:
        """Return the sentence with which the last process of a run ended.

        Parameters
        ----------
        run : str
            Path of the run relative to the folder.

        Returns
        -------
        str
            The sentence; empty if there is none.
        """
        try:
            with open(open_plain(self._folder.notes / _output(run), os.O_RDONLY), "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - _TAIL, 0))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except (OSError, RunError):
            return ""
        said = [line.removeprefix("matlens: ") for line in lines if line.startswith("matlens: ")]
        return said[-1] if said else ""

    def forget(self, run: str) -> None:
        """Remove what is kept on the start of a run.

        Parameters
        ----------
        run : str
            Path of the run relative to the folder.
        """
        for name in (_note(run), _output(run)):
            (self._folder.notes / name).unlink(missing_ok=True)

    def _new(self, command: str) -> str:
        """A run's path that nothing has; making its note decides between two that start at once."""
        base, number = f"runs/{date.today().isoformat()}-{command.replace(' ', '-')}", 1
        while True:
            run = base + (f"-{number}" if number > 1 else "")
            number += 1
            if os.path.lexists(self._folder.root / run):
                continue
            try:
                os.close(open_plain(self._folder.notes / _output(run), os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            return run

    def _spawn(self, run: str, command: str, words: Sequence[str]) -> None:
        place = self._folder.notes / _output(run)
        place.unlink(missing_ok=True)
        with open(open_plain(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as output:
            _mark(output.fileno())
            process = subprocess.Popen(
                [sys.executable, "-m", "matlens", *words],
                cwd=self._folder.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the server's terminal is not meant for it
            )
        self._processes.append(process)
        self._folder.write_note(_note(run), {"run": run, "command": command, "pid": process.pid})


def _note(run: str) -> str:
    return f"starts/{_flat(run)}.json"


def _output(run: str) -> str:
    return f"starts/{_flat(run)}.txt"


def _flat(run: str) -> str:
    return re.sub(r"[^\w.-]", lambda found: f"%{ord(found[0]):x}", run)


def is_run(place: Path) -> bool:
    """Whether a folder is a run directory.

    Parameters
    ----------
    place : Path
        The folder.

    Returns
    -------
    bool
        Whether it has settings.

    Examples
    --------
    >>> is_run(Path("nowhere"))
    False
    """
    return (place / SETTINGS).is_file()


if sys.platform == "win32":

    def _mark(descriptor: int) -> None:
        pass

    def _writes(place: Path) -> bool:
        try:  # a file that a process writes to cannot be renamed there
            os.replace(place, place)
        except OSError:
            return place.exists()
        return False

else:
    import fcntl

    def _mark(descriptor: int) -> None:
        """Lock the output of a process that is about to be started: the lock lives as long as the process has it."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _writes(place: Path) -> bool:
        """Whether a process still has its output open."""
        try:
            with open(open_plain(place, os.O_RDONLY), "rb") as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except (OSError, RunError):
            pass
        return False
