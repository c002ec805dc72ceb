"""Distance to the nearest measured point, compared with the usual distance between measured points."""

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
    """Find the nearest measured point of each given point.

    Parameters
    ----------
    places : array_like, shape (n, m)
        Points whose nearest neighbours are sought.
    measured : array_like, shape (N, m)
        Measured points, at least one.
    metric : {"euclidean", "cityblock"}
        Root of the sum of squared differences, or sum of absolute differences.

    Returns
    -------
    distance : ndarray, shape (n,)
        Distance to the nearest measured point, in the unit of the points.
    row : ndarray of int, shape (n,)
        Its row in ``measured``; the first one where several are equally near.

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
    """Distance to the nearest measured point, in units of a usual distance between measured points.

    Use `fit` to make one.

    Parameters
    ----------
    measured : ndarray, shape (N, m)
        Measured points, for example compositions or principal components of training structures.
    reach : float
        Usual distance: a given share of the measured points have a point of another group within it. Infinite if
        there is only one group, because then no usual distance is known.

    Examples
    --------
    >>> known = Nearness.fit(np.arange(10.0)[:, None], np.arange(10))
    >>> known.distance([[3.5], [50.0]]).tolist(), known.reach
    ([0.5, 41.0], 1.0)
    """

    measured: Array
    reach: float

    @classmethod
    def fit(cls, measured: ArrayLike, groups: ArrayLike, *, share: float = 0.99) -> Nearness:
        """Determine the usual distance between measured points of different groups.

        Parameters
        ----------
        measured : array_like, shape (N, m)
            Measured points.
        groups : array_like, shape (N,)
            Group of each point; points of one group do not count as neighbours of each other.
        share : float
            Share of the measured points, 0 to 1, that have a point of another group within the usual distance.

        Returns
        -------
        Nearness
            The measured points with their usual distance.
        """
        places, group = np.asarray(measured, np.float64), np.asarray(groups)
        apart = cdist(places, places)
        apart[group[:, None] == group] = np.inf
        others = apart.min(1)
        return cls(places, float(np.quantile(others, share)) if np.isfinite(others).all() else np.inf)

    def nearest(self, places: ArrayLike) -> tuple[Array, NDArray[np.intp]]:
        """Find the nearest measured point of each given point.

        Parameters
        ----------
        places : array_like, shape (n, m)
            Points whose nearest neighbours are sought.

        Returns
        -------
        distance : ndarray, shape (n,)
            Distance to the nearest measured point, in the unit of the points.
        row : ndarray of int, shape (n,)
            Its row among the measured points.
        """
        return nearest(places, self.measured)

    def distance(self, places: ArrayLike) -> Array:
        """Return the distance to the nearest measured point in units of ``reach``.

        Parameters
        ----------
        places : array_like, shape (n, m)
            Points to be judged.

        Returns
        -------
        ndarray, shape (n,)
            Relative distances; up to 1 is usual among measured points.
        """
        return self.nearest(places)[0] / max(self.reach, 1e-12)
