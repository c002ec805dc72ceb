"""A lock that dies with its process, so a killed run is never locked out of its own directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from matlens.errors import RunError

__all__ = ["Lock"]

_FAR = 1 << 30  # Windows locks bytes, not files: a byte far beyond the text leaves the text readable


class Lock:
    """Exclusive hold on a file, given up by ``release`` or by the end of the process, however it ends.

    Parameters
    ----------
    path : Path
        The lock file; its text names the process that holds it.

    Raises
    ------
    RunError
        If another process holds it.

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
        # "a+" does not empty the file: until the lock is ours, its text is the holder's.
        self._file: IO[str] = open(path, "a+", encoding="utf-8")  # noqa: SIM115
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
        """Give the lock up; may be called again."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _hold(file: IO[str]) -> None:
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _hold(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
