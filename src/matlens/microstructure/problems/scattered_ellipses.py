"""Ellipses at random positions, with or without overlap, and more or less aligned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import checked_fraction, drawn_shape
from matlens.microstructure.problems.oriented import checked_plane, stretched_coordinates
from matlens.microstructure.problems.stamping import FAR, Score, cut_included, patch
from matlens.microstructure.structure import Microstructure

__all__ = ["ellipses"]

_ATTEMPTS = 150  # failed attempts in a row, after which the ellipses are made smaller
_SHRINK = 0.85
_SMALLEST = 0.4  # of the asked length; below, the missing area comes from growing all ellipses
_MARGIN = 3.0  # pixels around an ellipse in which its edge may lie after the cut to the exact fraction


def ellipses(
    shape: Sequence[int],
    *,
    length: float = 10.0,
    aspect: float = 3.0,
    angle: float = 0.0,
    disorder: float = 20.0,
    overlap: bool = True,
    included: int = 1,
    fraction: float = 0.3,
    seed: int = 0,
    periodic: bool = True,
) -> Microstructure:
    """Place ellipses at random positions until they cover the asked fraction.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.
    length : float
        Geometric mean of the long and the short diameter of an ellipse in pixels, at least 3.
    aspect : float
        Ratio of the long to the short diameter, at least 1.
    angle : float
        Mean direction of the long diameters in degrees, from axis 1 towards axis 0.
    disorder : float
        Standard deviation of the direction in degrees; from 90 on all directions are about equally frequent.
    overlap : bool
        Whether ellipses may overlap. If not, some are made smaller where there is no room.
    included : int
        Phase of the ellipses: 1, or 0 when phase 1 is the matrix.
    fraction : float
        Volume fraction of phase 1, exact to the pixel; that of ellipses without overlap is at most 0.5.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases, ``matrix`` and ``ellipses``.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> ellipses((64, 64), length=8, fraction=0.25, seed=1).volume_fractions
    array([0.75, 0.25])
    """
    sides = checked_plane(shape)
    share = checked_fraction(fraction) if included else 1.0 - checked_fraction(fraction)
    if not length >= 3 or not disorder >= 0:
        raise InputError(f"length must be at least 3 pixels and disorder 0 degrees, found {length!r}, {disorder!r}.")
    if not overlap and share > 0.5:
        raise InputError(
            f"ellipses that do not overlap cannot be placed to fill {share:.3g} of the plane; ask for at most 0.5, or "
            "let them overlap."
        )
    drawn = checked_plane(drawn_shape(sides, periodic))
    rng = np.random.default_rng(seed)
    scores = np.full(drawn, FAR)
    size, failed = length, 0
    while (scores > 0).mean() < share and size > _SMALLEST * length:
        if _thrown(scores, size, aspect, rng.normal(angle, disorder), overlap=overlap, rng=rng):
            failed = 0
        else:
            failed += 1
        if failed >= _ATTEMPTS:
            size, failed = size * _SHRINK, 0
    names = ("matrix", "ellipses")
    return cut_included(scores, sides, fraction, included=included, names=names, periodic=periodic)


def _thrown(
    scores: NDArray[np.float64], size: float, aspect: float, angle: float, *, overlap: bool, rng: np.random.Generator
) -> bool:
    """Add an ellipse at a random position, and return False if there is no room for it."""
    centre = rng.uniform(size=2) * scores.shape
    reach = size / 2 * np.sqrt(aspect) + _MARGIN
    index, values = patch(scores.shape, centre, reach, _depth(size, aspect, angle))
    there = scores[index]
    if not overlap and bool(((there > -1.0) & (values > 0)).any()):
        return False
    scores[index] = np.maximum(there, values)
    return True


def _depth(size: float, aspect: float, angle: float) -> Score:
    return partial(_inside, size=size, aspect=aspect, angle=angle)


def _inside(
    rows: NDArray[np.float64], columns: NDArray[np.float64], *, size: float, aspect: float, angle: float
) -> NDArray[np.float64]:
    """Depth in pixels inside the edge of an ellipse: exact on the short diameter, accurate near the edge everywhere."""
    along, across = stretched_coordinates(rows, columns, aspect, angle)
    radius = np.hypot(along, across) + 1e-9
    gradient = np.hypot(along / np.sqrt(aspect), across * np.sqrt(aspect)) / radius  # of the radius, in space
    return np.asarray((size / 2 - radius) / np.maximum(gradient, np.sqrt(1 / aspect)))
