"""Linear baselines: ridge regression and partial least squares."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.library.model.inputs import Blocks

__all__ = ["PartialLeastSquares", "Ridge", "block_weights", "weights_tried"]

Array = NDArray[np.float64]


def block_weights(blocks: Blocks, weight: float) -> Array:
    """Return the factor of each column: 1 for the composition, ``weight`` for the spectrum.

    Parameters
    ----------
    blocks : Blocks
        Number of columns of composition and spectrum.
    weight : float
        Factor of the columns of the spectrum.

    Returns
    -------
    ndarray, shape (F,)
        Factor of each column.

    Examples
    --------
    >>> block_weights(Blocks(2, 1), 3.0)
    array([1., 1., 3.])
    """
    return np.repeat([1.0, weight], [blocks.composition, blocks.spectrum])


def weights_tried(blocks: Blocks) -> tuple[float, ...]:
    """Return candidate weights of the spectrum relative to the composition; a single one if only one of them is used.

    Parameters
    ----------
    blocks : Blocks
        Number of columns of composition and spectrum.

    Returns
    -------
    tuple of float
        The weights.

    Examples
    --------
    >>> weights_tried(Blocks(2, 0))
    (1.0,)
    """
    return (0.3, 1.0, 3.0) if blocks.composition and blocks.spectrum else (1.0,)


class _Linear:
    """Linear model with coefficients and an intercept."""

    coefficients: Array
    level: float

    def predict(self, x: Array) -> Array:
        """Return predictions, shape (n,)."""
        found: Array = x @ self.coefficients + self.level
        return found

    def gradient(self, x: Array) -> Array:
        """Return gradients, shape (n, F); they are the same everywhere."""
        return np.tile(self.coefficients, (len(x), 1))

    def deviation(self, x: Array) -> Array:
        """Return ones, shape (n,): errors are assumed to have the same standard deviation everywhere."""
        return np.ones(len(x))


class Ridge(_Linear):
    """Ridge regression: least squares with a penalty on squared coefficients.

    Hoerl and Kennard, Technometrics 12, 55 (1970).

    Parameters
    ----------
    blocks : Blocks
        Number of columns of composition and spectrum.
    penalty : float
        Ridge penalty.
    weight : float
        Factor of the columns of the spectrum.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 9)[:, None]
    >>> Ridge(Blocks(1, 0), penalty=1e-9).fit(x, 2 * x[:, 0] + 1).gradient(x[:1]).round(6)
    array([[2.]])
    """

    def __init__(self, blocks: Blocks, penalty: float, weight: float = 1.0) -> None:
        self.penalty, self.weight, self.factors = penalty, weight, block_weights(blocks, weight)

    def fit(self, x: Array, y: Array) -> Ridge:
        """Learn ``y`` of shape (n,) from ``x`` of shape (n, F)."""
        middle = x.mean(0)
        scaled = (x - middle) * self.factors
        target = y - y.mean()
        if len(x) < x.shape[1]:  # fewer samples than columns: the equations of the samples are the smaller system
            inner = scaled @ scaled.T + self.penalty * np.eye(len(x))
            found = scaled.T @ np.linalg.solve(inner, target)
        else:
            inner = scaled.T @ scaled + self.penalty * np.eye(x.shape[1])
            found = np.linalg.solve(inner, scaled.T @ target)
        self.coefficients = found * self.factors
        self.level = float(y.mean() - middle @ self.coefficients)
        return self

    def settings(self) -> dict[str, Any]:
        """Return what was chosen, as JSON can hold it."""
        return {"penalty": self.penalty, "weight": self.weight}

    @classmethod
    def candidates(cls, blocks: Blocks) -> list[Ridge]:
        """Return regressions with several penalties and weights of the spectrum."""
        penalties = np.logspace(-4, 3, 8)
        return [cls(blocks, float(p), weight) for p, weight in product(penalties, weights_tried(blocks))]


class PartialLeastSquares(_Linear):
    """Partial least squares with one target (PLS1): regression on components of greatest covariance with it.

    Wold, Sjöström and Eriksson, Chemom. Intell. Lab. Syst. 58, 109 (2001).

    Parameters
    ----------
    blocks : Blocks
        Number of columns of composition and spectrum.
    n_components : int
        Number of latent components.
    weight : float
        Factor of the columns of the spectrum.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(30, 3))
    >>> PartialLeastSquares(Blocks(3, 0), 3).fit(x, x @ [1.0, 2.0, 3.0]).gradient(x[:1]).round(6)
    array([[1., 2., 3.]])
    """

    def __init__(self, blocks: Blocks, n_components: int, weight: float = 1.0) -> None:
        self.n_components, self.factors = n_components, block_weights(blocks, weight)

    def fit(self, x: Array, y: Array) -> PartialLeastSquares:
        """Learn ``y`` of shape (n,) from ``x`` of shape (n, F)."""
        middle = x.mean(0)
        left, target = (x - middle) * self.factors, y - y.mean()
        weights, loads, parts = [], [], []
        enough = 1e-10 * np.linalg.norm(left.T @ target)
        for _ in range(min(self.n_components, len(x) - 1, x.shape[1])):
            weight = left.T @ target
            size = np.linalg.norm(weight)
            if size <= enough:  # nothing is left that covaries with the figure of merit
                break
            weight /= size
            score = left @ weight
            norm = score @ score
            load = left.T @ score / norm
            part = float(target @ score / norm)
            left, target = left - np.outer(score, load), target - part * score
            weights.append(weight)
            loads.append(load)
            parts.append(part)
        self.coefficients = np.zeros(x.shape[1])
        if weights:
            w, p = np.stack(weights, axis=1), np.stack(loads, axis=1)
            self.coefficients = (w @ np.linalg.solve(p.T @ w, np.array(parts))) * self.factors
        self.level = float(y.mean() - middle @ self.coefficients)
        return self

    @classmethod
    def candidates(cls, blocks: Blocks) -> list[PartialLeastSquares]:
        """Return regressions with 1 to 20 latent components and several weights of the spectrum."""
        most = min(20, blocks.composition + blocks.spectrum)
        return [cls(blocks, k, weight) for k, weight in product(range(1, most + 1), weights_tried(blocks))]
