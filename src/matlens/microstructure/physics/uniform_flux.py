"""Apparent conductivity of a window with uniform flux through its border, a lower bound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from matlens.microstructure.physics.conduction import (
    MAX_ITERATIONS,
    ConductionSolution,
    Limits,
    Start,
    Watch,
    append_axes,
    check_field,
    largest,
    relative_steps,
    solve_loads,
)
from matlens.microstructure.physics.faces import AxisKind, face_conductivities
from matlens.microstructure.physics.laplacian import inverse_laplacian

__all__ = ["solve_uniform_flux"]


def solve_uniform_flux(
    field: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
    watch: Watch | None = None,
) -> ConductionSolution:
    """Compute the apparent conductivity under uniform flux through the border, the inverse of the apparent resistivity.

    It bounds the apparent tensor of a window from below under any boundary condition, as the uniform gradient does from
    above (Huet, J. Mech. Phys. Solids 38, 813, 1990). It is zero along an axis whose two borders are not entirely
    conducting and connected, because the flux cannot pass there.

    Parameters
    ----------
    field : Tensor
        Conductivity of each cell, shape ``batch x *space`` in 2-D or 3-D.
    spacing, tolerance, max_iterations, watch
        As in :func:`matlens.microstructure.physics.solve_conduction`.

    Returns
    -------
    ConductionSolution
        Tensor, and potentials for unit mean gradients, which are zero where the tensor is.

    Raises
    ------
    InputError
        If the field is not a floating-point batch in 2-D or 3-D, or is negative, NaN or infinite anywhere.

    Examples
    --------
    >>> laminate = torch.tensor([[[1.0, 1.0], [4.0, 4.0]]], dtype=torch.float64)
    >>> solve_uniform_flux(laminate).tensor[0].round(decimals=3)
    tensor([[1.6000, 0.0000],
            [0.0000, 1.7580]], dtype=torch.float64)
    """
    check_field(field)
    field, steps = field.detach(), relative_steps(spacing, field.ndim - 1)
    kinds: list[AxisKind] = ["insulated"] * len(steps)
    scale = largest(field)
    scaled = field / append_axes(scale, field)
    passes = torch.from_numpy(np.stack([_passes(cells) for cells in (scaled > 0).cpu().numpy()])).to(field)
    faces = face_conductivities(scaled, steps, kinds)
    inverse = inverse_laplacian(field.shape[1:], steps, kinds, like=field)
    right = _inflow(passes, scaled, steps)
    u, iterations, residual, converged = solve_loads(
        faces.apply, inverse, right, Start(None, None), Limits(tolerance, max_iterations, watch)
    )
    resistivity = _resistivity(faces.apply(u), u, right) + torch.diag_embed(_border_layers(scaled, passes))
    tensor = torch.linalg.inv(resistivity) * (passes[:, :, None] * passes[:, None, :])
    potential = torch.einsum("bij,bj...->bi...", tensor, u)
    for axis, step in enumerate(steps):
        ramp = step * torch.arange(field.shape[axis + 1], dtype=field.dtype, device=field.device)
        ramp = (ramp - ramp.mean()).view([-1 if dim == axis else 1 for dim in range(len(steps))])
        potential[:, axis] -= ramp * append_axes(passes[:, axis], field)
    return ConductionSolution(tensor * append_axes(scale, tensor), potential, iterations, residual, converged)


def _passes(conductor: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Per axis, whether all cells on its two borders conduct and belong together, so that a uniform flux can pass."""
    if conductor.all():
        return np.ones(conductor.ndim, dtype=bool)
    labels, _ = ndimage.label(conductor)
    borders = [labels.take([0, -1], axis) for axis in range(conductor.ndim)]
    return np.array([border.min() > 0 and border.min() == border.max() for border in borders])


def _inflow(passes: Tensor, field: Tensor, steps: Sequence[float]) -> Tensor:
    """Flux of 1 out of the first and into the last layer of each axis in turn, shape ``batch x d x *space``."""
    right = field.new_zeros(len(field), len(steps), *field.shape[1:])
    for axis, step in enumerate(steps):
        strength = append_axes(passes[:, axis], field) / step
        right[:, axis].narrow(axis + 1, -1, 1).add_(strength)
        right[:, axis].narrow(axis + 1, 0, 1).sub_(strength)
    return right


def _resistivity(applied: Tensor, u: Tensor, right: Tensor) -> Tensor:
    """Mean gradients (B, d, d) between the outermost cell centres, with an error quadratic in that of u."""
    work = torch.stack([(right[:, i : i + 1] * u).flatten(2).sum(2) for i in range(u.shape[1])], 1)
    stored = torch.stack([(applied[:, i : i + 1] * u).flatten(2).sum(2) for i in range(u.shape[1])], 1)
    total = work + work.mT - stored
    return (total + total.mT) / (2 * u[0, 0].numel())


def _border_layers(field: Tensor, passes: Tensor) -> Tensor:
    """Share of the half cells at the borders in the resistivity along each axis, (B, d); 1 where no flux passes."""
    layers = []
    for axis in range(field.ndim - 1):
        ends = torch.cat([field.narrow(axis + 1, 0, 1), field.narrow(axis + 1, -1, 1)], axis + 1)
        layers.append((0.5 / ends).flatten(1).sum(1) / field[0].numel())
    return torch.where(passes > 0, torch.stack(layers, 1), 1.0)
