"""Gaussian process as a baseline, with kernels of composition, of spectrum and of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from matlens.core.gaussian_process import LogNormal, Posterior, maximise_posterior, rbf, whitened
from matlens.library.model.inputs import Blocks

__all__ = ["GaussianProcess"]

Array = NDArray[np.float64]
_ROWS = 300  # rows that the kernel parameters are fitted to; more change them little, and time grows with the cube
_CHUNK = 256
_STEPS = 60
# Priors of the logarithms; x has a total variance of 1 per block, y a variance of 1.
_AMPLITUDE = LogNormal(-1.0, 2.0, (-12.0, 5.0))
_LENGTH_SCALE = LogNormal(0.0, 1.5, (-3.0, 5.0))
_NOISE = LogNormal(-3.0, 2.0, (-9.0, 1.0))


class GaussianProcess:
    """Gaussian process with a linear and an RBF kernel of each block, the product of both RBF kernels, and noise.

    Each fraction has its own length scale (ARD); principal components of the spectrum share one. Parameters maximise
    the log marginal likelihood (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4)
    plus wide log-normal priors, which keep parameters finite that the data do not determine.

    Parameters
    ----------
    blocks : Blocks
        Number of columns of composition and spectrum.
    scores : int
        Number of principal components of the spectrum that are used.
    theta : array_like, optional
        Logarithms of the parameters; by default `fit` finds them.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 21)[:, None]
    >>> model = GaussianProcess(Blocks(1, 0), 0).fit(x, x[:, 0] ** 2)
    >>> model.predict(np.array([[0.5]])).round(2), model.gradient(np.array([[0.5]])).round(1)
    (array([0.25]), array([[1.]]))
    """

    def __init__(self, blocks: Blocks, scores: int, theta: ArrayLike | None = None) -> None:
        self.blocks, self.scores = blocks, min(scores, blocks.spectrum)
        self.theta = None if theta is None else np.asarray(theta, np.float64)

    def fit(self, x: Array, y: Array) -> GaussianProcess:
        """Fit to targets ``y``, shape (n,), at rows ``x``, shape (n, F)."""
        if self.theta is None:
            self.theta = self._fit_parameters(x, y)
        self.level = float(y.mean())
        self.rows, self.found = torch.as_tensor(x), torch.as_tensor(self.theta)
        inner = self._kernel(self.rows, self.rows, self.found) + self._noise(self.found, len(x))
        self.known = Posterior.given(inner, torch.as_tensor(y - self.level))
        return self

    def predict(self, x: Array) -> Array:
        """Return predictions, shape (n,)."""
        parts = [self.known.mean(self._kernel(part, self.rows, self.found)) for part in _chunks(x)]
        return torch.cat(parts).numpy() + self.level

    def gradient(self, x: Array) -> Array:
        """Return gradients, shape (n, F), by automatic differentiation of the kernel."""
        found = []
        for part in _chunks(x):
            moved = part.clone().requires_grad_()
            total = self.known.mean(self._kernel(moved, self.rows, self.found)).sum()
            found.append(torch.autograd.grad(total, moved)[0].numpy())
        return np.concatenate(found)

    def deviation(self, x: Array) -> Array:
        """Return the standard deviation of a new measurement, noise included, shape (n,)."""
        found = []
        for part in _chunks(x):
            reduction = whitened(self.known.factor, self._kernel(part, self.rows, self.found)).square().sum(1)
            found.append((self._prior(part) - reduction).clamp(min=0) + self.found[-1].exp())
        return torch.cat(found).sqrt().numpy()

    def settings(self) -> dict[str, Any]:
        """Return what was chosen, as JSON can hold it."""
        return {"scores": self.scores, "theta": [] if self.theta is None else self.theta.tolist()}

    @classmethod
    def candidates(cls, blocks: Blocks, x: Array, y: Array) -> list[GaussianProcess]:
        """Return processes with few and many principal components, their kernel parameters fitted to these rows."""
        counts = sorted({min(k, blocks.spectrum) for k in (5, 15, 40)})
        found = [cls(blocks, scores) for scores in counts]
        for process in found:
            process.theta = process._fit_parameters(x, y)
        return found

    def _priors(self) -> list[LogNormal]:
        """Prior of each entry of theta, in the order in which `_kernel` reads it."""
        count = self.blocks.composition
        found = [_AMPLITUDE] * 2 + [_LENGTH_SCALE] * count if count else []
        found = found + ([_AMPLITUDE] * 2 + [_LENGTH_SCALE] if self.scores else [])
        return found + ([_AMPLITUDE] if count and self.scores else []) + [_NOISE]

    def _kernel(self, a: Tensor, b: Tensor, theta: Tensor) -> Tensor:
        """Covariance of the noise-free values, shape (rows of a, rows of b)."""
        count, read = self.blocks.composition, 0
        total, smooth = a.new_zeros(len(a), len(b)), []
        for start, stop, lengths in ((0, count, count), (count, count + self.scores, 1)):
            if stop == start:
                continue
            left, right = a[:, start:stop], b[:, start:stop]
            scale = torch.exp(theta[read + 2 : read + 2 + lengths])
            smooth.append(rbf(left / scale, right / scale))
            total = total + theta[read].exp() * left @ right.T + theta[read + 1].exp() * smooth[-1]
            read += 2 + lengths
        if len(smooth) == 2:
            total = total + theta[read].exp() * smooth[0] * smooth[1]
        return total

    def _prior(self, rows: Tensor) -> Tensor:
        """Variance of the noise-free value of each row: the diagonal of `_kernel`, shape (n,)."""
        return torch.cat([self._kernel(part, part, self.found).diagonal() for part in torch.split(rows, 16)])

    def _noise(self, theta: Tensor, count: int) -> Tensor:
        return (theta[-1].exp() + 1e-8) * torch.eye(count, dtype=torch.float64)

    def _fit_parameters(self, x: Array, y: Array) -> Array:
        """Return the logarithms of the MAP estimates of the parameters, from at most 300 rows."""
        chosen = np.linspace(0, len(y) - 1, min(len(y), _ROWS)).round().astype(int)
        rows, values = torch.as_tensor(x[chosen]), torch.as_tensor(y[chosen] - y.mean())

        def likelihood(point: Array) -> tuple[float, Array]:
            theta = torch.tensor(point, requires_grad=True)
            covariance = self._kernel(rows, rows, theta) + self._noise(theta, len(rows))
            known = Posterior.given(covariance.detach(), values)
            (gradient,) = torch.autograd.grad(covariance, theta, known.likelihood_gradient())
            return known.log_likelihood(), gradient.numpy()

        return maximise_posterior(likelihood, self._priors(), steps=_STEPS)[0]


def _chunks(x: Array) -> list[Tensor]:
    return [torch.as_tensor(x[start : start + _CHUNK]) for start in range(0, len(x), _CHUNK)]
