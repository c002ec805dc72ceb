"""Lamellae that run in one direction, with waves and interruptions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import checked_fraction, drawn_shape
from matlens.microstructure.problems.oriented import checked_plane, oriented_values
from matlens.microstructure.problems.stamping import FAR, cut_included
from matlens.microstructure.structure import Microstructure

__all__ = ["sheets"]


def sheets(
    shape: Sequence[int],
    *,
    period: float = 12.0,
    angle: float = 0.0,
    waviness: float = 0.2,
    interruption: float = 0.1,
    included: int = 1,
    fraction: float = 0.3,
    seed: int = 0,
    periodic: bool = True,
) -> Microstructure:
    """Make a stack of lamellae that run in one direction, with waves and interruptions.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.
    period : float
        Approximate distance between neighbouring lamellae in pixels; a whole number of lamellae must fit into each
        side.
    angle : float
        Direction of the lamellae in degrees, from axis 1 towards axis 0, as near as whole numbers of lamellae permit.
    waviness : float
        Standard deviation of a lamella from a straight line, in periods, 0 to 1.
    interruption : float
        Fraction of the lamellae's length that is missing, 0 to 0.6.
    included : int
        Phase of the lamellae: 1, or 0 when phase 1 lies between them.
    fraction : float
        Volume fraction of phase 1, exact to the pixel; that of the lamellae is at most 0.9 of what the interruptions
        leave.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases, ``matrix`` and ``sheets``.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> sheets((64, 64), period=16, angle=45, fraction=0.25, seed=1).volume_fractions
    array([0.75, 0.25])
    """
    sides = checked_plane(shape)
    share = checked_fraction(fraction) if included else 1.0 - checked_fraction(fraction)
    if not 3 <= period <= min(sides) or not 0 <= waviness <= 1 or not 0 <= interruption <= 0.6:
        raise InputError(
            f"lamellae need a period from 3 pixels to the side, waviness 0..1 and interruption 0..0.6; "
            f"found {period!r}, {waviness!r}, {interruption!r}."
        )
    if share > 0.9 * (1 - interruption):
        raise InputError(
            f"lamellae that are interrupted on {interruption:.3g} of their length cannot fill {share:.3g} of the "
            "plane; ask for less of either."
        )
    drawn = checked_plane(drawn_shape(sides, periodic))
    rng = np.random.default_rng(seed)
    waves = _normal(oriented_values(drawn, 2.0 * period, aspect=1.5, angle=angle, rng=rng))
    breaks = oriented_values(drawn, 0.8 * period, aspect=1.0, angle=angle, rng=rng)
    place = _stacking(drawn, period, angle) + rng.uniform() + waviness * waves
    scores = -np.abs(place - np.rint(place)) * period
    scores[breaks < np.quantile(breaks, interruption)] += FAR
    return cut_included(scores, sides, fraction, included=included, names=("matrix", "sheets"), periodic=periodic)


def _stacking(sides: tuple[int, int], period: float, angle: float) -> NDArray[np.float64]:
    """Position across the stack in periods; it rises by whole numbers from border to border: the stack is periodic."""
    turn = np.deg2rad(angle)
    counts = np.rint([sides[0] * np.cos(turn) / period, -sides[1] * np.sin(turn) / period])
    if not counts.any():
        counts[int(abs(np.cos(turn)) < abs(np.sin(turn)))] = 1.0
    rows, columns = (np.arange(side) / side for side in sides)
    return np.asarray(counts[0] * rows[:, None] + counts[1] * columns[None, :])


def _normal(field: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = field.std()
    return np.asarray((field - field.mean()) / (deviation or 1.0))
