"""Progress in the terminal: a bar on a terminal, occasional lines in a log file, nothing with ``--quiet``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from html import escape
from io import TextIOBase
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import TaskID

from matlens.core.user_text import printable
from matlens.hooks import Progress, Silent

__all__ = ["Bar", "Both", "Clock", "Lines", "NotebookBar", "progress_for", "progress_for_person"]


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


def progress_for_person() -> Progress:
    """Choose how a call from Python shows progress: a bar where a person watches, nothing in scripts and tests.

    Returns
    -------
    Progress
        `NotebookBar` in a notebook, `Bar` if standard error is a terminal, otherwise `Silent`.

    Examples
    --------
    >>> type(progress_for_person()).__name__
    'Silent'
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is not None:
        return NotebookBar()
    return Bar(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else Silent()


class Lines:
    """Show progress as plain lines.

    Parameters
    ----------
    stream : text file
        Where lines are written.
    interval : float
        Least number of seconds between two lines on the state of the work.

    Examples
    --------
    >>> lines = Lines(sys.stdout, interval=0)
    >>> lines.begin(200, "realisation 1 of 1")
    realisation 1 of 1
    >>> lines.update(50, "loss 0.125, level 2 of 3")
    realisation 1 of 1: 50/200, loss 0.125, level 2 of 3...
    >>> lines.say("Equivalent.")
    Equivalent.
    """

    def __init__(self, stream: IO[str] | TextIOBase, *, interval: float = 10.0) -> None:
        self._stream = stream
        self._interval = interval
        self._last = time.monotonic()
        self._clock, self._label = Clock(0), ""

    def begin(self, total: float, label: str) -> None:
        """Start the clock of a computation, and name it if the last line is old."""
        self._clock, self._label = Clock(total), label
        self._write(label)

    def update(self, done: float, text: str = "") -> None:
        """Write a line if the last one was written at least ``interval`` seconds ago."""
        left = self._clock.left(done)
        words = (self._clock.share(done), text, f"{left} left" if left else "")
        self._write(f"{self._label}: {', '.join(word for word in words if word)}")

    def end(self) -> None:
        """Do nothing, as lines stay."""

    def say(self, text: str) -> None:
        """Write the finding at once."""
        self._write(text, at_once=True)

    def _write(self, line: str, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if at_once or now - self._last >= self._interval:
            self._last = now
            self._stream.write(f"{printable(line)}\n")
            self._stream.flush()


class Bar:
    """Show progress as a bar in one line of the terminal.

    A wheel turns and the time counts whatever the work does, so that no stage looks dead.

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
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[share]}"),
            TextColumn("{task.fields[text]}", markup=False),  # names of samples may hold brackets
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(file=stream),
            transient=True,
        )
        self._task: TaskID | None = None
        self._clock = Clock(0)

    def begin(self, total: float, label: str) -> None:
        """Show the bar of a computation."""
        self._clock = Clock(total)
        self._task = self._bar.add_task(printable(label), total=total, text="", share="", left="")
        self._bar.start()

    def update(self, done: float, text: str = "") -> None:
        """Move the bar to ``done``, with ``text`` and the time that is left behind it."""
        if self._task is not None:
            left = self._clock.left(done)
            left = f"{left} left" if left else ""
            self._bar.update(self._task, completed=done, text=printable(text), share=self._clock.share(done), left=left)

    def end(self) -> None:
        """Remove the bar."""
        self._bar.stop()
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None

    def say(self, text: str) -> None:
        """Print the finding above the bar."""
        self._bar.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


class NotebookBar:
    """Show progress as a bar below the cell of a notebook, which goes when the computation ends; findings stay.

    Parameters
    ----------
    show : callable, optional
        Shows HTML and returns a handle with ``update(html)``; by default that of IPython.
    interval : float
        Least number of seconds between two changes of the bar.

    Examples
    --------
    >>> bar = NotebookBar(_Page, interval=0)
    >>> bar.begin(200, "realisation 1 of 1")
    <div><progress max="1" value="0.000"></progress> realisation 1 of 1 0/200</div>
    >>> bar.update(50, "loss 0.125")
    <div><progress max="1" value="0.250"></progress> realisation 1 of 1 50/200 loss 0.125 ...</div>
    >>> bar.end()
    <div></div>
    """

    def __init__(self, show: Callable[[str], Any] | None = None, *, interval: float = 0.25) -> None:
        self._show, self._interval = show or _in_notebook, interval
        self._clock, self._label, self._total, self._last = Clock(0), "", 0.0, 0.0
        self._page: Any = None
        self._said: list[str] = []

    def begin(self, total: float, label: str) -> None:
        """Show the bar of a computation."""
        self._clock, self._label, self._total, self._last = Clock(total), label, total, 0.0
        if self._page is None:
            self._page = self._show(self._html(0, ""))
        else:
            self._page.update(self._html(0, ""))

    def update(self, done: float, text: str = "") -> None:
        """Move the bar to ``done``, if it was last moved at least ``interval`` seconds ago."""
        now = time.monotonic()
        if self._page is not None and now - self._last >= self._interval:
            self._last = now
            self._page.update(self._html(done, text))

    def end(self) -> None:
        """Remove the bar; what was found stays."""
        if self._page is not None:
            self._page.update(f"<div>{self._findings()}</div>")

    def say(self, text: str) -> None:
        """Put the finding above the bar."""
        self._said.append(printable(text))
        if self._page is None:
            self._page = self._show(f"<div>{self._findings()}</div>")

    def _findings(self) -> str:
        return "<br>".join(escape(text) for text in self._said)

    def _html(self, done: float, text: str) -> str:
        share = min(done / self._total, 1.0) if self._total else 0.0
        left = self._clock.left(done)
        words = (self._label, self._clock.share(done), printable(text), f"{left} left" if left else "")
        bar = f'<progress max="1" value="{share:.3f}"></progress> '
        above = self._findings() + "<br>" * bool(self._said)
        return f"<div>{above}{bar}{escape(' '.join(word for word in words if word))}</div>"


def _in_notebook(html: str) -> Any:
    """Show HTML below the cell, and return what changes it."""
    display = sys.modules["IPython"].display
    handle = display.display(display.HTML(html), display_id=True)
    return _Handle(handle, display.HTML)


class _Handle:
    """Changes HTML that a notebook shows."""

    def __init__(self, handle: Any, html: Callable[[str], Any]) -> None:
        self._handle, self._html = handle, html

    def update(self, html: str) -> None:
        self._handle.update(self._html(html))


class _Page:
    """Prints what a notebook would show; for examples."""

    def __init__(self, html: str) -> None:
        sys.stdout.write(f"{html}\n")

    update = __init__


class Both:
    """Show progress in two places, such as the terminal and a file; the findings shown are kept in ``said``.

    Parameters
    ----------
    first, second : Progress
        The places.

    Examples
    --------
    >>> both = Both(Silent(), Lines(sys.stdout, interval=0))
    >>> both.begin(2, "windows")
    windows
    """

    def __init__(self, first: Progress, second: Progress) -> None:
        self._places = (first, second)
        self.said: list[str] = []

    def begin(self, total: float, label: str) -> None:
        """Start a computation in both places."""
        for place in self._places:
            place.begin(total, label)

    def update(self, done: float, text: str = "") -> None:
        """Show in both places how much is done."""
        for place in self._places:
            place.update(done, text)

    def end(self) -> None:
        """Finish the computation in both places."""
        for place in self._places:
            place.end()

    def say(self, text: str) -> None:
        """Show the finding in both places."""
        self.said.append(text)
        for place in self._places:
            place.say(text)


class Clock:
    """Share of a computation that is done, and the time that is left.

    Parameters
    ----------
    total : int or float
        As in `matlens.hooks.Progress.begin`.

    Examples
    --------
    >>> Clock(200).share(50), Clock(2.0).share(0.5)
    ('50/200', '25 %')
    """

    def __init__(self, total: float) -> None:
        self._total, self._start = total, time.monotonic()
        self._first: float | None = None

    def share(self, done: float) -> str:
        """Return steps as a fraction, and an amount of work in percent.

        Parameters
        ----------
        done : int or float
            Steps or work done.

        Returns
        -------
        str
            The share in words.
        """
        if isinstance(self._total, int):
            return f"{done:.0f}/{self._total}"
        return f"{done / self._total:.0%}".replace("%", " %") if self._total > 0 else ""

    def left(self, done: float) -> str:
        """Return the time that is left in words; nothing before 2 % of the work has shown how fast it goes.

        Parameters
        ----------
        done : int or float
            Steps or work done.

        Returns
        -------
        str
            The time, such as ``about 3 min 20 s``.
        """
        if self._first is None:  # resumed work starts in the middle, and the speed is that of this process
            self._first = max(done - 1, 0) if isinstance(self._total, int) else done
        gone, spent = done - self._first, time.monotonic() - self._start
        if gone <= 0 or gone < _KNOWN * self._total:
            return ""
        return _duration(spent / gone * max(self._total - done, 0))


_KNOWN = 0.02  # share of the work that shows how fast it goes


def _duration(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), 60)
    if minutes:
        return f"about {minutes} min {whole} s"
    return f"about {whole} s" if whole else "less than 1 s"
