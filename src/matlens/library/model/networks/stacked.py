"""Base class of networks of one architecture with separate weights for each member."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["Inputs", "StackedNetwork"]

Inputs = Mapping[str, Tensor]
"""Inputs "composition" and "spectrum" of all members, each of shape (m, B, features)."""


class StackedNetwork(ABC):
    """Networks of m members with separate weights, each from composition and spectrum to one number.

    All weights are in one vector, ordered by layer and then by member, so that an optimiser updates it in one pass.

    Parameters
    ----------
    shapes : mapping of str to sequence of int
        Shape of each of a member's parameters by name, in the order of the vector.
    members : int
        Number of members m.
    device : str or torch.device
        Where the parameters lie.

    Attributes
    ----------
    size : int
        Parameters of a member.
    vector : Tensor, shape (m * size,)
        All parameters.
    named : dict of str to Tensor
        Views of ``vector``, each of shape (m, *shape).
    gradient : Tensor or None
        Where `backward` writes the gradient of the parameters; None: it is not wanted.

    Examples
    --------
    See `matlens.library.model.networks.dense.DenseNetwork`.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]], members: int, device: str | torch.device = "cpu") -> None:
        self.shapes, self.members = dict(shapes), members
        self.size = sum(map(math.prod, self.shapes.values()))
        self.vector = torch.zeros(members * self.size, device=device)
        self.named = self.views(self.vector)
        self.gradient: Tensor | None = None

    def views(self, vector: Tensor) -> dict[str, Tensor]:
        """Views of a vector of all parameters, or of their gradients, by name, each of shape (m, *shape)."""
        parts = torch.split(vector, [self.members * math.prod(shape) for shape in self.shapes.values()])
        return {name: part.view(self.members, *shape) for part, (name, shape) in zip(parts, self.shapes.items())}

    def with_gradient(self) -> Tensor:
        """Make `backward` write the gradient of the parameters into the vector that is returned."""
        self.gradient = torch.zeros_like(self.vector)
        return self.gradient

    def words(self, batch: int) -> int:
        """Number of random 64-bit words that a member's dropout needs for a batch: none without dropout."""
        return 0

    @abstractmethod
    def forward(self, inputs: Inputs, bits: Tensor | None = None) -> Tensor:
        """Output of each member, shape (m, B); what `backward` needs is remembered.

        ``bits``: random words, shape (m, `words`), with which dropout is switched on.
        """

    @abstractmethod
    def backward(self, gradient: Tensor, *, inputs: bool = False) -> dict[str, Tensor]:
        """Carry the gradient in the output, shape (m, B), to parameters and, if asked, to the inputs.

        ``gradient`` may be overwritten.
        """
