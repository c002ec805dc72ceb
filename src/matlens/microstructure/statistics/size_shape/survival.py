"""Cumulative distributions of sizes on the common axis of whole pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["share_at_least"]

_ROUNDING = 1e-9


def share_at_least(sizes: ArrayLike, length: int, weights: ArrayLike | None = None) -> NDArray[np.float64]:
    """Compute the weighted share of sizes that are at least 0, 1, 2, ... length - 1.

    Parameters
    ----------
    sizes : array_like
        Sizes in pixels.
    length : int
        Number of thresholds.
    weights : array_like, optional
        Weight of each size; by default equal.

    Returns
    -------
    ndarray of float64, shape (length,)
        NaN where there are no sizes, or they are not known.

    Examples
    --------
    >>> share_at_least([1.0, 2.5], 4)
    array([1. , 1. , 0.5, 0. ])
    >>> share_at_least([], 2)
    array([nan, nan])
    """
    values = np.asarray(sizes, dtype=np.float64).ravel()
    if values.size == 0 or np.isnan(values).any():
        return np.full(length, np.nan)
    # sqrt(4) may come out a little below 2
    whole = np.clip(np.floor(values + _ROUNDING).astype(np.intp), 0, length)
    given = None if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    counts = np.bincount(whole, weights=given, minlength=length + 1)
    result: NDArray[np.float64] = counts[::-1].cumsum()[::-1][:length] / counts.sum()
    return result
