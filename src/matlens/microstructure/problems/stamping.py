"""Shapes drawn onto a torus as scores: the depth of a pixel inside the nearest shape, negative outside of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import cut, window
from matlens.microstructure.structure import Microstructure

__all__ = ["FAR", "Score", "cut_included", "patch", "stamp"]

FAR = -1e6  # score of a pixel far from every shape
Score = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def patch(
    sides: tuple[int, ...], centre: Sequence[float] | NDArray[np.float64], reach: float, score: Score
) -> tuple[tuple[NDArray[np.intp], ...], NDArray[np.float64]]:
    """Return the pixels around a centre on the torus, and the score of a shape at them.

    Parameters
    ----------
    sides : tuple of int
        Periods in pixels.
    centre : sequence of float
        Position of the centre in pixels.
    reach : float
        Distance in pixels up to which pixels are returned along each axis.
    score : callable
        Maps offsets from the centre in rows and columns to the depth inside the shape in pixels.

    Returns
    -------
    index : tuple of ndarray of int
        Index of the pixels.
    values : ndarray of float
        Scores of the shape there.

    Raises
    ------
    InputError
        If the shape does not fit into the period.

    Examples
    --------
    >>> index, values = patch((16, 16), (0.0, 0.0), 2.0, lambda y, x: 2.0 - np.hypot(y, x))
    >>> index[0].ravel().tolist(), float(values.max())
    ([14, 15, 0, 1, 2], 2.0)
    """
    if 2 * reach + 2 > min(sides):
        raise InputError(
            f"a shape of {2 * reach:.3g} pixels does not fit into {' x '.join(map(str, sides))} pixels; make it "
            "shorter or its aspect smaller, or the picture larger."
        )
    ranges = [np.arange(int(np.ceil(c - reach)), int(np.floor(c + reach)) + 1) for c in centre]
    rows, columns = (axis - c for axis, c in zip(ranges, centre))
    values = score(*np.broadcast_arrays(rows[:, None], columns[None, :]))
    return np.ix_(*(axis % side for axis, side in zip(ranges, sides))), values


def stamp(
    scores: NDArray[np.float64], centre: Sequence[float] | NDArray[np.float64], reach: float, score: Score
) -> None:
    """Raise the scores around a centre to those of one more shape, in place.

    Parameters
    ----------
    scores : ndarray of float
        Scores on the torus, changed in place.
    centre : sequence of float
        Position of the centre in pixels.
    reach : float
        Distance in pixels up to which scores may change along each axis.
    score : callable
        Maps offsets from the centre in rows and columns to the depth inside the shape in pixels.

    Raises
    ------
    InputError
        If the shape does not fit into the period.

    Examples
    --------
    >>> scores = np.full((16, 16), FAR)
    >>> stamp(scores, (8.0, 8.0), 2.0, lambda y, x: 2.0 - np.hypot(y, x))
    >>> int((scores >= 0).sum())
    13
    """
    index, values = patch(scores.shape, centre, reach, score)
    scores[index] = np.maximum(scores[index], values)


def cut_included(
    scores: NDArray[np.float64],
    sides: tuple[int, int],
    fraction: float,
    *,
    included: int,
    names: tuple[str, str],
    periodic: bool,
) -> Microstructure:
    """Cut scores so that the shapes are one of the phases, and phase 1 has exactly its volume fraction.

    Parameters
    ----------
    scores : ndarray of float
        Depth of each pixel inside the nearest shape.
    sides : tuple of (int, int)
        Pixels to keep along each axis.
    fraction : float
        Volume fraction of phase 1.
    included : int
        Phase of the shapes, 0 or 1.
    names : tuple of (str, str)
        Name of the matrix and of the shapes.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases.

    Raises
    ------
    InputError
        If ``included`` is neither 0 nor 1, or the fraction is not strictly between 0 and 1.

    Examples
    --------
    >>> scores = np.array([[1.0, -1.0], [-2.0, -3.0]])
    >>> made = cut_included(scores, (2, 2), 0.75, included=0, names=("matrix", "shapes"), periodic=True)
    >>> made.labels.tolist(), made.phase_names
    ([[0, 1], [1, 1]], ('shapes', 'matrix'))
    """
    if included not in (0, 1):
        raise InputError(f"included must be the phase of the shapes, 0 or 1, found {included!r}.")
    inside = window(scores, sides)
    found = cut(inside if included else -inside, fraction, periodic)
    return Microstructure(found.labels, phase_names=names if included else names[::-1], periodic=periodic)
