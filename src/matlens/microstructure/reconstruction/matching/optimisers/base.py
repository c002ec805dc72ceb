"""What an optimiser is: explicit state in, explicit state out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.hooks import Arrays

__all__ = ["Arrays", "Objective", "Optimiser", "OptimiserState", "tensor"]

Objective = Callable[[Tensor], tuple[float, Tensor]]
"""A point to its value and gradient."""


class OptimiserState(Protocol):
    """Where an optimiser stands."""

    @property
    def x(self) -> Tensor:
        """The point."""

    @property
    def loss(self) -> float:
        """The value there."""

    @property
    def evaluations(self) -> int:
        """Evaluations so far."""

    @property
    def stuck(self) -> bool:
        """Whether no step makes it better."""

    def arrays(self) -> Arrays:
        """Everything as NumPy arrays."""


class Optimiser(Protocol):
    """Takes steps; holds settings only."""

    def start(self, x: Tensor, objective: Objective) -> Any:
        """State at the start."""

    def step(self, state: Any, objective: Objective) -> Any:
        """State after one iteration."""

    def restore(self, arrays: Arrays, like: Tensor) -> Any:
        """State from its arrays."""


def tensor(array: NDArray[Any], like: Tensor) -> Tensor:
    """An array as a tensor of the type and on the device of another."""
    return torch.from_numpy(array.copy()).to(like)
