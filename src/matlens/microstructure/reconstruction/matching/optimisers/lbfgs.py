"""Limited-memory BFGS with explicit state, so that a resumed run continues exactly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from matlens.microstructure.reconstruction.matching.optimisers.base import Arrays, Objective, tensor

__all__ = ["LBFGS", "LBFGSState"]


# docs/decisions/0015-own-lbfgs.md
@dataclass(frozen=True)
class LBFGSState:
    """State of L-BFGS: point, value, gradient, and the stored pairs of steps and gradient changes.

    Attributes
    ----------
    x : Tensor
        Present point.
    loss : float
        Value of the objective there.
    gradient : Tensor
        Gradient there.
    evaluations : int
        Number of evaluations so far.
    steps, changes : tuple of Tensor
        The latest steps and the changes of gradient along them.
    stuck : bool
        Whether a line search along steepest descent failed.

    Examples
    --------
    >>> state = LBFGS().start(torch.tensor([3.0]), lambda x: (float(x.square().sum()), 2 * x))
    >>> state.loss, state.evaluations, state.steps
    (9.0, 1, ())
    """

    x: Tensor
    loss: float
    gradient: Tensor
    evaluations: int
    steps: tuple[Tensor, ...] = field(default=())
    changes: tuple[Tensor, ...] = field(default=())
    stuck: bool = False

    def arrays(self) -> Arrays:
        """Return the state as NumPy arrays by name.

        Returns
        -------
        dict of str to ndarray
            All that `LBFGS.restore` needs.
        """
        pairs = torch.stack([*self.steps, *self.changes]) if self.steps else self.x.new_zeros(0)
        return {
            "x": self.x.cpu().numpy(),
            "loss": torch.tensor(self.loss, dtype=torch.float64).numpy(),
            "gradient": self.gradient.cpu().numpy(),
            "evaluations": torch.tensor(self.evaluations).numpy(),
            "pairs": pairs.cpu().numpy(),
            "stuck": torch.tensor(self.stuck).numpy(),
        }


@dataclass(frozen=True)
class LBFGS:
    """Minimise with L-BFGS: two-loop recursion and a backtracking line search with the Armijo condition.

    Parameters
    ----------
    history : int
        Number of stored pairs.
    max_backtracks : int
        Evaluations of a line search before the pairs are dropped and steepest descent is tried.
    first_move : float
        Root mean square of the first trial step.
    bounds : (float, float), optional
        Smallest and largest value of every component, kept by projection; components held at a bound do not take part
        in the step. By default, components are unbounded.

    Notes
    -----
    Liu and Nocedal, Math. Program. 45, 503 (1989); Nocedal and Wright, Numerical Optimization (2006), algorithms 7.4
    and 3.1. With a unit trial step most iterations take one evaluation. Pairs of negative curvature are skipped, so
    that the search need not enforce the Wolfe condition.

    Examples
    --------
    >>> def quadratic(x):
    ...     return float((x**2).sum()), 2 * x
    >>> optimiser = LBFGS()
    >>> state = optimiser.start(torch.tensor([3.0, -4.0]), quadratic)
    >>> for _ in range(5):
    ...     state = optimiser.step(state, quadratic)
    >>> round(state.loss, 6)
    0.0
    """

    history: int = 10
    max_backtracks: int = 10
    first_move: float = 0.05
    bounds: tuple[float, float] | None = None

    def start(self, x: Tensor, objective: Objective) -> LBFGSState:
        """Evaluate the objective at the start, projected onto the bounds.

        Parameters
        ----------
        x : Tensor
            Start.
        objective : callable
            Takes a point and returns value and gradient.

        Returns
        -------
        LBFGSState
            State before the first iteration.
        """
        x = x if self.bounds is None else x.clamp(*self.bounds)
        loss, gradient = objective(x)
        return LBFGSState(x, loss, gradient, 1)

    def step(self, state: LBFGSState, objective: Objective) -> LBFGSState:
        """Take one iteration: direction, line search, update of the stored pairs.

        Parameters
        ----------
        state : LBFGSState
            Present state, which is not changed.
        objective : callable
            Takes a point and returns value and gradient.

        Returns
        -------
        LBFGSState
            State after the iteration; ``stuck`` where no step lowers the objective.
        """
        direction = self._direction(state)
        if float((direction * state.gradient).sum()) >= 0:
            state = replace(state, steps=(), changes=())
            direction = -self._free(state, state.gradient)
        # Without stored pairs the scale is unknown: the first trial has a fixed size, whatever the unit of the loss.
        length = 1.0 if state.steps else self.first_move / max(float(direction.square().mean().sqrt()), 1e-30)
        for tried in range(1, self.max_backtracks + 1):
            x = state.x + length * direction
            if self.bounds is not None:
                x = x.clamp(*self.bounds)
            gain = float(((x - state.x) * state.gradient).sum())  # first-order prediction of the change
            loss, gradient = objective(x)
            if loss <= state.loss + 1e-4 * gain and gain < 0:
                return self._accept(state, x, loss, gradient, tried)
            # Minimum of the parabola through both values and the derivative, within safe bounds.
            curvature = loss - state.loss - gain
            shrink = -gain / (2 * curvature) if curvature > 0 else 0.5
            length *= min(max(shrink, 0.1), 0.5)
        evaluations = state.evaluations + self.max_backtracks
        return replace(state, steps=(), changes=(), evaluations=evaluations, stuck=not state.steps)

    def _direction(self, state: LBFGSState) -> Tensor:
        q = -self._free(state, state.gradient)
        weights = []
        for s, y in zip(reversed(state.steps), reversed(state.changes)):
            a = (s * q).sum() / (s * y).sum()
            q = q - a * y
            weights.append(a)
        if state.steps:
            s, y = state.steps[-1], state.changes[-1]
            q = q * ((s * y).sum() / (y * y).sum())
        for s, y, a in zip(state.steps, state.changes, reversed(weights)):
            b = (y * q).sum() / (s * y).sum()
            q = q + (a - b) * s
        return self._free(state, q)

    def _free(self, state: LBFGSState, vector: Tensor) -> Tensor:
        """Set the components to zero that the gradient holds at a bound: projection would turn the step uphill."""
        if self.bounds is None:
            return vector
        low, high = self.bounds
        held = ((state.x <= low) & (state.gradient > 0)) | ((state.x >= high) & (state.gradient < 0))
        return vector.masked_fill(held, 0.0)

    def restore(self, arrays: Arrays, like: Tensor) -> LBFGSState:
        """Restore a state from its arrays.

        Parameters
        ----------
        arrays : dict of str to ndarray
            Result of `LBFGSState.arrays`.
        like : Tensor
            Tensor with the type and device of the state.

        Returns
        -------
        LBFGSState
            The same state.
        """
        pairs = list(tensor(arrays["pairs"], like)) if arrays["pairs"].size else []
        half = len(pairs) // 2
        return LBFGSState(
            tensor(arrays["x"], like),
            float(arrays["loss"]),
            tensor(arrays["gradient"], like),
            int(arrays["evaluations"]),
            tuple(pairs[:half]),
            tuple(pairs[half:]),
            bool(arrays["stuck"]),
        )

    def _accept(self, state: LBFGSState, x: Tensor, loss: float, gradient: Tensor, tried: int) -> LBFGSState:
        s, y = x - state.x, gradient - state.gradient
        steps, changes = state.steps, state.changes
        if float((s * y).sum()) > 1e-10 * float((y * y).sum()):
            steps, changes = (*steps, s)[-self.history :], (*changes, y)[-self.history :]
        return LBFGSState(x, loss, gradient, state.evaluations + tried, steps, changes)
