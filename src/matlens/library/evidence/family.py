"""Tests of many things at once: the largest |t| of the family against its null, so that any false find is rare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError

__all__ = ["FamilyTest", "bootstrap_family", "permutation_family"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FamilyTest:
    """A family of K statistics beside B draws of their null.

    Parameters
    ----------
    t : ndarray, shape (K,)
        Statistics in units of their null spread; NaN where there is none.
    null : ndarray, shape (B, K)
        The draws, likewise.

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
        """Family-wise p: the chance, under the null, of any |t| in the family as large as each of these."""
        return self.chance(self.t)

    def chance(self, t: ArrayLike) -> Array:
        """Return the family-wise p of other |t| of the same family, e.g. of a larger standard error; 1 where NaN."""
        largest = np.sort(_largest(self.null))
        above = largest.size - np.searchsorted(largest, np.abs(t) * (1 - 1e-12), side="left")
        p: Array = np.where(np.isnan(t), 1.0, (1 + above) / (1 + largest.size))
        return p

    def limit(self, level: float = 0.05) -> float:
        """Return the |t| that the largest of the family exceeds in a share ``level`` of the null draws."""
        return float(np.quantile(_largest(self.null), 1 - level))


def permutation_family(observed: ArrayLike, null: ArrayLike, *, one_sided: bool = False) -> FamilyTest:
    """Test statistics against the same statistics of permuted data (Westfall and Young's single step).

    Each statistic is centred and scaled by all draws, the observed one among them: under the null it is then one draw
    like any other, and p is exact however few the permutations.

    Parameters
    ----------
    observed : array_like, shape (K,)
    null : array_like, shape (B, K)
        From B permutations; 19 at least for p of 0.05.
    one_sided : bool
        Whether only statistics above their null count.

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
        every = (every - _nanmean(every)) / _nanspread(every)
    every = np.where(np.isfinite(every), every, np.nan)
    if one_sided:
        every = np.where(every > 0, every, np.where(np.isnan(every), np.nan, 0.0))
    return FamilyTest(every[0], every[1:])


def bootstrap_family(members: ArrayLike, *, factor: float = 1.0) -> FamilyTest:
    """Test the mean over models against zero, where each model was trained on another resample of the data.

    The models' deviations from each other stand for the error of one of them, and the mean is held to the largest
    |deviation| of the family in units of each statistic's spread. Give 20 models at least, for m cannot show p below
    1 / (m + 1). It is no test where all models saw the same rows: then they agree on what the data's noise says.

    Parameters
    ----------
    members : array_like, shape (m, K)
        A statistic of each of m models.
    factor : float
        From the models' spread to the error, see `ERROR_FACTOR`.

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
        spread = _nanspread(draws) * np.sqrt(count / (count - 1))
        # Each deviation in units of the spread of the *other* models: a model's own share in spread (and mean) would
        # make the null too narrow, and three times as many families than said would hold a false find.
        inner = (draws - mean) / (spread * np.sqrt((count - 1) / count))
        t, null = mean / (factor * spread), inner * np.sqrt((count - 2) / np.maximum(count - 1 - inner**2, 1e-12))
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


def _nanspread(values: Array) -> Array:
    return np.sqrt(_nanmean((values - _nanmean(values)) ** 2))
