"""Simultaneous tests of many statistics with a family-wise error rate (largest |t| of the family)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError

__all__ = ["FamilyTest", "bootstrap_family", "permutation_family"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FamilyTest:
    """Family of K statistics with B draws of their null distribution.

    Parameters
    ----------
    t : ndarray, shape (K,)
        Statistics divided by their standard deviation under the null; NaN where it is unknown.
    null : ndarray, shape (B, K)
        Draws from the null distribution, divided by the same standard deviation.

    Examples
    --------
    >>> test = permutation_family([0.1, 9.0], np.random.default_rng(0).normal(size=(99, 2)))
    >>> test.p.round(2).tolist()[1], bool(test.limit(0.05) < abs(test.t[1]))
    (0.01, True)
    """

    t: Array
    null: Array

    @property
    def p(self) -> Array:
        """Family-wise p-value of each statistic, shape (K,): chance under the null that any |t| is as large."""
        return self.chance(self.t)

    def chance(self, t: ArrayLike) -> Array:
        """Return family-wise p-values of other statistics of the same family.

        Parameters
        ----------
        t : array_like
            Statistics, for example computed with larger standard errors.

        Returns
        -------
        ndarray, shape of ``t``
            p-values; 1 where ``t`` is NaN.
        """
        largest = np.sort(_largest(self.null))
        above = largest.size - np.searchsorted(largest, np.abs(t) * (1 - 1e-12), side="left")
        p: Array = np.where(np.isnan(t), 1.0, (1 + above) / (1 + largest.size))
        return p

    def limit(self, level: float = 0.05) -> float:
        """Return the critical value of |t|.

        Parameters
        ----------
        level : float
            Family-wise error rate.

        Returns
        -------
        float
            Value that the largest |t| of the family exceeds in a share ``level`` of the null draws.
        """
        return float(np.quantile(_largest(self.null), 1 - level))


def permutation_family(observed: ArrayLike, null: ArrayLike, *, one_sided: bool = False) -> FamilyTest:
    """Compare statistics with the same statistics of permuted data (single-step method of Westfall and Young, 1993).

    Each statistic is standardised by all draws including the observed one. Under the null the observed one is then
    exchangeable with the others, so that p-values are exact for any number of permutations.

    Parameters
    ----------
    observed : array_like, shape (K,)
        Observed statistics.
    null : array_like, shape (B, K)
        Statistics of B permutations; p = 0.05 needs at least 19.
    one_sided : bool
        Whether only statistics above the mean of the null count as deviations.

    Returns
    -------
    FamilyTest
        Standardised statistics and null draws.

    Raises
    ------
    InputError
        If there are fewer than two permutations, or shapes differ.

    Examples
    --------
    >>> permutation_family([3.0], [[-1.0], [1.0], [0.0]]).p.tolist()
    [0.25]
    """
    found, draws = _checked(observed, null)
    every = np.concatenate([found[None], draws])
    with np.errstate(invalid="ignore", divide="ignore"):
        every = (every - _nanmean(every)) / _nanstd(every)
    every = np.where(np.isfinite(every), every, np.nan)
    if one_sided:
        every = np.where(every > 0, every, np.where(np.isnan(every), np.nan, 0.0))
    return FamilyTest(every[0], every[1:])


def bootstrap_family(members: ArrayLike, *, factor: float = 1.0) -> FamilyTest:
    """Test whether the mean over models is zero, where each model was trained on another resample of the data.

    Deviations of models from their mean estimate the error of one model. The mean is compared with the largest
    |deviation| of the family, in units of the standard deviation of each statistic (bootstrap: Efron, Ann. Stat. 7, 1,
    1979). m models give no p-value below 1 / (m + 1), so use at least 20. If all models were trained on the same rows
    the test is invalid, because their deviations do not show the effect of noise in the data.

    Parameters
    ----------
    members : array_like, shape (m, K)
        K statistics of each of m models.
    factor : float
        Ratio of the standard error to the standard deviation over models, see `ERROR_FACTOR`.

    Returns
    -------
    FamilyTest
        Standardised means and null draws.

    Raises
    ------
    InputError
        If there are fewer than two models, or ``members`` is not two-dimensional.

    Examples
    --------
    >>> members = np.random.default_rng(0).normal([0.0, 9.0], 1.0, size=(50, 2))
    >>> bootstrap_family(members).p.round(2).tolist()[1]
    0.02
    """
    values = np.asarray(members, np.float64)
    if values.ndim != 2:
        raise InputError(f"statistics of models must be (models, statistics), found shape {values.shape}.")
    mean, draws = _checked(_nanmean(values), values)
    with np.errstate(invalid="ignore", divide="ignore"):
        count = np.isfinite(draws).sum(0)
        deviation = _nanstd(draws) * np.sqrt(count / (count - 1))
        # Deviations are studentised by the *other* models: a model's own share in standard deviation and mean would
        # make the null too narrow, and three times as many families as intended would have a false positive
        # (docs/decisions/0039-bands-of-spectral-gradients.md).
        inner = (draws - mean) / (deviation * np.sqrt((count - 1) / count))
        t, null = mean / (factor * deviation), inner * np.sqrt((count - 2) / np.maximum(count - 1 - inner**2, 1e-12))
    return FamilyTest(np.where(np.isfinite(t), t, np.nan), np.where(np.isfinite(null), null, np.nan))


def _largest(null: Array) -> Array:
    filled: Array = np.where(np.isnan(null), 0, np.abs(null)).max(1, initial=0.0)
    return filled


def _checked(observed: ArrayLike, null: ArrayLike) -> tuple[Array, Array]:
    found, draws = np.asarray(observed, np.float64), np.asarray(null, np.float64)
    if found.ndim != 1 or draws.ndim != 2 or draws.shape[1] != found.size:
        raise InputError(
            f"found statistics of shape {found.shape} and null draws of shape {draws.shape}; "
            "give K numbers and B rows of K."
        )
    if len(draws) < 2:
        raise InputError(
            f"found {len(draws)} draws to judge by; give at least two models, or permutations (19 for 5 %)."
        )
    return found, draws


def _nanmean(values: Array) -> Array:
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Array = np.where(there, values, 0).sum(0) / there.sum(0)
    return mean


def _nanstd(values: Array) -> Array:
    return np.sqrt(_nanmean((values - _nanmean(values)) ** 2))
