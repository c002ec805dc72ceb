"""Gaussian processes: the RBF kernel, conditioning on measurements, the log marginal likelihood, and its maximum.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006); numbers of equations and algorithms are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

__all__ = ["LogNormal", "Posterior", "maximise_posterior", "rbf", "rbf_gradients", "whitened"]

Array = NDArray[np.float64]


def rbf(a: Tensor, b: Tensor) -> Tensor:
    """RBF kernel of unit variance between inputs over their length scales, exp(-|a - b|^2 / 2) (equation 4.9).

    Parameters
    ----------
    a : Tensor, shape (n, F)
        Inputs, each divided by its own length scale (ARD).
    b : Tensor, shape (N, F)
        Likewise.

    Returns
    -------
    Tensor, shape (n, N)

    Examples
    --------
    >>> rbf(torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [1.0, 1.0]])).round(decimals=3)
    tensor([[1.0000, 0.3680]])
    """
    one, other = (-0.5 * each.square().sum(1, keepdim=True) for each in (a, b))
    # One product of matrices; rounding may leave the squared distance of a point to itself below zero.
    exponent = torch.cat([a, one, torch.ones_like(one)], 1) @ torch.cat([b, torch.ones_like(other), other], 1).T
    return exponent.clamp_(max=0).exp_()


def rbf_gradients(kernel: Tensor, a: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    """Gradients in ``a`` of the functions sum_j weights_j kernel(a, b_j).

    Parameters
    ----------
    kernel : Tensor, shape (n, N)
        A multiple of ``rbf(a, b)``.
    a, b : Tensor, shapes (n, F) and (N, F)
        Inputs over their length scales.
    weights : Tensor, shape (m, N)
        Of m functions.

    Returns
    -------
    Tensor, shape (m, n, F)

    Examples
    --------
    >>> a, b = torch.zeros(1, 1), torch.ones(1, 1)
    >>> rbf_gradients(rbf(a, b), a, b, torch.ones(1, 1)).round(decimals=3)  # exp(-1/2)
    tensor([[[0.6070]]])
    """
    moved = kernel @ (weights[:, :, None] * b).permute(1, 0, 2).flatten(1)
    return moved.view(len(a), len(weights), -1).transpose(0, 1) - (kernel @ weights.T).T[..., None] * a


@dataclass(frozen=True, eq=False)
class Posterior:
    """A Gaussian process conditioned on N measurements (algorithm 2.1); made by `given`.

    Parameters
    ----------
    factor : Tensor, shape (N, N)
        Lower Cholesky factor of the covariance of the measurements.
    values : Tensor, shape (N,)
        What was measured, less its expectation.
    weights : Tensor, shape (N,)
        Of the kernel functions in the posterior mean.

    Examples
    --------
    >>> x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    >>> known = Posterior.given(rbf(x, x) + 1e-6 * torch.eye(9), x[:, 0].sin())
    >>> at = torch.ones(1, 1, dtype=torch.float64)
    >>> known.mean(rbf(at, x)).round(decimals=3)
    tensor([0.8410], dtype=torch.float64)
    """

    factor: Tensor
    values: Tensor
    weights: Tensor

    @classmethod
    def given(cls, covariance: Tensor, values: Tensor) -> Posterior:
        """Condition on values, shape (N,), whose covariance, noise included, has shape (N, N)."""
        factor = torch.linalg.cholesky(covariance)
        return cls(factor, values, torch.cholesky_solve(values[:, None], factor)[:, 0])

    def mean(self, cross: Tensor) -> Tensor:
        """Posterior mean, shape (n,), where the covariance with the measurements is ``cross``, shape (n, N)."""
        return cross @ self.weights

    def inverse(self) -> Tensor:
        """Inverse of the covariance of the measurements, shape (N, N)."""
        return torch.cholesky_inverse(self.factor)

    def log_likelihood(self) -> float:
        """Log marginal likelihood of the values, without its constant (equation 2.30)."""
        return -0.5 * float(self.values @ self.weights) - float(self.factor.diagonal().log().sum())

    def likelihood_gradient(self) -> Tensor:
        """Derivative of `log_likelihood` with respect to the covariance, shape (N, N) (equation 5.9).

        With it the derivative of the likelihood in any parameter is the sum of its product with the kernel's own;
        recording every step of the factorisation instead takes three times as long.
        """
        return (self.weights[:, None] * self.weights - self.inverse()) / 2


def whitened(factor: Tensor, cross: Tensor) -> Tensor:
    """Solve L w = k for each k of the last dimension; w.w is what the measurements take off the prior variance.

    Parameters
    ----------
    factor : Tensor, shape (N, N)
        Lower Cholesky factor L of the covariance of the measurements.
    cross : Tensor, shape (..., N)
        Covariances with the measurements.

    Returns
    -------
    Tensor, shape (..., N)

    Examples
    --------
    >>> whitened(2 * torch.eye(2), torch.tensor([[2.0, 4.0]]))
    tensor([[1., 2.]])
    """
    flat: Tensor = torch.linalg.solve_triangular(factor, cross.reshape(-1, cross.shape[-1]).T, upper=False)
    return flat.T.reshape(cross.shape)


class LogNormal(NamedTuple):
    """Prior of a positive parameter, and where to look for it, all in natural logarithms."""

    mean: float
    deviation: float
    range: tuple[float, float]


def maximise_posterior(
    likelihood: Callable[[Array], tuple[float, Array]],
    priors: Sequence[LogNormal],
    *,
    steps: int,
    start: Array | None = None,
    told: Callable[[Array], None] | None = None,
) -> tuple[Array, float]:
    """Find the parameters of greatest posterior density (MAP) by L-BFGS-B.

    Parameters
    ----------
    likelihood : callable
        From logarithms of the parameters, shape (P,), to the log marginal likelihood and its gradient.
    priors : sequence of LogNormal
        P of them: they keep parameters finite of which the data say nothing.
    steps : int
        Iterations at most.
    start : ndarray, shape (P,), optional
        Where to start; by default at the priors' means.
    told : callable, optional
        Called with the parameters after every iteration; may raise StopIteration.

    Returns
    -------
    parameters : ndarray, shape (P,)
        Logarithms.
    density : float
        Log posterior density, without constants.

    Examples
    --------
    >>> def likelihood(point):  # greatest at 2
    ...     return -float((point - 2) @ (point - 2)) / 2, 2 - point
    >>> maximise_posterior(likelihood, [LogNormal(0, 1, (-5, 5))], steps=9)[0].round(6)
    array([1.])
    """
    mean, deviation = (np.array([prior[k] for prior in priors], dtype=np.float64) for k in (0, 1))

    def cost(point: Array) -> tuple[float, Array]:
        value, gradient = likelihood(point)
        off = (point - mean) / deviation
        return 0.5 * float(off @ off) - value, off / deviation - gradient

    bounds, first = [prior.range for prior in priors], mean if start is None else start
    found = minimize(cost, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps}, callback=told)
    return found.x, -float(found.fun)
