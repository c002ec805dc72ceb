"""Kernel parts with covariances of their own, among which the members of an ensemble are divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.hooks import Arrays
from matlens.library.model.kernel.covariance import Covariance
from matlens.library.model.kernel.kernel_part import KernelPart

__all__ = ["KernelParts"]


@dataclass(frozen=True, eq=False)
class KernelParts:
    """The first members belong to the first part, and so on.

    What one search for a covariance found by chance, others did not find: it goes from the mean, and shows in how far
    the parts lie apart.

    Parameters
    ----------
    parts : tuple of KernelPart
        One or more.

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
        """Fit to standardised inputs (n, F) and figures of merit (n,); ``seen`` are the rows of each member."""
        members = np.array_split(np.arange(len(seen)), min(len(covariances), len(seen)))
        fits = (
            KernelPart.fit(covariance, inputs, target, [seen[k] for k in own])
            for covariance, own in zip(covariances, members, strict=False)  # fewer members than covariances
        )
        return cls(tuple(fits))

    def centred(self) -> KernelParts:
        """The same with `KernelPart.centred` parts."""
        return replace(self, parts=tuple(part.centred() for part in self.parts))

    def values(self, inputs: Tensor) -> Tensor:
        """Value of each member, shape (m, n), at inputs of shape (n, F)."""
        return torch.cat([part.values(inputs) for part in self.parts])

    def gradients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Values, shape (m, n), and slopes in the inputs, shape (m, n, F)."""
        values, slopes = zip(*(part.gradients(inputs) for part in self.parts))
        return torch.cat(values), torch.cat(slopes)

    def posterior(self, inputs: Tensor) -> Tensor:
        """Covariance of errors in value and slopes, shape (n, 1 + F, 1 + F), of processes that saw every sample.

        To what each does not know comes how far it lies from the others.
        """
        own = []
        for part in self.parts:
            values, slopes = replace(part, duals=part.whole[None]).gradients(inputs)
            own.append(torch.cat([values[..., None], slopes], 2)[0].double())
        members = [len(part.duals) for part in self.parts]
        shares = [count / sum(members) for count in members]
        mean = sum(share * each for share, each in zip(shares, own))
        found = inputs.new_zeros((), dtype=torch.float64)
        for part, share, each in zip(self.parts, shares, own):
            apart = each - mean
            found = found + share * (part.posterior(inputs) + apart[:, :, None] * apart[:, None])
        return found

    def arrays(self) -> Arrays:
        """Everything as arrays."""
        return {f"{k}.{name}": value for k, part in enumerate(self.parts) for name, value in part.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, device: str | torch.device) -> KernelParts:
        """Make it again from what `arrays` gave."""
        own: dict[int, Arrays] = {}
        for name, value in arrays.items():
            number, rest = name.split(".", 1)
            own.setdefault(int(number), {})[rest] = value
        return cls(tuple(KernelPart.from_arrays(own[k], device) for k in sorted(own)))
