"""The random forest as a baseline, with gradients by finite differences."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from matlens.library.model.inputs import Blocks

__all__ = ["Forest"]

Array = NDArray[np.float64]
_TREES = 300
_TREES_TO_CHOOSE = 60
# docs/decisions/0033-reference-models-of-libraries.md
_STEP = 0.5  # half of the finite difference, in standard deviations of the column: a forest is flat at small scales


class Forest:
    """Random forest (Breiman 2001) on fractions and the first principal components of the spectrum.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> forest = Forest(Blocks(1, 0), share=1.0, scores=0, trees=50).fit(x, 2 * x[:, 0])
    >>> forest.gradient(np.zeros((1, 1))).round(1)
    array([[2.]])
    """

    def __init__(self, blocks: Blocks, share: float, scores: int, *, trees: int = _TREES, seed: int = 0) -> None:
        self.blocks, self.share, self.scores, self.trees, self.seed = blocks, share, scores, trees, seed

    @property
    def used(self) -> int:
        """Columns that the forest sees."""
        return self.blocks.composition + min(self.scores, self.blocks.spectrum)

    def fit(self, x: Array, y: Array) -> Forest:
        """Learn ``y`` of shape (n,) from ``x`` of shape (n, F)."""
        seen = x[:, : self.used]
        self.steps = _STEP * seen.std(0)
        self.trees_: Any = RandomForestRegressor(self.trees, max_features=self.share, random_state=self.seed)
        self.trees_.fit(seen, y)
        return self

    def predict(self, x: Array) -> Array:
        """Return predictions, shape (n,)."""
        found: Array = self.trees_.predict(x[:, : self.used])
        return found

    def gradient(self, x: Array) -> Array:
        """Return central differences, shape (n, F); 0 where a column never varied or is not used."""
        found = np.zeros_like(x)
        for column in np.flatnonzero(self.steps > 0):
            ahead, behind = x.copy(), x.copy()
            ahead[:, column] += self.steps[column]
            behind[:, column] -= self.steps[column]
            found[:, column] = (self.predict(ahead) - self.predict(behind)) / (2 * self.steps[column])
        return found

    def spread(self, x: Array) -> Array:
        """Return ones: errors are taken to be alike everywhere."""
        return np.ones(len(x))

    @classmethod
    def candidates(cls, blocks: Blocks, seed: int) -> list[Forest]:
        """Small forests to choose from; `grown` makes the chosen one large."""
        scores = (5, 20) if blocks.spectrum else (0,)
        return [cls(blocks, s, k, trees=_TREES_TO_CHOOSE, seed=seed) for s, k in product((0.34, 1.0), scores)]

    def grown(self) -> Forest:
        """Return the same forest with all its trees, yet to be fitted."""
        return Forest(self.blocks, self.share, self.scores, seed=self.seed)
