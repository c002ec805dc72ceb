"""What a baseline is: another way to a microstructure, called and kept like the matching engine.

A baseline is a frozen dataclass whose fields are its options. It checks the exemplars before anything is computed,
learns from them once, and makes one realisation a `Task`. What is around it (fractions, seeds, checkpoints, results) is
common to all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from matlens.hooks import Arrays, NoStore, Progress, Silent, StateStore
from matlens.microstructure.reconstruction.phases import phase_counts
from matlens.microstructure.reconstruction.result import realisation_key
from matlens.microstructure.structure import Microstructure

__all__ = ["Baseline", "Made", "Maker", "Task"]


@dataclass
class Task:
    """One realisation to make.

    Attributes
    ----------
    shape : tuple of int
        Pixels along each axis.
    fractions : ndarray
        Volume fractions asked for, shape (K,).
    seed, realisation : int
        What random numbers depend on, and nothing else.
    progress : Progress
        Begun and updated by the baseline, ended by the caller.
    checkpoint : StateStore
        Used through `load` and `save`.

    Examples
    --------
    >>> task = Task((4, 4), np.array([0.25, 0.75]), seed=0)
    >>> task.counts
    array([ 4, 12])
    """

    shape: tuple[int, ...]
    fractions: NDArray[np.float64]
    seed: int
    realisation: int = 0
    progress: Progress = field(default_factory=Silent)
    checkpoint: StateStore = field(default_factory=NoStore)
    _latest: Callable[[], Arrays] | None = field(default=None, init=False, repr=False)

    @property
    def key(self) -> str:
        """Key of this realisation in a state store."""
        return realisation_key(self.realisation)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels asked for each phase, shape (K,), summing to the number of pixels."""
        return phase_counts(self.fractions, int(np.prod(self.shape)))

    def random(self, *purpose: int) -> np.random.Generator:
        """Give a generator of this realisation; numbers in ``purpose`` make independent ones."""
        return np.random.default_rng([self.seed, self.realisation, *purpose])

    def load(self) -> Arrays | None:
        """Return the state last saved for this realisation, or None: then begin anew."""
        return self.checkpoint.load(self.key)

    def save(self, state: Callable[[], Arrays]) -> None:
        """Offer the state, as often as is convenient; ``state()`` is called only when it is time to write it.

        Its entry ``"labels"`` is the best microstructure so far and becomes the partial result of an interruption. All
        that the rest of the work depends on must be in it (generators too), so that a resumed run ends with the same
        bytes.
        """
        self._latest = state
        self.checkpoint.save(self.key, state)

    def partial(self) -> NDArray[np.uint8] | None:
        """Labels of the state offered last, or None."""
        labels = None if self._latest is None else self._latest().get("labels")
        return None if labels is None else np.asarray(labels, dtype=np.uint8)


@dataclass(frozen=True)
class Made:
    """One realisation and how it came about.

    Attributes
    ----------
    labels : ndarray of uint8
        Of the task's shape. Where fractions differ from the task's, the caller flips interface pixels until they agree.
    status : str
        Why the work ended, in a few words.
    periodic : bool
        Whether opposite borders continue each other.
    evaluations : int
        Steps of whatever kind the method counts (swaps proposed, pixels drawn, ...).
    history : ndarray, shape (rows, 3 + terms)
        Number in ``stages``, step, total loss, and each term's share of it; empty where there is no loss.
    terms, stages : tuple of str
        Names for the columns and the first column of ``history``.
    notes : tuple of str
        What a reader should know.
    """

    labels: NDArray[np.uint8]
    status: str
    periodic: bool = False
    evaluations: int = 0
    history: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    terms: tuple[str, ...] = ()
    stages: tuple[str, ...] = ("full size",)
    notes: tuple[str, ...] = ()


Maker = Callable[[Task], Made]


class Baseline(Protocol):
    """A method of reconstruction; implemented by frozen dataclasses whose fields are options of plain types."""

    name: ClassVar[str]  # what ``method=`` and ``--method`` say
    citations: ClassVar[tuple[str, ...]]  # keys in runs/citations.bib

    def check(self, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> tuple[str, ...]:
        """Raise InputError if the method or an option does not suit the exemplars; return notes. Quick.

        Known already: at least two phases, none of them empty in all exemplars, one number of phases and spacing.
        """

    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Measure what is needed, once for all realisations, and return what makes one."""
