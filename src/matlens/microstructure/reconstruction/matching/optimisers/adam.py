"""Adam with explicit state."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from matlens.microstructure.reconstruction.matching.optimisers.base import Arrays, Objective, tensor

__all__ = ["Adam", "AdamState"]


@dataclass(frozen=True)
class AdamState:
    """State of Adam: point, value, gradient and running moments of the gradient.

    Attributes
    ----------
    x : Tensor
        Present point.
    loss : float
        Value of the objective there.
    gradient : Tensor
        Gradient there.
    evaluations : int
        Number of evaluations so far, one per step.
    first, second : Tensor
        Running means of the gradient and of its square.
    stuck : bool
        Always False.

    Examples
    --------
    >>> state = Adam().start(torch.tensor([3.0]), lambda x: (float(x.square().sum()), 2 * x))
    >>> sorted(state.arrays())
    ['evaluations', 'first', 'gradient', 'loss', 'second', 'x']
    """

    x: Tensor
    loss: float
    gradient: Tensor
    evaluations: int
    first: Tensor
    second: Tensor
    stuck: bool = False

    def arrays(self) -> Arrays:
        """Return the state as NumPy arrays by name.

        Returns
        -------
        dict of str to ndarray
            All that `Adam.restore` needs.
        """
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
    """Minimise with Adam; each step takes one evaluation.

    Parameters
    ----------
    rate : float
        Learning rate.
    betas : (float, float)
        Decay rates of the first and second moment.
    bounds : (float, float), optional
        Smallest and largest value of every component, kept by projection; by default, components are unbounded.

    Notes
    -----
    Kingma and Ba, arXiv:1412.6980 (2014).

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
        """Evaluate the objective at the start, projected onto the bounds.

        Parameters
        ----------
        x : Tensor
            Start.
        objective : callable
            Takes a point and returns value and gradient.

        Returns
        -------
        AdamState
            State before the first step.
        """
        x = x if self.bounds is None else x.clamp(*self.bounds)
        loss, gradient = objective(x)
        return AdamState(x, loss, gradient, 1, torch.zeros_like(x), torch.zeros_like(x))

    def step(self, state: AdamState, objective: Objective) -> AdamState:
        """Take one step along the scaled mean gradient.

        Parameters
        ----------
        state : AdamState
            Present state, which is not changed.
        objective : callable
            Takes a point and returns value and gradient.

        Returns
        -------
        AdamState
            State after the step.
        """
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
        """Restore a state from its arrays.

        Parameters
        ----------
        arrays : dict of str to ndarray
            Result of `AdamState.arrays`.
        like : Tensor
            Tensor with the type and device of the state.

        Returns
        -------
        AdamState
            The same state.
        """
        return AdamState(
            tensor(arrays["x"], like),
            float(arrays["loss"]),
            tensor(arrays["gradient"], like),
            int(arrays["evaluations"]),
            tensor(arrays["first"], like),
            tensor(arrays["second"], like),
        )
