"""The log file of a run: what was shown while it worked, with the time of each line."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from matlens.core.user_text import printable
from matlens.errors import MatlensError
from matlens.hooks import Progress
from matlens.runs.directory import RunDirectory
from matlens.runs.progress import Both, Lines
from matlens.runs.provenance import now

__all__ = ["LOG", "logged"]

LOG = "log.txt"
_INTERVAL = 30.0  # seconds between two writes: a file of a run is always written whole


@contextmanager
def logged(run: RunDirectory, progress: Progress) -> Iterator[Both]:
    """Write progress and messages of the package to ``log.txt`` of a run, besides showing them.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open. A run that is resumed goes on in the same file.
    progress : Progress
        Shows the work to the user.

    Yields
    ------
    Both
        Shows the work in both places, and remembers the findings that were shown.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.hooks import Silent
    >>> with RunDirectory.create(tempfile.mkdtemp(), "compare", {}) as run, logged(run, Silent()) as progress:
    ...     progress.say("Equivalent in 7 of 8 statistics.")
    >>> (run.path / "log.txt").read_text().endswith(" Equivalent in 7 of 8 statistics.\\n")
    True
    """
    log = _Log(run)
    handler = logging.StreamHandler(log)
    logger = logging.getLogger("matlens")
    logger.addHandler(handler)
    try:
        yield Both(progress, Lines(log))
    except BaseException:
        with suppress(MatlensError):  # the error that is under way says more
            log.store()
        raise
    else:
        log.store()
    finally:
        logger.removeHandler(handler)


class _Log(io.TextIOBase):
    """Text stream that puts the time before each line and writes all lines to the run from time to time."""

    def __init__(self, run: RunDirectory) -> None:
        file = run.path / LOG
        self._run, self._last = run, time.monotonic()
        self._text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""

    def write(self, text: str) -> int:
        self._text += "".join(f"{now()} {printable(line)}\n" for line in text.splitlines() if line.strip())
        if time.monotonic() - self._last >= _INTERVAL:
            self.store()
        return len(text)

    def store(self) -> None:
        self._last = time.monotonic()
        self._run.write_text(LOG, self._text)
