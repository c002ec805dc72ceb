"""Effective conductivity (thermal, electrical, diffusive) of periodic cells, differentiable in every cell.

div(k grad u) = 0 with a mean gradient of 1 along each array axis in turn, by finite volumes with harmonic faces
(:mod:`matlens.physics.faces`) and conjugate gradients preconditioned by the FFT inverse of the homogeneous problem:
the number of iterations grows with the contrast, not with the size, and phases may conduct nothing at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from matlens.errors import InputError
from matlens.physics.faces import AxisKind, Faces, face_conductivities
from matlens.physics.krylov import conjugate_gradients
from matlens.physics.laplacian import inverse_laplacian

__all__ = ["ConductionSolution", "effective_conductivity", "solve_conduction"]

Watch = Callable[[int, float], None]
MAX_ITERATIONS = 2000


@dataclass(frozen=True)
class ConductionSolution:
    """Effective tensor, potentials and how well they are known, for B fields under d unit gradients.

    Parameters
    ----------
    tensor : Tensor
        Effective conductivity, shape (B, d, d), symmetric; index 0 is array axis 0.
    potential : Tensor
        Periodic part of the potential per load case, shape ``batch x d x *space``, in units of the smallest spacing
        (times the unit gradient).
    iterations, residual, converged : Tensor
        Of each load case, shape (B, d); the residual is relative, in the norm of the preconditioner.
    faces : Faces
        The discrete problem, scaled by ``scale``.
    scale : Tensor
        Largest conductivity of each field, shape (B,).
    """

    tensor: Tensor
    potential: Tensor
    iterations: Tensor
    residual: Tensor
    converged: Tensor
    faces: Faces
    scale: Tensor


def effective_conductivity(
    field: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
    start: Tensor | None = None,
) -> Tensor:
    """Effective conductivity tensor of periodic fields, differentiable with respect to every cell.

    The gradient is exact for the discrete problem and needs no further solve, the problem being its own adjoint. It
    is zero at cells that conduct nothing, where the tensor has no derivative.

    Parameters
    ----------
    field : Tensor
        Conductivity of each cell, zero or more, shape ``batch x *space`` in 2-D or 3-D, float32 or float64.
    spacing : float or sequence of float
        Size of a cell along each axis; only ratios matter.
    tolerance : float
        Relative residual at which a load case is solved; the tensor's own error is about its square times the
        contrast.
    max_iterations : int
        Iterations per load case; a warning says when they did not suffice.
    start : Tensor, optional
        Potentials to start from (``ConductionSolution.potential`` of a similar field), ``batch x d x *space``.

    Returns
    -------
    Tensor
        Shape (B, d, d), in the unit of ``field``; index 0 is array axis 0.

    Raises
    ------
    InputError
        If the field is not a floating-point batch in 2-D or 3-D, or is negative, NaN or infinite anywhere.

    Examples
    --------
    >>> laminate = torch.tensor([[[1.0, 1.0], [4.0, 4.0]]], dtype=torch.float64)
    >>> effective_conductivity(laminate)[0]
    tensor([[1.6000, 0.0000],
            [0.0000, 2.5000]], dtype=torch.float64)
    """
    options = (spacing, tolerance, max_iterations, start)
    result: Tensor = _EffectiveConductivity.apply(field, options)  # type: ignore[no-untyped-call]
    return result


def solve_conduction(
    field: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
    start: Tensor | None = None,
    watch: Watch | None = None,
) -> ConductionSolution:
    """Solve for the potentials of periodic fields; parameters as :func:`effective_conductivity`.

    ``watch(iteration, worst residual)`` is called in every iteration of every solve (in 2-D all load cases are one
    solve, in 3-D each is its own, for memory). Whether it converged stands in the result.

    Examples
    --------
    >>> solution = solve_conduction(torch.ones(1, 4, 4))
    >>> solution.tensor[0].tolist(), solution.converged.tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [[True, True]])
    """
    field = check_field(field)
    steps = relative_steps(spacing, field.ndim - 1)
    kinds: list[AxisKind] = ["periodic"] * len(steps)
    scale = field.detach().flatten(1).amax(1)
    scale = torch.where(scale > 0, scale, 1.0)
    faces = face_conductivities(field.detach() / _over(scale, field), steps, kinds)
    loads = torch.eye(len(steps), dtype=field.dtype, device=field.device)
    inverse = inverse_laplacian(field.shape[1:], steps, kinds, like=field)
    together = len(steps) if len(steps) == 2 else 1
    parts = [
        _solve(
            faces,
            inverse,
            loads[i : i + together],
            None if start is None else start[:, i : i + together],
            (tolerance, max_iterations),
            watch,
        )
        for i in range(0, len(steps), together)
    ]
    potential, iterations, residual, converged = (torch.cat(part, 1) for part in zip(*parts))
    tensor = faces.energy(potential, loads) * _over(scale, loads[None])
    return ConductionSolution(tensor, potential, iterations, residual, converged, faces, scale)


def _solve(
    faces: Faces,
    inverse: Callable[[Tensor], Tensor],
    loads: Tensor,
    start: Tensor | None,
    limits: tuple[float, int],
    watch: Watch | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Potentials, iterations, residuals and flags of some loads, each ``batch x loads``."""
    right = faces.inflow(loads)
    shape = right.shape
    solution = conjugate_gradients(
        lambda u: faces.apply(u.view(shape)).flatten(0, 1),
        inverse,
        right.flatten(0, 1),
        tolerance=limits[0],
        max_iterations=limits[1],
        start=None if start is None else start.flatten(0, 1),
        watch=watch,
    )
    return (
        solution.x.view(shape),
        solution.iterations.view(shape[:2]),
        solution.residual.view(shape[:2]),
        solution.converged.view(shape[:2]),
    )


class _EffectiveConductivity(torch.autograd.Function):
    """The effective tensor with its gradient: the product of the two loads' gradients at each face."""

    @staticmethod
    def forward(ctx: Any, field: Tensor, options: tuple[Any, ...]) -> Tensor:
        spacing, tolerance, max_iterations, start = options
        solution = solve_conduction(
            field, spacing=spacing, tolerance=tolerance, max_iterations=max_iterations, start=start
        )
        if not solution.converged.all():
            warnings.warn(
                f"conduction stopped after {max_iterations} iterations at a residual of "
                f"{float(solution.residual.max()):.1e} where {tolerance:.1e} was asked; raise max_iterations or the "
                "tolerance, or use float64.",
                RuntimeWarning,
                stacklevel=3,
            )
        ctx.save_for_backward(field, solution.potential)
        ctx.faces = solution.faces
        return solution.tensor

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        field, potential = ctx.saved_tensors
        return sensitivity(field, ctx.faces, potential, grads[0]), None


def sensitivity(field: Tensor, faces: Faces, potential: Tensor, weights: Tensor) -> Tensor:
    """Derivative of sum(weights * tensor) with respect to each cell's conductivity, shape ``batch x *space``."""
    loads = torch.eye(weights.shape[-1], dtype=field.dtype, device=field.device)
    out = torch.zeros_like(field)
    for axis in range(len(loads)):
        g = faces.gradient(potential, loads, axis)
        density = torch.einsum("bl...,blm,bm...->b...", g, weights, g) / faces.cells
        dim = axis + 1
        out += density * _share(field, field.roll(-1, dim))
        out += (density * _share(field.roll(-1, dim), field)).roll(1, dim)
    return out


def _share(a: Tensor, b: Tensor) -> Tensor:
    """Derivative of the harmonic mean of a and b with respect to a; zero where a is."""
    return torch.where(a > 0, 2.0 * (b / (a + b)) ** 2, 0.0)


def check_field(field: Tensor) -> Tensor:
    """Return the field, or raise InputError unless it is a batch of finite conductivities of zero or more."""
    if field.ndim not in (3, 4) or not field.is_floating_point() or field.numel() == 0:
        raise InputError(
            f"conductivities must be a floating-point tensor (batch, *space) in 2-D or 3-D, found {field.dtype} of "
            f"shape {tuple(field.shape)}; add the batch axis with field[None]."
        )
    if not bool(torch.isfinite(field).all()) or bool((field < 0).any()):
        raise InputError("conductivities must be finite and zero or more, found a negative, NaN or infinite one.")
    return field


def relative_steps(spacing: float | Sequence[float], ndim: int) -> tuple[float, ...]:
    """Spacing along each axis over the smallest one, or raise InputError."""
    values = [float(spacing)] * ndim if isinstance(spacing, int | float) else [float(s) for s in spacing]
    if len(values) != ndim or not all(0 < value < float("inf") for value in values):
        raise InputError(f"spacing must be one positive number or one for each of {ndim} axes, found {spacing!r}.")
    return tuple(value / min(values) for value in values)


def _over(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *([1] * (like.ndim - 1)))
