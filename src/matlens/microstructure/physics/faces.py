"""Finite volumes: cells hold conductivities and potentials, and the faces between them have the harmonic mean.

The faces of an axis are kept as one array shaped as the cells: face i lies between cells i and i + 1, and the last
one wraps around. The last face of an axis that is not periodic has zero conductivity. Where the potential is fixed on
the two borders of an axis, half a cell away from the first and last centres, two half faces lead there. All lengths
are in units of the smallest grid spacing. Source of the harmonic means: Wiegmann and Zemitis, EJ-HEAT, Fraunhofer ITWM
report 94 (2006).
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
    """Conduction between the cells of B fields, for L load cases at once.

    Parameters
    ----------
    field : Tensor
        Conductivity of the cells, shape ``batch x *space``.
    conductivity : tuple of Tensor
        Conductivity of the faces across each axis, shape ``batch x 1 x *space``.
    ends : tuple of Tensor or None
        For each axis with fixed potentials, the conductivity of the first and the last layer of cells, shape
        ``batch x 1 x *space`` with 2 in place of the axis; None for other axes.
    steps : tuple of float
        Distance of cell centres along each axis.
    periodic : tuple of bool
        For each axis, whether the last face conducts.

    Examples
    --------
    >>> field = torch.tensor([[[1.0], [4.0]]], dtype=torch.float64)
    >>> faces = face_conductivities(field, (1.0, 1.0), ("periodic", "periodic"))
    >>> faces.energy(field.new_zeros(1, 2, 2, 1), torch.eye(2, dtype=torch.float64))[0].tolist()
    [[1.6, 0.0], [0.0, 2.5]]
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
        """Compute the flux out of each cell, minus div k grad u.

        Parameters
        ----------
        u : Tensor
            Potentials, shape ``batch x loads x *space``.

        Returns
        -------
        Tensor
            Fluxes, same shape.
        """
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
        """Compute the net flux into each cell under uniform gradients, the right-hand side of the problem.

        Parameters
        ----------
        loads : Tensor, shape (L, d)
            Uniform gradients.

        Returns
        -------
        Tensor
            Shape ``batch x loads x *space``.
        """
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
        """Compute the gradient ``loads`` + grad u across the faces of an axis.

        Parameters
        ----------
        u : Tensor
            Potentials, shape ``batch x loads x *space``.
        loads : Tensor, shape (L, d)
            Uniform gradients.
        axis : int
            Array axis.

        Returns
        -------
        Tensor
            Shape ``batch x loads x *space``; zero on faces that do not exist.
        """
        out = _difference(u, axis, torch.empty_like(u)).div_(self.steps[axis])
        out.add_(loads[:, axis].view(1, -1, *([1] * (u.ndim - 2))))
        if not self.periodic[axis]:
            out.narrow(axis + 2, -1, 1).zero_()
        return out

    def end_gradient(self, u: Tensor, loads: Tensor, axis: int) -> Tensor:
        """Compute the gradient across the two half faces at the fixed borders of an axis.

        Parameters
        ----------
        u : Tensor
            Potentials, shape ``batch x loads x *space``.
        loads : Tensor, shape (L, d)
            Uniform gradients.
        axis : int
            Array axis.

        Returns
        -------
        Tensor
            Shape ``batch x loads x *space`` with 2 in place of the axis.
        """
        first, last = _borders(u, axis)
        outward = torch.cat([first, -last], axis + 2).mul_(2.0 / self.steps[axis])
        return outward.add_(loads[:, axis].view(1, -1, *([1] * (u.ndim - 2))))

    def uniform_energy(self, loads: Tensor) -> Tensor:
        """Compute the sum of g.k g when each gradient g is uniform.

        Parameters
        ----------
        loads : Tensor, shape (L, d)
            Uniform gradients.

        Returns
        -------
        Tensor, shape (B, L)
            The energies.
        """
        sums = []
        for k, ends in zip(self.conductivity, self.ends):
            sums.append(k.flatten(1).sum(1) + (0.0 if ends is None else ends.flatten(1).sum(1) / 2))
        return torch.stack(sums, 1) @ loads.square().mT

    def energy(self, u: Tensor, loads: Tensor) -> Tensor:
        """Compute the mean of g.k g for all pairs of load cases; it is the effective tensor when u solves the problem.

        Its error is quadratic in that of u, whereas the error of the mean flux is linear.

        Parameters
        ----------
        u : Tensor
            Potentials, shape ``batch x loads x *space``.
        loads : Tensor, shape (L, d)
            Uniform gradients.

        Returns
        -------
        Tensor, shape (B, L, L)
            The energies, symmetric.
        """
        total = u.new_zeros(len(u), u.shape[1], u.shape[1])
        for axis, (k, ends) in enumerate(zip(self.conductivity, self.ends)):
            total += pair_sums(self.gradient(u, loads, axis), k)
            if ends is not None:
                total += pair_sums(self.end_gradient(u, loads, axis), ends) / 2
        return (total + total.mT) / (2 * self.cells)

    def sensitivity(self, u: Tensor, loads: Tensor, weights: Tensor) -> Tensor:
        """Compute the derivative of sum(weights * energy) with respect to the conductivity of each cell.

        Parameters
        ----------
        u : Tensor
            Potentials, shape ``batch x loads x *space``.
        loads : Tensor, shape (L, d)
            Uniform gradients.
        weights : Tensor, shape (B, L, L)
            Weight of each entry of `energy`.

        Returns
        -------
        Tensor
            Shape ``batch x *space``; zero at cells of zero conductivity, where there is no derivative.
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
    """Compute the conductivities of the faces of fields, for a given kind of border on each axis.

    Parameters
    ----------
    field : Tensor
        Conductivity of the cells, shape ``batch x *space``.
    steps : sequence of float
        Distance of cell centres along each axis.
    kinds : sequence of {"periodic", "insulated", "fixed"}
        Kind of border of each axis.

    Returns
    -------
    Faces
        The discrete problem.

    Examples
    --------
    >>> face_conductivities(torch.tensor([[[1.0], [4.0]]]), (1.0, 1.0), ("insulated",) * 2).conductivity[0].flatten()
    tensor([1.6000, 0.0000])
    """
    conductivity, ends = [], []
    for axis, kind in enumerate(kinds, start=1):
        k = harmonic_mean(field, field.roll(-1, axis))
        if kind != "periodic":
            k.narrow(axis, -1, 1).zero_()
        conductivity.append(k.unsqueeze(1))
        ends.append(torch.cat(_borders(field, axis - 2), axis).unsqueeze(1) if kind == "fixed" else None)
    return Faces(field, tuple(conductivity), tuple(ends), tuple(steps), tuple(kind == "periodic" for kind in kinds))


def harmonic_mean(a: Tensor, b: Tensor) -> Tensor:
    """Compute 2 a b / (a + b): the conductivity of half a cell of each in series.

    Parameters
    ----------
    a, b : Tensor
        Conductivities, zero or more.

    Returns
    -------
    Tensor
        The mean; zero where both are zero.

    Examples
    --------
    >>> harmonic_mean(torch.tensor([1.0, 0.0]), torch.tensor([4.0, 0.0]))
    tensor([1.6000, 0.0000])
    """
    total = a + b
    return torch.where(total > 0, 2.0 * a * (b / total), 0.0)


def harmonic_share(a: Tensor, b: Tensor) -> Tensor:
    """Compute the derivative of the harmonic mean of a and b with respect to a.

    Parameters
    ----------
    a, b : Tensor
        Conductivities, zero or more.

    Returns
    -------
    Tensor
        2 (b / (a + b))^2; zero where a is zero.

    Examples
    --------
    >>> harmonic_share(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0]))
    tensor([0.5000, 0.0000])
    """
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
    """Compute the sums of g.k g over all faces or cells, for all pairs of load cases.

    Parameters
    ----------
    gradient : Tensor
        One component of the gradients g, shape ``batch x loads x *space``.
    k : Tensor
        Conductivities, shape ``batch x 1 x *space``.

    Returns
    -------
    Tensor, shape (B, L, L)
        The sums. They are added pairwise, which is more accurate in single precision than a product of matrices.

    Examples
    --------
    >>> pair_sums(torch.ones(1, 2, 2, 2), torch.ones(1, 1, 2, 2)).tolist()
    [[[4.0, 4.0], [4.0, 4.0]]]
    """
    rows = [(gradient[:, i : i + 1] * k).mul(gradient).flatten(2).sum(2) for i in range(gradient.shape[1])]
    return torch.stack(rows, 1)


def weighted(gradient: Tensor, weights: Tensor) -> Tensor:
    """Compute the quadratic form of the load cases' gradients at each place.

    Parameters
    ----------
    gradient : Tensor
        One component of the gradients g, shape ``batch x loads x *space``.
    weights : Tensor, shape (B, L, L)
        Weights w.

    Returns
    -------
    Tensor
        Sum of w_lm g_l g_m over the pairs of load cases, shape ``batch x *space``.

    Examples
    --------
    >>> weighted(torch.full((1, 1, 2, 2), 3.0), torch.ones(1, 1, 1))[0].tolist()
    [[9.0, 9.0], [9.0, 9.0]]
    """
    result: Tensor = torch.einsum("bl...,blm,bm...->b...", gradient, weights, gradient)
    return result
