"""How near something is to what was measured, against how near measured things are to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

__all__ = ["Metric", "Nearness", "nearest"]

Array = NDArray[np.float64]
Metric = Literal["euclidean", "cityblock"]
_BLOCK = 2**22  # distances held at a time


def nearest(places: ArrayLike, measured: ArrayLike, metric: Metric = "euclidean") -> tuple[Array, NDArray[np.intp]]:
    """Find the nearest measured place.

    Parameters
    ----------
    places : array_like, shape (n, m)
        Where the neighbours are sought.
    measured : array_like, shape (N, m)
        At least one place.
    metric : {"euclidean", "cityblock"}
        Root of the summed squares of the differences, or the sum of their sizes.

    Returns
    -------
    distance : ndarray, shape (n,)
    row : ndarray of int, shape (n,)
        Row of ``measured``; the first one where several are as near.

    Examples
    --------
    >>> nearest([[0.4, 0.6]], [[1.0, 0.0], [0.5, 0.5]], "cityblock")
    (array([0.2]), array([1]))
    """
    x, known = np.asarray(places, np.float64), np.asarray(measured, np.float64)
    distance, row = np.empty(len(x)), np.empty(len(x), np.intp)
    step = max(1, _BLOCK // len(known))
    for start in range(0, len(x), step):
        found = cdist(x[start : start + step], known, metric)
        row[start : start + step] = found.argmin(1)
        distance[start : start + step] = found.min(1)
    return distance, row


@dataclass(frozen=True, eq=False)
class Nearness:
    """Distance to the nearest measured place, in units of what is usual among measured ones; made by `fit`.

    Parameters
    ----------
    measured : ndarray, shape (N, m)
        E.g. compositions, or principal components of training structures.
    reach : float
        Distance to another group that a given share of the measured places does not exceed; infinite where there is
        one group only, for then nothing tells what is usual.
    metric : {"euclidean", "cityblock"}
        As of `nearest`.

    Examples
    --------
    >>> known = Nearness.fit(np.arange(10.0)[:, None], np.arange(10))
    >>> known.holds([[3.5], [50.0]]).tolist(), known.reach
    ([True, False], 1.0)
    """

    measured: Array
    reach: float
    metric: Metric = "euclidean"

    @classmethod
    def fit(
        cls, measured: ArrayLike, groups: ArrayLike, *, share: float = 0.99, metric: Metric = "euclidean"
    ) -> Nearness:
        """Find what is usual.

        Parameters
        ----------
        measured : array_like, shape (N, m)
            Places.
        groups : array_like, shape (N,)
            Places of one group are not each other's neighbours.
        share : float
            Of the measured places that lie within reach when their own group is left out.
        metric : {"euclidean", "cityblock"}
            As of `nearest`.
        """
        places, group = np.asarray(measured, np.float64), np.asarray(groups)
        apart = cdist(places, places, metric)
        apart[group[:, None] == group] = np.inf
        others = apart.min(1)
        return cls(places, float(np.quantile(others, share)) if np.isfinite(others).all() else np.inf, metric)

    def nearest(self, places: ArrayLike) -> tuple[Array, NDArray[np.intp]]:
        """Find distance and row of the nearest measured place, each of shape (n,)."""
        return nearest(places, self.measured, self.metric)

    def distance(self, places: ArrayLike) -> Array:
        """Distance to the nearest measured place in units of the reach, shape (n,)."""
        return self.nearest(places)[0] / max(self.reach, 1e-12)

    def holds(self, places: ArrayLike) -> NDArray[np.bool_]:
        """Whether places lie within reach, shape (n,)."""
        return self.distance(places) <= 1
