"""What long work calls while it runs: progress and a store of its state, as objects passed in.

Nothing below ``matlens.runs`` prints or decides where files go; ``matlens.runs`` brings the objects that do, and the
classes here that do nothing are the defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Labelled", "NoStore", "Progress", "Silent", "StateStore"]

Arrays = dict[str, NDArray[np.generic]]


class Progress(Protocol):
    """Shows how far a piece of work is."""

    def begin(self, total: int, label: str) -> None:
        """Start a piece of work of ``total`` steps, named ``label``."""

    def update(self, done: int, text: str = "") -> None:
        """Show that ``done`` of ``total`` steps are done, and where the work stands, e.g. its loss and level."""

    def end(self) -> None:
        """Finish the piece of work, whether or not ``total`` was reached."""


class Silent:
    """Progress that shows nothing.

    Examples
    --------
    >>> Silent().begin(10, "realisation 1") is None
    True
    """

    def begin(self, total: int, label: str) -> None:
        """Ignore."""

    def update(self, done: int, text: str = "") -> None:
        """Ignore."""

    def end(self) -> None:
        """Ignore."""


class Labelled:
    """Progress that says what each piece of work belongs to.

    Parameters
    ----------
    progress : Progress
        Shows the work.
    label : str
        Stands before the label of each piece of work.

    Examples
    --------
    >>> Labelled(Silent(), "alloy, pool1").begin(10, "realisation 1") is None
    True
    """

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress, self._label = progress, label
        self.update, self.end = progress.update, progress.end

    def begin(self, total: int, label: str) -> None:
        """Start a piece of work under both labels."""
        self._progress.begin(total, f"{self._label}, {label}")


class StateStore(Protocol):
    """Stores arrays under keys, so that interrupted work resumes where it stopped and ends with the same bytes.

    A key has a state while its work is under way, and a result once it is finished. Keys are usable as names of files.
    """

    def load(self, key: str) -> Arrays | None:
        """Return the state last saved under ``key``, or None."""

    def save(self, key: str, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Save ``state()`` if it is time to (always with ``force``); ``state`` is not called otherwise."""

    def drop(self, key: str) -> None:
        """Remove the state saved under ``key``, if there is one."""

    def finish(self, key: str, result: Arrays) -> None:
        """Store the result of finished work under ``key``, and drop its state."""

    def result(self, key: str) -> Arrays | None:
        """Return the result stored under ``key``, or None while the work is still to be done."""


class NoStore:
    """State store that stores nothing.

    Examples
    --------
    >>> NoStore().load("realisation_0") is None
    True
    """

    def load(self, key: str) -> Arrays | None:
        """Return None: nothing is stored."""
        return None

    def save(self, key: str, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Ignore."""

    def drop(self, key: str) -> None:
        """Ignore."""

    def finish(self, key: str, result: Arrays) -> None:
        """Ignore."""

    def result(self, key: str) -> Arrays | None:
        """Return None: nothing is stored."""
        return None
