"""A Gaussian process on composition that knows how its errors at different compositions go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve, eigh, solve_triangular

__all__ = ["Surrogate", "fit_surrogate"]

Array = NDArray[np.float64]
_LENGTHS = (0.15, 0.3, 0.6, 1.2, 2.4)  # of the kernel, in root mean square distances of the compositions
_RATIOS = np.logspace(-6, 3, 37)  # variance of the noise over that of the kernel
_LINEAR = 9.0  # variance of the linear trend over such a distance: hardly held back
_ROWS = 500  # compositions that choose the kernel
_MOST = 2500  # compositions that carry it


@dataclass(frozen=True)
class Surrogate:
    """A function of composition with the joint distribution of its values; made by `fit_surrogate`.

    Parameters
    ----------
    points : ndarray, shape (g, D)
        Compositions that carry it.
    mean : float
        Of the values.
    variance, length, linear : float
        Of the kernel.
    noise : float
        Variance of one measurement.
    factor : ndarray, shape (g, g)
        Cholesky factor (lower) of the covariance of what was measured.
    weights : ndarray, shape (g,)
    """

    points: Array
    mean: float
    variance: float
    length: float
    linear: float
    noise: float
    factor: Array
    weights: Array

    def predict(self, compositions: ArrayLike) -> Array:
        """Expected values, shape (n,)."""
        found: Array = self.mean + self._kernel(np.asarray(compositions, np.float64), self.points) @ self.weights
        return found

    def joint(self, compositions: ArrayLike) -> tuple[Array, Array]:
        """Expected values, shape (n,), and covariance of the true values, noise not counted, shape (n, n)."""
        x = np.asarray(compositions, np.float64)
        cross = self._kernel(x, self.points)
        known = solve_triangular(self.factor, cross.T, lower=True)
        covariance: Array = self._kernel(x, x) - known.T @ known
        return self.mean + cross @ self.weights, covariance

    def spread(self, compositions: ArrayLike) -> Array:
        """Standard deviations of the true values, shape (n,)."""
        x = np.asarray(compositions, np.float64)
        known = solve_triangular(self.factor, self._kernel(self.points, x), lower=True)
        beside = self.linear * ((x - self.points.mean(0)) ** 2).sum(1)
        found: Array = np.sqrt(np.maximum(self.variance * (1 + beside) - (known**2).sum(0), 0))
        return found

    def left_out(self) -> Array:
        """Error of the prediction of each carrying composition from all others, shape (g,)."""
        inverse = solve_triangular(self.factor, np.eye(len(self.factor)), lower=True)
        found: Array = self.weights / (inverse**2).sum(0)
        return found

    def _kernel(self, a: Array, b: Array) -> Array:
        return self.variance * _kernel(a, b, self.length, self.linear, self.points.mean(0))


def fit_surrogate(
    compositions: ArrayLike, values: ArrayLike, groups: ArrayLike | None = None, *, trend: bool = True
) -> Surrogate:
    """Fit a Gaussian process: a bell-shaped kernel, with or without a linear trend, and noise.

    Length and noise are those of the greatest evidence; rows of equal composition count as repeated measurements.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
    values : array_like, shape (n,)
    groups : array_like of int, shape (n,), optional
        Rows of equal composition.
    trend : bool
        Whether there is a linear trend, which goes on beyond the data; without, the process returns to its mean.

    Returns
    -------
    Surrogate

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> surrogate = fit_surrogate(np.stack([x, 1 - x], 1), x**2)
    >>> float(surrogate.predict([[0.33, 0.67]])[0].round(3))
    0.109
    """
    x, y = np.asarray(compositions, np.float64), np.asarray(values, np.float64)
    group = np.unique(np.arange(len(x)) if groups is None else np.asarray(groups), return_inverse=True)[1].ravel()
    counts = np.bincount(group)
    points = np.stack([np.bincount(group, column) for column in x.T], 1) / counts[:, None]
    mean = float(y.mean())
    means = np.bincount(group, y - mean) / counts
    within = float(((y - mean - means[group]) ** 2).sum())
    distance = max(float(np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean())), 1e-6)
    linear = _LINEAR / distance**2 if trend else 0.0
    some = np.unique(np.linspace(0, len(points) - 1, min(len(points), _ROWS)).astype(np.intp))
    choices = [
        _evidence(points[some], means[some], counts[some], within * len(some) / len(points), length * distance, linear)
        for length in _LENGTHS
    ]
    _, variance, ratio, length = max(choices)
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST)).astype(np.intp))
    points, counts, means = points[kept], counts[kept], means[kept]
    covariance = variance * _kernel(points, points, length, linear, points.mean(0))
    covariance[np.diag_indices_from(covariance)] += variance * (ratio / counts + 1e-9)
    factor = np.asarray(cho_factor(covariance, lower=True)[0])
    factor = np.tril(factor)
    weights = np.asarray(cho_solve((factor, True), means))
    return Surrogate(points, mean, variance, length, linear, variance * ratio, factor, weights)


def _kernel(a: Array, b: Array, length: float, linear: float, centre: Array) -> Array:
    squared = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0)
    found: Array = np.exp(-squared / (2 * length**2))
    return found + linear * (a - centre) @ (b - centre).T if linear else found


def _evidence(
    points: Array, means: Array, counts: NDArray[np.intp], within: float, length: float, linear: float
) -> tuple[float, float, float, float]:
    """Give the greatest logarithm of the evidence over the noise, with variance of the kernel, noise ratio, length."""
    root = np.sqrt(counts.astype(np.float64))
    kernel = _kernel(points, points, length, linear, points.mean(0)) * root[:, None] * root
    values, vectors = eigh(kernel)
    values = np.maximum(values, 0)
    squared = (vectors.T @ (means * root)) ** 2
    rows = float(counts.sum())
    spread = values + _RATIOS[:, None]
    variance = np.maximum(((squared / spread).sum(1) + within / _RATIOS) / rows, 1e-300)
    extra = (rows - len(counts)) * np.log(_RATIOS) + np.log(spread).sum(1)
    evidence = -0.5 * (rows * np.log(variance) + extra)
    best = int(evidence.argmax())
    return float(evidence[best]), float(variance[best]), float(_RATIOS[best]), length
