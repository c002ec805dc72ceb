"""Gaussian processes: RBF kernel, posterior, log marginal likelihood and MAP estimates of parameters.

Numbers of equations and algorithms refer to Rasmussen and Williams, Gaussian Processes for Machine Learning,
MIT Press (2006).
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
    """Compute the RBF kernel of unit variance, exp(-|a - b|^2 / 2) (equation 4.9).

    Parameters
    ----------
    a : Tensor, shape (n, F)
        Inputs, each feature divided by its length scale (ARD).
    b : Tensor, shape (N, F)
        Other inputs, divided by the same length scales.

    Returns
    -------
    Tensor, shape (n, N)
        Kernel between all pairs.

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
    """Compute gradients of the functions sum_j weights_j kernel(a, b_j) with respect to ``a``.

    Parameters
    ----------
    kernel : Tensor, shape (n, N)
        A multiple of ``rbf(a, b)``.
    a, b : Tensor, shapes (n, F) and (N, F)
        Inputs divided by their length scales.
    weights : Tensor, shape (m, N)
        Weights of m functions.

    Returns
    -------
    Tensor, shape (m, n, F)
        Gradient of each function at each row of ``a``, per length scale.

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
    """Gaussian process conditioned on N measurements (algorithm 2.1). Use `given` to make one.

    Parameters
    ----------
    factor : Tensor, shape (N, N)
        Lower Cholesky factor of the covariance of the measurements, noise included.
    values : Tensor, shape (N,)
        Measured values minus their prior mean.
    weights : Tensor, shape (N,)
        Weights of the kernel functions in the posterior mean.

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
        """Condition a Gaussian process on measurements.

        Parameters
        ----------
        covariance : Tensor, shape (N, N)
            Prior covariance of the measurements, noise included.
        values : Tensor, shape (N,)
            Measured values minus their prior mean.

        Returns
        -------
        Posterior
            The conditioned process. Where rounding makes the covariance singular, it is that of a greater noise, by the
            least power of ten times the mean variance that mends it, from 1e-14.

        Raises
        ------
        LinAlgError
            If the covariance is not positive definite with a noise of 1e-4 of the mean variance either.
        """
        factor, failed = torch.linalg.cholesky_ex(covariance)
        if failed:
            factor = _mended(covariance)
        return cls(factor, values, torch.cholesky_solve(values[:, None], factor)[:, 0])

    def mean(self, cross: Tensor) -> Tensor:
        """Return the posterior mean at other inputs.

        Parameters
        ----------
        cross : Tensor, shape (n, N)
            Prior covariance of the function at these inputs with the measurements.

        Returns
        -------
        Tensor, shape (n,)
            Posterior mean minus the prior mean.
        """
        return cross @ self.weights

    def inverse(self) -> Tensor:
        """Return the inverse of the covariance of the measurements, shape (N, N)."""
        return torch.cholesky_inverse(self.factor)

    def log_likelihood(self) -> float:
        """Return the log marginal likelihood of the values, without its constant (equation 2.30)."""
        return -0.5 * float(self.values @ self.weights) - float(self.factor.diagonal().log().sum())

    def likelihood_gradient(self) -> Tensor:
        """Return the derivative of `log_likelihood` with respect to the covariance, shape (N, N) (equation 5.9).

        Its elementwise product with the derivative of the covariance with respect to a parameter sums to the
        derivative of the log marginal likelihood. Automatic differentiation of the Cholesky factorisation takes three
        times as long.
        """
        return (self.weights[:, None] * self.weights - self.inverse()) / 2


def _mended(covariance: Tensor) -> Tensor:
    """Factorise a covariance that rounding makes singular, with the least noise that mends it."""
    # Line searches try variances that exceed the noise by more than a double can hold, and then shorten the step.
    noise = covariance.diagonal().mean() * torch.eye(len(covariance)).to(covariance)
    for power in range(-14, -4):
        factor: Tensor
        factor, failed = torch.linalg.cholesky_ex(covariance + 10.0**power * noise)
        if not failed:
            return factor
    return torch.linalg.cholesky(covariance + 1e-4 * noise)  # type: ignore[no-any-return]


def whitened(factor: Tensor, cross: Tensor) -> Tensor:
    """Solve L w = k for each vector k along the last dimension.

    The measurements reduce the prior variance by w.w (algorithm 2.1).

    Parameters
    ----------
    factor : Tensor, shape (N, N)
        Lower Cholesky factor L of the covariance of the measurements.
    cross : Tensor, shape (..., N)
        Covariances k with the measurements.

    Returns
    -------
    Tensor, shape (..., N)
        Solutions w.

    Examples
    --------
    >>> whitened(2 * torch.eye(2), torch.tensor([[2.0, 4.0]]))
    tensor([[1., 2.]])
    """
    flat: Tensor = torch.linalg.solve_triangular(factor, cross.reshape(-1, cross.shape[-1]).T, upper=False)
    return flat.T.reshape(cross.shape)


class LogNormal(NamedTuple):
    """Log-normal prior of a positive parameter, with bounds for the search, all in natural logarithms.

    Parameters
    ----------
    mean : float
        Mean of the logarithm.
    deviation : float
        Standard deviation of the logarithm.
    range : (float, float)
        Lower and upper bound of the logarithm.

    Examples
    --------
    >>> LogNormal(0.0, 1.5, (-3.0, 5.0)).range
    (-3.0, 5.0)
    """

    mean: float
    deviation: float
    range: tuple[float, float]


def maximise_posterior(
    likelihood: Callable[[Array], tuple[float, Array]],
    priors: Sequence[LogNormal],
    *,
    steps: int,
    start: Array | None = None,
    callback: Callable[[Array], None] | None = None,
) -> tuple[Array, float]:
    """Find the parameters of greatest posterior density (MAP estimate) by L-BFGS-B.

    Parameters
    ----------
    likelihood : callable
        Function of the logarithms of the parameters, shape (P,), that returns the log marginal likelihood and its
        gradient, shape (P,).
    priors : sequence of LogNormal
        Prior of each of the P parameters; it keeps parameters finite that the data do not determine.
    steps : int
        Greatest number of iterations.
    start : ndarray, shape (P,), optional
        Logarithms to start from; by default the means of the priors.
    callback : callable, optional
        Called with the logarithms after each iteration; it may raise StopIteration to end the search.

    Returns
    -------
    parameters : ndarray, shape (P,)
        Logarithms of the parameters.
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
    options = {"maxiter": steps}
    found = minimize(cost, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options, callback=callback)
    return found.x, -float(found.fun)
