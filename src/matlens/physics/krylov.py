"""Conjugate gradients for many systems at once, preconditioned, with nothing but array operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Solution", "conjugate_gradients", "threads_worth"]

Operator = Callable[[Tensor], Tensor]
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
        Whether ``residual`` is at most the tolerance, shape (B,).
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
        return _solve(apply, precondition, right, start, (tolerance, max_iterations), watch)


def _solve(
    apply: Operator,
    precondition: Operator,
    right: Tensor,
    start: Tensor | None,
    limits: tuple[float, int],
    watch: Callable[[int, float], None] | None,
) -> Solution:
    tolerance, max_iterations = limits
    reference = _dot(right, precondition(right))
    x = torch.zeros_like(right) if start is None else start.clone()
    iterations = torch.zeros(len(right), dtype=torch.int64, device=right.device)
    relative = torch.full_like(reference, torch.inf)
    for _ in range(_ROUNDS):
        r = right.clone() if start is None and not iterations.any() else right - apply(x)
        z = precondition(r)
        relative = _relative(_dot(r, z), reference)
        active = (relative > tolerance) & (iterations < max_iterations)
        if not active.any():
            break
        _descend(apply, precondition, (x, r, z.clone()), reference, active, iterations, limits, watch)
    else:
        r = right - apply(x)
        relative = _relative(_dot(r, precondition(r)), reference)
    return Solution(x, iterations, relative, relative <= tolerance)


def _descend(
    apply: Operator,
    precondition: Operator,
    state: tuple[Tensor, Tensor, Tensor],
    reference: Tensor,
    active: Tensor,
    iterations: Tensor,
    limits: tuple[float, int],
    watch: Callable[[int, float], None] | None,
) -> None:
    """Iterate on (x, r, p) in place until every active system has converged by the updated residual."""
    x, r, p = state
    tolerance, max_iterations = limits
    rz = _dot(r, p)
    while active.any() and int(iterations.max()) < max_iterations:
        ap = apply(p)
        curvature = _dot(p, ap)
        active = active & (curvature > 0)  # zero: an exact solution, or rounding has taken over
        step = _like(torch.where(active, rz / curvature, 0.0), x)
        x.addcmul_(step, p)
        r.addcmul_(step, ap, value=-1.0)
        z = precondition(r)
        fresh = _dot(r, z)
        p.mul_(_like(torch.where(active, fresh / rz, 0.0), x)).add_(z)
        iterations += active
        relative = _relative(fresh, reference)
        if watch is not None:
            watch(int(iterations.max()), float(relative.max()))
        active = active & (relative > tolerance)
        rz = torch.where(active, fresh, rz)


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


def _relative(squared: Tensor, reference: Tensor) -> Tensor:
    """Relative norm; zero where the right-hand side is (its solution is zero, whatever is left is rounding)."""
    return torch.where(reference > 0, squared.clamp_min(0) / reference, 0.0).sqrt()


def _like(values: Tensor, x: Tensor) -> Tensor:
    return values.view(-1, *([1] * (x.ndim - 1)))
