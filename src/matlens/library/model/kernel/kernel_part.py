"""Gaussian processes of all members of an ensemble, fitted to different samples by one matrix inverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.core.gaussian_process import Posterior
from matlens.hooks import Arrays
from matlens.library.model.kernel.covariance import Covariance

__all__ = ["KernelPart"]

_ROWS = 3000  # greatest number of training samples
_BLOCK = 2**24  # numbers held at a time when gradients are asked for
_HIDDEN = 1e-3  # eigenvalues over the variance of the noise; standard errors grow by less than .05 %
_CACHED = 2**21  # numbers of a batch of posterior covariances, which several passes then find in the cache


@dataclass(frozen=True, eq=False)
class KernelPart:
    """Posterior means of a Gaussian process, conditioned on the training samples of each member.

    Parameters
    ----------
    covariance : Covariance
        Covariance function of all members.
    rows : Tensor, shape (N, F)
        Inputs of training samples, divided by their length scales.
    duals : Tensor, shape (m, N)
        Weight of the covariance with each sample; zero for samples that a member was not trained on.
    whole : Tensor, shape (N,)
        Weights for all samples together.

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
        """Shift all members so that their mean is the process of all samples; resampling then costs no accuracy."""
        return replace(self, duals=self.duals + (self.whole - self.duals.mean(0)))

    @classmethod
    def fit(
        cls, covariance: Covariance, inputs: Tensor, target: Tensor, seen: Sequence[NDArray[np.intp]]
    ) -> KernelPart:
        """Condition the process on the training samples of each member.

        With P the inverse of the covariance of all samples and S the samples that a member is not trained on, its
        weights are P y - P[:, S] P[S, S]^-1 (P y)[S] (elimination of S from the linear equations).

        Parameters
        ----------
        covariance : Covariance
            Covariance function.
        inputs : Tensor, shape (n, F)
            Standardised inputs.
        target : Tensor, shape (n,)
            Standardised figure of merit.
        seen : sequence of ndarray of int
            Training rows of each member.

        Returns
        -------
        KernelPart
            The fitted processes.
        """
        chosen = _chosen(len(target))
        x, y = inputs.cpu().double()[chosen], target.cpu().double()[chosen]
        rows = x / torch.as_tensor(covariance.length_scales)
        eye = torch.eye(len(rows), dtype=torch.float64)
        known = Posterior.given(cls._measured(covariance, rows, eye), y)
        duals = _without(known.inverse(), known.weights, chosen, seen)
        return cls(covariance, *(each.to(inputs.device) for each in (rows, duals, known.weights)))

    def uncentred(self, count: int, seen: Sequence[NDArray[np.intp]]) -> KernelPart:
        """Inverse of `centred`, from the training rows of each member and the number of all rows."""
        rows, whole = self.rows.cpu(), self.whole.cpu()
        measured = self._measured(self.covariance, rows, torch.eye(len(rows), dtype=torch.float64))
        duals = _without(torch.linalg.inv(measured), whole, _chosen(count), seen)
        return replace(self, duals=duals.to(self.duals))

    def values(self, inputs: Tensor) -> Tensor:
        """Return the value of each member, shape (m, n), at inputs of shape (n, F)."""
        parts = self._parts(inputs, 1)
        return torch.cat([(self.covariance(part, self.rows) @ self.duals.T).T for part in parts], 1).to(inputs)

    def gradients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return values, shape (m, n), and gradients with respect to the inputs, shape (m, n, F)."""
        found = [self.covariance.pull(part, self.rows, self.duals) for part in self._parts(inputs, len(self.duals))]
        values, gradients = (torch.cat(each, 1) for each in zip(*found))
        return values.to(inputs), (gradients / self._length_scales()).to(inputs)

    def posterior(self, inputs: Tensor) -> Tensor:
        """Return the posterior covariance of value and gradient given all samples, shape (n, 1 + F, 1 + F).

        Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 9.4. The uncertainty of length
        scales and variances is neglected. Eigenvectors of the covariance that the noise hides are left out: where an
        eigenvalue is less than e times the noise, what its measurement takes from a variance is less than e of what it
        leaves.
        """
        covariance, there = self.covariance.of_finite()  # nothing changes with the other inputs
        rows, scales = self.rows[:, there], self._length_scales()[there]
        noise = self._noise(covariance)
        values, vectors = torch.linalg.eigh(covariance(rows, rows))
        seen = values > _HIDDEN * noise
        whiten = vectors[:, seen] / (values[seen] + noise).sqrt()
        scale = torch.cat([scales.new_ones(1), scales])
        kept, size = torch.cat([there.new_zeros(1), there + 1]), 1 + inputs.shape[1]
        found = torch.zeros(len(inputs), size, size, dtype=torch.float64, device=self.rows.device)
        places, batch = inputs.double()[:, there] / scales, max(1, _CACHED // (len(kept) * len(rows)))
        for start, part in zip(range(0, len(places), batch), torch.split(places, batch)):
            known = covariance.with_gradients(part, rows) @ whiten
            left = covariance.prior(part) - known @ known.mT
            found[start : start + batch, kept[:, None], kept] = left / (scale[:, None] * scale)
        return found

    def arrays(self) -> Arrays:
        """Return all parameters as arrays."""
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
        """Inverse of `arrays`."""
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
        """Covariance of the measurements, noise included."""
        return covariance(rows, rows) + KernelPart._noise(covariance) * eye

    @staticmethod
    def _noise(covariance: Covariance) -> float:
        """Variance of the noise, and as much as keeps the matrix positive definite if rows are nearly equal."""
        return covariance.noise + 1e-7

    def _length_scales(self) -> Tensor:
        return torch.as_tensor(self.covariance.length_scales).to(self.rows)

    def _parts(self, inputs: Tensor, members: int) -> tuple[Tensor, ...]:
        """Scaled inputs in batches, in double precision because large weights of opposite sign cancel."""
        batch = max(1, _BLOCK // (members * max(inputs.shape[1], 1) + len(self.rows)))
        return torch.split(inputs.double() / self._length_scales(), batch)


def _chosen(count: int) -> NDArray[np.intp]:
    """Rows that carry the process."""
    found: NDArray[np.intp] = np.sort(np.random.default_rng(0).permutation(count)[:_ROWS])
    return found


def _without(inverse: Tensor, whole: Tensor, chosen: NDArray[np.intp], seen: Sequence[NDArray[np.intp]]) -> Tensor:
    """Weights of each member, which is trained on some of the rows, shape (m, N)."""
    duals = []
    for own in seen:
        left = torch.from_numpy(np.flatnonzero(~np.isin(chosen, own)))
        weights = whole - inverse[:, left] @ torch.linalg.solve(inverse[left][:, left], whole[left])
        weights[left] = 0
        duals.append(weights)
    return torch.stack(duals)
