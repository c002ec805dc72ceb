"""How little is known of gradients at compositions without the component: data lie to one side of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients.averaged_trend import AveragedTrend
from matlens.library.table import PRESENT

__all__ = ["edge_errors"]

Array = NDArray[np.float64]
_WIDER = 1.25  # docs/decisions/0045-standard-errors-of-gradients.md


def edge_errors(trend: AveragedTrend, compositions: ArrayLike, distance: ArrayLike, rays: ArrayLike) -> Array:
    """Estimate the error of gradients by components that a composition lacks.

    The first atoms of a dopant can do far more than the next. Between a composition without the component and the
    nearest measured one with it, data give the mean slope alone; the slope at its beginning is the model's. Its error
    is of the size of what the gradient changes by over this step. Elsewhere there are data to both sides.

    Parameters
    ----------
    trend : AveragedTrend
        Figure of merit as a function of composition.
    compositions : array_like, shape (n, D)
        Fractions.
    distance : array_like, shape (n, D)
        Step of each component to the nearest measured composition (`Support.distance`); NaN if there is none.
    rays : array_like, shape (..., n, D, D)
        Directions of growth from `directions`.

    Returns
    -------
    ndarray, shape (..., n, D)
        Standard errors per unit fraction; 0 where the component is there, or no composition lies along the direction.

    Examples
    --------
    >>> from matlens.library.gradients import directions, fit_averaged_trend
    >>> a = np.linspace(0, 1, 41)
    >>> x = np.stack([a, 1 - a], 1)
    >>> bent, straight = (fit_averaged_trend(x, values) for values in (np.exp(-5 * a), a))
    >>> each = [edge_errors(trend, x, np.full((41, 2), 0.1), directions("dilution", x)) for trend in (bent, straight)]
    >>> [found[[0, 20], 0].round(1).tolist() for found in each]
    [[2.4, 0.0], [0.0, 0.0]]
    """
    x, steps, ways = (np.asarray(each, np.float64) for each in (compositions, distance, rays))
    found = np.zeros(ways.shape[:-1])
    lacking = (x <= PRESENT) & np.isfinite(steps)
    for k in np.flatnonzero(lacking.any(0)):
        rows = np.flatnonzero(lacking[:, k])
        own = ways[..., rows, k, :]
        ends = x[rows] + steps[rows, k, None] * own
        change = trend.gradients(ends.reshape(-1, x.shape[1])).reshape(ends.shape) - trend.gradients(x[rows])
        found[..., rows, k] = _WIDER * np.abs((change * own).sum(-1))
    return np.nan_to_num(found)  # a direction in which nothing can grow has no gradient either
