"""Choice of depth and regression by grouped cross-validation within the training structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from matlens.core.splits import grouped_folds
from matlens.microstructure.properties.features import Matrix
from matlens.microstructure.properties.heads import Head, HeadKind

__all__ = ["FOLDS", "select"]

FOLDS = 5


def select(
    rows: Matrix,
    values: NDArray[np.float64],
    groups: ArrayLike,
    columns: Mapping[str, NDArray[np.bool_]],
    heads: Sequence[HeadKind],
    seed: int,
    standardise: bool = True,
) -> pd.DataFrame:
    """Compare all depths with the first regression, then the other regressions at the best depth.

    Parameters
    ----------
    rows : ndarray, shape (n, features)
        Features up to the deepest layer.
    values : ndarray, shape (n,)
        Values to learn.
    groups : array_like, shape (n,)
        Groups, which folds do not divide.
    columns : mapping of str to ndarray of bool
        Columns of each depth.
    heads : sequence of str
        Kinds of `Head` to compare; the first should be the fastest.
    seed : int
        Seed of the folds.
    standardise : bool
        Whether each feature is divided by its standard deviation.

    Returns
    -------
    DataFrame
        Columns ``depth``, ``head`` and ``error`` (root mean square error on held-out folds), the best first.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(40, 2))
    >>> columns = {"shallow": np.array([True, False]), "deep": np.array([True, True])}
    >>> select(rows, rows[:, 1], np.arange(40), columns, ["ridge"], seed=0)["depth"][0]
    'deep'
    """
    folds = list(grouped_folds(groups, FOLDS, seed))

    def error(depth: str, head: HeadKind) -> float:
        used = rows[:, columns[depth]]
        missed = [
            values[held] - Head(head, standardise=standardise).fit(used[train], values[train]).predict(used[held])[0]
            for train, held in folds
        ]
        return float(np.sqrt(np.mean(np.concatenate(missed) ** 2)))

    tried = [(depth, heads[0], error(depth, heads[0])) for depth in columns]
    best = min(tried, key=lambda row: row[2])[0]
    tried += [(best, head, error(best, head)) for head in heads[1:]]
    table = pd.DataFrame(tried, columns=["depth", "head", "error"])
    return table.sort_values("error", kind="stable", ignore_index=True)
