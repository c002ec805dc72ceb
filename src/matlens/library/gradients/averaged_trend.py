"""A figure of merit as a function of composition, averaged over the Gaussian processes that are likely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients.trend import Design, Trend, gradient_covariances, likely_trends

__all__ = ["AveragedTrend", "fit_averaged_trend"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AveragedTrend:
    """Mixture of Gaussian processes on composition. Use `fit_averaged_trend` to make one.

    Where data are few and noisy, many length scales and noise levels explain them about as well. A single process is
    then too sure of itself: one that calls everything noise has an error near zero.

    Parameters
    ----------
    weights : ndarray, shape (p,)
        Posterior weights of the processes, which sum to 1.
    trends : tuple of Trend
        The processes.

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> trend = fit_averaged_trend(np.stack([x, 1 - x], 1), x)
    >>> trend.predict([[0.25, 0.75]]).round(3)
    array([0.25])
    """

    weights: Array
    trends: tuple[Trend, ...]

    def predict(self, compositions: ArrayLike) -> Array:
        """Predict at compositions of shape (n, D), shape (n,)."""
        return self._mean(np.array([trend.predict(compositions)[:, 0] for trend in self.trends]))

    def deviation(self, compositions: ArrayLike) -> Array:
        """Return the posterior standard deviation without noise, shape (n,)."""
        means = np.array([trend.predict(compositions)[:, 0] for trend in self.trends])
        within = np.array([np.hypot(trend.deviation(compositions), _level_error(trend)) for trend in self.trends])
        found: Array = np.sqrt(self._mean(within**2 + (means - self._mean(means)) ** 2))
        return found

    def draws(self, compositions: ArrayLike, count: int, random: np.random.Generator) -> Array:
        """Draw functions without noise jointly at several compositions.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        count : int
            Number of draws.
        random : Generator
            Source of the draws.

        Returns
        -------
        ndarray, shape (count, n)
            One row for each draw.
        """
        x = np.asarray(compositions, np.float64)
        which = np.sort(random.choice(len(self.trends), count, p=self.weights))
        found = np.empty((count, len(x)))
        for number, trend in enumerate(self.trends):
            rows = np.flatnonzero(which == number)
            if rows.size:
                mean, covariance = trend.joint(x)
                values, vectors = np.linalg.eigh(covariance)
                root = vectors * np.sqrt(np.maximum(values, 0))
                level = _level_error(trend) * random.standard_normal((len(rows), 1))
                found[rows] = mean + level + random.standard_normal((len(rows), len(x))) @ root.T
        result: Array = random.permutation(found)
        return result

    def gradients(self, compositions: ArrayLike) -> Array:
        """Return gradients with respect to fractions, shape (n, D), arbitrary off the simplex as those of `Trend`."""
        return self._mean(np.array([trend.gradients(compositions)[:, 0] for trend in self.trends]))

    def gradient_covariances(self, compositions: ArrayLike) -> Array:
        """Return posterior covariances of `gradients`, shape (n, D, D)."""
        each = np.array([trend.gradients(compositions)[:, 0] for trend in self.trends])
        apart = each - self._mean(each)
        within = np.array([own[:, 0] for own in gradient_covariances(self.trends, compositions)])
        return self._mean(within + apart[..., :, None] * apart[..., None, :])

    @property
    def left_out(self) -> Array:
        """Error of leave-one-composition-out predictions for the mean of each composition, shape (g,)."""
        return self._mean(np.array([trend.left_out[:, 0] for trend in self.trends]))

    @property
    def noise(self) -> float:
        """Variance of one measured value about the function."""
        return float(self.weights @ [trend.noise for trend in self.trends])

    def _mean(self, values: Array) -> Array:
        found: Array = np.tensordot(self.weights, values, 1)
        return found


def _level_error(trend: Trend) -> float:
    """Standard error of the mean, which the process takes as known."""
    return float(np.sqrt(trend.noise / len(trend.residual)))


def fit_averaged_trend(
    compositions: ArrayLike, values: ArrayLike, groups: ArrayLike | None = None, *, design: Design | None = None
) -> AveragedTrend:
    """Fit one output as a function of composition, averaged over length scales and noise levels.

    The average is over a grid, with weights by marginal likelihood (Rasmussen and Williams, Gaussian Processes for
    Machine Learning, 2006, section 5.2).

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    values : array_like, shape (n,)
        Values, all finite.
    groups : array_like of int, shape (n,), optional
        Number of the composition of each row, as in `design_of`.
    design : Design, optional
        Decomposition of the same compositions from `design_of`; made here by default.

    Returns
    -------
    AveragedTrend
        The fitted mixture.

    Raises
    ------
    InputError
        If all compositions are equal.

    Examples
    --------
    >>> x = np.linspace(0, 1, 41)
    >>> noise = np.random.default_rng(0).normal(size=41)
    >>> trend = fit_averaged_trend(np.stack([x, 1 - x], 1), noise)  # no signal, but how sure is that?
    >>> bool(0.05 < trend.deviation([[0.5, 0.5]])[0] < 0.5)
    True
    """
    weights, trends = zip(*likely_trends(compositions, values, groups, design=design))
    return AveragedTrend(np.array(weights), tuple(trends))
