"""Packings of discs that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import checked_fraction, drawn_shape
from matlens.microstructure.problems.oriented import checked_plane
from matlens.microstructure.problems.spreading import spread_points
from matlens.microstructure.problems.stamping import FAR, cut_included, stamp
from matlens.microstructure.structure import Microstructure

__all__ = ["particles"]

_DENSEST = 0.78  # denser packings of discs of these size distributions are hardly found by pushing discs apart
_MARGIN = 3.0  # pixels around a disc in which its edge may lie after the cut to the exact fraction


def particles(
    shape: Sequence[int],
    *,
    diameter: float = 10.0,
    spread: float = 0.2,
    gap: float = 0.0,
    included: int = 1,
    fraction: float = 0.4,
    seed: int = 0,
    periodic: bool = True,
) -> Microstructure:
    """Make a packing of discs of different sizes that do not overlap.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.
    diameter : float
        Root mean square diameter in pixels, at least 3 and at most half the shorter side.
    spread : float
        Standard deviation of the logarithm of the diameter, 0 to 0.5.
    gap : float
        Smallest distance between discs in pixels, where the packing leaves room for it.
    included : int
        Phase of the discs: 1, or 0 when phase 1 is the matrix.
    fraction : float
        Volume fraction of phase 1, exact to the pixel; that of the discs is at most 0.78.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases, ``matrix`` and ``particles``.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> particles((64, 64), diameter=9, fraction=0.5, seed=1).volume_fractions
    array([0.5, 0.5])
    """
    sides = checked_plane(shape)
    share = checked_fraction(fraction) if included else 1.0 - checked_fraction(fraction)
    drawn = checked_plane(drawn_shape(sides, periodic))
    _check(drawn, diameter, spread, gap, share)
    rng = np.random.default_rng(seed)
    radii = _radii(drawn, diameter, spread, share, rng)
    places = spread_points(drawn, radii + gap / 2, rng)
    scores = np.full(drawn, FAR)
    for place, radius in zip(places, radii):
        stamp(scores, place, radius + _MARGIN, lambda y, x, r=radius: r - np.hypot(y, x))  # type: ignore[misc]
    return cut_included(scores, sides, fraction, included=included, names=("matrix", "particles"), periodic=periodic)


def _radii(
    sides: tuple[int, int], diameter: float, spread: float, share: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw radii whose discs have exactly the asked area; their number fits the asked diameter best."""
    area = share * sides[0] * sides[1]
    count = max(round(area / (np.pi / 4 * diameter**2)), 1)
    radii = np.exp(np.clip(spread * rng.standard_normal(count), -0.8, 0.8))
    return np.asarray(radii * np.sqrt(area / (np.pi * (radii**2).sum())))


def _check(sides: tuple[int, int], diameter: float, spread: float, gap: float, share: float) -> None:
    if not 3 <= diameter <= min(sides) / 2:
        raise InputError(f"diameter must lie in 3..{min(sides) / 2:g} pixels for this shape, found {diameter!r}.")
    if not 0 <= spread <= 0.5 or not 0 <= gap <= diameter:
        raise InputError(f"spread must lie in 0..0.5 and gap in 0..diameter, found spread {spread!r} and gap {gap!r}.")
    if share > _DENSEST:
        raise InputError(
            f"discs that do not overlap cannot fill {share:.3g} of the plane; ask for a share of at most {_DENSEST:g}."
        )
