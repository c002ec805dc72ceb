"""The random forest as a baseline, with gradients by finite differences."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from matlens.library.model.inputs import Blocks

__all__ = ["RandomForest"]

Array = NDArray[np.float64]
_TREES = 300
_TREES_TO_CHOOSE = 60
# docs/decisions/0033-reference-models-of-libraries.md
_STEP = 0.5  # half of the finite difference, in standard deviations of the column; a forest is flat at smaller scales


class RandomForest:
    """Random forest (Breiman, Mach. Learn. 45, 5, 2001) on fractions and principal components of the spectrum.

    Parameters
    ----------
    blocks : Blocks
        Number of columns of composition and spectrum.
    max_features : float
        Share of the columns that are tried at each split.
    scores : int
        Number of principal components of the spectrum that are used.
    trees : int
        Number of trees.
    seed : int
        Seed of the trees.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> forest = RandomForest(Blocks(1, 0), max_features=1.0, scores=0, trees=50).fit(x, 2 * x[:, 0])
    >>> forest.gradient(np.zeros((1, 1))).round(1)
    array([[2.]])
    """

    def __init__(self, blocks: Blocks, max_features: float, scores: int, *, trees: int = _TREES, seed: int = 0) -> None:
        self.blocks, self.max_features, self.scores, self.trees, self.seed = blocks, max_features, scores, trees, seed

    @property
    def used(self) -> int:
        """Number of columns that the forest uses."""
        return self.blocks.composition + min(self.scores, self.blocks.spectrum)

    def fit(self, x: Array, y: Array) -> RandomForest:
        """Fit to targets ``y``, shape (n,), at rows ``x``, shape (n, F)."""
        seen = x[:, : self.used]
        self.steps = _STEP * seen.std(0)
        self.trees_: Any = RandomForestRegressor(self.trees, max_features=self.max_features, random_state=self.seed)
        self.trees_.fit(seen, y)
        return self

    def predict(self, x: Array) -> Array:
        """Return predictions, shape (n,)."""
        found: Array = self.trees_.predict(x[:, : self.used])
        return found

    def gradient(self, x: Array) -> Array:
        """Return central differences, shape (n, F); 0 for columns that do not vary or are not used."""
        found = np.zeros_like(x)
        for column in np.flatnonzero(self.steps > 0):
            ahead, behind = x.copy(), x.copy()
            ahead[:, column] += self.steps[column]
            behind[:, column] -= self.steps[column]
            found[:, column] = (self.predict(ahead) - self.predict(behind)) / (2 * self.steps[column])
        return found

    def deviation(self, x: Array) -> Array:
        """Return ones, shape (n,): errors are assumed to have the same standard deviation everywhere."""
        return np.ones(len(x))

    @classmethod
    def candidates(cls, blocks: Blocks, seed: int) -> list[RandomForest]:
        """Return small forests for the choice of hyperparameters; `grown` makes the chosen one large."""
        scores = (5, 20) if blocks.spectrum else (0,)
        return [cls(blocks, s, k, trees=_TREES_TO_CHOOSE, seed=seed) for s, k in product((0.34, 1.0), scores)]

    def grown(self) -> RandomForest:
        """Return an unfitted forest with the same hyperparameters and the full number of trees."""
        return RandomForest(self.blocks, self.max_features, self.scores, seed=self.seed)
