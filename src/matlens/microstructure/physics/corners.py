"""Willot's rotated scheme for conduction: potentials at the corners of the cells, gradients at their centres.

Each cell keeps its own conductivity, whereas a face between two cells must mix them. Effective tensors of resolved
structures come out several times closer to those of a fine grid, and keep the bounds of Hashin and Shtrikman where
these hold for every sample; but cells that touch at a corner conduct to each other, so that a phase that conducts
nothing is a matter for :mod:`matlens.microstructure.physics.faces`.
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
    """What conducts between the corners of the cells of B periodic fields, for L loads at once.

    Parameters
    ----------
    conductivity : Tensor
        Of the cells, shape ``batch x 1 x *space``.
    steps : tuple of float
        Size of a cell along each axis.
    """

    conductivity: Tensor
    steps: tuple[float, ...]

    def apply(self, u: Tensor) -> Tensor:
        """Flux out of each corner, minus div k grad u, shape ``batch x loads x *space`` as u."""
        return divergence([slope.mul_(self.conductivity) for slope in gradient(u, self.steps)], self.steps).neg_()

    def inflow(self, loads: Tensor) -> Tensor:
        """Net flux into each corner under uniform gradients ``loads`` (L, d): the right-hand side, (B, L, *space)."""
        means = loads.view(1, *loads.shape, *([1] * len(self.steps)))
        return divergence([self.conductivity * means[:, :, axis] for axis in range(len(self.steps))], self.steps)

    def gradients(self, u: Tensor, loads: Tensor) -> list[Tensor]:
        """Gradient ``loads`` + grad u in the cells, one (B, L, *space) an axis."""
        means = loads.view(1, *loads.shape, *([1] * len(self.steps)))
        return [slope.add_(means[:, :, axis]) for axis, slope in enumerate(gradient(u, self.steps))]

    def uniform_energy(self, loads: Tensor) -> Tensor:
        """Sum of g.k g when each gradient is uniform, shape (B, L)."""
        return self.conductivity.flatten(1).sum(1)[:, None] * loads.square().sum(1)

    def energy(self, u: Tensor, loads: Tensor) -> Tensor:
        """Mean of g.k g for all pairs of loads, shape (B, L, L): the effective tensor when u solves the problem."""
        total = u.new_zeros(len(u), u.shape[1], u.shape[1])
        for g in self.gradients(u, loads):
            total += pair_sums(g, self.conductivity)
        return (total + total.mT) / (2 * u[0, 0].numel())

    def sensitivity(self, u: Tensor, loads: Tensor, weights: Tensor) -> Tensor:
        """Derivative of sum(weights * energy) with respect to each cell's conductivity, shape ``batch x *space``."""
        return torch.stack([weighted(g, weights) for g in self.gradients(u, loads)]).sum(0) / u[0, 0].numel()
