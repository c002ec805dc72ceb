"""The plateau of thresholds: how far they can move and still separate the phases as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.structure import Microstructure

__all__ = ["PLACES", "Variants", "plateau"]

PLACES = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Places in the plateau: -1 is its lower end, 0 the threshold in use, 1 its upper end."""

_AS_WELL = 0.01  # by which the variance between the phases may differ, relative to its value at the threshold in use
_SAMPLES = 200_000  # grey values that are looked at
_STEPS = 400  # thresholds that are tried between two phases


class Variants(Mapping[float, Microstructure]):
    """The structures that thresholds within the plateau give, by their place in it, made when they are asked for.

    Parameters
    ----------
    levels : mapping of float to tuple of float
        Place in the plateau -> thresholds, from dark to bright.
    cut : callable
        Takes thresholds; returns the structure.
    used : Microstructure
        The structure at place 0, which is not made again.

    Examples
    --------
    >>> found = Variants({0.0: (0.5,), 1.0: (1.5,)}, lambda levels: Microstructure([[0, 1, 2]] > np.array(levels)),
    ...                  Microstructure([[0, 1, 1]]))
    >>> {place: structure.volume_fractions.round(2).tolist() for place, structure in found.items()}
    {0.0: [0.33, 0.67], 1.0: [0.67, 0.33]}
    """

    def __init__(
        self,
        levels: Mapping[float, tuple[float, ...]],
        cut: Callable[[tuple[float, ...]], Microstructure],
        used: Microstructure,
    ) -> None:
        self.levels = dict(levels)
        self._cut, self._used = cut, used

    def cropped(self, part: tuple[slice, ...], used: Microstructure) -> Variants:
        """Keep a part of every structure.

        Parameters
        ----------
        part : tuple of slice
            One slice for each axis.
        used : Microstructure
            The part of the structure at place 0.

        Returns
        -------
        Variants
            The parts.
        """
        return Variants(self.levels, lambda levels: self._cut(levels).crop(*part), used)

    def __getitem__(self, place: float) -> Microstructure:
        levels = self.levels[place]
        return self._used if place == 0 else self._cut(levels)  # volumes are large: five are never held at once

    def __iter__(self) -> Iterator[float]:
        return iter(self.levels)

    def __len__(self) -> int:
        return len(self.levels)


def plateau(grey: NDArray[Any], levels: tuple[float, ...]) -> dict[float, tuple[float, ...]]:
    """Choose five sets of thresholds between the ends of the plateau around the thresholds in use.

    The plateau of a threshold is the range in which the variance between the two phases that it separates, which Otsu's
    method makes largest, stays within 1 % of its value at the threshold. It is wide where few pixels are in doubt, and
    their number hardly changes; where the grey values of two phases overlap, it is narrow and many pixels change sides.

    Parameters
    ----------
    grey : ndarray
        Grey values, of any shape.
    levels : tuple of float
        Thresholds in use, in ascending order.

    Returns
    -------
    dict of float to tuple of float
        `PLACES` -> thresholds; all move together.

    Notes
    -----
    Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979).

    Examples
    --------
    >>> grey = np.concatenate([np.linspace(0, 40, 50), np.linspace(60, 100, 50)])
    >>> {place: f"{level:.0f}" for place, (level,) in plateau(grey, (50.0,)).items()}
    {-1.0: '40', -0.5: '45', 0.0: '50', 0.5: '55', 1.0: '60'}
    """
    step = max(1, grey.size // _SAMPLES)
    ordered = np.sort(np.asarray(grey, dtype=np.float64).ravel()[::step])
    borders = (-np.inf, *levels, np.inf)
    ends = [
        _ends(ordered[np.searchsorted(ordered, below, "right") : np.searchsorted(ordered, above, "right")], level)
        for (below, level), (_, above) in pairwise(pairwise(borders))
    ]
    return {
        place: tuple(
            level + abs(place) * ((high if place > 0 else low) - level) for level, (low, high) in zip(levels, ends)
        )
        for place in PLACES
    }


def _ends(ordered: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Lowest and highest threshold that separates sorted grey values as well as one between them does."""
    split = int(np.searchsorted(ordered, level, "right"))
    if split in (0, ordered.size):
        return level, level
    low, high = float(ordered[:split].mean()), float(ordered[split:].mean())
    below, above = np.linspace(level, low, _STEPS), np.linspace(level, high, _STEPS)
    sums = np.concatenate([[0.0], np.cumsum(ordered - ordered.mean())])

    def between(tried: NDArray[np.float64]) -> NDArray[np.float64]:
        count = np.searchsorted(ordered, tried, "right")
        return np.asarray(sums[count] ** 2 / np.maximum(count * (ordered.size - count), 1))

    wanted = between(np.array([level]))

    def reach(tried: NDArray[np.float64]) -> float:
        differs = np.abs(between(tried) - wanted) > _AS_WELL * wanted
        return float(tried[max(int(differs.argmax()) - 1, 0) if differs.any() else -1])

    return reach(below), reach(above)
