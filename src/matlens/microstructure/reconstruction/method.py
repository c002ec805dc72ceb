"""What a method of reconstruction is: its options, what it prepares, and what makes one realisation.

A method is a frozen dataclass whose fields are its options. It checks the exemplars before anything long is computed,
learns from them once, and makes one realisation a `Task`. What is around it (fractions, seeds, checkpoints, results) is
common to all: `matlens.microstructure.reconstruction.realisations`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from matlens.hooks import Arrays, NoStore, Progress, Silent, StateStore
from matlens.microstructure.reconstruction.phases import phase_counts
from matlens.microstructure.reconstruction.result import realisation_key
from matlens.microstructure.structure import Microstructure

__all__ = ["Made", "Maker", "Method", "Prepared", "Task"]

INTERRUPTED = "interrupted before its end; resume the run to finish it"


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
    n : int
        How many realisations are made.
    like_exemplar : bool
        Whether the fractions are the exemplars' own, and not the user's.
    progress : Progress
        Begun and updated by the method, ended by the caller.
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
    n: int = 1
    like_exemplar: bool = True
    progress: Progress = field(default_factory=Silent)
    checkpoint: StateStore = field(default_factory=NoStore)
    _partial: Callable[[], Made | None] | None = field(default=None, init=False, repr=False)

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
        self.offer(lambda: _partial(state()))
        self.checkpoint.save(self.key, state)

    def offer(self, made: Callable[[], Made | None]) -> None:
        """Name what makes the partial result if the work is interrupted now; it is called only then."""
        self._partial = made

    def partial(self) -> Made | None:
        """Return the partial result of an interruption, or None where there is none yet."""
        return None if self._partial is None else self._partial()


def _partial(state: Arrays) -> Made | None:
    labels = state.get("labels")
    return None if labels is None else Made(np.asarray(labels, dtype=np.uint8), INTERRUPTED)


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
    counts : mapping of str to int
        Numbers to note for all realisations together, by a sentence with ``{}`` in their place; zeros are left out.
    fraction_before : ndarray, optional
        Volume fractions before phases were decoded, shape (K,); by default those of the labels.
    """

    labels: NDArray[np.uint8]
    status: str
    periodic: bool = False
    evaluations: int = 0
    history: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    terms: tuple[str, ...] = ()
    stages: tuple[str, ...] = ("full size",)
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    fraction_before: NDArray[np.float64] | None = None


Maker = Callable[[Task], Made]


@dataclass(frozen=True)
class Prepared(ABC):
    """A method after it has checked its exemplars: every choice resolved, nothing long computed.

    Attributes
    ----------
    choices : dict
        Every choice as it was resolved, of plain types.
    notes : tuple of str
        What a reader should know.
    """

    choices: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def seconds_per_pixel(self) -> float:
        """Processor time of one realisation for each pixel, in seconds, as measured on one thread."""
        return 0.0

    @property
    def bytes_per_pixel(self) -> float:
        """Memory for each pixel, in bytes."""
        return 0.0

    @abstractmethod
    def learn(self) -> Maker:
        """Measure what is needed, once for all realisations, and return what makes one."""


Work = TypeVar("Work", bound=Prepared, covariant=True)


class Method(ABC, Generic[Work]):
    """A method of reconstruction; subclasses are frozen dataclasses whose fields are options of plain types.

    A new method is a subclass in a file of its own and one line in `matlens.microstructure.reconstruction.methods`.

    Attributes
    ----------
    name : str
        What ``method=`` and ``--method`` take.
    citations : tuple of str
        Keys in runs/citations.bib.
    seconds_per_pixel : float
        Processor time of one realisation for each pixel, in seconds: docs/results.md, at 128 x 128 on one thread.
    """

    name: ClassVar[str]
    citations: ClassVar[tuple[str, ...]] = ()
    seconds_per_pixel: ClassVar[float] = 1e-5

    @abstractmethod
    def prepare(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Work:
        """Check exemplars and options and resolve every choice.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            At least two phases, none of them empty in all exemplars, one number of phases and spacing: this has been
            checked.
        shape : sequence of int
            Pixels along each axis of what is made.
        seed : int
            Of everything that is drawn.

        Raises
        ------
        InputError
            If the method or an option does not suit the exemplars.
        ResourceError
            If something that the method needs is not on this machine.
        """
