"""The progress of a run as a small file, which other processes read while the run works."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from matlens.core.atomic import open_plain, replace_file
from matlens.core.user_text import printable
from matlens.errors import RunError
from matlens.runs.manifest import STATE
from matlens.runs.progress import Clock

__all__ = ["ProgressFile", "progress_of"]

_NAME = "progress.json"
_MOST = 1 << 20  # bytes that are read of a file that somebody else may have written
_SAID = 12  # findings that are kept, the last ones


class ProgressFile:
    """Progress that is written to ``.state/progress.json`` of a run.

    The file is no result: it is not in the list of the run's files, and a run that cannot write it goes on.

    Parameters
    ----------
    root : Path
        The run directory, which has its ``.state``.
    interval : float
        Least number of seconds between two writes of how much is done.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / ".state").mkdir()
    >>> shown = ProgressFile(root, interval=0)
    >>> shown.begin(200, "realisation 1 of 1")
    >>> shown.update(50, "loss 0.125")
    >>> found = progress_of(root)
    >>> found["label"], found["done"], found["total"], found["text"]
    ('realisation 1 of 1', 50, 200, 'loss 0.125')
    """

    def __init__(self, root: Path, *, interval: float = 1.0) -> None:
        self._root, self._interval, self._last = root, interval, 0.0
        self._clock = Clock(0)
        self._facts: dict[str, Any] = {"label": "", "done": 0, "total": 0, "share": "", "text": "", "left": ""}
        self._said: list[str] = []

    def begin(self, total: float, label: str) -> None:
        """Start the clock of a computation, and write its name."""
        self._clock = Clock(total)
        self._facts |= {"label": printable(label), "done": 0, "total": total, "share": "", "text": "", "left": ""}
        self._write()

    def update(self, done: float, text: str = "") -> None:
        """Write how much is done, if that was last written at least ``interval`` seconds ago."""
        if time.monotonic() - self._last < self._interval:
            return
        self._facts |= {
            "done": done,
            "share": self._clock.share(done),
            "text": printable(text),
            "left": self._clock.left(done),
        }
        self._write()

    def end(self) -> None:
        """Write that all of the computation is done."""
        self._facts |= {"done": self._facts["total"], "text": "", "left": ""}
        self._write()

    def say(self, text: str) -> None:
        """Write the finding at once."""
        self._said = [*self._said, printable(text)][-_SAID:]
        self._write()

    def _write(self) -> None:
        self._last = time.monotonic()
        content = json.dumps({**self._facts, "said": self._said, "at": round(time.time(), 1)}).encode()
        with suppress(RunError):  # a full disk stops the run where it stores results, with a sentence on that
            replace_file(self._root / STATE / _NAME, content)


def progress_of(root: Path) -> dict[str, Any] | None:
    """Read how far a run has come.

    Parameters
    ----------
    root : Path
        The run directory.

    Returns
    -------
    dict or None
        ``label``, ``done`` and ``total``, their ``share`` and the time ``left`` in words, ``text``, the last findings
        (``said``) and when that was written (``at``, seconds since 1970); None if the run has not written it.

    Examples
    --------
    >>> progress_of(Path("nowhere")) is None
    True
    """
    try:
        with open(open_plain(root / STATE / _NAME, os.O_RDONLY), "rb") as file:
            content = json.loads(file.read(_MOST))
    except (OSError, RunError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
