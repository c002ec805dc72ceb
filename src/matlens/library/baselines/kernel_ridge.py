"""Kernel ridge regression as a baseline."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from matlens.library.baselines.linear import block_weights, weights_tried
from matlens.library.model.inputs import Blocks

__all__ = ["KernelRidge"]

Array = NDArray[np.float64]
_CHUNK = 512  # rows whose kernel is held at a time


class KernelRidge:
    """Kernel ridge regression with an RBF kernel (Saunders, Gammerman and Vovk, Proc. ICML 1998, 515).

    Parameters
    ----------
    blocks : Blocks
        Number of columns of composition and spectrum.
    length_scale : float
        Length scale of the kernel, in the unit of the rows.
    penalty : float
        Ridge penalty.
    weight : float
        Factor of the columns of the spectrum.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 21)[:, None]
    >>> model = KernelRidge(Blocks(1, 0), length_scale=1.0, penalty=1e-6).fit(x, x[:, 0] ** 2)
    >>> model.predict(np.array([[0.5]])).round(3), model.gradient(np.array([[0.5]])).round(2)
    (array([0.25]), array([[1.]]))
    """

    def __init__(self, blocks: Blocks, length_scale: float, penalty: float, weight: float = 1.0) -> None:
        self.length_scale, self.penalty, self.weight = length_scale, penalty, weight
        self.factors = block_weights(blocks, weight)

    def fit(self, x: Array, y: Array) -> KernelRidge:
        """Fit to targets ``y``, shape (n,), at rows ``x``, shape (n, F)."""
        self.rows, self.level = self._scaled(x), float(y.mean())
        inner = _kernel(self.rows, self.rows) + self.penalty * np.eye(len(x))
        self.duals = cho_solve(cho_factor(inner, lower=True), y - self.level)
        return self

    def predict(self, x: Array) -> Array:
        """Return predictions, shape (n,)."""
        return np.concatenate([part.sum(1) for _, part in self._parts(x)]) + self.level

    def gradient(self, x: Array) -> Array:
        """Return gradients, shape (n, F)."""
        found = [part @ self.rows - part.sum(1)[:, None] * scaled for scaled, part in self._parts(x)]
        return np.concatenate(found) * self.factors / self.length_scale

    def settings(self) -> dict[str, Any]:
        """Return what was chosen, as JSON can hold it."""
        return {"length_scale": self.length_scale, "penalty": self.penalty, "weight": self.weight}

    def deviation(self, x: Array) -> Array:
        """Return ones, shape (n,): errors are assumed to have the same standard deviation everywhere."""
        return np.ones(len(x))

    def _scaled(self, x: Array) -> Array:
        return x * self.factors / self.length_scale

    def _parts(self, x: Array) -> list[tuple[Array, Array]]:
        """Scaled rows, and what each training row adds to their predictions, shape (rows, N); in chunks."""
        scaled = self._scaled(x)
        chunks = [scaled[start : start + _CHUNK] for start in range(0, len(scaled), _CHUNK)]
        return [(chunk, _kernel(chunk, self.rows) * self.duals) for chunk in chunks]

    @classmethod
    def candidates(cls, blocks: Blocks) -> list[KernelRidge]:
        """Return regressions with several length scales (rows have a total variance of 1), penalties and weights."""
        length_scales, penalties = (0.15, 0.3, 0.6, 1.2, 2.5, 5.0), np.logspace(-5, 0, 6)
        tried = product(length_scales, penalties, weights_tried(blocks))
        return [cls(blocks, length_scale, float(penalty), weight) for length_scale, penalty, weight in tried]


def _kernel(a: Array, b: Array) -> Array:
    """RBF kernel between rows; products of matrices are much faster than distances of each pair."""
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * (a @ b.T)
    found: Array = np.exp(-0.5 * np.maximum(squared, 0))
    return found
