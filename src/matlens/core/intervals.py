"""Conformal prediction intervals: their coverage rests on errors of held-out groups, not on the model being right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["conformal_factor"]


def conformal_factor(scores: ArrayLike, groups: ArrayLike, coverage: float) -> float:
    """Compute the factor on a model's standard deviation that gives an interval the asked coverage.

    The interval is ``prediction ± factor * standard deviation``.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Absolute error divided by the predicted standard deviation, from predictions made without the sample's group.
    groups : array_like, shape (n,)
        Group of each sample; each group has the same weight, however many samples it has.
    coverage : float
        Fraction of new samples that should lie inside the interval, e.g. 0.9.

    Returns
    -------
    float
        The ceil((g + 1) coverage)-th smallest of the scores of g groups. With too few groups for that (fewer than 9 for
        90 %) it is the largest score, and the coverage is less than asked.

    Notes
    -----
    Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005); Lei et al., J. Am. Stat. Assoc. 113,
    1094 (2018), for scores divided by a predicted standard deviation. Scores from cross-validation folds, in place of a
    separate calibration set, are not exactly exchangeable with the score of a new sample, so the coverage has to be
    measured.

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
    # 1e-9: the weights of a group (thirds, sevenths) do not add up to one exactly in floating point
    reached = np.cumsum(weight) >= np.ceil((len(sizes) + 1) * coverage) - 1e-9
    return float(score[order][int(reached.argmax()) if reached.any() else -1])
