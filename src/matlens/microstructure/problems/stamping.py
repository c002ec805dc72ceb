"""Shapes drawn onto a torus as scores: how deep a pixel lies inside the nearest of them, negative outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import cut, window
from matlens.microstructure.structure import Microstructure

__all__ = ["FAR", "Score", "cut_included", "patch", "stamp"]

FAR = -1e6  # score of a pixel that no shape comes near
Score = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def patch(
    sides: tuple[int, ...], centre: Sequence[float] | NDArray[np.float64], reach: float, score: Score
) -> tuple[tuple[NDArray[np.intp], ...], NDArray[np.float64]]:
    """Give the pixels around a centre on the torus, as an index, and the score of a shape there.

    ``score`` is called with offsets in rows and columns from the centre.
    """
    if 2 * reach + 2 > min(sides):
        raise InputError(
            f"a shape of {2 * reach:.3g} pixels does not fit into {' x '.join(map(str, sides))} pixels; make it "
            "shorter or less drawn out, or the picture larger."
        )
    ranges = [np.arange(int(np.ceil(c - reach)), int(np.floor(c + reach)) + 1) for c in centre]
    rows, columns = (axis - c for axis, c in zip(ranges, centre))
    values = score(*np.broadcast_arrays(rows[:, None], columns[None, :]))
    return np.ix_(*(axis % side for axis, side in zip(ranges, sides))), values


def stamp(
    scores: NDArray[np.float64], centre: Sequence[float] | NDArray[np.float64], reach: float, score: Score
) -> None:
    """Raise the scores around a centre to those of one more shape."""
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
    """Cut scores so that the shapes are phase ``included`` and phase 1 has exactly its fraction.

    ``names`` are those of the surroundings and of the shapes.
    """
    if included not in (0, 1):
        raise InputError(f"included must be the phase of the shapes, 0 or 1, found {included!r}.")
    inside = window(scores, sides)
    found = cut(inside if included else -inside, fraction, periodic)
    return Microstructure(found.labels, phase_names=names if included else names[::-1], periodic=periodic)
