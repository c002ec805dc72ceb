"""The round field of view of a tomograph or an eyepiece, around which all pixels have one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RoundField", "corner_value", "round_field"]

_SMALLEST = 16  # pixels across
_OUTSIDE = 0.03  # share of the picture that lies outside; the corners that a circle cuts off a square are .21
_PURE = 0.998  # share of the pixels outside the circle that must have the value
_MIXED = 0.005  # share of the pixels along the rim that must differ from the most frequent of them


@dataclass(frozen=True, eq=False)
class RoundField:
    """Circle outside of which all pixels have one value.

    Parameters
    ----------
    valid : ndarray of bool
        True inside, in the shape of the picture or volume.
    value : float
        The value outside.
    diameter : float
        Diameter of the circle in pixels.

    Examples
    --------
    >>> RoundField(np.ones((4, 4), dtype=bool), 0.0, 4.0).value
    0.0
    """

    valid: NDArray[np.bool_]
    value: float
    diameter: float


def corner_value(values: NDArray[Any]) -> float:
    """Return the value that all corners of a picture or volume have.

    Parameters
    ----------
    values : ndarray
        Grey values or labels.

    Returns
    -------
    float
        The value; NaN, which equals nothing, where the corners differ.

    Examples
    --------
    >>> corner_value(np.array([[7, 1, 7], [7, 2, 7]])), corner_value(np.array([[7, 1], [7, 7]]))
    (7.0, nan)
    """
    corners = np.unique(values[np.ix_(*([0, -1] for _ in values.shape))])
    return float(corners[0]) if corners.size == 1 else float("nan")


def round_field(values: NDArray[Any]) -> RoundField | None:
    """Find the circle outside of which a picture, or every slice of a volume, has the value of its corners.

    Parameters
    ----------
    values : ndarray
        Grey values or labels, shape (y, x) or (z, y, x).

    Returns
    -------
    RoundField or None
        None where the corners differ, what they are part of does not end at a circle, or the circle's rim has a single
        value: then it is a round object and no field of view, which cuts through all phases.

    Notes
    -----
    The circle goes through the corners of the convex hull of all other pixels, so that dark pores at the rim, which
    have the value of the outside, do not move it.

    Examples
    --------
    >>> grey = np.random.default_rng(0).normal(100, 10, (64, 64))
    >>> disc = np.hypot(*np.indices((64, 64)) - 31.5) < 32
    >>> found = round_field(np.where(disc, grey, 0))
    >>> round(found.diameter), bool((found.valid <= disc).all()), round_field(np.where(disc, 1, 0)) is None
    (64, True, True)
    """
    corner = corner_value(values)
    if np.isnan(corner) or min(values.shape[-2:]) < _SMALLEST:
        return None
    same = values == corner
    plane = same.all(axis=0) if values.ndim == 3 else same
    circle = _circle(plane)
    if circle is None:
        return None
    y, x = np.ogrid[tuple(slice(side) for side in plane.shape)]
    distance = np.hypot(y - circle[0], x - circle[1])
    inside, beyond = distance <= circle[2], distance > circle[2] + 1
    rim = values[..., inside & (distance > circle[2] - 2)]
    if beyond.mean() < _OUTSIDE or plane[beyond].mean() < _PURE or not _mixed(rim):
        return None
    return RoundField(np.broadcast_to(inside, values.shape).copy(), corner, 2 * circle[2])


def _circle(plane: NDArray[np.bool_]) -> tuple[float, float, float] | None:
    """Centre (y, x) and radius of the circle through the hull of all that does not hang together with the corners."""
    from scipy.ndimage import label
    from scipy.spatial import ConvexHull, QhullError

    pieces, _ = label(plane)
    outside = np.isin(pieces, pieces[np.ix_([0, -1], [0, -1])])
    # the ends of each row are all that a hull can touch; where the circle is cut off by the picture, rows end at it
    rows = np.flatnonzero(~outside.all(axis=1))
    if rows.size < _SMALLEST:
        return None
    left, right = (~outside[rows]).argmax(axis=1), plane.shape[1] - 1 - (~outside[rows])[:, ::-1].argmax(axis=1)
    points = np.concatenate([np.stack([rows, left], 1), np.stack([rows, right], 1)])
    try:
        hull = points[ConvexHull(points).vertices].astype(float)
    except QhullError:
        return None
    ends = np.array(plane.shape) - 1
    inner = hull[((hull > 0) & (hull < ends)).all(axis=1)]
    if len(inner) < 8:
        return None
    # x^2 + y^2 = 2 a y + 2 b x + c, a linear problem
    solution = np.linalg.lstsq(np.column_stack([2 * inner, np.ones(len(inner))]), (inner**2).sum(axis=1), rcond=None)[0]
    y, x, rest = (float(value) for value in solution)
    square = rest + y * y + x * x
    return (y, x, float(np.sqrt(square))) if square > (_SMALLEST / 2) ** 2 else None


def _mixed(rim: NDArray[Any]) -> bool:
    """Whether the rim has more than one value, as where a field of view cuts through the phases."""
    _, counts = np.unique(rim, return_counts=True)
    return bool(1 - counts.max() / rim.size > _MIXED)
