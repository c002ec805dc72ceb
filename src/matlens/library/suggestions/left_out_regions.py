"""How far intervals at compositions that were not made must be stretched, by regions that are left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from matlens.core.intervals import conformal_factor
from matlens.library.gradients import design_of, fit_averaged_trend

__all__ = ["regional_stretch"]

Array = NDArray[np.float64]
_REGIONS = 9  # nine regions calibrate 90 % intervals
_LEAST = 4  # compositions of a region, on average
_ROWS = 300  # samples by which it is found; time grows with their cube
_NORMAL = 1.645  # half-width of a 90 % interval, in standard deviations of a normal distribution
_MOST = 3.0  # a single strange region says no more


def regional_stretch(
    compositions: Array, groups: NDArray[np.intp], values: Array, missed: Array, weight: float, seed: int = 0
) -> float:
    """Find the factor by which errors in left-out regions exceed what is expected of them.

    In each region the figure of merit is predicted as in `PredictiveDistribution`, by Gaussian processes that were not
    fitted to the region. With nine regions 90 % of new ones are covered only by the largest score, so that the factor
    is seldom 1 even where errors are as expected.

    Parameters
    ----------
    compositions : ndarray, shape (n, D)
        Fractions of the samples.
    groups : ndarray of int, shape (n,)
        Number of the composition of each sample.
    values : ndarray, shape (n,)
        Measured values.
    missed : ndarray, shape (n,)
        What the model misses of them where their compositions are left out.
    weight : float
        Weight of the model, 0 to 1; the rest is that of a Gaussian process on composition alone.
    seed : int
        Seed of the regions.

    Returns
    -------
    float
        Factor, from 1 to 3; 1 if there are too few compositions for nine regions.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x = random.dirichlet([1, 1, 1], 60)
    >>> y = x[:, 0] + 0.1 * random.normal(size=60)
    >>> round(regional_stretch(x, np.arange(60), y, y - x[:, 0], 0.5), 1)
    1.6
    """
    numbers = np.unique(groups)
    if len(numbers) < _LEAST * _REGIONS:
        return 1.0
    random = np.random.default_rng(seed)
    some = random.permutation(numbers)[: max(_LEAST * _REGIONS, int(_ROWS * len(numbers) / len(groups)))]
    kept = np.isin(groups, some)
    x, group, y, left = compositions[kept], groups[kept], values[kept], missed[kept]
    region = KMeans(_REGIONS, n_init=1, random_state=seed).fit(x).labels_
    region = region[np.unique(group, return_index=True)[1]][np.unique(group, return_inverse=True)[1].ravel()]
    scores, places = [], []
    for number in range(_REGIONS):
        held = region == number
        if not held.any() or len(np.unique(group[~held])) <= x.shape[1]:
            continue
        errors = fit_averaged_trend(x[~held], left[~held], design=design_of(x[~held], group[~held], linear=False))
        second = fit_averaged_trend(x[~held], y[~held], group[~held])
        noise = second.weights @ [trend.noise for trend in second.trends]
        one, other = y[held] - left[held] + errors.predict(x[held]), second.predict(x[held])
        mean = weight * one + (1 - weight) * other
        variance = weight * (errors.deviation(x[held]) ** 2 + (one - mean) ** 2)
        variance += (1 - weight) * (second.deviation(x[held]) ** 2 + (other - mean) ** 2)
        scores.append(np.abs(y[held] - mean) / np.sqrt(variance + noise))
        places.append(np.full(int(held.sum()), number))
    if len(scores) < _REGIONS:
        return 1.0
    return float(np.clip(conformal_factor(np.concatenate(scores), np.concatenate(places), 0.9) / _NORMAL, 1, _MOST))
