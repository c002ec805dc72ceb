"""What the classical methods share: a quick check, then learning from the exemplars, on the processor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from matlens.microstructure.reconstruction.method import Maker, Method, Prepared
from matlens.microstructure.reconstruction.methods import options_of
from matlens.microstructure.structure import Microstructure

__all__ = ["Classical"]


@dataclass(frozen=True)
class _Learning(Prepared):
    """A classical method with its exemplars, before it has learned from them."""

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
    """A method without a network; it works on the processor."""

    @abstractmethod
    def check(self, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> tuple[str, ...]:
        """Raise InputError if the method or an option does not suit the exemplars; return notes. Quick."""

    @abstractmethod
    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Measure what is needed, once for all realisations, and return what makes one."""

    def prepare(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Prepared:
        """Check, and leave learning for later."""
        notes = self.check(exemplars, shape)
        choices = {"options": options_of(self), "device": "cpu"}
        return _Learning(choices, notes, self, tuple(exemplars), tuple(shape), seed)
