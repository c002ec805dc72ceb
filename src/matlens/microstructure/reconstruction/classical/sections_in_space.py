"""Two-point probabilities of a volume, from sections of its planes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.axes import AXES
from matlens.microstructure.reconstruction.classical.targets import at_fraction, mean_fractions, mean_map
from matlens.microstructure.statistics import two_point_map
from matlens.microstructure.structure import Microstructure

__all__ = ["along_axes", "check_axes", "plane_maps", "stretched_line"]

Array = NDArray[np.float64]

_GONE = 0.05  # a covariance below this share has decayed


def check_axes(sections: Sequence[Sequence[int]]) -> None:
    """Check that every axis of a volume lies in a section.

    Parameters
    ----------
    sections : sequence of sequence of int
        For each axis of the volume, the numbers of the sections normal to it.

    Raises
    ------
    InputError
        If no section shows an axis.

    Examples
    --------
    >>> check_axes([(0,), (1,), ()])
    """
    for axis, name in enumerate(AXES):
        if not any(own for normal, own in enumerate(sections) if normal != axis):
            raise InputError(
                f"no section shows how the material is along {name}; give a second section, of a plane with {name}."
            )


def plane_maps(
    exemplars: Sequence[Microstructure], sections: Sequence[Sequence[int]], reach: int
) -> list[tuple[int, Array]]:
    """Measure the map of two-point probabilities on the planes normal to each axis, at the fractions of all sections.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Sections; rows and columns are axes of the volume in their order.
    sections : sequence of sequence of int
        For each axis of the volume, the numbers of the sections normal to it.
    reach : int
        Largest offset in pixels.

    Returns
    -------
    list of (int, ndarray)
        Axis, and map of shape (K, 2 reach + 1, 2 reach + 1).

    Examples
    --------
    >>> m = Microstructure([[0, 1, 0, 1]] * 4)
    >>> [(axis, found.shape) for axis, found in plane_maps([m], [(), (0,), ()], 1)]
    [(1, (2, 3, 3))]
    """
    mean = mean_fractions(exemplars)
    found = []
    for axis, own in enumerate(sections):
        if own:
            seen = [exemplars[number] for number in own]
            found.append((axis, at_fraction(mean_map(seen, two_point_map, reach), mean_fractions(seen), mean)))
    return found


def along_axes(maps: Sequence[tuple[int, Array]]) -> Array:
    """Read maps of planes along the axes of the volume.

    Parameters
    ----------
    maps : sequence of (int, ndarray)
        As `plane_maps` returns them.

    Returns
    -------
    ndarray, shape (K, 3, reach + 1)
        Two-point probability at the offsets 0, 1, ... along each axis; the mean over the planes that hold the axis.

    Examples
    --------
    >>> plane = np.array([[[0.1, 0.2, 0.1], [0.3, 0.5, 0.3], [0.1, 0.2, 0.1]]])
    >>> along_axes([(0, plane), (1, plane)])[0].round(2).tolist()
    [[0.5, 0.2], [0.5, 0.2], [0.5, 0.3]]
    """
    curves: list[list[Array]] = [[], [], []]
    for normal, plane in maps:
        reach = plane.shape[1] // 2
        row, column = (axis for axis in range(3) if axis != normal)
        curves[row].append(plane[:, reach:, reach])
        curves[column].append(plane[:, reach, reach:])
    return np.stack([np.mean(own, axis=0) for own in curves], axis=1)


def stretched_line(maps: Sequence[tuple[int, Array]], fractions: Array) -> tuple[Array, Array]:
    """Fit an isotropic medium that is stretched along the axes to maps of planes.

    Parameters
    ----------
    maps : sequence of (int, ndarray)
        As `plane_maps` returns them.
    fractions : ndarray, shape (K,)
        Volume fractions of the maps.

    Returns
    -------
    line : ndarray, shape (K, reach + 1)
        Two-point probability by distance, in pixels, after every axis is divided by its stretch.
    stretches : ndarray, shape (3,)
        Stretch of each axis; their product is one.

    Notes
    -----
    The stretch is the integral of the covariance along the axis, summed over phases, until it falls below 5 %.

    Examples
    --------
    >>> rows, columns = np.meshgrid(np.arange(-9, 10.0), np.arange(-9, 10.0), indexing="ij")
    >>> def plane(y, x):
    ...     return 0.25 + 0.25 * np.exp(-np.hypot(rows / y, columns / x))[None]
    >>> line, stretches = stretched_line([(0, plane(2, 2)), (1, plane(1, 2))], np.array([0.5]))
    >>> stretches.round(1).tolist()
    [0.7, 1.2, 1.2]
    """
    curves = along_axes(maps)
    spread = (fractions * (1 - fractions)).sum()
    covariance = (curves - fractions[:, None, None] ** 2).sum(axis=0) / spread
    lengths = np.array([_length(curve) for curve in covariance])
    stretches = lengths / np.prod(lengths) ** (1 / 3)
    reach = curves.shape[2] - 1
    sums, counts = np.zeros((len(fractions), reach + 2)), np.zeros(reach + 2)
    offset = np.arange(-reach, reach + 1)
    for normal, plane in maps:
        row, column = (stretches[axis] for axis in range(3) if axis != normal)
        distance = np.hypot(offset[:, None] / row, offset / column)
        inside = distance <= reach
        low = np.floor(distance[inside]).astype(int)
        for place, share in ((low, 1 - (distance[inside] - low)), (low + 1, distance[inside] - low)):
            counts += np.bincount(place, share, reach + 2)
            for phase, values in enumerate(plane):
                sums[phase] += np.bincount(place, share * values[inside], reach + 2)
    return (sums / np.maximum(counts, 1e-12))[:, : reach + 1], stretches


def _length(curve: Array) -> float:
    """Integral of a covariance, by trapezes, until it has decayed."""
    below = np.flatnonzero(curve < _GONE)
    return float(np.trapezoid(curve[: below[0] + 1] if below.size else curve))
