"""Effective conductivity (thermal, electrical, diffusive) of cells and windows, differentiable in every cell.

div(k grad u) = 0 is solved with a mean gradient of 1 along each array axis in turn, either by Willot's rotated scheme
(:mod:`matlens.microstructure.physics.corners`) or by finite volumes with harmonic face conductivities
(:mod:`matlens.microstructure.physics.faces`). Conjugate gradients are preconditioned by the inverse of the homogeneous
problem, so that the number of iterations grows with the contrast and not with the size. Phases may have zero
conductivity.
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

from matlens.core.numbers import shown
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
"""Number of potentials solved for at once: what the cache of a processor holds, or what fills the device."""


class Limits(NamedTuple):
    """When to stop a solve, and a callback that follows it.

    Parameters
    ----------
    tolerance : float
        Relative residual at which a load case is solved.
    max_iterations : int
        Largest number of iterations for each load case.
    watch : callable, optional
        Called with the iteration and the largest relative residual.
    """

    tolerance: float
    max_iterations: int
    watch: Watch | None = None


class LoadGroup(NamedTuple):
    """Load cases that share a scheme and the kinds of border.

    Parameters
    ----------
    kinds : tuple of str
        Kind of border of each axis.
    axes : tuple of int
        Array axes of the unit gradients, one for each load case.
    rotated : bool
        Whether the rotated scheme is used.
    """

    kinds: tuple[AxisKind, ...]
    axes: tuple[int, ...]
    rotated: bool = False


@dataclass(frozen=True)
class ConductionSolution:
    """Effective tensor, potentials and residuals of B fields under L unit gradients.

    Parameters
    ----------
    tensor : Tensor
        Effective conductivity, shape (B, d, d), symmetric; index 0 is array axis 0. NaN where no load case determines
        it.
    potential : Tensor
        Potential minus that of the uniform gradient, shape ``batch x loads x *space``, in units of the smallest
        spacing.
    iterations : Tensor of int, shape (B, L)
        Iterations of each load case.
    residual : Tensor, shape (B, L)
        Relative residual of each load case, in the norm of the preconditioner.
    converged : Tensor of bool, shape (B, L)
        Whether each load case reached the tolerance.
    scheme : {"rotated", "staggered"}
        Whether the potentials are those of the cells' lower corners or of their centres.

    Examples
    --------
    >>> solution = solve_conduction(torch.tensor([[[1.0, 1.0], [4.0, 4.0]]], dtype=torch.float64))
    >>> solution.potential.shape, bool(solution.converged.all())
    (torch.Size([1, 2, 2, 2]), True)
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
    """Compute the effective conductivity tensor of fields, differentiable with respect to every cell.

    The gradient is exact for the discrete problem and needs no further solve, because the problem is self-adjoint. It
    is zero at cells of zero conductivity, where the tensor has no derivative.

    Parameters
    ----------
    field : Tensor
        Conductivity of each cell, zero or more, shape ``batch x *space`` in 2-D or 3-D, float32 or float64.
    spacing : float or sequence of float
        Size of a cell along each axis; only ratios matter.
    boundary : {"periodic", "fixed", "gradient"}
        ``"periodic"``: the field continues periodically. ``"fixed"``: the potential is fixed on two opposite faces,
        half a cell beyond the first and last centres, and the other faces are insulated. ``"gradient"``: the potential
        of the uniform gradient is prescribed on all faces, which bounds the apparent tensor of a window from above.
    scheme : {"auto", "rotated", "staggered"}
        ``"rotated"``: potentials at the corners of the cells, for periodic fields. ``"staggered"``: potentials at their
        centres, for any field. Both approach the same tensor as the grid is refined. ``"auto"`` is rotated where all
        cells of the batch conduct and the boundary is periodic.
    tolerance : float
        Relative residual at which a load case is solved; the error of the tensor is far smaller, being quadratic in it.
    max_iterations : int
        Largest number of iterations for each load case; a RuntimeWarning is issued when they do not suffice.
    start : Tensor, optional
        Initial potentials (``ConductionSolution.potential`` of a similar field), shape ``batch x d x *space``.

    Returns
    -------
    Tensor
        Shape (B, d, d), in the unit of ``field``; index 0 is array axis 0. With ``"fixed"`` the entries off the
        diagonal are NaN, because mirror symmetry makes them zero whatever the material.

    Raises
    ------
    InputError
        If the field is not a floating-point batch in 2-D or 3-D, or is negative, NaN or infinite anywhere, or if the
        boundary or the scheme is unknown or they do not fit each other.

    Notes
    -----
    Rotated scheme: Willot, C. R. Mécanique 343, 232 (2015). Harmonic face conductivities: Wiegmann and Zemitis,
    EJ-HEAT, Fraunhofer ITWM report 94 (2006).

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
    """Solve for the potentials of fields under unit mean gradients.

    Parameters
    ----------
    field, spacing, boundary, scheme, tolerance, max_iterations, start
        As in :func:`effective_conductivity`.
    axes : sequence of int, optional
        Array axes of the load cases; all by default.
    watch : callable, optional
        Called with the iteration and the largest relative residual, in every iteration of every solve.

    Returns
    -------
    ConductionSolution
        Tensor and potentials; ``converged`` says whether the tolerance was reached.

    Raises
    ------
    InputError
        As in :func:`effective_conductivity`.

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
    """Resolve ``"auto"``, and check that a scheme fits the boundary and the field.

    Parameters
    ----------
    scheme : {"auto", "rotated", "staggered"}
        The asked scheme.
    boundary : str
        The boundary.
    field : Tensor
        Conductivity of each cell.

    Returns
    -------
    {"rotated", "staggered"}
        The scheme.

    Raises
    ------
    InputError
        If the scheme is unknown or does not fit the boundary, or if the rotated scheme meets cells of zero
        conductivity.

    Examples
    --------
    >>> chosen_scheme("auto", "periodic", torch.ones(1, 4, 4)), chosen_scheme("auto", "fixed", torch.ones(1, 4, 4))
    ('rotated', 'staggered')
    """
    if scheme == "auto":
        return "rotated" if boundary == "periodic" and bool((field > 0).all()) else "staggered"
    if scheme != "staggered" and (scheme, boundary) != ("rotated", "periodic"):
        raise InputError(
            f"scheme {scheme!r} does not fit the boundary {boundary!r}; choose auto, staggered, or rotated (periodic)."
        )
    if scheme == "rotated" and not bool((field > 0).all()):
        raise InputError(
            "the rotated scheme lets cells conduct across corners and needs all of them to conduct, found some of zero "
            "conductivity; choose the scheme 'staggered' or 'auto'."
        )
    return scheme


def load_groups(boundary: str, scheme: str, ndim: int, axes: Sequence[int]) -> list[LoadGroup]:
    """Group the load cases that are solved with the same kinds of border.

    Parameters
    ----------
    boundary : {"periodic", "fixed", "gradient"}
        The boundary.
    scheme : {"rotated", "staggered"}
        The scheme.
    ndim : int
        Number of axes.
    axes : sequence of int
        Array axes of the unit gradients.

    Returns
    -------
    list of LoadGroup
        One group, or one for each axis with ``"fixed"``, where the fixed faces differ.

    Raises
    ------
    InputError
        If the boundary is unknown.

    Examples
    --------
    >>> [group.kinds for group in load_groups("fixed", "staggered", 2, (0, 1))]
    [('fixed', 'insulated'), ('insulated', 'fixed')]
    """
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
    field = field / append_axes(scale, field)
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
        tensor[:, rows[:, None], rows] = energy * append_axes(scale, energy)
    return (tensor, *(torch.cat(values, 1) for values in zip(*parts)))


def discretise(field: Tensor, steps: tuple[float, ...], group: LoadGroup) -> Faces | Corners:
    """Build the discrete problem of a group of load cases.

    Parameters
    ----------
    field : Tensor
        Conductivity of each cell, shape ``batch x *space``.
    steps : tuple of float
        Size of a cell along each axis, relative to the smallest.
    group : LoadGroup
        The load cases.

    Returns
    -------
    Faces or Corners
        The problem in the scheme of the group.

    Examples
    --------
    >>> type(discretise(torch.ones(1, 4, 4), (1.0, 1.0), LoadGroup(("periodic",) * 2, (0, 1), True))).__name__
    'Corners'
    """
    if group.rotated:
        return Corners(field.unsqueeze(1), steps)
    return face_conductivities(field, steps, group.kinds)


class Start(NamedTuple):
    """Initial state of a solve.

    Parameters
    ----------
    potential : Tensor or None
        Potentials, shape ``batch x loads x *space``; None for zero.
    energy : Tensor or None
        Their energies, shape ``batch x loads``.
    """

    potential: Tensor | None
    energy: Tensor | None


def _start(grid: Faces | Corners, loads: Tensor, guess: Tensor | None) -> Start:
    if guess is None:
        return Start(None, grid.uniform_energy(loads))
    return Start(guess, grid.energy(guess, loads).diagonal(dim1=1, dim2=2) * guess[0, 0].numel())


def solve_loads(apply: Operator, inverse: Operator, right: Tensor, start: Start, limits: Limits) -> tuple[Tensor, ...]:
    """Solve a discrete problem for given inflows.

    Load cases share a solve where the cache holds all of them; large ones are solved one after another, to save memory.

    Parameters
    ----------
    apply : callable
        Maps potentials to the flux out of each cell.
    inverse : callable
        Preconditioner: an approximate inverse of ``apply``.
    right : Tensor
        Inflow into each cell, shape ``batch x loads x *space``.
    start : Start
        Initial potentials and their energies.
    limits : Limits
        When to stop.

    Returns
    -------
    tuple of Tensor
        Potentials ``batch x loads x *space``; iterations, residuals and convergence flags, each ``batch x loads``.

    Examples
    --------
    >>> right = torch.tensor([[[1.0, -1.0]]])
    >>> solve_loads(lambda u: 2 * u, lambda r: r / 2, right, Start(None, None), Limits(1e-6, 10))[0].tolist()
    [[[0.5, -0.5]]]
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
        """Solve all load cases, and keep their potentials."""
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
                f"conduction stopped at a residual of {shown(float(solution.residual.max()), 2)} where "
                f"{shown(limits.tolerance, 2)} was asked, after up to {int(solution.iterations.max())} iterations; "
                "raise max_iterations or the tolerance, or use float64.",
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
    """Return the mean gradients of 1 along given axes.

    Parameters
    ----------
    axes : sequence of int
        Array axes, one for each load case.
    like : Tensor
        A field ``batch x *space`` that gives number of axes, dtype and device.

    Returns
    -------
    Tensor, shape (L, d)
        A unit vector for each load case.

    Examples
    --------
    >>> unit_loads((1,), torch.ones(1, 4, 4)).tolist()
    [[0.0, 1.0]]
    """
    return torch.eye(like.ndim - 1, dtype=like.dtype, device=like.device)[list(axes)]


def largest(field: Tensor) -> Tensor:
    """Return the largest value of each field, or 1 where a field is zero everywhere.

    Fields are divided by it so that squares stay within the range of float32.

    Parameters
    ----------
    field : Tensor
        Shape ``batch x *space``.

    Returns
    -------
    Tensor, shape (B,)
        The scale of each field.

    Examples
    --------
    >>> largest(torch.tensor([[[1.0, 3.0]], [[0.0, 0.0]]])).tolist()
    [3.0, 1.0]
    """
    scale = field.flatten(1).amax(1)
    return torch.where(scale > 0, scale, 1.0)


def append_axes(values: Tensor, like: Tensor) -> Tensor:
    """Append axes to one value for each field, so that the values multiply ``like``.

    Parameters
    ----------
    values : Tensor, shape (B,)
        The values.
    like : Tensor
        Shape ``batch x ...``.

    Returns
    -------
    Tensor
        Shape (B, 1, ..., 1), with as many axes as ``like``.

    Examples
    --------
    >>> append_axes(torch.ones(2), torch.ones(2, 3, 4)).shape
    torch.Size([2, 1, 1])
    """
    return values.view(-1, *([1] * (like.ndim - 1)))


def check_field(field: Tensor) -> None:
    """Check that a field is a batch of finite conductivities of zero or more.

    Parameters
    ----------
    field : Tensor
        Shape ``batch x *space``.

    Raises
    ------
    InputError
        If it is not a floating-point batch in 2-D or 3-D, or holds a negative, NaN or infinite value.

    Examples
    --------
    >>> check_field(torch.ones(1, 4, 4))
    """
    if field.ndim not in (3, 4) or not field.is_floating_point() or field.numel() == 0:
        raise InputError(
            f"conductivities must be a floating-point tensor (batch, *space) in 2-D or 3-D, found {field.dtype} of "
            f"shape {tuple(field.shape)}; add the batch axis with field[None]."
        )
    if not bool(torch.isfinite(field).all()) or bool((field < 0).any()):
        raise InputError("conductivities must be finite and zero or more, found a negative, NaN or infinite one.")


def relative_steps(spacing: float | Sequence[float], ndim: int) -> tuple[float, ...]:
    """Divide the spacing of each axis by the smallest one.

    Parameters
    ----------
    spacing : float or sequence of float
        Size of a cell along each axis.
    ndim : int
        Number of axes.

    Returns
    -------
    tuple of float
        Relative size along each axis.

    Raises
    ------
    InputError
        If the spacing is not one positive number, or one for each axis.

    Examples
    --------
    >>> relative_steps((5.0, 2.5), 2)
    (2.0, 1.0)
    """
    values = [float(spacing)] * ndim if isinstance(spacing, int | float) else [float(s) for s in spacing]
    if len(values) != ndim or not all(0 < value < float("inf") for value in values):
        raise InputError(f"spacing must be one positive number or one for each of {ndim} axes, found {spacing!r}.")
    return tuple(value / min(values) for value in values)


def _together(like: Tensor) -> int:
    return _TOGETHER.get(like.device.type, _TOGETHER["cuda"])
