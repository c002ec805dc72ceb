"""Base class of the classical methods, which need no network and compute on the processor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from matlens.errors import InputError
from matlens.microstructure.reconstruction.classical.sections_in_space import check_axes
from matlens.microstructure.reconstruction.method import NO_WISHES, Maker, Method, Prepared, Wishes
from matlens.microstructure.reconstruction.methods import options_of
from matlens.microstructure.structure import Microstructure

__all__ = ["Classical"]


@dataclass(frozen=True)
class _Learning(Prepared):
    """Classical method with its exemplars, before it has learned from them."""

    method: Classical
    exemplars: tuple[Microstructure, ...]
    shape: tuple[int, ...]
    seed: int
    sections: tuple[tuple[int, ...], ...] = ()

    @property
    def seconds_per_pixel(self) -> float:
        return self.method.seconds_per_pixel

    def learn(self) -> Maker:
        if self.sections:
            return self.method.learn_volume(self.exemplars, self.sections, self.shape, self.seed)
        return self.method.learn(self.exemplars, self.shape, self.seed)


class Classical(Method[Prepared]):
    """Method of reconstruction without a network; it computes on the processor.

    Attributes
    ----------
    from_sections : bool
        Whether it makes volumes from sections, by `learn_volume`.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> from matlens.microstructure.reconstruction import find_method
    >>> method = find_method("gaussian-field")
    >>> isinstance(method, Classical), method.check([bicontinuous((64, 64), seed=1)], (32, 32))
    (True, ())
    """

    from_sections: ClassVar[bool] = False

    @abstractmethod
    def check(self, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> tuple[str, ...]:
        """Check quickly whether the method and its options suit the exemplars.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.

        Returns
        -------
        tuple of str
            Remarks, one sentence each.

        Raises
        ------
        InputError
            If the method or an option does not suit the exemplars.
        ResourceError
            If a package that the method needs is missing.
        """

    @abstractmethod
    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Measure the exemplars once for all realisations.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.
        seed : int
            Seed of random choices.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """

    def learn_volume(
        self, exemplars: Sequence[Microstructure], sections: Sequence[Sequence[int]], shape: Sequence[int], seed: int
    ) -> Maker:
        """Measure the sections of a volume once for all realisations.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Sections; rows and columns are axes of the volume in their order.
        sections : sequence of sequence of int
            For each axis of the volume, the numbers of the sections normal to it.
        shape : sequence of int
            Depth, height and width of the result in pixels.
        seed : int
            Seed of random choices.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.

        Raises
        ------
        InputError
            If the method makes planes only, or the sections do not show what it needs.
        """
        raise InputError(f"method {self.name!r} makes planes only; give height and width, or choose 'matching'.")

    def prepare(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Prepared:
        """Check the exemplars; learning from them is left to the result.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.
        seed : int
            Seed of random choices.

        Returns
        -------
        Prepared
            The method, ready to learn.

        Raises
        ------
        InputError
            If the method or an option does not suit the exemplars.
        ResourceError
            If a package that the method needs is missing.
        """
        axes = exemplars[0].ndim
        if len(shape) != axes:
            raise InputError(
                f"method {self.name!r} was asked for a result of {len(shape)} axes from exemplars of {axes}, which it "
                "cannot make; choose a shape of as many axes or another method."
            )
        return self._prepared(exemplars, shape, seed, ())

    def _prepared(
        self,
        exemplars: Sequence[Microstructure],
        shape: Sequence[int],
        seed: int,
        sections: tuple[tuple[int, ...], ...],
    ) -> Prepared:
        notes = self.check(exemplars, shape)
        choices = {"options": options_of(self), "device": "cpu"}
        return _Learning(choices, notes, self, tuple(exemplars), tuple(shape), seed, sections)

    def prepare_volume(
        self,
        exemplars: Sequence[Microstructure],
        sections: Sequence[Sequence[int]],
        shape: Sequence[int],
        seed: int,
        wishes: Wishes = NO_WISHES,
    ) -> Prepared:
        """Check exemplars and options for a volume.

        Parameters
        ----------
        exemplars, sections, shape, seed, wishes
            As for every method.

        Returns
        -------
        Prepared
            The method, ready to learn from the exemplars.

        Raises
        ------
        InputError
            If the method makes planes only, or does not suit the sections.
        """
        if not self.from_sections:
            return super().prepare_volume(exemplars, sections, shape, seed)
        check_axes(sections)
        return self._prepared(exemplars, shape, seed, tuple(tuple(own) for own in sections))
