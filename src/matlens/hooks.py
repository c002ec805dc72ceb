"""What long work calls while it runs: progress and checkpoints, as objects passed in.

Nothing below ``matlens.runs`` prints or decides where files go; ``matlens.runs`` brings the objects that do, and the
classes here that do nothing are the defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Checkpoint", "NoCheckpoint", "Progress", "Silent"]

Arrays = dict[str, NDArray[np.generic]]


class Progress(Protocol):
    """Told how far the work is."""

    def begin(self, total: int, label: str) -> None:
        """Start a piece of work of ``total`` steps, named ``label``."""

    def advance(self, done: int, loss: float, detail: str) -> None:
        """Report ``done`` of ``total`` steps, the present loss (NaN: none), and e.g. the level in words."""

    def end(self) -> None:
        """Finish the piece of work, whether or not ``total`` was reached."""


class Silent:
    """Progress that says nothing.

    Examples
    --------
    >>> Silent().begin(10, "realisation 1") is None
    True
    """

    def begin(self, total: int, label: str) -> None:
        """Ignore."""

    def advance(self, done: int, loss: float, detail: str) -> None:
        """Ignore."""

    def end(self) -> None:
        """Ignore."""


class Checkpoint(Protocol):
    """Keeps the engine's explicit state, so that work goes on where it stopped with the same bytes."""

    def load(self, realisation: int) -> Arrays | None:
        """Return the state last saved for this realisation, or None."""

    def save(self, realisation: int, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Save ``state()`` if it is time to (always with ``force``); ``state`` is not called otherwise."""

    def finished(self, realisation: int, labels: NDArray[np.uint8], record: Arrays) -> None:
        """Keep a finished realisation and what was learned on the way (loss history, ...)."""

    def result(self, realisation: int) -> tuple[NDArray[np.uint8], Arrays] | None:
        """Return a finished realisation, or None when it is still to be made."""


class NoCheckpoint:
    """Checkpoint that keeps nothing.

    Examples
    --------
    >>> NoCheckpoint().load(0) is None
    True
    """

    def load(self, realisation: int) -> Arrays | None:
        """Return None: nothing is kept."""
        return None

    def save(self, realisation: int, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Ignore."""

    def finished(self, realisation: int, labels: NDArray[np.uint8], record: Arrays) -> None:
        """Ignore."""

    def result(self, realisation: int) -> tuple[NDArray[np.uint8], Arrays] | None:
        """Return None: nothing is kept."""
        return None
