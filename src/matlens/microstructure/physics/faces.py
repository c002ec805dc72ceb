"""Finite volumes: cells hold conductivities and potentials, the faces between them conduct by the harmonic mean.

The faces of an axis are kept as one array shaped as the cells: face i lies between cells i and i + 1, and the last
one wraps around. An axis that does not continue periodically lets nothing through the last face; where the potential
is fixed on its two borders, half a cell away from the first and last centres, two half faces lead there.
All lengths are in units of the smallest grid spacing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

__all__ = ["AxisKind", "Faces", "face_conductivities", "pair_sums", "weighted"]

AxisKind = Literal["periodic", "insulated", "fixed"]


@dataclass(frozen=True)
class Faces:
    """What conducts between the cells of B fields, for L loads at once.

    Parameters
    ----------
    field : Tensor
        Conductivity of the cells, shape ``batch x *space``.
    conductivity : tuple of Tensor
        Conductivity of the faces across each axis, shape ``batch x 1 x *space``.
    ends : tuple of Tensor or None
        Per axis, conductivity of the first and the last layer of cells where the potential is fixed, shape
        ``batch x 1 x *space`` with 2 in place of the axis; None elsewhere.
    steps : tuple of float
        Distance of cell centres along each axis.
    periodic : tuple of bool
        Per axis, whether the last face exists.
    """

    field: Tensor
    conductivity: tuple[Tensor, ...]
    ends: tuple[Tensor | None, ...]
    steps: tuple[float, ...]
    periodic: tuple[bool, ...]

    @property
    def cells(self) -> int:
        """Number of cells of one field."""
        return self.conductivity[0][0].numel()

    def apply(self, u: Tensor) -> Tensor:
        """Flux out of each cell, minus div k grad u, shape ``batch x loads x *space`` as u."""
        out = torch.zeros_like(u)
        flux = torch.empty_like(u)
        for axis, (k, ends, step) in enumerate(zip(self.conductivity, self.ends, self.steps)):
            _difference(u, axis, flux)
            flux.mul_(k)
            _add_outflow(flux, axis, out, -1.0 / step**2)
            if ends is not None:
                first, last = _borders(u, axis)
                out_first, out_last = _borders(out, axis)
                out_first.add_(first * ends.narrow(axis + 2, 0, 1), alpha=2.0 / step**2)
                out_last.add_(last * ends.narrow(axis + 2, 1, 1), alpha=2.0 / step**2)
        return out

    def inflow(self, loads: Tensor) -> Tensor:
        """Net flux into each cell under uniform gradients ``loads`` (L, d): the right-hand side, (B, L, *space)."""
        k = self.conductivity[0]
        out = k.new_zeros(k.shape[0], len(loads), *k.shape[2:])
        for axis, (k, ends, step) in enumerate(zip(self.conductivity, self.ends, self.steps)):
            mean = loads[:, axis].view(1, -1, *([1] * (k.ndim - 2)))
            _add_outflow(k * mean, axis, out, 1.0 / step)
            if ends is not None:
                out_first, out_last = _borders(out, axis)
                out_first.sub_(ends.narrow(axis + 2, 0, 1) * mean, alpha=1.0 / step)
                out_last.add_(ends.narrow(axis + 2, 1, 1) * mean, alpha=1.0 / step)
        return out

    def gradient(self, u: Tensor, loads: Tensor, axis: int) -> Tensor:
        """Gradient ``loads`` + grad u across the faces of an axis, (B, L, *space); zero on faces that do not exist."""
        out = _difference(u, axis, torch.empty_like(u)).div_(self.steps[axis])
        out.add_(loads[:, axis].view(1, -1, *([1] * (u.ndim - 2))))
        if not self.periodic[axis]:
            out.narrow(axis + 2, -1, 1).zero_()
        return out

    def end_gradient(self, u: Tensor, loads: Tensor, axis: int) -> Tensor:
        """Gradient across the two half faces at the fixed borders of an axis, as :meth:`gradient`."""
        first, last = _borders(u, axis)
        slope = torch.cat([first, -last], axis + 2).mul_(2.0 / self.steps[axis])
        return slope.add_(loads[:, axis].view(1, -1, *([1] * (u.ndim - 2))))

    def uniform_energy(self, loads: Tensor) -> Tensor:
        """Sum of g.k g when each gradient is uniform, shape (B, L)."""
        sums = []
        for k, ends in zip(self.conductivity, self.ends):
            sums.append(k.flatten(1).sum(1) + (0.0 if ends is None else ends.flatten(1).sum(1) / 2))
        return torch.stack(sums, 1) @ loads.square().mT

    def energy(self, u: Tensor, loads: Tensor) -> Tensor:
        """Mean of g.k g for all pairs of loads, shape (B, L, L): the effective tensor when u solves the problem.

        Its error is quadratic in that of u, that of the mean flux linear.
        """
        total = u.new_zeros(len(u), u.shape[1], u.shape[1])
        for axis, (k, ends) in enumerate(zip(self.conductivity, self.ends)):
            total += pair_sums(self.gradient(u, loads, axis), k)
            if ends is not None:
                total += pair_sums(self.end_gradient(u, loads, axis), ends) / 2
        return (total + total.mT) / (2 * self.cells)

    def sensitivity(self, u: Tensor, loads: Tensor, weights: Tensor) -> Tensor:
        """Derivative of sum(weights * energy) with respect to each cell's conductivity, shape ``batch x *space``.

        Zero at cells that conduct nothing, where there is no derivative.
        """
        field, out = self.field, torch.zeros_like(self.field)
        for axis, ends in enumerate(self.ends):
            density = weighted(self.gradient(u, loads, axis), weights)
            following = field.roll(-1, axis + 1)
            out += density * harmonic_share(field, following)
            out += (density * harmonic_share(following, field)).roll(1, axis + 1)
            if ends is not None:
                first, last = weighted(self.end_gradient(u, loads, axis), weights / 2).tensor_split(2, axis + 1)
                out.narrow(axis + 1, 0, 1).add_(first)
                out.narrow(axis + 1, -1, 1).add_(last)
        return torch.where(field > 0, out, 0.0) / self.cells


def face_conductivities(field: Tensor, steps: Sequence[float], kinds: Sequence[AxisKind]) -> Faces:
    """Faces of fields of cell conductivities, shape ``batch x *space``, with the given kind of border on each axis."""
    conductivity, ends = [], []
    for axis, kind in enumerate(kinds, start=1):
        k = harmonic_mean(field, field.roll(-1, axis))
        if kind != "periodic":
            k.narrow(axis, -1, 1).zero_()
        conductivity.append(k.unsqueeze(1))
        ends.append(torch.cat(_borders(field, axis - 2), axis).unsqueeze(1) if kind == "fixed" else None)
    return Faces(field, tuple(conductivity), tuple(ends), tuple(steps), tuple(kind == "periodic" for kind in kinds))


def harmonic_mean(a: Tensor, b: Tensor) -> Tensor:
    """2 a b / (a + b), and zero where both are: half a cell of each in series."""
    total = a + b
    return torch.where(total > 0, 2.0 * a * (b / total), 0.0)


def harmonic_share(a: Tensor, b: Tensor) -> Tensor:
    """Derivative of the harmonic mean of a and b with respect to a; zero where a is."""
    return torch.where(a > 0, 2.0 * (b / (a + b)) ** 2, 0.0)


def _difference(u: Tensor, axis: int, out: Tensor) -> Tensor:
    """Potential of the next cell minus that of this one, in ``out``."""
    dim, n = axis + 2, u.shape[axis + 2]
    torch.sub(u.narrow(dim, 1, n - 1), u.narrow(dim, 0, n - 1), out=out.narrow(dim, 0, n - 1))
    torch.sub(u.narrow(dim, 0, 1), u.narrow(dim, n - 1, 1), out=out.narrow(dim, n - 1, 1))
    return out


def _add_outflow(flux: Tensor, axis: int, out: Tensor, factor: float) -> None:
    """Add what leaves through the face behind each cell, less what enters through the one before it."""
    dim, n = axis + 2, flux.shape[axis + 2]
    out.add_(flux, alpha=factor)
    out.narrow(dim, 1, n - 1).sub_(flux.narrow(dim, 0, n - 1), alpha=factor)
    out.narrow(dim, 0, 1).sub_(flux.narrow(dim, n - 1, 1), alpha=factor)


def _borders(u: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    return u.narrow(axis + 2, 0, 1), u.narrow(axis + 2, -1, 1)


def pair_sums(gradient: Tensor, k: Tensor) -> Tensor:
    """Sums of g.k g of all pairs of loads; summed pairwise, as a product of matrices is not in single precision."""
    rows = [(gradient[:, i : i + 1] * k).mul(gradient).flatten(2).sum(2) for i in range(gradient.shape[1])]
    return torch.stack(rows, 1)


def weighted(gradient: Tensor, weights: Tensor) -> Tensor:
    """g.weights g of the loads at each place, shape ``batch x *space``."""
    result: Tensor = torch.einsum("bl...,blm,bm...->b...", gradient, weights, gradient)
    return result
