"""Intervals whose coverage does not rest on a model being right: conformal, from errors on held-out groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["conformal_factor"]


def conformal_factor(scores: ArrayLike, groups: ArrayLike, coverage: float) -> float:
    """Find the factor by which a model's own spread must be taken to cover as asked.

    Parameters
    ----------
    scores : array_like, shape (n,)
        ``|error| / spread`` of predictions made without the structure's group.
    groups : array_like, shape (n,)
        Group of each; each group weighs the same, however many rows it has.
    coverage : float
        Share of new structures that should lie inside, e.g. 0.9.

    Returns
    -------
    float
        The ceil((g + 1) coverage)-th smallest of g groups' scores; the largest where there are too few groups for
        that (fewer than 9 for 90 %), in which case less than the asked coverage is assured.

    Notes
    -----
    Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005); Lei et al., J. Am. Stat. Assoc. 113,
    1094 (2018), for scores divided by a spread. Scores from folds in place of a set kept apart are not exactly
    exchangeable with a new structure's, so coverage is to be measured.

    Examples
    --------
    >>> conformal_factor(np.arange(1, 10), np.arange(9), coverage=0.9)
    9.0
    >>> conformal_factor(np.arange(1, 20), np.arange(19), coverage=0.9)
    18.0
    """
    score = np.asarray(scores, dtype=np.float64)
    _, number, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    order = np.argsort(score)
    weight: NDArray[np.float64] = (1 / sizes)[number][order]
    reached = np.cumsum(weight) >= np.ceil((len(sizes) + 1) * coverage) - 1e-9
    return float(score[order][int(reached.argmax()) if reached.any() else -1])
