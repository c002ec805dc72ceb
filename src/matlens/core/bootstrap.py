"""Bootstrap of the rows of a table: units are drawn with replacement, and each row counts as often as its unit.

Efron, Ann. Stat. 7, 1 (1979).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bootstrap_weights", "drawn_counts", "interval_columns"]

Array = NDArray[np.float64]
_DRAWS = 1000


def drawn_counts(units: ArrayLike, draws: int, random: np.random.Generator) -> Array:
    """Draw units with replacement and count how often the unit of each row was drawn.

    A score made of weighted means is then one matrix product for all resamples (Efron, Ann. Stat. 7, 1, 1979).

    Parameters
    ----------
    units : array_like, shape (n,)
        Unit of each row, for example its composition; rows of one unit have correlated errors and are drawn together.
    draws : int
        Number of resamples.
    random : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    ndarray, shape (draws, n)
        Weight of each row in each resample; as many units are drawn as there are.

    Examples
    --------
    >>> drawn_counts(["a", "a", "b"], 3, np.random.default_rng(0))
    array([[1., 1., 1.],
           [1., 1., 1.],
           [0., 0., 2.]])
    """
    names, number = np.unique(np.asarray(units), return_inverse=True)
    counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    found: Array = counts[:, number.ravel()].astype(np.float64)
    return found


def bootstrap_weights(
    units: ArrayLike, *, strata: ArrayLike | None = None, draws: int = _DRAWS, seed: int = 0
) -> Array:
    """Return the weights of the rows for the score itself and for each bootstrap resample.

    Parameters
    ----------
    units : array_like, shape (n,)
        Unit of each row, as in `drawn_counts`.
    strata : array_like, shape (n,), optional
        Stratum of each row; units are drawn separately within each. By default all rows form one stratum.
    draws : int
        Number of resamples.
    seed : int
        Seed of the draws. Tables with the same units get the same resamples, so that their differences are paired.

    Returns
    -------
    ndarray, shape (1 + draws, n)
        A row of ones, then the counts of each resample.

    Examples
    --------
    >>> bootstrap_weights([0, 0, 1], draws=2, seed=1)
    array([[1., 1., 1.],
           [1., 1., 1.],
           [2., 2., 0.]])
    """
    unit = np.asarray(units)
    random, found = np.random.default_rng(seed), np.ones((1 + draws, len(unit)))
    stratum = np.zeros(len(unit), dtype=np.intp) if strata is None else np.asarray(strata)
    for name in np.unique(stratum):
        rows = stratum == name
        found[1:, rows] = drawn_counts(unit[rows], draws, random)
    return found


def interval_columns(name: str, found: Array, coverage: float = 0.9) -> dict[str, float]:
    """Return a score and its percentile bootstrap interval as three named columns.

    Parameters
    ----------
    name : str
        Name of the score.
    found : ndarray, shape (1 + draws,)
        The score, then its value in each resample; NaN where a resample has none.
    coverage : float
        Share of the resamples within the interval, 0 to 1.

    Returns
    -------
    dict of str to float
        ``name`` (the score), ``name_low`` and ``name_high`` (ends of the interval; NaN if no resample has a value).

    Examples
    --------
    >>> interval_columns("r2", np.array([0.5, 0.4, 0.5, 0.6]), coverage=1.0)
    {'r2': 0.5, 'r2_low': 0.4, 'r2_high': 0.6}
    """
    known = found[1:][~np.isnan(found[1:])]  # a resample may hold one value only, and then has no R squared
    ends = [(1 - coverage) / 2, (1 + coverage) / 2]
    low, high = np.quantile(known, ends) if len(known) else (np.nan, np.nan)
    return {name: float(found[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
