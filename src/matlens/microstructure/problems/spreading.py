"""Random points that keep a minimum distance on a torus: centres of particles and of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["spread_points"]

_STEPS = 400
_TOLERANCE = 0.02  # pixels of overlap, far below what the pixel grid resolves


def spread_points(sides: tuple[int, int], radii: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw points at random, and push apart those closer than the sum of their radii until none are.

    Parameters
    ----------
    sides : tuple of int
        Periods in pixels.
    radii : ndarray of float, shape (N,)
        Radius of each point in pixels.
    rng : Generator
        Source of the initial positions.

    Returns
    -------
    ndarray of float, shape (N, 2)
        Positions in pixels, within the periods. Where there is no room, the remaining overlaps are small and shared
        by all.

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
    """Move positions into one period.

    Parameters
    ----------
    places : ndarray of float, shape (N, 2)
        Positions in pixels.
    period : ndarray of float, shape (2,)
        Periods in pixels.

    Returns
    -------
    ndarray of float, shape (N, 2)
        Positions in [0, period).

    Examples
    --------
    >>> wrapped(np.array([[-1.0, 5.0]]), np.array([4.0, 4.0])).tolist()
    [[3.0, 1.0]]
    """
    inside: NDArray[np.float64] = np.mod(places, period)
    inside[inside >= period] = 0.0  # by rounding of a tiny negative number; SciPy's periodic tree refuses the border
    return inside
