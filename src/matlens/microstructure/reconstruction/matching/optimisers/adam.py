"""Adam with an explicit state."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from matlens.microstructure.reconstruction.matching.optimisers.base import Arrays, Objective, tensor

__all__ = ["Adam", "AdamState"]


@dataclass(frozen=True)
class AdamState:
    """Point, value there, and the running moments of the gradient."""

    x: Tensor
    loss: float
    gradient: Tensor
    evaluations: int
    first: Tensor
    second: Tensor
    stuck: bool = False

    def arrays(self) -> Arrays:
        """Everything as NumPy arrays."""
        return {
            "x": self.x.cpu().numpy(),
            "loss": torch.tensor(self.loss, dtype=torch.float64).numpy(),
            "gradient": self.gradient.cpu().numpy(),
            "evaluations": torch.tensor(self.evaluations).numpy(),
            "first": self.first.cpu().numpy(),
            "second": self.second.cpu().numpy(),
        }


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, arXiv:1412.6980): one evaluation a step.

    Examples
    --------
    >>> def quadratic(x):
    ...     return float((x**2).sum()), 2 * x
    >>> optimiser = Adam(rate=0.5)
    >>> state = optimiser.start(torch.tensor([3.0]), quadratic)
    >>> for _ in range(60):
    ...     state = optimiser.step(state, quadratic)
    >>> abs(float(state.x)) < 0.2
    True
    """

    rate: float = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
    bounds: tuple[float, float] | None = None

    def start(self, x: Tensor, objective: Objective) -> AdamState:
        """Evaluate at the start, moved within the bounds."""
        x = x if self.bounds is None else x.clamp(*self.bounds)
        loss, gradient = objective(x)
        return AdamState(x, loss, gradient, 1, torch.zeros_like(x), torch.zeros_like(x))

    def step(self, state: AdamState, objective: Objective) -> AdamState:
        """One step along the scaled mean gradient."""
        b1, b2 = self.betas
        first = b1 * state.first + (1 - b1) * state.gradient
        second = b2 * state.second + (1 - b2) * state.gradient.square()
        count = state.evaluations
        x = state.x - self.rate * (first / (1 - b1**count)) / ((second / (1 - b2**count)).sqrt() + 1e-8)
        if self.bounds is not None:
            x = x.clamp(*self.bounds)
        loss, gradient = objective(x)
        return AdamState(x, loss, gradient, count + 1, first, second)

    def restore(self, arrays: Arrays, like: Tensor) -> AdamState:
        """Rebuild a state from its arrays."""
        return AdamState(
            tensor(arrays["x"], like),
            float(arrays["loss"]),
            tensor(arrays["gradient"], like),
            int(arrays["evaluations"]),
            tensor(arrays["first"], like),
            tensor(arrays["second"], like),
        )
