"""Fitted ensemble: weighted mean of neural networks and kernel models (Gaussian processes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.hooks import Progress
from matlens.library.model.ensemble import Ensemble
from matlens.library.model.kernel.kernel_parts import KernelParts

__all__ = ["HeldOut", "Mixture", "side_by_side_inputs"]

Array = NDArray[np.float64]
_DOUBT = 100.0  # weight of the prior for equal shares of both parts, in samples
# docs/decisions/0045-standard-errors-of-gradients.md
_WIDER = 1.25  # measured errors over posterior ones, which neglect the uncertainty of length scales; on tuning seeds
# docs/decisions/0043-preset-default-of-libraries.md
_LEAST, _MOST = 0.25, 0.75  # limits of the kernel part's share; its length scales were fitted to held-out samples too


@dataclass(frozen=True, eq=False)
class Mixture:
    """Members that are weighted means of a network and a kernel model.

    Parameters
    ----------
    networks : Ensemble
        Networks of the m members.
    kernel : KernelParts, optional
        Kernel models of the same members.
    share : float
        Weight of the kernel models, 0 to 1; 0 without them.
    """

    networks: Ensemble
    kernel: KernelParts | None = None
    share: float = 0.0

    @property
    def members(self) -> int:
        """Number of members, m."""
        return self.networks.members

    def values(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return the standardised figure of merit, shape (m, n), for inputs of shape (n, features)."""
        of_networks = self.networks.values(inputs)
        if self.kernel is None:
            return of_networks
        return torch.lerp(of_networks, self.kernel.values(side_by_side_inputs(inputs)), self.share)

    def gradients(self, inputs: Mapping[str, Tensor], progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        """Return values, shape (m, n), and gradients with respect to each input, shape (m, n, features)."""
        values, gradients = self.networks.gradients(inputs, progress)
        if self.kernel is None:
            return values, gradients
        more, own = self.kernel.gradients(side_by_side_inputs(inputs))
        parts = torch.split(own, [x.shape[1] for x in inputs.values()], 2)
        return torch.lerp(values, more, self.share), {
            name: gradients[name].lerp_(part, self.share) for name, part in zip(inputs, parts)
        }

    def known(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor] | None:
        """Return mean value and gradient, shape (n, 1 + F), with their error covariance, or None without kernel models.

        The covariance is the posterior covariance of the kernel models plus that between their mean and the networks'.
        """
        if self.kernel is None:
            return None
        values, gradients = self.networks.gradients(inputs)
        of_networks = torch.cat([values[..., None], *gradients.values()], 2).mean(0).double()
        # The members of the kernel models are centred: their mean is the process of all samples.
        of_kernel, posterior = self.kernel.posterior(side_by_side_inputs(inputs))
        apart = of_kernel - of_networks
        between = self.share * (1 - self.share) * apart[:, :, None] * apart[:, None]
        return of_networks + self.share * apart, _WIDER**2 * (posterior + between)


def side_by_side_inputs(inputs: Mapping[str, Tensor]) -> Tensor:
    """Concatenate the inputs of composition and spectrum.

    Parameters
    ----------
    inputs : mapping of str to Tensor, shape (n, features)
        Inputs of both kinds.

    Returns
    -------
    Tensor, shape (n, F)
        All inputs.

    Examples
    --------
    >>> side_by_side_inputs({"composition": torch.ones(2, 3), "spectrum": torch.ones(2, 1)}).shape
    torch.Size([2, 4])
    """
    return torch.cat(list(inputs.values()), 1)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Out-of-bag samples: those that each member was not trained on.

    Parameters
    ----------
    unseen : ndarray of bool, shape (m, n)
        True where a member was trained on no sample of that composition.

    Examples
    --------
    >>> held = HeldOut.from_rows([np.array([0, 1]), np.array([1, 2]), np.array([1])], 3)
    >>> mean, spread = held.summary(np.array([[1.0, 1, 1], [3, 3, 3], [5, 5, 5]]))
    >>> mean, spread
    (array([ 4., nan,  3.]), array([ 1., nan,  2.]))
    """

    unseen: NDArray[np.bool_]

    @classmethod
    def from_rows(cls, seen: Sequence[NDArray[np.intp]], count: int) -> HeldOut:
        """Make it from the training rows of each member and the number of all rows."""
        return cls(np.array([~np.isin(np.arange(count), own) for own in seen]))

    def summary(self, members: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation over the members that were not trained on a sample.

        Parameters
        ----------
        members : ndarray, shape (m, n)
            Predictions of all members.

        Returns
        -------
        mean, deviation : ndarray, shape (n,)
            Held-out predictions; NaN where all members were trained on the sample.
        """
        count = self.unseen.sum(0)
        enough = np.maximum(count, 1)
        mean = np.where(self.unseen, members, 0).sum(0) / enough
        spread = np.sqrt(np.where(self.unseen, np.square(members - mean), 0).sum(0) / enough)
        return np.where(count > 0, mean, np.nan), np.where(count > 0, spread, np.nan)

    def share(self, kernel: Array, networks: Array, target: Array) -> float:
        """Find the share of the kernel models that minimises held-out errors of the ensemble.

        The mean over the few networks that were not trained on a sample scatters more than that over all; this part of
        their error is subtracted.

        Parameters
        ----------
        kernel, networks : ndarray, shape (m, n)
            Predictions of the kernel models and of the networks.
        target : ndarray, shape (n,)
            Measured values.

        Returns
        -------
        float
            The share, from 0.25 to 0.75.

        Examples
        --------
        >>> held = HeldOut.from_rows([np.arange(50), np.arange(50, 100)], 100)
        >>> target = np.sin(np.arange(100))
        >>> round(held.share(np.tile(target, (2, 1)), np.zeros((2, 100)), target), 2)
        0.75
        """
        known = self.unseen.any(0)
        if not known.any():
            return 0.5
        one, other = (self.summary(values)[0][known] for values in (kernel, networks))
        apart, short = np.asarray(one - other), np.asarray(target[known] - other)
        fewer = 1 / self.unseen.sum(0)[known] - 1 / len(networks)
        scatter = float(networks[:, known].var(0) @ fewer)
        doubt = _DOUBT * float(np.mean(np.square(apart))) + 1e-12
        gain, cost = float(apart @ short) - scatter, float(apart @ apart) - scatter
        return float(np.clip((gain + 0.5 * doubt) / max(cost + doubt, doubt), _LEAST, _MOST))
