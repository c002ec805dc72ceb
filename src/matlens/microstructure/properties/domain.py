"""Whether a structure is like those a model was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

__all__ = ["Domain"]

Array = NDArray[np.float64]


class Domain:
    """Distance to the nearest training structure, against what is usual among them.

    Parameters
    ----------
    places : ndarray, shape (n, m)
        Where the training structures lie, e.g. their principal components.
    groups : array_like, shape (n,)
        Rows of one group are not each other's neighbours.
    quantile : float
        Share of the training structures that lie inside when left out themselves.

    Examples
    --------
    >>> domain = Domain(np.arange(10.0)[:, None], np.arange(10))
    >>> domain.holds(np.array([[3.5], [50.0]])).tolist()
    [True, False]
    """

    def __init__(self, places: Array, groups: ArrayLike, quantile: float = 0.99) -> None:
        self.places = places
        group = np.asarray(groups)
        apart = np.where(group[:, None] == group[None], np.inf, cdist(places, places))
        nearest = apart.min(axis=1)
        self.reach = float(np.quantile(nearest, quantile)) if np.isfinite(nearest).all() else np.inf

    def distance(self, places: Array) -> Array:
        """Distance to the nearest training structure, in units of what is usual (1 = the limit), shape (n,)."""
        found: Array = cdist(places, self.places).min(axis=1) / max(self.reach, 1e-12)
        return found

    def holds(self, places: Array) -> NDArray[np.bool_]:
        """Whether structures lie inside, shape (n,)."""
        return self.distance(places) <= 1
