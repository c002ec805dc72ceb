"""Conjugate gradients for many systems at once, preconditioned, with nothing but array operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Solution", "conjugate_gradients", "threads_worth"]

Operator = Callable[[Tensor], Tensor]
# docs/decisions/0024-two-schemes-of-conduction.md
_ONE_THREAD = 2**18  # numbers at most
_ROUNDS = 3  # single precision: the updated residual drifts from the true one, and a fresh start brings it back


@dataclass(frozen=True)
class Solution:
    """What conjugate gradients arrived at, for each of B systems.

    Parameters
    ----------
    x : Tensor
        Solutions, shape ``batch x ...``.
    iterations : Tensor of int
        Iterations each system took, shape (B,).
    residual : Tensor
        Relative residual in the norm of the preconditioner, sqrt(r.Pr / b.Pb), of the x returned (not the one
        updated on the way), shape (B,); zero where the right-hand side is.
    converged : Tensor of bool
        Whether ``residual`` is at most the tolerance (and the energy, if one was given, has settled), shape (B,).
    """

    x: Tensor
    iterations: Tensor
    residual: Tensor
    converged: Tensor


def conjugate_gradients(
    apply: Operator,
    precondition: Operator,
    right: Tensor,
    *,
    tolerance: float,
    max_iterations: int,
    start: Tensor | None = None,
    energy: Tensor | None = None,
    watch: Callable[[int, float], None] | None = None,
) -> Solution:
    """Solve A x = b for a batch of symmetric positive semidefinite systems with consistent right-hand sides.

    Converged systems stop changing, so that a batch gives what its members give alone.

    Parameters
    ----------
    apply, precondition : callable
        A and an approximate inverse P of it, both linear, symmetric and separate for each system: tensors of shape
        ``batch x ...`` in and out. Either may return a buffer that it uses again in its next call.
    right : Tensor
        b, shape ``batch x ...``: all behind the first axis belongs to one system.
    tolerance : float
        Stop at this relative residual sqrt(r.Pr / b.Pb).
    max_iterations : int
        Stop after so many iterations in any case.
    start : Tensor, optional
        First guess, shaped as ``right``; zero by default.
    energy : Tensor, optional
        Energy of the start, shape (B,), of which the solution takes x.(2 b - A x) away. If given, a system goes on
        until that, too, changes by less than the tolerance: where little energy is left (high contrast), a residual
        small beside the right-hand side need not be small beside the result.
    watch : callable, optional
        Called with the iteration and the worst relative residual, each iteration.

    Returns
    -------
    Solution

    Examples
    --------
    >>> diagonal = torch.tensor([[1.0, 2.0, 4.0]])
    >>> solution = conjugate_gradients(
    ...     lambda x: diagonal * x, lambda r: r, torch.ones(1, 3), tolerance=1e-5, max_iterations=10
    ... )
    >>> [round(value, 4) for value in solution.x[0].tolist()], solution.iterations.tolist()
    ([1.0, 0.5, 0.25], [3])
    """
    with threads_worth(right):
        goal = _Goal(_dot(right, precondition(right)), energy, tolerance, max_iterations, watch)
        x = torch.zeros_like(right) if start is None else start.clone()
        x[goal.reference <= 0] = 0  # the solution, whatever the start
        unfinished = torch.zeros_like(goal.iterations, dtype=torch.bool)
        for attempt in range(_ROUNDS + 1):
            r = right.clone() if start is None and attempt == 0 else right - apply(x)
            z = precondition(r)
            residual = goal.relative(_dot(r, z))
            active = (residual > tolerance) & (goal.iterations < max_iterations)
            if attempt == _ROUNDS or not active.any():
                break
            unfinished = _descend(apply, precondition, (x, r, z.clone()), active, goal)
    return Solution(x, goal.iterations, residual, (residual <= tolerance) & ~unfinished)


class _Goal:
    """When each system is done."""

    def __init__(
        self,
        reference: Tensor,
        energy: Tensor | None,
        tolerance: float,
        max_iterations: int,
        watch: Callable[[int, float], None] | None,
    ) -> None:
        self.reference, self.tolerance, self.max_iterations, self.watch = reference, tolerance, max_iterations, watch
        self.iterations = torch.zeros(len(reference), dtype=torch.int64, device=reference.device)
        self.energy = None if energy is None else energy.clone()
        # what an energy that vanishes (nothing conducts) is compared with; less is lost in rounding
        self.floor = None if energy is None else energy * torch.finfo(energy.dtype).eps ** 0.5

    def relative(self, squared: Tensor) -> Tensor:
        """Relative residual; zero where the right-hand side is (so is the solution, and what is left is rounding)."""
        return torch.where(self.reference > 0, squared.clamp_min(0) / self.reference, 0.0).sqrt()

    def remaining(self, active: Tensor, squared: Tensor, gain: Tensor) -> Tensor:
        """Count an iteration that took ``gain`` from the energy, and say which systems have to go on."""
        self.iterations += active
        residual = self.relative(squared)
        if self.watch is not None:
            self.watch(int(self.iterations.max()), float(residual.max()))
        wanting = residual > self.tolerance
        if self.energy is not None and self.floor is not None:
            self.energy -= gain
            # all that is to come is at most about as much as if every iteration so far had brought the last one's gain
            wanting |= gain * self.iterations > self.tolerance * torch.maximum(self.energy, self.floor)
        return active & wanting


def _descend(
    apply: Operator, precondition: Operator, state: tuple[Tensor, Tensor, Tensor], active: Tensor, goal: _Goal
) -> Tensor:
    """Iterate on (x, r, p) in place until the goal is reached; returns which systems were still active."""
    x, r, p = state
    rz = _dot(r, p)
    while active.any() and int(goal.iterations.max()) < goal.max_iterations:
        ap = apply(p)
        curvature = _dot(p, ap)
        active = active & (curvature > 0)  # zero: an exact solution, or rounding has taken over
        step = torch.where(active, rz / curvature, 0.0)
        gain = step * rz
        x.addcmul_(_like(step, x), p)
        r.addcmul_(_like(step, x), ap, value=-1.0)
        z = precondition(r)
        fresh = _dot(r, z)
        p.mul_(_like(torch.where(active, fresh / rz, 0.0), x)).add_(z)
        active = goal.remaining(active, fresh, gain)
        rz = torch.where(active, fresh, rz)
    return active


@contextmanager
def threads_worth(values: Tensor) -> Iterator[None]:
    """Work on arrays as small as ``values`` with one thread.

    An operation on them takes microseconds; on a busy machine threads wait a thousand times as long for each other.

    Examples
    --------
    >>> with threads_worth(torch.zeros(100)):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    if values.device.type == "cpu" and values.numel() <= _ONE_THREAD:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each system, shape (B,)."""
    return (a * b).flatten(1).sum(1)  # summed pairwise: accurate in single precision, where a dot product is not


def _like(values: Tensor, x: Tensor) -> Tensor:
    return values.view(-1, *([1] * (x.ndim - 1)))
