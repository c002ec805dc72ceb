"""Progress in the terminal: a bar on a terminal, occasional lines in a log file, nothing with ``--quiet``."""

from __future__ import annotations

import sys
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

from matlens.core.user_text import printable
from matlens.hooks import Progress, Silent

__all__ = ["Bar", "Lines", "progress_for"]


def progress_for(*, quiet: bool = False, stream: IO[str] | None = None) -> Progress:
    """Choose how progress is shown: a bar on a terminal, a line every ten seconds elsewhere, nothing when quiet.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    stream : text file, optional
        Where progress is written; by default standard error.

    Returns
    -------
    Progress
        `Silent`, `Bar` or `Lines`.

    Examples
    --------
    >>> type(progress_for(quiet=True)).__name__
    'Silent'
    """
    stream = sys.stderr if stream is None else stream
    if quiet:
        return Silent()
    return Bar(stream) if stream.isatty() else Lines(stream)


class Lines:
    """Show progress as plain lines.

    Parameters
    ----------
    stream : text file
        Where lines are written.
    interval : float
        Least number of seconds between two lines.

    Examples
    --------
    >>> lines = Lines(sys.stdout, interval=0)
    >>> lines.begin(200, "realisation 1 of 1")
    >>> lines.update(50, "loss 0.125, level 2 of 3")
    realisation 1 of 1: 50/200, loss 0.125, level 2 of 3, ... left
    """

    def __init__(self, stream: IO[str], *, interval: float = 10.0) -> None:
        self._stream = stream
        self._interval = interval
        self._total, self._label, self._start, self._last, self._first = 0, "", 0.0, 0.0, 0

    def begin(self, total: int, label: str) -> None:
        """Start the clock of a computation of ``total`` steps."""
        self._total, self._label = total, label
        self._start = self._last = time.monotonic()
        self._first = -1

    def update(self, done: int, text: str = "") -> None:
        """Write a line if the last one was written at least ``interval`` seconds ago."""
        if self._first < 0:  # resumed work starts in the middle: the speed is that of this process
            self._first = max(done - 1, 0)
        now = time.monotonic()
        if now - self._last < self._interval:
            return
        self._last = now
        left = (now - self._start) / max(done - self._first, 1) * max(self._total - done, 0)
        words = ", ".join(part for part in (text, f"about {_duration(left)} left") if part)
        self._stream.write(printable(f"{self._label}: {done}/{self._total}, {words}") + "\n")
        self._stream.flush()

    def end(self) -> None:
        """Do nothing, as lines stay."""


class Bar:
    """Show progress as a bar in one line of the terminal.

    Parameters
    ----------
    stream : text file
        A terminal.

    Examples
    --------
    >>> bar = Bar(sys.stdout)
    >>> bar.end()
    """

    def __init__(self, stream: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}", markup=False),  # names of samples may hold brackets
            TimeRemainingColumn(),
            console=Console(file=stream),
            transient=True,
        )
        self._task: TaskID | None = None

    def begin(self, total: int, label: str) -> None:
        """Show the bar with ``total`` steps."""
        self._task = self._bar.add_task(printable(label), total=total, text="")
        self._bar.start()

    def update(self, done: int, text: str = "") -> None:
        """Move the bar to ``done`` steps and show ``text`` behind it."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, text=printable(text))

    def end(self) -> None:
        """Remove the bar."""
        self._bar.stop()
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
