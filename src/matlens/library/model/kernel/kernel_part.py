"""The part of an ensemble that is a sum over training samples: every member has its own from one matrix inverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.core.gaussian_process import Posterior, whitened
from matlens.hooks import Arrays
from matlens.library.model.kernel.covariance import Covariance

__all__ = ["KernelPart"]

_ROWS = 3000  # training samples that the sum goes over at most
_BLOCK = 2**24  # numbers held at a time when slopes are asked for


@dataclass(frozen=True, eq=False)
class KernelPart:
    """Posterior means of a Gaussian process, one for each member's training samples.

    Parameters
    ----------
    covariance : Covariance
        Shared by the members.
    rows : Tensor, shape (N, F)
        Inputs of training samples, over their length_scales.
    duals : Tensor, shape (m, N)
        Weight of each sample's covariance; zero for those that a member did not see.
    whole : Tensor, shape (N,)
        The weights of a member that saw all.

    Examples
    --------
    >>> x = torch.linspace(-2, 2, 20)[:, None]
    >>> covariance = Covariance(np.ones(1), np.array([0, -9, -9, -9, -9, -9, 0, 0, 0, -7.0]), fractions=1)
    >>> part = KernelPart.fit(covariance, x, x[:, 0].sin(), [np.arange(20), np.arange(10)])
    >>> part.values(torch.tensor([[1.0]])).round(decimals=1)
    tensor([[0.8000],
            [0.4000]])
    """

    covariance: Covariance
    rows: Tensor
    duals: Tensor
    whole: Tensor

    def centred(self) -> KernelPart:
        """The same spread of members about the process that saw every sample: the mean loses nothing to resampling."""
        return replace(self, duals=self.duals + (self.whole - self.duals.mean(0)))

    @classmethod
    def fit(
        cls, covariance: Covariance, inputs: Tensor, target: Tensor, seen: Sequence[NDArray[np.intp]]
    ) -> KernelPart:
        """Fit to standardised inputs (n, F) and figures of merit (n,); ``seen`` are the rows of each member.

        With P the inverse of all samples' covariance and S those that a member does not see, its weights are
        P y - P[:, S] P[S, S]^-1 (P y)[S]: what elimination of S from the normal equations leaves.
        """
        chosen = np.sort(np.random.default_rng(0).permutation(len(target))[:_ROWS])
        x, y = inputs.cpu().double()[chosen], target.cpu().double()[chosen]
        rows = x / torch.as_tensor(covariance.length_scales)
        eye = torch.eye(len(rows), dtype=torch.float64)
        known = Posterior.given(cls._measured(covariance, rows, eye), y)
        inverse, whole = known.inverse(), known.weights
        duals = []
        for own in seen:
            left = torch.from_numpy(np.flatnonzero(~np.isin(chosen, own)))
            weights = whole - inverse[:, left] @ torch.linalg.solve(inverse[left][:, left], whole[left])
            weights[left] = 0
            duals.append(weights)
        return cls(covariance, *(each.to(inputs.device) for each in (rows, torch.stack(duals), whole)))

    def values(self, inputs: Tensor) -> Tensor:
        """Value of each member, shape (m, n), at inputs of shape (n, F)."""
        parts = self._parts(inputs, 1)
        return torch.cat([(self.covariance(part, self.rows) @ self.duals.T).T for part in parts], 1).to(inputs)

    def gradients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Values, shape (m, n), and slopes in the inputs, shape (m, n, F)."""
        found = [self.covariance.pull(part, self.rows, self.duals) for part in self._parts(inputs, len(self.duals))]
        values, slopes = (torch.cat(each, 1) for each in zip(*found))
        return values.to(inputs), (slopes / self._length_scales()).to(inputs)

    def posterior(self, inputs: Tensor) -> Tensor:
        """Covariance of errors in value and slopes, shape (n, 1 + F, 1 + F), of a process that saw every sample.

        Lengths and variances count as known.
        """
        eye = torch.eye(len(self.rows), dtype=torch.float64, device=self.rows.device)
        factor = torch.linalg.cholesky(self._measured(self.covariance, self.rows, eye))
        found = []
        for part in self._parts(inputs, inputs.shape[1]):
            seen = self.covariance.with_gradients(part, self.rows)
            told = whitened(factor, seen)
            found.append(self.covariance.prior(part) - told @ told.mT)
        scale = torch.cat([torch.ones_like(self._length_scales()[:1]), self._length_scales()])
        return torch.cat(found) / (scale[:, None] * scale)

    def arrays(self) -> Arrays:
        """Everything as arrays."""
        return {
            "lengths": self.covariance.length_scales,
            "numbers": self.covariance.numbers,
            "fractions": np.array([self.covariance.fractions]),
            "weights": self.covariance.weights,
            "rows": self.rows.cpu().numpy(),
            "duals": self.duals.cpu().numpy(),
            "whole": self.whole.cpu().numpy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, device: str | torch.device) -> KernelPart:
        """Make it again from what `arrays` gave."""
        covariance = Covariance(
            np.asarray(arrays["lengths"], np.float64),
            np.asarray(arrays["numbers"], np.float64),
            int(arrays["fractions"][0]),
            np.asarray(arrays["weights"], np.float64),
        )
        names = ("rows", "duals", "whole")
        return cls(covariance, *(torch.from_numpy(np.array(arrays[name])).to(device) for name in names))

    @staticmethod
    def _measured(covariance: Covariance, rows: Tensor, eye: Tensor) -> Tensor:
        """Covariance of figures of merit as they were measured, with their noise."""
        return covariance(rows, rows) + (covariance.noise + 1e-7) * eye

    def _length_scales(self) -> Tensor:
        return torch.as_tensor(self.covariance.length_scales).to(self.rows)

    def _parts(self, inputs: Tensor, members: int) -> tuple[Tensor, ...]:
        """Inputs over their length_scales, so many samples at a time; double, for large duals cancel each other."""
        batch = max(1, _BLOCK // (members * max(inputs.shape[1], 1) + len(self.rows)))
        return torch.split(inputs.double() / self._length_scales(), batch)
