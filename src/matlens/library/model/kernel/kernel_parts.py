"""Gaussian processes with several covariances, among which the members of an ensemble are divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.core.threads import side_by_side
from matlens.hooks import Arrays
from matlens.library.model.kernel.covariance import Covariance
from matlens.library.model.kernel.kernel_part import KernelPart

__all__ = ["KernelParts"]


@dataclass(frozen=True, eq=False)
class KernelParts:
    """Members divided among Gaussian processes with different covariances.

    Features that a single search for a covariance found by chance average out, and increase the difference of the
    parts.

    Parameters
    ----------
    parts : tuple of KernelPart
        Processes of the first members, of the next ones, and so on.

    Examples
    --------
    >>> x = torch.linspace(-2, 2, 20)[:, None]
    >>> numbers = np.array([0, -9, -9, -9, -9, -9, 0, 0, 0, -7.0])
    >>> covariances = [Covariance(np.full(1, length), numbers, fractions=1) for length in (0.1, 1)]
    >>> KernelParts.fit(covariances, x, x[:, 0].sin(), [np.arange(20)] * 2).values(torch.zeros(1, 1)).shape
    torch.Size([2, 1])
    """

    parts: tuple[KernelPart, ...]

    @classmethod
    def fit(
        cls, covariances: Sequence[Covariance], inputs: Tensor, target: Tensor, seen: Sequence[NDArray[np.intp]]
    ) -> KernelParts:
        """Condition each process on the training samples of its members.

        Parameters
        ----------
        covariances : sequence of Covariance
            Covariance functions.
        inputs : Tensor, shape (n, F)
            Standardised inputs.
        target : Tensor, shape (n,)
            Standardised figure of merit.
        seen : sequence of ndarray of int
            Training rows of each member.

        Returns
        -------
        KernelParts
            The fitted processes.
        """
        members = np.array_split(np.arange(len(seen)), min(len(covariances), len(seen)))
        fits = (
            KernelPart.fit(covariance, inputs, target, [seen[k] for k in own])
            for covariance, own in zip(covariances, members, strict=False)  # fewer members than covariances
        )
        return cls(tuple(fits))

    def centred(self) -> KernelParts:
        """Return a copy with centred parts (`KernelPart.centred`)."""
        return replace(self, parts=tuple(part.centred() for part in self.parts))

    def uncentred(self, count: int, seen: Sequence[NDArray[np.intp]]) -> KernelParts:
        """Inverse of `centred`, from the training rows of each member and the number of all rows."""
        members = np.array_split(np.arange(len(seen)), len(self.parts))
        found = zip(self.parts, members, strict=True)
        return replace(self, parts=tuple(part.uncentred(count, [seen[k] for k in own]) for part, own in found))

    def values(self, inputs: Tensor) -> Tensor:
        """Return the value of each member, shape (m, n), at inputs of shape (n, F)."""
        return torch.cat([part.values(inputs) for part in self.parts])

    def gradients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return values, shape (m, n), and gradients with respect to the inputs, shape (m, n, F)."""
        values, gradients = zip(*(part.gradients(inputs) for part in self.parts))
        return torch.cat(values), torch.cat(gradients)

    def posterior(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean value and gradient given all samples, shape (n, 1 + F), and their error covariance.

        The covariance, shape (n, 1 + F, 1 + F), is the mean one of the parts plus that between their means.
        """
        own = []
        for part in self.parts:
            values, gradients = replace(part, duals=part.whole[None]).gradients(inputs)
            own.append(torch.cat([values[..., None], gradients], 2)[0].double())
        members = [len(part.duals) for part in self.parts]
        shares = [count / sum(members) for count in members]
        mean = torch.stack([share * each for share, each in zip(shares, own)]).sum(0)
        found = inputs.new_zeros((), dtype=torch.float64)
        posteriors = side_by_side(lambda part: part.posterior(inputs), self.parts)
        for posterior, share, each in zip(posteriors, shares, own):
            apart = each - mean
            found = found + share * (posterior + apart[:, :, None] * apart[:, None])
        return mean, found

    def arrays(self) -> Arrays:
        """Return all parameters as arrays."""
        return {f"{k}.{name}": value for k, part in enumerate(self.parts) for name, value in part.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, device: str | torch.device) -> KernelParts:
        """Inverse of `arrays`."""
        own: dict[int, Arrays] = {}
        for name, value in arrays.items():
            number, rest = name.split(".", 1)
            own.setdefault(int(number), {})[rest] = value
        return cls(tuple(KernelPart.from_arrays(own[k], device) for k in sorted(own)))
