"""The count of a pool's tasks, shown as one line of progress over all workers."""

from __future__ import annotations

import time
from collections import Counter

from matlens.errors import RunError
from matlens.hooks import Progress
from matlens.runs.pool import Work
from matlens.runs.serving import Answer
from matlens.runs.tasks import running

__all__ = ["Tally"]

_LOOK = 1.0  # seconds between two looks at the heartbeats
_SHOWN = 2  # running tasks in a line


class Tally:
    """Count answers, and show them with what is running.

    Parameters
    ----------
    work : Work
        The work.
    left : int
        Number of its tasks that are not done.
    progress : Progress
        Shows the count.

    Raises
    ------
    RunError
        From `add`, at the first answer that refuses the whole work.

    Examples
    --------
    >>> from pathlib import Path
    >>> from matlens.hooks import Silent
    >>> tally = Tally(Work(Path("run"), "square", {"two": "two.json"}, print, "squares"), 1, Silent())
    >>> tally.add(Answer("two", "failed", "it is no number"))
    >>> tally.failed
    {'two': 'it is no number'}
    """

    def __init__(self, work: Work, left: int, progress: Progress) -> None:
        self.failed: dict[str, str] = {}
        self._work, self._progress = work, progress
        self._done = len(work.files) - left
        self._looked = 0.0
        progress.begin(len(work.files), work.label)

    def add(self, answer: Answer) -> None:
        """Count a task.

        Parameters
        ----------
        answer : Answer
            What became of it.
        """
        if answer.state == "refused":
            raise RunError(answer.reason)
        if answer.state == "failed":
            self.failed[answer.key] = answer.reason
        self._done += 1
        self.show()

    def show(self) -> None:
        """Show the count and what is running, at most once a second."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        found = running(self._work.root, self._work.name)
        hosts = Counter(holder.host for holder in found.values())
        words = [f"{len(found)} running" + (f" on {len(hosts)} machines" if len(hosts) > 1 else "")] if found else []
        words += [f"{key} ({holder.text})" if holder.text else key for key, holder in list(found.items())[:_SHOWN]]
        words += [f"{len(self.failed)} failed"] if self.failed else []
        self._progress.update(self._done, "; ".join(words))

    def end(self) -> None:
        """Close the line."""
        self._progress.update(self._done)
        self._progress.end()
