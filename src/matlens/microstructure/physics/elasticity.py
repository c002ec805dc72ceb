"""Effective stiffness of periodic cells of isotropic phases, differentiable in every voxel; plane strain in 2-D.

div(C : (E + strain(u))) = 0 is solved for a unit of each mean strain E in Voigt's order, by Willot's rotated scheme
(:mod:`matlens.microstructure.physics.rotated`) and conjugate gradients on the displacements. The FFT solution in a
homogeneous medium preconditions them, so that the number of iterations grows with the contrast and not with the size.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from matlens.core.numbers import shown
from matlens.errors import InputError
from matlens.microstructure.physics.conduction import relative_steps
from matlens.microstructure.physics.krylov import Solution, conjugate_gradients
from matlens.microstructure.physics.moduli import VOIGT, lame
from matlens.microstructure.physics.rotated import divergence, gradient, green_operator

__all__ = ["ElasticSolution", "effective_stiffness", "solve_count", "solve_elasticity"]

Watch = Callable[[int, float], None]
MAX_ITERATIONS = 2000
_TOGETHER = {"cpu": 2**17, "cuda": 2**25}
"""Number of displacements solved for at once: what the cache of a processor holds, or what fills the device."""


@dataclass(frozen=True)
class ElasticSolution:
    """Effective stiffness, displacements and residuals of B cells under n unit strains.

    Parameters
    ----------
    stiffness : Tensor
        Shape (B, n, n), symmetric, in the unit of Young's modulus; Voigt's order 00, 11, 01 or 00, 11, 22, 12, 02, 01
        of array axes, for engineering shear strains.
    displacement : Tensor
        Periodic part, at the lower corners of the voxels, shape ``batch x n x ndim x *space``, in units of the smallest
        spacing.
    strain_energy : Tensor
        Energy density in each voxel under each unit strain, shape ``batch x n x *space``; its mean is half the diagonal
        of ``stiffness``.
    iterations : Tensor of int, shape (B, n)
        Iterations of each load case.
    residual : Tensor, shape (B, n)
        Relative residual of each load case, in the norm of the preconditioner.
    converged : Tensor of bool, shape (B, n)
        Whether each load case reached the tolerance.
    hourglass : Tensor, shape (B, n)
        Share of the strain energy that alternates in sign from voxel to voxel along two axes or more. The scheme hardly
        resists these modes, which appear as checkerboards in its fields. Around each corner the square root of the
        energy density (strain times the root of the stiffness) is decomposed into the sign patterns of its 2^ndim
        voxels, whose energies sum to the whole. Corners of interfaces contribute to it too; it falls as the grid is
        refined.

    Examples
    --------
    >>> half = torch.full((1, 4, 4), 0.5)
    >>> solution = solve_elasticity(5 * half, half / 2)
    >>> solution.displacement.shape, float(solution.hourglass.max())
    (torch.Size([1, 3, 2, 4, 4]), 0.0)
    """

    stiffness: Tensor
    displacement: Tensor
    strain_energy: Tensor
    iterations: Tensor
    residual: Tensor
    converged: Tensor
    hourglass: Tensor


def effective_stiffness(
    young: Tensor,
    poisson: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
) -> Tensor:
    """Compute the effective stiffness of periodic fields of isotropic material, differentiable in every voxel.

    The gradient is exact for the discrete problem and needs no further solve, because the problem is self-adjoint.

    Parameters
    ----------
    young : Tensor
        Young's modulus of each voxel, zero or more, shape ``batch x *space`` in 2-D or 3-D, float32 or float64.
    poisson : Tensor
        Poisson's ratio of each voxel, between -1 and 0.5 (exclusive), shaped as ``young``.
    spacing : float or sequence of float
        Size of a voxel along each axis; only ratios matter.
    tolerance : float
        Relative residual at which a load case is solved; the error of the stiffness is about its square times the
        contrast.
    max_iterations : int
        Largest number of iterations for each load case; a RuntimeWarning is issued when they do not suffice.

    Returns
    -------
    Tensor
        Shape (B, n, n), symmetric, in the unit of ``young``; Voigt's order of array axes 00, 11, 01 (plane strain) or
        00, 11, 22, 12, 02, 01, for engineering shear strains (twice the tensor's).

    Raises
    ------
    InputError
        If the fields are not floating-point batches of one shape in 2-D or 3-D, or a value lies outside its range.

    Notes
    -----
    Willot, C. R. Mécanique 343, 232 (2015). Laminates across an array axis, and across a diagonal of the plane, are
    exact; all other structures converge with the grid.

    Examples
    --------
    >>> young = torch.tensor([[[1.0, 1.0], [4.0, 4.0]]], dtype=torch.float64)
    >>> effective_stiffness(young, torch.zeros_like(young))[0]
    tensor([[1.6000, 0.0000, 0.0000],
            [0.0000, 2.5000, 0.0000],
            [0.0000, 0.0000, 0.8000]], dtype=torch.float64)
    """
    _check(young, poisson)
    first, shear = lame(young, poisson)
    options = (spacing, tolerance, max_iterations)
    result: Tensor = _EffectiveStiffness.apply(first, shear, options)  # type: ignore[no-untyped-call]
    return result


def solve_elasticity(
    young: Tensor,
    poisson: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
    watch: Watch | None = None,
) -> ElasticSolution:
    """Solve for the displacements of periodic fields under unit mean strains.

    Parameters
    ----------
    young, poisson, spacing, tolerance, max_iterations
        As in :func:`effective_stiffness`.
    watch : callable, optional
        Called with the iteration and the largest relative residual, in every iteration of every solve (of as many load
        cases together as fit the cache).

    Returns
    -------
    ElasticSolution
        Stiffness and displacements; ``converged`` says whether the tolerance was reached.

    Raises
    ------
    InputError
        As in :func:`effective_stiffness`.

    Examples
    --------
    >>> half = torch.full((1, 4, 4), 0.5)
    >>> solution = solve_elasticity(5 * half, half / 2)
    >>> solution.stiffness[0].tolist(), solution.converged.tolist()
    ([[3.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 1.0]], [[True, True, True]])
    """
    _check(young, poisson)
    first, shear = lame(young.detach(), poisson.detach())
    return _solve(first, shear, spacing, tolerance, max_iterations, watch)


def solve_count(young: Tensor) -> int:
    """Count the solves that :func:`solve_elasticity` makes for given fields.

    Parameters
    ----------
    young : Tensor
        Young's modulus of each voxel, shape ``batch x *space``.

    Returns
    -------
    int
        Number of solves, in each of which ``watch`` counts iterations from the start.

    Examples
    --------
    >>> solve_count(torch.ones(1, 64, 64)), solve_count(torch.ones(1, 512, 512))
    (1, 3)
    """
    return -(-len(young) * len(VOIGT[young.ndim - 1]) // _together(young))


def _together(field: Tensor) -> int:
    """Load cases solved for at once."""
    return max(1, _TOGETHER.get(field.device.type, 2**17) // ((field.ndim - 1) * prod(field.shape[1:])))


def _solve(
    first: Tensor,
    shear: Tensor,
    spacing: float | Sequence[float],
    tolerance: float,
    max_iterations: int,
    watch: Watch | None = None,
) -> ElasticSolution:
    ndim = first.ndim - 1
    steps = relative_steps(spacing, ndim)
    count = len(VOIGT[ndim])
    scale = shear.flatten(1).amax(1).clamp_min(torch.finfo(shear.dtype).tiny)
    moduli = torch.stack([first, shear], 1) / _over(scale, first[:, None])
    parts = [
        _displacements(moduli, systems, steps, (tolerance, max_iterations), watch)
        for systems in torch.split(torch.arange(len(first) * count), _together(first))
    ]
    shape = (len(first), count)
    displacement = torch.cat([part.x for part in parts]).view(*shape, ndim, *first.shape[1:])
    results = [_energies(*sample, steps) for sample in zip(moduli, displacement)]
    stiffness, energy, hourglass = (torch.stack(part) for part in zip(*results))
    return ElasticSolution(
        stiffness * _over(scale, stiffness),
        displacement,
        energy * _over(scale, energy),
        torch.cat([part.iterations for part in parts]).view(shape),
        torch.cat([part.residual for part in parts]).view(shape),
        torch.cat([part.converged for part in parts]).view(shape),
        hourglass,
    )


def _displacements(
    moduli: Tensor, systems: Tensor, steps: Sequence[float], limits: tuple[float, int], watch: Watch | None
) -> Solution:
    """Periodic displacements of some systems; number s is load case s % n of sample s // n."""
    ndim = len(steps)
    count = len(VOIGT[ndim])
    first, shear = moduli[systems.to(moduli.device) // count].unbind(1)
    lowest, highest = (limit(moduli.flatten(2), -1) for limit in (torch.amin, torch.amax))
    middle = lowest + highest  # twice the reference medium; only the ratio of its moduli matters
    coupling = (middle.sum(1) / (middle.sum(1) + middle[:, 1])).nan_to_num(0.5)  # NaN: nothing but voids
    coupling = coupling[systems.to(moduli.device) // count]
    coupling = coupling[:1] if bool((coupling == coupling[0]).all()) else coupling
    loads = torch.eye(count, dtype=moduli.dtype, device=moduli.device)[systems.to(moduli.device) % count]
    mean = loads.view(-1, count, *([1] * ndim)).expand(-1, -1, *first.shape[1:])
    return conjugate_gradients(
        lambda u: -divergence(_stress(first, shear, _strain(u, steps)), steps),
        green_operator(first.shape[1:], steps, coupling),
        divergence(_stress(first, shear, mean), steps),
        tolerance=limits[0],
        max_iterations=limits[1],
        watch=watch,
    )


def _strain(u: Tensor, steps: Sequence[float]) -> Tensor:
    """Strain in Voigt's order, ``batch x n x *space``."""
    derivatives = gradient(u, steps)
    pairs = VOIGT[len(steps)]
    strain = torch.empty(len(u), len(pairs), *u.shape[2:], dtype=u.dtype, device=u.device)
    for k, (i, j) in enumerate(pairs):
        if i == j:
            strain[:, k] = derivatives[i][:, i]
        else:
            torch.add(derivatives[j][:, i], derivatives[i][:, j], out=strain[:, k])
    return strain


def _stress(first: Tensor, shear: Tensor, strain: Tensor) -> list[Tensor]:
    """Stress vectors across each axis, each ``batch x ndim x *space``."""
    ndim = first.ndim - 1
    pressure = first * strain[:, :ndim].sum(1)
    columns = [torch.empty_like(strain[:, :ndim]) for _ in range(ndim)]
    for k, (i, j) in enumerate(VOIGT[ndim]):
        if i == j:
            torch.addcmul(pressure, shear, strain[:, k], value=2.0, out=columns[i][:, i])
        else:
            columns[i][:, j] = torch.mul(shear, strain[:, k], out=columns[j][:, i])
    return columns


def _energies(moduli: Tensor, u: Tensor, steps: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Stiffness (n, n), energy density ``n x *space`` and hourglass share (n,) of one sample.

    Products of stresses and strains, not mean stresses, make the stiffness: its error is the square of theirs.
    """
    first, shear = moduli
    ndim = len(steps)
    strains = _total_strain(u, steps)
    rows, energies, shares = [], [], []
    for strain in strains:  # one at a time, for memory
        trace = strain[:ndim].sum(0)
        stress = shear * strain
        stress[:ndim] += stress[:ndim] + first * trace
        rows.append(strains.flatten(1) @ stress.flatten())
        energies.append((stress * strain).sum(0) / 2)
        shares.append(_alternating_share(_root_of_energy(first, shear, strain)))
    stiffness = torch.stack(rows) / first.numel()
    return (stiffness + stiffness.mT) / 2, torch.stack(energies), torch.stack(shares)


def _root_of_energy(first: Tensor, shear: Tensor, strain: Tensor) -> Tensor:
    """Dilatation and distortion weighted by the roots of their moduli, ``n + 1 x *space``: energy is their square."""
    ndim = first.ndim
    trace = strain[:ndim].sum(0)
    distortion = strain.clone()
    distortion[:ndim] -= trace / ndim
    distortion[:ndim] *= 2**0.5
    return torch.cat([((first + 2 / ndim * shear).sqrt() * trace)[None], shear.sqrt() * distortion])


def _alternating_share(root: Tensor) -> Tensor:
    """Share of the squares in the parts that alternate in sign, around each corner, along two axes or more."""
    hidden = torch.zeros_like(root.view(-1)[0])
    for component in root:
        parts = [(component, 0)]
        for dim in range(component.ndim):
            moved = [(part, part.roll(1, dim), axes) for part, axes in parts]
            parts = [(0.5 * (part + back), axes) for part, back, axes in moved]
            parts += [(0.5 * (part - back), axes + 1) for part, back, axes in moved]
        hidden += torch.stack([part.square().sum() for part, axes in parts if axes >= 2]).sum()
    total = root.square().sum()
    return torch.where(total > 0, hidden / total, 0.0)


def _total_strain(u: Tensor, steps: Sequence[float]) -> Tensor:
    """Mean and periodic strain of all load cases of one sample, ``n x n x *space``."""
    strain = torch.cat([_strain(load[None], steps) for load in u])
    strain.diagonal().add_(1.0)
    return strain


def _split(strain: Tensor) -> tuple[Tensor, Tensor]:
    """Trace, and the strain so weighted that its square is twice the tensor's squared norm."""
    ndim = strain.ndim - 2
    weighted = strain.clone()
    weighted[:, :ndim] *= 2**0.5
    return strain[:, :ndim].sum(1), weighted


class _EffectiveStiffness(torch.autograd.Function):
    """The effective stiffness with its gradient: products of the strains of two load cases in each voxel."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, shear: Tensor, options: tuple[Any, ...]) -> Tensor:
        """Solve all load cases, and keep their displacements."""
        spacing, tolerance, max_iterations = options
        solution = _solve(first, shear, spacing, tolerance, max_iterations)
        if not solution.converged.all():
            warnings.warn(
                f"elasticity stopped after {max_iterations} iterations at a residual of "
                f"{shown(float(solution.residual.max()), 2)} where {shown(tolerance, 2)} was asked; raise "
                "max_iterations or the tolerance, or use float64.",
                RuntimeWarning,
                stacklevel=3,
            )
        ctx.save_for_backward(solution.displacement)
        ctx.steps = relative_steps(spacing, first.ndim - 1)
        return solution.stiffness

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        """Multiply the strains of pairs of load cases, weighted by the gradient of their stiffness."""
        (displacement,) = ctx.saved_tensors
        first, shear = [], []
        for u, weight in zip(displacement, grads[0]):
            trace, deviator = _split(_total_strain(u, ctx.steps))
            first.append(torch.einsum("i...,ij,j...->...", trace, weight, trace) / trace[0].numel())
            shear.append(torch.einsum("ik...,ij,jk...->...", deviator, weight, deviator) / trace[0].numel())
        return torch.stack(first), torch.stack(shear), None


def _check(young: Tensor, poisson: Tensor) -> None:
    """Raise InputError unless these are batches of moduli and ratios of isotropic material."""
    if young.ndim not in (3, 4) or not young.is_floating_point() or young.numel() == 0:
        raise InputError(
            f"Young's moduli must be a floating-point tensor (batch, *space) in 2-D or 3-D, found {young.dtype} of "
            f"shape {tuple(young.shape)}; add the batch axis with young[None]."
        )
    if poisson.shape != young.shape or poisson.dtype != young.dtype:
        raise InputError(
            f"Poisson's ratios must be shaped and typed as Young's moduli, found {poisson.dtype} of shape "
            f"{tuple(poisson.shape)} beside {young.dtype} of shape {tuple(young.shape)}."
        )
    if not bool(torch.isfinite(young).all()) or bool((young < 0).any()):
        raise InputError("Young's moduli must be finite and zero or more, found a negative, NaN or infinite one.")
    if not bool(((poisson > -1) & (poisson < 0.5)).all()):
        raise InputError("Poisson's ratios must lie between -1 and 0.5, found one outside; take 0.499 instead of 0.5.")


def _over(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *([1] * (like.ndim - 1)))
