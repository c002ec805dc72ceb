"""Points that keep their distance on a torus: centres of particles and of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["spread_points"]

_STEPS = 400
_TOLERANCE = 0.02  # pixels of overlap nobody sees


def spread_points(sides: tuple[int, int], radii: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Throw points at random and push apart those closer than the sum of their radii, until none are.

    Parameters
    ----------
    sides : tuple of int
        Periods in pixels.
    radii : ndarray of float
        Radius of each point, shape (N,).
    rng : Generator
        Where the first places come from.

    Returns
    -------
    ndarray of float
        Places in pixels, shape (N, 2), within the periods. Where there is no room the overlaps that are left are small
        and shared by all.

    Examples
    --------
    >>> places = spread_points((16, 16), np.full(4, 4.0), np.random.default_rng(0))
    >>> places.shape
    (4, 2)
    """
    from scipy.spatial import cKDTree

    period = np.array(sides, dtype=float)
    places = rng.uniform(size=(radii.size, 2)) * period
    for _ in range(_STEPS):
        tree = cKDTree(places, boxsize=period)
        pairs = tree.query_pairs(min(2 * radii.max(), period.min() / 2), output_type="ndarray")
        apart = places[pairs[:, 1]] - places[pairs[:, 0]]
        apart -= np.rint(apart / period) * period
        distance = np.maximum(np.linalg.norm(apart, axis=1), 1e-9)
        overlap = radii[pairs].sum(axis=1) - distance
        close = overlap > 0
        if not close.any() or overlap[close].max() < _TOLERANCE:
            break
        push = apart[close] * (0.5 * overlap[close] / distance[close])[:, None]
        np.subtract.at(places, pairs[close, 0], push)
        np.add.at(places, pairs[close, 1], push)
        places = wrapped(places, period)
    return np.asarray(places)


def wrapped(places: NDArray[np.float64], period: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring places into [0, period); rounding must not leave one on the border, where the tree refuses it."""
    inside: NDArray[np.float64] = np.mod(places, period)
    inside[inside >= period] = 0.0
    return inside
