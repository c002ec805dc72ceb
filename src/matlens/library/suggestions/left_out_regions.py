"""Weight of a model at compositions that were not made, and the stretch of intervals there, by left-out regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from matlens.core.intervals import conformal_factor
from matlens.library.gradients import design_of, fit_averaged_trend

__all__ = ["LeftOutRegions", "leave_regions_out", "regions_of"]

Array = NDArray[np.float64]
_REGIONS = 9  # nine regions calibrate 90 % intervals
_LEAST = 4  # compositions of a region, on average
_ROWS = 300  # samples by which it is found; time grows with their cube
_NORMAL = 1.645  # half-width of a 90 % interval, in standard deviations of a normal distribution
_MOST = 3.0  # a single strange region says no more


@dataclass(frozen=True, eq=False)
class LeftOutRegions:
    """Predictions of n samples whose whole regions were left out. Use `leave_regions_out` to make it.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Measured values.
    predicted, variance : ndarray, shape (n, 2)
        Means and variances of the two parts of a `PredictiveDistribution`.
    noise : ndarray, shape (n,)
        Variance of the noise.
    region : ndarray of int, shape (n,)
        Number of the region.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x = random.dirichlet([1, 1, 1], 60)
    >>> y = x[:, 0] + 0.1 * random.normal(size=60)
    >>> left = leave_regions_out(x, np.arange(60), regions_of(x, np.arange(60)), y, y - x[:, 0])
    >>> round(left.stretch(0.5), 1), round(left.weight(), 1)
    (1.6, 0.5)
    """

    values: Array
    predicted: Array
    variance: Array
    noise: Array
    region: NDArray[np.intp]

    def weight(self) -> float:
        """Return the weight of the first part by the errors of both; squares, so that the better one dominates."""
        first, second = np.mean((self.values[:, None] - self.predicted) ** 2, axis=0) ** 2
        return float(second / max(first + second, 1e-300))

    def stretch(self, weight: float) -> float:
        """Return the factor by which errors exceed what is expected of them.

        With nine regions 90 % of new ones are covered only by the largest score, so that the factor is seldom 1 even
        where errors are as expected.

        Parameters
        ----------
        weight : float
            Weight of the first part, 0 to 1.

        Returns
        -------
        float
            Factor, from 1 to 3; 1 if there are fewer than nine regions.
        """
        if len(np.unique(self.region)) < _REGIONS:
            return 1.0
        shares = np.array([weight, 1 - weight])
        mean = self.predicted @ shares
        variance = (self.variance + (self.predicted - mean[:, None]) ** 2) @ shares
        scores = np.abs(self.values - mean) / np.sqrt(variance + self.noise)
        return float(np.clip(conformal_factor(scores, self.region, 0.9) / _NORMAL, 1, _MOST))


def regions_of(compositions: Array, groups: NDArray[np.intp], seed: int = 0) -> NDArray[np.intp] | None:
    """Divide samples into nine regions of composition (k-means).

    Parameters
    ----------
    compositions : ndarray, shape (n, D)
        Fractions of the samples.
    groups : ndarray of int, shape (n,)
        Number of the composition of each sample.
    seed : int
        Seed of the regions.

    Returns
    -------
    ndarray of int, shape (n,), or None
        Number of the region of each sample, -1 for samples beyond the first 300; None if there are too few compositions
        for nine regions.

    Examples
    --------
    >>> regions_of(np.random.default_rng(0).dirichlet([1, 1, 1], 60), np.arange(60)).max()
    np.int64(8)
    """
    numbers = np.unique(groups)
    if len(numbers) < _LEAST * _REGIONS:
        return None
    random = np.random.default_rng(seed)
    some = random.permutation(numbers)[: max(_LEAST * _REGIONS, int(_ROWS * len(numbers) / len(groups)))]
    kept = np.isin(groups, some)
    x, group, found = compositions[kept], groups[kept], np.full(len(groups), -1)
    region = KMeans(_REGIONS, n_init=1, random_state=seed).fit(x).labels_
    found[kept] = region[np.unique(group, return_index=True)[1]][np.unique(group, return_inverse=True)[1].ravel()]
    return found


def leave_regions_out(
    compositions: Array,
    groups: NDArray[np.intp],
    regions: NDArray[np.intp],
    values: Array,
    missed: Array,
    missed_far: Array | None = None,
) -> LeftOutRegions | None:
    """Predict each region as in `PredictiveDistribution`, by Gaussian processes that were not fitted to it.

    Parameters
    ----------
    compositions : ndarray, shape (n, D)
        Fractions of the samples.
    groups : ndarray of int, shape (n,)
        Number of the composition of each sample.
    regions : ndarray of int, shape (n,)
        Number of the region of each sample; -1 for samples that are not used.
    values : ndarray, shape (n,)
        Measured values.
    missed : ndarray, shape (n,)
        What the model misses of them where their compositions are left out.
    missed_far : ndarray, shape (n,), optional
        What it misses with spectra that were predicted without the region; by default the same.

    Returns
    -------
    LeftOutRegions or None
        Predictions; None if no region can be left out.
    """
    far, found = missed if missed_far is None else missed_far, []
    for number in np.unique(regions[regions >= 0]):
        held, rest = regions == number, (regions >= 0) & (regions != number)
        if len(np.unique(groups[rest])) <= compositions.shape[1]:
            continue
        x, y = compositions[rest], values[rest]
        errors = fit_averaged_trend(x, missed[rest], design=design_of(x, groups[rest], linear=False))
        second = fit_averaged_trend(x, y, groups[rest])
        at = compositions[held]
        predicted = np.stack([values[held] - far[held] + errors.predict(at), second.predict(at)], 1)
        variance = np.stack([each.deviation(at) ** 2 for each in (errors, second)], 1)
        found.append((values[held], predicted, variance, np.full(int(held.sum()), second.noise), regions[held]))
    return LeftOutRegions(*(np.concatenate(each) for each in zip(*found, strict=True))) if found else None
