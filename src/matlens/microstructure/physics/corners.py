"""Willot's rotated scheme for conduction: potentials at the corners of the cells, gradients at their centres.

Each cell keeps its own conductivity, whereas a face between two cells must mix them. Effective tensors of resolved
structures come out several times closer to those of a fine grid, and lie within the Hashin-Shtrikman bounds where
these hold for every sample. But cells that touch at a corner conduct to each other, so that phases of zero conductivity
need the scheme of :mod:`matlens.microstructure.physics.faces`. Source: Willot, C. R. Mécanique 343, 232 (2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from matlens.microstructure.physics.faces import pair_sums, weighted
from matlens.microstructure.physics.rotated import divergence, gradient

__all__ = ["Corners"]


@dataclass(frozen=True)
class Corners:
    """Conduction between the corners of the cells of B periodic fields, for L load cases at once.

    Parameters
    ----------
    conductivity : Tensor
        Conductivity of the cells, shape ``batch x 1 x *space``.
    steps : tuple of float
        Size of a cell along each axis.

    Examples
    --------
    >>> corners = Corners(torch.tensor([[[[1.0], [4.0]]]]), (1.0, 1.0))
    >>> loads = torch.eye(2)
    >>> corners.energy(torch.zeros(1, 2, 2, 1), loads)[0].tolist()  # uniform gradients: the arithmetic mean
    [[2.5, 0.0], [0.0, 2.5]]
    """

    conductivity: Tensor
    steps: tuple[float, ...]

    def apply(self, u: Tensor) -> Tensor:
        """Compute the flux out of each corner, minus div k grad u.

        Parameters
        ----------
        u : Tensor
            Potentials, shape ``batch x loads x *space``.

        Returns
        -------
        Tensor
            Fluxes, same shape.
        """
        flux = [derivative.mul_(self.conductivity) for derivative in gradient(u, self.steps)]
        return divergence(flux, self.steps).neg_()

    def inflow(self, loads: Tensor) -> Tensor:
        """Compute the net flux into each corner under uniform gradients, the right-hand side of the problem.

        Parameters
        ----------
        loads : Tensor, shape (L, d)
            Uniform gradients.

        Returns
        -------
        Tensor
            Shape ``batch x loads x *space``.
        """
        means = loads.view(1, *loads.shape, *([1] * len(self.steps)))
        return divergence([self.conductivity * means[:, :, axis] for axis in range(len(self.steps))], self.steps)

    def gradients(self, u: Tensor, loads: Tensor) -> list[Tensor]:
        """Compute the gradient in the cells, ``loads`` + grad u.

        Parameters
        ----------
        u : Tensor
            Potentials, shape ``batch x loads x *space``.
        loads : Tensor, shape (L, d)
            Uniform gradients.

        Returns
        -------
        list of Tensor
            Component along each axis, shape ``batch x loads x *space``.
        """
        means = loads.view(1, *loads.shape, *([1] * len(self.steps)))
        return [derivative.add_(means[:, :, axis]) for axis, derivative in enumerate(gradient(u, self.steps))]

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
        return self.conductivity.flatten(1).sum(1)[:, None] * loads.square().sum(1)

    def energy(self, u: Tensor, loads: Tensor) -> Tensor:
        """Compute the mean of g.k g for all pairs of load cases; it is the effective tensor when u solves the problem.

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
        for g in self.gradients(u, loads):
            total += pair_sums(g, self.conductivity)
        return (total + total.mT) / (2 * u[0, 0].numel())

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
            Shape ``batch x *space``.
        """
        return torch.stack([weighted(g, weights) for g in self.gradients(u, loads)]).sum(0) / u[0, 0].numel()
