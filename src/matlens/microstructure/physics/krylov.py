"""Preconditioned conjugate gradients for a batch of linear systems, with array operations only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from matlens.core.threads import one_thread

__all__ = ["Solution", "conjugate_gradients", "threads_worth"]

Operator = Callable[[Tensor], Tensor]
# docs/decisions/0024-two-schemes-of-conduction.md
_ONE_THREAD = 2**18  # largest array, in numbers, on which one thread is not slower than several
_ROUNDS = 3  # single precision: the updated residual drifts from the true one, and a fresh start brings it back


@dataclass(frozen=True)
class Solution:
    """Result of conjugate gradients, for each of B systems.

    Parameters
    ----------
    x : Tensor
        Solutions, shape ``batch x ...``.
    iterations : Tensor of int, shape (B,)
        Iterations of each system.
    residual : Tensor, shape (B,)
        Relative residual in the norm of the preconditioner, sqrt(r.Pr / b.Pb), computed from the returned x (not
        updated during the iterations); zero where the right-hand side is zero.
    converged : Tensor of bool, shape (B,)
        Whether ``residual`` is at most the tolerance (and the energy, if one was given, has settled).

    Examples
    --------
    >>> solution = conjugate_gradients(
    ...     lambda x: 2 * x, lambda r: r, torch.ones(1, 3), tolerance=1e-5, max_iterations=10
    ... )
    >>> solution.x.tolist(), solution.converged.tolist()
    ([[0.5, 0.5, 0.5]], [True])
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

    Converged systems stop changing, so that a system has the same solution alone and in a batch.

    Parameters
    ----------
    apply, precondition : callable
        A and an approximate inverse P of A, both linear, symmetric and separate for each system: tensors of shape
        ``batch x ...`` in and out. Either may return a buffer that it uses again in its next call.
    right : Tensor
        Right-hand sides b, shape ``batch x ...``; all axes after the first belong to one system.
    tolerance : float
        Relative residual sqrt(r.Pr / b.Pb) at which a system is solved.
    max_iterations : int
        Largest number of iterations.
    start : Tensor, optional
        Initial x, shaped as ``right``; zero by default.
    energy : Tensor, shape (B,), optional
        Energy of the start, which the solution reduces by x.(2 b - A x). If it is given, a system is iterated until its
        energy, too, changes by less than the tolerance: where little energy remains (high contrast), a residual that is
        small relative to the right-hand side need not be small relative to the result.
    watch : callable, optional
        Called with the iteration and the largest relative residual, in each iteration.

    Returns
    -------
    Solution
        Solutions with iterations, residuals and convergence.

    Notes
    -----
    Hestenes and Stiefel, J. Res. Natl. Bur. Stand. 49, 409 (1952).

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
        # the smallest energy that gains are compared with, for an energy that vanishes (nothing conducts)
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
            # estimate of the gain that is still to come: as if every iteration so far had brought the last one's
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
    """Compute on arrays as small as ``values`` with one thread inside the block.

    An operation on them takes microseconds, whereas the threads of a busy machine wait a thousand times as long for
    each other.

    Parameters
    ----------
    values : Tensor
        An array of the size that is computed on.

    Yields
    ------
    None
        The number of threads is restored after the block.

    Examples
    --------
    >>> with threads_worth(torch.zeros(100)):
    ...     torch.get_num_threads()
    1
    """
    few = values.device.type == "cpu" and values.numel() <= _ONE_THREAD
    with one_thread() if few else nullcontext():
        yield


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each system, shape (B,)."""
    return (a * b).flatten(1).sum(1)  # summed pairwise: accurate in single precision, where a dot product is not


def _like(values: Tensor, x: Tensor) -> Tensor:
    return values.view(-1, *([1] * (x.ndim - 1)))
