"""What a fitted ensemble is: networks, and beside them perhaps a sum over training samples."""

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
_DOUBT = 100.0  # samples' worth of belief that both parts weigh the same
# docs/decisions/0045-standard-errors-of-gradients.md
_WIDER = 1.25  # errors over what the process says, which takes its lengths for known; on tuning seeds of three families
# docs/decisions/0043-preset-default-of-libraries.md
_LEAST, _MOST = 0.25, 0.75  # of the kernel part; its lengths have seen the held-out samples, which flatters it


@dataclass(frozen=True, eq=False)
class Mixture:
    """Members whose value is ``share`` times the kernel part's and the rest the network's.

    Parameters
    ----------
    networks : Ensemble
        m networks.
    kernel : KernelParts, optional
        The same members' sums over training samples.
    share : float
        0 without a kernel part.
    """

    networks: Ensemble
    kernel: KernelParts | None = None
    share: float = 0.0

    @property
    def members(self) -> int:
        """Number of members, m."""
        return self.networks.members

    def values(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Standardised figure of merit, shape (m, n), for inputs of shape (n, features)."""
        of_networks = self.networks.values(inputs)
        if self.kernel is None:
            return of_networks
        return torch.lerp(of_networks, self.kernel.values(side_by_side_inputs(inputs)), self.share)

    def gradients(self, inputs: Mapping[str, Tensor], progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        """Values, shape (m, n), and slopes in each input, shape (m, n, features)."""
        values, slopes = self.networks.gradients(inputs, progress)
        if self.kernel is None:
            return values, slopes
        more, own = self.kernel.gradients(side_by_side_inputs(inputs))
        parts = torch.split(own, [x.shape[1] for x in inputs.values()], 2)
        return torch.lerp(values, more, self.share), {
            name: slopes[name].lerp_(part, self.share) for name, part in zip(inputs, parts)
        }

    def known(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor] | None:
        """Mean value and slopes, shape (n, 1 + F), with the covariance of their errors; None without a kernel part.

        To what the kernel part does not know comes how far its mean and the networks' lie apart.
        """
        if self.kernel is None:
            return None
        beside = side_by_side_inputs(inputs)
        values, slopes = self.networks.gradients(inputs)
        of_networks = torch.cat([values[..., None], *slopes.values()], 2).mean(0).double()
        values, own = self.kernel.gradients(beside)
        apart = torch.cat([values[..., None], own], 2).mean(0).double() - of_networks
        between = self.share * (1 - self.share) * apart[:, :, None] * apart[:, None]
        return of_networks + self.share * apart, _WIDER**2 * (self.kernel.posterior(beside) + between)


def side_by_side_inputs(inputs: Mapping[str, Tensor]) -> Tensor:
    """Inputs of all branches next to each other, shape (n, F).

    Examples
    --------
    >>> side_by_side_inputs({"composition": torch.ones(2, 3), "spectrum": torch.ones(2, 1)}).shape
    torch.Size([2, 4])
    """
    return torch.cat(list(inputs.values()), 1)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Which samples each member did not see, and what members say of those.

    Parameters
    ----------
    unseen : ndarray of bool, shape (m, n)
        True where a member saw neither the sample nor another of its composition.

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
        """From the rows that each member saw, of ``count``."""
        return cls(np.array([~np.isin(np.arange(count), own) for own in seen]))

    def summary(self, members: Array) -> tuple[Array, Array]:
        """Mean and spread, each of shape (n,), of the members that did not see a sample; NaN where all did."""
        count = self.unseen.sum(0)
        enough = np.maximum(count, 1)
        mean = np.where(self.unseen, members, 0).sum(0) / enough
        spread = np.sqrt(np.where(self.unseen, np.square(members - mean), 0).sum(0) / enough)
        return np.where(count > 0, mean, np.nan), np.where(count > 0, spread, np.nan)

    def share(self, kernel: Array, networks: Array, target: Array) -> float:
        """Share of the kernel part, within limits, with which held-out errors of the whole ensemble are least.

        The mean of the few networks that did not see a sample scatters more than that of all will; what the scatter
        adds to their error is taken off.

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
