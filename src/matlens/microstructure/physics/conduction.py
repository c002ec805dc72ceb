"""Effective conductivity (thermal, electrical, diffusive) of cells and windows, differentiable in every cell.

div(k grad u) = 0 with a mean gradient of 1 along each array axis in turn, by finite volumes with harmonic faces
(:mod:`matlens.microstructure.physics.faces`) and conjugate gradients preconditioned by the inverse of the homogeneous
problem: the number of iterations grows with the contrast, not with the size, and phases may conduct nothing at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from matlens.errors import InputError
from matlens.microstructure.physics.corners import Corners
from matlens.microstructure.physics.faces import AxisKind, Faces, face_conductivities
from matlens.microstructure.physics.krylov import Operator, conjugate_gradients, threads_worth
from matlens.microstructure.physics.laplacian import inverse_laplacian

__all__ = ["Boundary", "ConductionSolution", "Scheme", "effective_conductivity", "solve_conduction"]

Boundary = Literal["periodic", "fixed", "gradient"]
Scheme = Literal["auto", "rotated", "staggered"]
Watch = Callable[[int, float], None]
MAX_ITERATIONS = 2000
_TOGETHER = {"cpu": 2**18, "cuda": 2**26}
"""Potentials solved for at once: on a processor what its cache holds, else what fills the device."""


class Limits(NamedTuple):
    """When to stop a solve, and who is told about it."""

    tolerance: float
    max_iterations: int
    watch: Watch | None = None


class LoadGroup(NamedTuple):
    """Load cases (array axes of the unit gradients) that share a scheme and one kind of border."""

    kinds: tuple[AxisKind, ...]
    axes: tuple[int, ...]
    rotated: bool = False


@dataclass(frozen=True)
class ConductionSolution:
    """Effective tensor, potentials and how well they are known, for B fields under L unit gradients.

    Parameters
    ----------
    tensor : Tensor
        Effective conductivity, shape (B, d, d), symmetric; index 0 is array axis 0. NaN where no load case tells.
    potential : Tensor
        Potential less that of the uniform gradient, per load case, shape ``batch x loads x *space``, in units of the
        smallest spacing.
    iterations, residual, converged : Tensor
        Of each load case, shape (B, L); the residual is relative, in the norm of the preconditioner.
    scheme : {"rotated", "staggered"}
        Whether the potentials are those of the cells' lower corners or of their centres.
    """

    tensor: Tensor
    potential: Tensor
    iterations: Tensor
    residual: Tensor
    converged: Tensor
    scheme: Scheme = "staggered"


def effective_conductivity(
    field: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    boundary: Boundary = "periodic",
    scheme: Scheme = "auto",
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
    start: Tensor | None = None,
) -> Tensor:
    """Effective conductivity tensor of fields, differentiable with respect to every cell.

    The gradient is exact for the discrete problem and needs no further solve, the problem being its own adjoint. It
    is zero at cells that conduct nothing, where the tensor has no derivative.

    Parameters
    ----------
    field : Tensor
        Conductivity of each cell, zero or more, shape ``batch x *space`` in 2-D or 3-D, float32 or float64.
    spacing : float or sequence of float
        Size of a cell along each axis; only ratios matter.
    boundary : {"periodic", "fixed", "gradient"}
        The field continues periodically; or its potential is fixed on two opposite faces, half a cell beyond the
        first and last centres, the other faces being insulated; or the potential of the uniform gradient is
        prescribed on all faces, which bounds the apparent tensor of a window from above.
    scheme : {"auto", "rotated", "staggered"}
        Potentials at the corners of the cells, for periodic fields (:mod:`matlens.microstructure.physics.corners`), or
        at their centres, for any (:mod:`matlens.microstructure.physics.faces`); they approach the same tensor as the
        grid is
        refined. By default corners where all cells of the batch conduct and the boundary is periodic.
    tolerance : float
        Relative residual at which a load case is solved; the tensor is far better known, its error being quadratic.
    max_iterations : int
        Iterations per load case; a warning says when they did not suffice.
    start : Tensor, optional
        Potentials to start from (``ConductionSolution.potential`` of a similar field), ``batch x d x *space``.

    Returns
    -------
    Tensor
        Shape (B, d, d), in the unit of ``field``; index 0 is array axis 0. With ``"fixed"`` the entries off the
        diagonal are NaN: mirror symmetry forces them to zero, whatever the material.

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
    options = (spacing, boundary, scheme, Limits(tolerance, max_iterations), start)
    result: Tensor = _EffectiveConductivity.apply(field, options)  # type: ignore[no-untyped-call]
    return result


def solve_conduction(
    field: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    boundary: Boundary = "periodic",
    scheme: Scheme = "auto",
    axes: Sequence[int] | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
    start: Tensor | None = None,
    watch: Watch | None = None,
) -> ConductionSolution:
    """Solve for the potentials of fields, all load cases or those along ``axes``.

    The other parameters are those of :func:`effective_conductivity`; ``watch(iteration, worst residual)`` is called
    in every iteration of every solve. Whether it converged stands in the result.

    Examples
    --------
    >>> solution = solve_conduction(torch.ones(1, 4, 4))
    >>> solution.tensor[0].tolist(), solution.converged.tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [[True, True]])
    """
    check_field(field)
    steps = relative_steps(spacing, field.ndim - 1)
    axes = tuple(range(len(steps))) if axes is None else tuple(axes)
    scheme = chosen_scheme(scheme, boundary, field)
    groups = load_groups(boundary, scheme, len(steps), axes)
    limits = Limits(tolerance, max_iterations, watch)
    many = max(1, _together(field) // (len(axes) * prod(field.shape[1:])))
    starts = [None] * len(field) if start is None else torch.split(start, many)
    chunks = zip(torch.split(field.detach(), many), starts)
    with threads_worth(field[:many]):
        parts = [_solve_chunk(part, steps, groups, limits, guess) for part, guess in chunks]
    tensor, potential, iterations, residual, converged = (torch.cat(values) for values in zip(*parts))
    return ConductionSolution(tensor, potential, iterations, residual, converged, scheme)


def chosen_scheme(scheme: Scheme, boundary: str, field: Tensor) -> Scheme:
    """Resolve ``auto``, or raise InputError for a scheme that is unknown or does not know the boundary."""
    if scheme == "auto":
        return "rotated" if boundary == "periodic" and bool((field > 0).all()) else "staggered"
    if scheme != "staggered" and (scheme, boundary) != ("rotated", "periodic"):
        raise InputError(
            f"scheme {scheme!r} is not known for boundary={boundary!r}; choose auto, staggered, or rotated (periodic)."
        )
    if scheme == "rotated" and not bool((field > 0).all()):
        raise InputError(
            "the rotated scheme lets cells conduct across corners and needs all of them to conduct, found some of zero "
            "conductivity; choose scheme='staggered' or 'auto'."
        )
    return scheme


def load_groups(boundary: str, scheme: str, ndim: int, axes: Sequence[int]) -> list[LoadGroup]:
    """Which load cases are solved on which kinds of border."""
    everywhere: dict[str, AxisKind] = {"periodic": "periodic", "gradient": "fixed", "fixed": "insulated"}
    if boundary in everywhere:
        kinds = (everywhere[boundary],) * ndim
        if boundary != "fixed":
            return [LoadGroup(kinds, tuple(axes), scheme == "rotated")]
        return [LoadGroup((*kinds[:axis], "fixed", *kinds[axis + 1 :]), (axis,)) for axis in axes]
    raise InputError(f"boundary {boundary!r} is not known here; choose periodic, fixed or gradient.")


def _solve_chunk(
    field: Tensor, steps: tuple[float, ...], groups: Sequence[LoadGroup], limits: Limits, start: Tensor | None
) -> tuple[Tensor, ...]:
    """Tensor, potentials, iterations, residuals and flags of some fields."""
    scale = largest(field)
    field = field / spread(scale, field)
    tensor = field.new_full((len(field), len(steps), len(steps)), torch.nan)
    parts: list[tuple[Tensor, ...]] = []
    for group in groups:
        grid = discretise(field, steps, group)
        inverse = inverse_laplacian(field.shape[1:], steps, group.kinds, like=field, rotated=group.rotated)
        loads = unit_loads(group.axes, field)
        guess = None if start is None else start[:, len(parts) : len(parts) + len(loads)]
        parts.append(solve_loads(grid.apply, inverse, grid.inflow(loads), _start(grid, loads, guess), limits))
        energy = grid.energy(parts[-1][0], loads)
        rows = torch.tensor(group.axes, device=field.device)
        tensor[:, rows[:, None], rows] = energy * spread(scale, energy)
    return (tensor, *(torch.cat(values, 1) for values in zip(*parts)))


def discretise(field: Tensor, steps: tuple[float, ...], group: LoadGroup) -> Faces | Corners:
    """The discrete problem of the load cases of a group."""
    if group.rotated:
        return Corners(field.unsqueeze(1), steps)
    return face_conductivities(field, steps, group.kinds)


class Start(NamedTuple):
    """Potentials to start from, ``batch x loads x *space`` or None for zero, and their energies, ``batch x loads``."""

    potential: Tensor | None
    energy: Tensor | None


def _start(grid: Faces | Corners, loads: Tensor, guess: Tensor | None) -> Start:
    if guess is None:
        return Start(None, grid.uniform_energy(loads))
    return Start(guess, grid.energy(guess, loads).diagonal(dim1=1, dim2=2) * guess[0, 0].numel())


def solve_loads(apply: Operator, inverse: Operator, right: Tensor, start: Start, limits: Limits) -> tuple[Tensor, ...]:
    """Potentials, iterations, residuals and flags, each ``batch x loads``, for inflows ``right`` of that shape.

    Load cases share a solve where the cache holds them all; large ones go one after another, which saves memory.
    """
    count = right.shape[1]
    if count > 1 and right.numel() > _together(right):
        each = [Start(*(None if part is None else part[:, i : i + 1] for part in start)) for i in range(count)]
        parts = [solve_loads(apply, inverse, right[:, i : i + 1], each[i], limits) for i in range(count)]
        return tuple(torch.cat(values, 1) for values in zip(*parts))
    potential, energy = (None if part is None else part.flatten(0, 1) for part in start)
    solution = conjugate_gradients(
        lambda u: apply(u.view(right.shape)).flatten(0, 1),
        inverse,
        right.flatten(0, 1),
        tolerance=limits.tolerance,
        max_iterations=limits.max_iterations,
        start=potential,
        energy=energy,
        watch=limits.watch,
    )
    records = (solution.iterations, solution.residual, solution.converged)
    return (solution.x.view(right.shape), *(record.view(right.shape[:2]) for record in records))


class _EffectiveConductivity(torch.autograd.Function):
    """The effective tensor with its gradient: the product of the two loads' gradients at each face."""

    @staticmethod
    def forward(ctx: Any, field: Tensor, options: tuple[Any, ...]) -> Tensor:
        spacing, boundary, scheme, limits, start = options
        solution = solve_conduction(
            field,
            spacing=spacing,
            boundary=boundary,
            scheme=scheme,
            tolerance=limits.tolerance,
            max_iterations=limits.max_iterations,
            start=start,
        )
        if not solution.converged.all():
            warnings.warn(
                f"conduction stopped at a residual of {float(solution.residual.max()):.1e} where "
                f"{limits.tolerance:.1e} was asked, after up to {int(solution.iterations.max())} iterations; raise "
                "max_iterations or the tolerance, or use float64.",
                RuntimeWarning,
                stacklevel=3,
            )
        ctx.save_for_backward(field, solution.potential)
        ctx.options = (spacing, boundary, chosen_scheme(scheme, boundary, field))
        return solution.tensor

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        field, potential = ctx.saved_tensors
        return _sensitivity(field, potential, grads[0], *ctx.options), None


def _sensitivity(
    field: Tensor,
    potential: Tensor,
    weights: Tensor,
    spacing: float | Sequence[float],
    boundary: str,
    scheme: str,
) -> Tensor:
    """Derivative of sum(weights * tensor) with respect to each cell's conductivity, shape ``batch x *space``."""
    steps = relative_steps(spacing, field.ndim - 1)
    parts: list[Tensor] = []
    done = 0
    for group in load_groups(boundary, scheme, len(steps), range(len(steps))):
        grid = discretise(field, steps, group)
        loads = unit_loads(group.axes, field)
        u = potential[:, done : done + len(loads)]
        done += len(loads)
        rows = torch.tensor(group.axes, device=field.device)
        parts.append(grid.sensitivity(u, loads, weights[:, rows[:, None], rows]))
    return torch.stack(parts).sum(0)


def unit_loads(axes: Sequence[int], like: Tensor) -> Tensor:
    """Mean gradients of 1 along the given axes, shape (L, d)."""
    return torch.eye(like.ndim - 1, dtype=like.dtype, device=like.device)[list(axes)]


def largest(field: Tensor) -> Tensor:
    """Largest value of each field, and 1 where all are zero: a scale that keeps squares in the range of float32."""
    scale = field.flatten(1).amax(1)
    return torch.where(scale > 0, scale, 1.0)


def spread(values: Tensor, like: Tensor) -> Tensor:
    """Append axes to (B,) values so that they multiply ``like``."""
    return values.view(-1, *([1] * (like.ndim - 1)))


def check_field(field: Tensor) -> None:
    """Raise InputError unless the field is a batch of finite conductivities of zero or more."""
    if field.ndim not in (3, 4) or not field.is_floating_point() or field.numel() == 0:
        raise InputError(
            f"conductivities must be a floating-point tensor (batch, *space) in 2-D or 3-D, found {field.dtype} of "
            f"shape {tuple(field.shape)}; add the batch axis with field[None]."
        )
    if not bool(torch.isfinite(field).all()) or bool((field < 0).any()):
        raise InputError("conductivities must be finite and zero or more, found a negative, NaN or infinite one.")


def relative_steps(spacing: float | Sequence[float], ndim: int) -> tuple[float, ...]:
    """Spacing along each axis over the smallest one, or raise InputError."""
    values = [float(spacing)] * ndim if isinstance(spacing, int | float) else [float(s) for s in spacing]
    if len(values) != ndim or not all(0 < value < float("inf") for value in values):
        raise InputError(f"spacing must be one positive number or one for each of {ndim} axes, found {spacing!r}.")
    return tuple(value / min(values) for value in values)


def _together(like: Tensor) -> int:
    return _TOGETHER.get(like.device.type, _TOGETHER["cuda"])
