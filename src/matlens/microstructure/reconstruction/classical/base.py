"""Base class of the classical methods, which need no network and compute on the processor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from matlens.errors import InputError
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

    @property
    def seconds_per_pixel(self) -> float:
        return self.method.seconds_per_pixel

    def learn(self) -> Maker:
        return self.method.learn(self.exemplars, self.shape, self.seed)


class Classical(Method[Prepared]):
    """Method of reconstruction without a network; it computes on the processor.

    Attributes
    ----------
    from_sections : bool
        Whether it makes volumes from sections; otherwise the result has as many axes as the exemplars.

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
        if len(shape) != axes and not (self.from_sections and (axes, len(shape)) == (2, 3)):
            raise InputError(
                f"method {self.name!r} was asked for a result of {len(shape)} axes from exemplars of {axes}, which it "
                "cannot make; choose a shape of as many axes or another method."
            )
        notes = self.check(exemplars, shape)
        choices = {"options": options_of(self), "device": "cpu"}
        return _Learning(choices, notes, self, tuple(exemplars), tuple(shape), seed)

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
            If the method makes planes only, or sections differ between axes, or the method does not suit them.
        """
        if not self.from_sections:
            return super().prepare_volume(exemplars, sections, shape, seed)
        if any(tuple(own) != tuple(sections[0]) for own in sections):
            raise InputError(
                f"method {self.name!r} makes isotropic volumes only; give sections without names of planes, or choose "
                "'matching'."
            )
        return self.prepare(exemplars, shape, seed)
