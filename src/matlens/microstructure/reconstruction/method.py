"""Base class of the methods of reconstruction.

A method is a frozen dataclass whose fields are its options. It checks the exemplars before any long computation, learns
from them once, and makes one realisation per `Task`. Fractions, seeds, checkpoints and results are common to all
methods: `matlens.microstructure.reconstruction.realisations`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Arrays, NoStore, Progress, Silent, StateStore
from matlens.microstructure.reconstruction.anchors import Known
from matlens.microstructure.reconstruction.phases import phase_counts
from matlens.microstructure.reconstruction.result import realisation_key
from matlens.microstructure.reconstruction.sections import Realisability
from matlens.microstructure.structure import Microstructure

__all__ = ["NO_WISHES", "Made", "Maker", "Method", "Prepared", "Task", "Wishes"]

INTERRUPTED = "interrupted before its end; resume the run to finish it"


@dataclass
class Task:
    """One realisation to make.

    Attributes
    ----------
    shape : tuple of int
        Pixels along each axis.
    fractions : ndarray, shape (K,)
        Volume fractions wanted.
    seed, realisation : int
        Seed and number of the realisation; random numbers depend on nothing else.
    n : int
        Number of realisations.
    like_exemplar : bool
        Whether the fractions are the exemplars' own and not the user's.
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
        """Number of pixels of each phase, shape (K,), with the sum of all pixels."""
        return phase_counts(self.fractions, int(np.prod(self.shape)))

    def random(self, *purpose: int) -> np.random.Generator:
        """Return a random generator of this realisation.

        Parameters
        ----------
        *purpose : int
            Numbers that make generators independent of each other.

        Returns
        -------
        numpy.random.Generator
            The same generator at every call with the same numbers.
        """
        return np.random.default_rng([self.seed, self.realisation, *purpose])

    def load(self) -> Arrays | None:
        """Return the state saved last for this realisation.

        Returns
        -------
        dict of str to ndarray, or None
            None where the realisation has to start anew.
        """
        return self.checkpoint.load(self.key)

    def save(self, state: Callable[[], Arrays]) -> None:
        """Offer the state for saving, as often as is convenient.

        Parameters
        ----------
        state : callable
            Returns the state, arrays by name; it is called only when the state is saved. Its entry ``"labels"`` is the
            best microstructure so far and becomes the partial result of an interruption. The state must hold all that
            the rest of the work depends on, random generators included, so that a resumed run gives the same bytes.
        """
        self.offer(lambda: _partial(state()))
        self.checkpoint.save(self.key, state)

    def offer(self, made: Callable[[], Made | None]) -> None:
        """Set the function that makes the partial result on an interruption; it is called only then.

        Parameters
        ----------
        made : callable
            Returns the partial result, or None.
        """
        self._partial = made

    def partial(self) -> Made | None:
        """Return the partial result of an interruption.

        Returns
        -------
        Made or None
            None where there is no result yet.
        """
        return None if self._partial is None else self._partial()


def _partial(state: Arrays) -> Made | None:
    labels = state.get("labels")
    return None if labels is None else Made(np.asarray(labels, dtype=np.uint8), INTERRUPTED)


@dataclass(frozen=True)
class Made:
    """One realisation, with facts on how it was made.

    Attributes
    ----------
    labels : ndarray of uint8
        Phase labels of the task's shape. If their fractions differ from the task's, the caller flips interface pixels
        until they agree.
    status : str
        Reason why the work ended, in a few words.
    periodic : bool
        Whether opposite borders continue each other.
    evaluations : int
        Number of steps, of whatever kind the method counts (swaps proposed, pixels drawn).
    history : ndarray, shape (rows, 3 + terms)
        Number in ``stages``, step, total loss, and weighted mismatch of each term; empty if there is no loss.
    terms, stages : tuple of str
        Names of the terms, and of the stages, in ``history``.
    notes : tuple of str
        Remarks on the realisation, one sentence each.
    counts : mapping of str to int
        Numbers to report for all realisations together, by a sentence with ``{}`` in their place; zeros are left out.
    fraction_before : ndarray, shape (K,), optional
        Volume fractions before phases were decoded; by default those of the labels.

    Examples
    --------
    >>> Made(np.eye(4, dtype=np.uint8), "all blocks laid", periodic=True).evaluations
    0
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
    """Method with checked exemplars and resolved settings, before any long computation.

    Attributes
    ----------
    choices : dict of str to object
        Every setting with its resolved value, of plain types.
    notes : tuple of str
        Remarks on the settings, one sentence each.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> from matlens.microstructure.reconstruction import find_method
    >>> find_method("gaussian-field").prepare([bicontinuous((64, 64), seed=1)], (32, 32), seed=0).choices
    {'options': {'reach': 0}, 'device': 'cpu'}
    """

    choices: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def seconds_per_pixel(self) -> float:
        """Processor time of one realisation per pixel, in seconds, measured on one thread."""
        return 0.0

    @property
    def bytes_per_pixel(self) -> float:
        """Memory per pixel, in bytes."""
        return 0.0

    @property
    def one_thread(self) -> bool:
        """Whether a realisation computes on one thread, so that several of them can be made side by side."""
        return False

    @abstractmethod
    def learn(self) -> Maker:
        """Measure the exemplars once for all realisations.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """


@dataclass(frozen=True)
class Wishes:
    """What is asked of a volume besides sections, shape and fractions.

    Attributes
    ----------
    known : ndarray of int16, optional
        Labels of the known voxels, ``FREE`` elsewhere; only methods that hold planes are asked for it.
    nearest : Realisability, optional
        The two-point target that an isotropic volume can have, instead of the sections' own.

    Examples
    --------
    >>> Wishes().known is None
    True
    """

    known: Known | None = field(default=None, repr=False)
    nearest: Realisability | None = None


NO_WISHES = Wishes()

Work = TypeVar("Work", bound=Prepared, covariant=True)


class Method(ABC, Generic[Work]):
    """Method of reconstruction; subclasses are frozen dataclasses whose fields are options of plain types.

    A new method is a subclass in a file of its own and one line in `matlens.microstructure.reconstruction.methods`.

    Attributes
    ----------
    name : str
        Value of ``method=`` and ``--method``.
    citations : tuple of str
        Keys in runs/citations.bib.
    seconds_per_pixel : float
        Processor time of one realisation for each pixel, in seconds: docs/results.md, at 128 x 128 on one thread.
    takes_masks : bool
        Whether it learns from all known pixels of an exemplar; otherwise it is given the largest rectangle without
        masked ones.
    holds_planes : bool
        Whether it keeps known planes of a volume.
    takes_nearest : bool
        Whether it can aim at the nearest two-point function that an isotropic volume can have.

    Examples
    --------
    >>> from matlens.microstructure.reconstruction import find_method
    >>> method: Method = find_method("quilting")
    >>> method.name, method.citations
    ('quilting', ('efros2001image',))
    """

    name: ClassVar[str]
    citations: ClassVar[tuple[str, ...]] = ()
    seconds_per_pixel: ClassVar[float] = 1e-5
    takes_masks: ClassVar[bool] = False
    holds_planes: ClassVar[bool] = False
    takes_nearest: ClassVar[bool] = False

    @abstractmethod
    def prepare(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Work:
        """Check exemplars and options, and resolve every setting.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars of one number of phases and spacing, with at least two phases, none of which is empty in all
            exemplars; the caller has checked this.
        shape : sequence of int
            Pixels of the result along each axis.
        seed : int
            Seed of all random numbers.

        Returns
        -------
        Prepared
            The method, ready to learn from the exemplars.

        Raises
        ------
        InputError
            If the method or an option does not suit the exemplars.
        ResourceError
            If weights or a package that the method needs are missing.
        """

    def prepare_volume(
        self,
        exemplars: Sequence[Microstructure],
        sections: Sequence[Sequence[int]],
        shape: Sequence[int],
        seed: int,
        wishes: Wishes = NO_WISHES,
    ) -> Work:
        """Check exemplars and options for a volume, and resolve every setting.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars as for `prepare`; rows and columns are axes of the volume in their order.
        sections : sequence of sequence of int
            For each axis of the volume, the numbers of the exemplars that planes normal to it resemble; none where
            nothing is known of them.
        shape : sequence of int
            Depth, height and width of the result in pixels.
        seed : int
            Seed of all random numbers.
        wishes : Wishes
            What is asked for besides.

        Returns
        -------
        Prepared
            The method, ready to learn from the exemplars.

        Raises
        ------
        InputError
            If the method makes planes only, or does not suit the exemplars.
        """
        raise InputError(
            f"method {self.name!r} makes planes only; give height and width, or choose 'matching' for a volume."
        )
