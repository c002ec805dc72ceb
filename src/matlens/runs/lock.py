"""A lock that ends with its process, so that a killed run does not stay locked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from matlens.core.atomic import open_plain
from matlens.errors import RunError

__all__ = ["Lock", "alive", "holder"]

_FAR = 1 << 30  # Windows locks bytes, not files: a byte far beyond the text leaves the text readable


class Lock:
    """Exclusive lock of a file, held until ``release`` or until the process ends.

    Parameters
    ----------
    path : Path
        The lock file; it holds the id of the process that has the lock.

    Raises
    ------
    RunError
        If another process holds the lock, or the file is a link.

    Examples
    --------
    >>> import tempfile
    >>> lock = Lock(Path(tempfile.mkdtemp()) / "lock")
    >>> lock.path.read_text() == str(os.getpid())
    True
    >>> lock.release()
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Nothing is emptied: until the lock is ours, the text is the holder's. A link is not followed, because what it
        # leads to would be overwritten.
        self._file: IO[str] = open(open_plain(path, os.O_RDWR | os.O_CREAT), "r+", encoding="utf-8", errors="replace")  # noqa: SIM115
        try:
            _hold(self._file)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise RunError(
                f"{path.parent.parent} is in use by another matlens process (pid {holder}); wait for it, stop it, or "
                "choose another --output."
            ) from error
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Release the lock; calling it again does nothing."""
        self._file.close()


def holder(path: Path) -> int | None:
    """Find the process that holds a lock, without disturbing it.

    Parameters
    ----------
    path : Path
        The lock file.

    Returns
    -------
    int or None
        Its id; None if no process holds the lock.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "lock"
    >>> lock = Lock(path)
    >>> holder(path) == os.getpid()
    True
    >>> lock.release()
    >>> holder(path) is None
    True
    """
    try:
        with open(open_plain(path, os.O_RDWR), "r+", encoding="utf-8", errors="replace") as file:
            text = file.read().strip()
            # The lock is tried only while the process that wrote its id lives: it then holds it, most likely, so that
            # trying takes nothing away from a process that is about to start.
            if not text.isdecimal() or not alive(int(text)):
                return None
            try:
                _hold(file)
            except OSError:
                return int(text)
    except (OSError, RunError):  # there is no lock, or it is a link, which no process of MatLens holds
        pass
    return None


if sys.platform == "win32":
    import msvcrt

    def _hold(file: IO[str]) -> None:
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _hold(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def alive(pid: int) -> bool:
    """Return whether a process of this machine lives; on Windows, where asking would end it, always True.

    Parameters
    ----------
    pid : int
        Its id.

    Returns
    -------
    bool
        False if there is no such process.

    Examples
    --------
    >>> alive(os.getpid())
    True
    """
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
