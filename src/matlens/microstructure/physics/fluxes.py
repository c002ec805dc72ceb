"""Flux density in the cells, for figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from matlens.microstructure.physics.conduction import Scheme, chosen_scheme, relative_steps, unit_loads
from matlens.microstructure.physics.corners import Corners
from matlens.microstructure.physics.faces import AxisKind, face_conductivities

__all__ = ["flux_components", "flux_magnitude"]


def flux_magnitude(
    field: Tensor,
    potential: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    axes: Sequence[int] | None = None,
    periodic: bool = True,
    scheme: Scheme = "auto",
) -> Tensor:
    """Compute the magnitude of the flux density in each cell under unit mean gradients.

    Parameters
    ----------
    field : Tensor
        Conductivity, shape ``batch x *space``.
    potential : Tensor
        Solution for this field (``ConductionSolution.potential``), shape ``batch x loads x *space``.
    spacing : float or sequence of float
        Size of a cell along each axis.
    axes : sequence of int, optional
        Array axes of the load cases; all by default.
    periodic : bool
        Whether the last cell of an axis is a neighbour of the first.
    scheme : {"auto", "rotated", "staggered"}
        Scheme of the solution.

    Returns
    -------
    Tensor
        Shape ``batch x loads x *space``. In the staggered scheme each component is the mean over the faces that the
        cell shares with others.

    Raises
    ------
    InputError
        If the scheme does not fit the boundary or the field.

    Examples
    --------
    >>> flux_magnitude(torch.full((1, 2, 2), 3.0), torch.zeros(1, 2, 2, 2))[0, 0]
    tensor([[3., 3.],
            [3., 3.]])
    """
    squared = torch.zeros_like(potential)
    for component in _components(field, potential, spacing, axes, (periodic, scheme)):
        squared += component.square_()
    return squared.sqrt_()


def flux_components(
    field: Tensor,
    potential: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    axes: Sequence[int] | None = None,
    periodic: bool = True,
    scheme: Scheme = "auto",
) -> Tensor:
    """Compute the flux density in each cell along each axis, in the direction of rising potential.

    Parameters
    ----------
    field, potential, spacing, axes, periodic, scheme
        As in :func:`flux_magnitude`.

    Returns
    -------
    Tensor
        Shape ``batch x loads x d x *space``.

    Raises
    ------
    InputError
        If the scheme does not fit the boundary or the field.

    Examples
    --------
    >>> flux_components(torch.full((1, 2, 2), 3.0), torch.zeros(1, 2, 2, 2))[0, 0, :, 0, 0]
    tensor([3., 0.])
    """
    return torch.stack(list(_components(field, potential, spacing, axes, (periodic, scheme))), 2)


def _components(
    field: Tensor,
    potential: Tensor,
    spacing: float | Sequence[float],
    axes: Sequence[int] | None,
    how: tuple[bool, Scheme],
) -> Iterator[Tensor]:
    """Yield each component of the flux, ``batch x loads x *space``."""
    periodic, scheme = how[0], chosen_scheme(how[1], "periodic" if how[0] else "fixed", field)
    steps = relative_steps(spacing, field.ndim - 1)
    loads = unit_loads(range(len(steps)) if axes is None else axes, field)
    if scheme == "rotated":
        corners = Corners(field.unsqueeze(1), steps)
        yield from (part.mul_(corners.conductivity) for part in corners.gradients(potential, loads))
        return
    kinds: list[AxisKind] = ["periodic" if periodic else "insulated"] * len(steps)
    faces = face_conductivities(field, steps, kinds)
    for axis, k in enumerate(faces.conductivity):
        flux = faces.gradient(potential, loads, axis).mul_(k)
        shared = torch.ones(field.shape[axis + 1], dtype=field.dtype, device=field.device)
        shared[-1] = float(periodic)
        shared = (shared + shared.roll(1)).clamp_min(1.0).view([-1 if i == axis else 1 for i in range(len(steps))])
        yield (flux + flux.roll(1, axis + 2)) / shared
