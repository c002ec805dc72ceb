"""Support of compositions by what was measured around them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from matlens.library.gradients.support import ENOUGH_PAIRS, ENOUGH_SAMPLES, component_pairs
from matlens.library.table import PRESENT, MaterialsLibrary, named

__all__ = ["Neighbourhood", "farness", "neighbourhood_support"]

Array = NDArray[np.float64]
# docs/decisions/0037-marks-of-support.md
_NEAR, _FAR = 1.5, 3.0  # in usual distances between neighbours: supported, weak
_ENOUGH = 2  # measured compositions near a supported one
_AROUND = 8  # measured compositions whose distances to their neighbours are usual for a place
_BEYOND = 0.025  # share of the measured range of a component that rounding may leave it by
_TRACE = 1e-9


@dataclass(frozen=True)
class Neighbourhood:
    """Support of compositions by measured ones around them. Use `neighbourhood_support` to compute it.

    Parameters
    ----------
    flags : ndarray of int8, shape (n,)
        2 supported, 1 weak, 0 unsupported.
    nearest : ndarray of int, shape (n,)
        Row of a sample of the nearest measured composition.
    distance : ndarray, shape (n,)
        Share of atoms that must be exchanged to reach it.
    usual : ndarray, shape (n,)
        The same share between measured neighbours around it.
    near : ndarray of int, shape (n,)
        Number of measured compositions within one and a half times ``usual``.
    against : tuple of tuple of str
        Reasons against the support of each composition, in words; none where it is supported.

    Examples
    --------
    >>> w = np.linspace(0, 0.1, 11)
    >>> library = MaterialsLibrary(np.stack([1 - w, w], 1), ("V", "W"), {"P": w})
    >>> neighbourhood_support([[0.955, 0.045]], library).near.tolist()
    [4]
    """

    flags: NDArray[np.int8]
    nearest: NDArray[np.intp]
    distance: Array
    usual: Array
    near: NDArray[np.intp]
    against: tuple[tuple[str, ...], ...]

    def select(self, rows: NDArray[np.intp]) -> Neighbourhood:
        """Return what is known of some of the compositions, numbered by ``rows``."""
        return Neighbourhood(
            self.flags[rows],
            self.nearest[rows],
            self.distance[rows],
            self.usual[rows],
            self.near[rows],
            tuple(self.against[row] for row in rows),
        )


def neighbourhood_support(compositions: ArrayLike, measured: MaterialsLibrary) -> Neighbourhood:
    """Judge the support of compositions by the measured ones in their own neighbourhood.

    A composition is supported if two measured ones are about as near as measured neighbours usually are, and if enough
    measured compositions contain each of its components and pairs of components. It is unsupported if it lies beyond
    the measured range of a component, lacks a component that no sample lacks, contains components that were never
    measured together, or is more than three times as far from all measured compositions as is usual.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    measured : MaterialsLibrary
        Measured samples.

    Returns
    -------
    Neighbourhood
        Levels of support with their reasons.

    Examples
    --------
    >>> w = np.linspace(0.02, 0.12, 11)
    >>> library = MaterialsLibrary(np.stack([1 - w, w], 1), ("V", "W"), {"P": w})
    >>> found = neighbourhood_support([[0.945, 0.055], [1, 0], [0.8, 0.2]], library)
    >>> found.flags.tolist()
    [2, 0, 0]
    >>> found.against[1][1]
    'it has no W, of which every sample has 2 at% or more'
    >>> found.against[2][1]
    '20 at% W is outside the measured range (2 to 12 at%)'
    """
    x = np.asarray(compositions, np.float64)
    row = np.unique(measured.replicates(), return_index=True)[1]
    points = measured.compositions[row]
    apart = 0.5 * cdist(x, points, "cityblock")
    usual = _usual(apart, points)
    near = (apart <= _NEAR * usual[:, None] + _TRACE).sum(1)
    distance = apart.min(1)
    flags = np.select([(near >= _ENOUGH) | (distance <= PRESENT), distance <= _FAR * usual + _TRACE], [2, 1], 0).astype(
        np.int8
    )
    against: list[tuple[str, ...]] = []
    counted, ranges = _Counts.of(points), _Ranges.of(points)
    for number, each in enumerate(x):
        level, words = counted.judge(each, measured)
        beyond = ranges.judge(each, measured)
        if flags[number] < 2:
            words.append(_distance_words(distance[number], usual[number], measured))
        flags[number] = 0 if beyond else min(int(flags[number]), level)
        against.append((*beyond, *words))
    return Neighbourhood(flags, row[apart.argmin(1)], distance, usual, near, tuple(against))


def farness(compositions: ArrayLike, measured: ArrayLike) -> Array:
    """Return how far compositions lie from measured ones: 0 among them, 1 where support ends.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    measured : array_like, shape (N, D)
        Measured compositions, each once.

    Returns
    -------
    ndarray, shape (n,)
        0 up to 1.5 usual distances between measured neighbours, 1 from three on, and linear between.

    Examples
    --------
    >>> w = np.linspace(0, 0.1, 11)
    >>> farness([[0.955, 0.045], [0.88, 0.12], [0.5, 0.5]], np.stack([1 - w, w], 1)).round(2).tolist()
    [0.0, 0.33, 1.0]
    """
    x, points = np.asarray(compositions, np.float64), np.asarray(measured, np.float64)
    apart = 0.5 * cdist(x, points, "cityblock")
    times = apart.min(1) / np.maximum(_usual(apart, points), _TRACE)
    found: Array = np.clip((times - _NEAR) / (_FAR - _NEAR), 0, 1)
    return found


def _usual(apart: Array, points: Array) -> Array:
    """Distance between measured neighbours around each place, but at least the one usual in the library, (n,)."""
    if len(points) < 2:
        return np.zeros(len(apart))
    between = 0.5 * cdist(points, points, "cityblock")
    np.fill_diagonal(between, np.inf)
    own = between.min(1)
    around = np.argsort(apart, axis=1, kind="stable")[:, :_AROUND]
    found: Array = np.maximum(np.median(own[around], axis=1), np.median(own))
    return found


def _distance_words(distance: float, usual: float, measured: MaterialsLibrary) -> str:
    unit = measured.fraction_name
    if distance <= _NEAR * usual + _TRACE:
        return f"only one measured composition lies within {100 * _NEAR * usual:.2g} {unit}"
    return (
        f"{100 * distance:.3g} {unit} from the nearest measured composition (neighbours there are {100 * usual:.2g} "
        "apart)"
    )


@dataclass(frozen=True)
class _Ranges:
    low: Array
    high: Array
    always: NDArray[np.bool_]  # components that no sample lacks

    @classmethod
    def of(cls, points: Array) -> _Ranges:
        return cls(points.min(0), points.max(0), np.asarray((points > PRESENT).all(0)))

    def judge(self, each: Array, measured: MaterialsLibrary) -> list[str]:
        """Say in which components a composition leaves what was measured."""
        slack = _BEYOND * (self.high - self.low) + PRESENT
        unit, said = measured.fraction_name, []
        for k, name in enumerate(measured.components):
            low, high = (f"{100 * end:.3g}" for end in (self.low[k], self.high[k]))
            if self.always[k] and each[k] <= PRESENT:
                said.append(f"it has no {name}, of which every sample has {low} {unit} or more")
            elif self.high[k] > PRESENT and not self.low[k] - slack[k] <= each[k] <= self.high[k] + slack[k]:
                share = f"{100 * each[k]:.3g} {unit} {name}"
                said.append(f"{share} is outside the measured range ({low} to {high} {unit})")
        return said


@dataclass(frozen=True)
class _Counts:
    pairs: NDArray[np.intp]  # (D, D)

    @classmethod
    def of(cls, points: Array) -> _Counts:
        return cls(component_pairs(points))

    def judge(self, each: Array, measured: MaterialsLibrary) -> tuple[int, list[str]]:
        """Greatest level of support by the counts of components and pairs, and reasons in words."""
        names, held = measured.components, np.flatnonzero(each > PRESENT)
        counts = {names[k]: (int(self.pairs[k, k]), ENOUGH_SAMPLES) for k in held}
        both = combinations([k for k in held if self.pairs[k, k]], 2)
        counts |= {f"{names[a]}-{names[b]}": (int(self.pairs[a, b]), ENOUGH_PAIRS) for a, b in both}
        none = [name for name, (count, _) in counts.items() if not count]
        few = [name for name, (count, enough) in counts.items() if 0 < count < enough]
        words = (("nothing was", none), ("little was", few))
        said = [f"{how} measured with {named(which, 3)}" for how, which in words if which]
        return 0 if none else 1 if few else 2, said
