"""Targets of the classical methods: the exemplars' correlations at reliable offsets and at the wanted fractions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.statistics import covariance_reach
from matlens.microstructure.structure import Microstructure

__all__ = ["at_fraction", "mean_fractions", "mean_map", "offsets", "reach_of"]

Array = NDArray[np.float64]

_REACHES, _FEWEST = 3.0, 16


def mean_fractions(exemplars: Sequence[Microstructure]) -> Array:
    """Compute the volume fractions of all exemplars together.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Exemplars.

    Returns
    -------
    ndarray, shape (K,)
        Volume fractions, weighted by what is known of their area.

    Examples
    --------
    >>> mean_fractions([Microstructure([[0, 1]] * 2), Microstructure([[0, 0, 0, 1]] * 2)])
    array([0.66666667, 0.33333333])
    """
    areas = np.array([m.n_known for m in exemplars], dtype=float)
    return np.asarray(areas @ np.array([m.volume_fractions for m in exemplars]) / areas.sum())


def reach_of(exemplars: Sequence[Microstructure], shape: Sequence[int], asked: int = 0) -> int:
    """Return the largest offset to match: three times the longest reach of the covariance, at least 16 pixels.

    It is always less than half of any side, beyond which an exemplar gives unreliable estimates.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Exemplars.
    shape : sequence of int
        Pixels of the result along each axis.
    asked : int
        Largest offset to use instead; 0 chooses it.

    Returns
    -------
    int
        Offset in pixels.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> reach_of([gaussian_field((128, 128), 8, 0.4, seed=0)], (64, 64))
    24
    """
    half = (min(side for sides in [shape, *(m.shape for m in exemplars)] for side in sides) - 1) // 2
    if asked > 0:
        return min(asked, half)
    lengths = np.concatenate([covariance_reach(m) for m in exemplars])
    longest = float(np.nanmax(lengths)) if np.isfinite(lengths).any() else half
    return int(min(half, max(_FEWEST, np.ceil(_REACHES * longest))))


def mean_map(exemplars: Sequence[Microstructure], statistic: Callable[[Microstructure], Array], reach: int) -> Array:
    """Average a map of offsets (`two_point_map`, `cluster_map`) over the exemplars, weighted by their pixels.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Exemplars.
    statistic : callable
        Takes a microstructure and returns the map, shape (K, ...), with offset zero in the centre.
    reach : int
        Largest offset to keep, in pixels.

    Returns
    -------
    ndarray, shape (K, 2 reach + 1, ...)
        Mean map with offset zero in the centre.

    Examples
    --------
    >>> from matlens.microstructure.statistics import two_point_map
    >>> mean_map([Microstructure([[0, 1, 0, 1]] * 4)], two_point_map, 1)[1].tolist()
    [[0.0, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]]
    """
    total: Array | float = 0.0
    for m in exemplars:
        window = tuple(slice(side // 2 - reach, side // 2 + reach + 1) for side in m.shape)
        total = total + m.n_known * statistic(m)[(slice(None), *window)]
    return np.asarray(total / sum(m.n_known for m in exemplars))


def at_fraction(probability: Array, own: Array, asked: Array) -> Array:
    """Convert two-point probabilities to other volume fractions; the normalised covariance stays.

    Parameters
    ----------
    probability : ndarray, shape (K, ...)
        Two-point probabilities.
    own, asked : ndarray, shape (K,)
        Volume fractions of the probabilities, and those wanted.

    Returns
    -------
    ndarray, shape (K, ...)
        Two-point probabilities in [0, 1].

    Examples
    --------
    >>> at_fraction(np.array([[0.5, 0.25]]), np.array([0.5]), np.array([0.2])).round(6).tolist()
    [[0.2, 0.04]]
    """
    end = (-1,) + (1,) * (probability.ndim - 1)
    old, new = own.reshape(end), asked.reshape(end)
    moved = new**2 + (probability - old**2) * (new * (1 - new)) / np.maximum(old * (1 - old), 1e-12)
    return np.asarray(np.clip(moved, 0.0, 1.0))


def offsets(reach: int, ndim: int) -> Array:
    """Compute the lengths of the offsets of a map.

    Parameters
    ----------
    reach : int
        Largest offset along each axis in pixels.
    ndim : int
        Number of axes.

    Returns
    -------
    ndarray, shape (2 reach + 1, ...)
        Lengths in pixels.

    Examples
    --------
    >>> offsets(1, 2).round(3).tolist()
    [[1.414, 1.0, 1.414], [1.0, 0.0, 1.0], [1.414, 1.0, 1.414]]
    """
    line = np.arange(-reach, reach + 1.0) ** 2
    return np.asarray(np.sqrt(sum(np.meshgrid(*[line] * ndim, indexing="ij", sparse=True))))
