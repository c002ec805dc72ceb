"""Objects that long computations call while they run: `Progress` and `StateStore`.

Code below ``matlens.runs`` neither prints nor decides where files go. ``matlens.runs`` provides the objects that do;
`Silent` and `NoStore`, which do nothing, are the defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Labelled", "NoStore", "Progress", "Silent", "StateStore"]

Arrays = dict[str, NDArray[np.generic]]


class Progress(Protocol):
    """Show how far a computation has come; a protocol that `Silent`, `Labelled` and `matlens.runs.progress` follow.

    Examples
    --------
    >>> progress: Progress = Silent()
    >>> progress.begin(2, "realisation 1")
    >>> progress.update(1, "loss 0.125")
    >>> progress.end()
    """

    def begin(self, total: float, label: str) -> None:
        """Start a computation.

        Parameters
        ----------
        total : int or float
            Number of steps, all of which take about the same time; or the amount of work in any unit, as a float, where
            steps differ.
        label : str
            Name of the computation.
        """

    def update(self, done: float, text: str = "") -> None:
        """Show how much is done.

        Parameters
        ----------
        done : int or float
            Steps or work done, of ``total``.
        text : str
            State of the computation, e.g. its loss and level.
        """

    def end(self) -> None:
        """Finish the computation, whether or not ``total`` was reached."""

    def say(self, text: str) -> None:
        """Show a finding while the work goes on.

        Parameters
        ----------
        text : str
            One sentence, or the path of a file that is ready.
        """


class Silent:
    """Progress that shows nothing.

    Examples
    --------
    >>> Silent().begin(10, "realisation 1") is None
    True
    """

    def begin(self, total: float, label: str) -> None:
        """Do nothing."""

    def update(self, done: float, text: str = "") -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing."""


class Labelled:
    """Progress that puts a label before the label of each computation.

    Parameters
    ----------
    progress : Progress
        Shows the computation.
    label : str
        Text before the label of each computation, e.g. the names of material and layer.

    Examples
    --------
    >>> Labelled(Silent(), "alloy, pool1").begin(10, "realisation 1") is None
    True
    """

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress, self._label = progress, label
        self.update, self.end, self.say = progress.update, progress.end, progress.say

    def begin(self, total: float, label: str) -> None:
        """Start a computation under both labels.

        Parameters
        ----------
        total : int or float
            Number of steps, or amount of work.
        label : str
            Name of the computation, shown after the label of this object.
        """
        self._progress.begin(total, f"{self._label}, {label}")


class StateStore(Protocol):
    """Store arrays under keys, so that interrupted work resumes where it stopped and gives the same bytes.

    A key has a state while its work is under way, and a result once the work is finished. A key must be usable as the
    name of a file. A protocol, which `NoStore` and `matlens.runs.state_store.RunStateStore` follow.

    Examples
    --------
    >>> store: StateStore = NoStore()
    >>> store.save("realisation_0", lambda: {"x": np.zeros(3)})
    >>> store.result("realisation_0") is None
    True
    """

    def load(self, key: str) -> Arrays | None:
        """Return the state saved last under ``key``, or None where there is none.

        Parameters
        ----------
        key : str
            Key of the work.

        Returns
        -------
        dict of str to ndarray, or None
            State by the names that ``save`` was given.
        """

    def save(self, key: str, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Save the state if the last save is long enough ago.

        Parameters
        ----------
        key : str
            Key of the work.
        state : callable
            Returns the state, arrays by name; called only when the state is saved.
        force : bool
            Save in any case.
        """

    def show(self, key: str, labels: Callable[[], NDArray[np.generic]], *, force: bool = False) -> None:
        """Offer a picture of unfinished work, which is made if the last one is long enough ago.

        Parameters
        ----------
        key : str
            Key of the work.
        labels : callable
            Returns the phase labels so far, at any resolution; called only when the picture is made.
        force : bool
            Make it in any case.
        """

    def drop(self, key: str) -> None:
        """Remove the state saved under ``key``, if there is one.

        Parameters
        ----------
        key : str
            Key of the work.
        """

    def finish(self, key: str, result: Arrays) -> None:
        """Store the result of finished work under ``key`` and drop its state.

        Parameters
        ----------
        key : str
            Key of the work.
        result : dict of str to ndarray
            Result, arrays by name.
        """

    def result(self, key: str) -> Arrays | None:
        """Return the result stored under ``key``, or None while the work is not finished.

        Parameters
        ----------
        key : str
            Key of the work.

        Returns
        -------
        dict of str to ndarray, or None
            Result by the names that ``finish`` was given.
        """

    def share(self, keys: Sequence[str], make: Callable[[str], Arrays], label: str) -> None:
        """Let others finish the work under some keys, where there are others.

        Parameters
        ----------
        keys : sequence of str
            Keys of the work.
        make : callable
            Takes a key and returns its result, which depends on the key alone.
        label : str
            What the work is, in words.
        """


class NoStore:
    """State store that stores nothing.

    Examples
    --------
    >>> NoStore().load("realisation_0") is None
    True
    """

    def load(self, key: str) -> Arrays | None:
        """Return None, as nothing is stored."""
        return None

    def save(self, key: str, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Do nothing."""

    def show(self, key: str, labels: Callable[[], NDArray[np.generic]], *, force: bool = False) -> None:
        """Do nothing."""

    def drop(self, key: str) -> None:
        """Do nothing."""

    def finish(self, key: str, result: Arrays) -> None:
        """Do nothing."""

    def result(self, key: str) -> Arrays | None:
        """Return None, as nothing is stored."""
        return None

    def share(self, keys: Sequence[str], make: Callable[[str], Arrays], label: str) -> None:
        """Do nothing, as there is nobody."""
