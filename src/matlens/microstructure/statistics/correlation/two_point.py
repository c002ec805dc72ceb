"""Two-point probabilities: auto- and cross-correlation of the phase indicators, by FFT.

S_ab(r) = P{x lies in phase a, x + r lies in phase b}; the average runs over the positions where both ends are known,
so a micrograph is never wrapped: it is zero-padded and divided by the number of overlapping positions. What a mask
hides is unknown, like what lies outside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.offsets import (
    along_axes,
    half_sides,
    overlap_counts,
    radial_mean,
    radial_size,
)
from matlens.microstructure.statistics.correlation.pair_counts import auto_counts, cross_counts, window_sums
from matlens.microstructure.statistics.statistic import N_LOG_N, Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = [
    "TWO_POINT",
    "TWO_POINT_CROSS",
    "normalised_covariance",
    "two_point_axes",
    "two_point_cross",
    "two_point_map",
    "two_point_radial",
]

Array = NDArray[np.float64]


def two_point_map(m: Microstructure, *, other: int | None = None, mask: ArrayLike | None = None) -> Array:
    """Compute the two-point probabilities of every phase for all offsets up to half the side.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.
    other : int, optional
        Phase at the far end; without it each phase is paired with itself.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, 2 h_1 + 1, ..., 2 h_d + 1), h_i = side_i // 2
        ``result[a]`` at offset r (the centre is r = 0) is P{x in phase a, x + r in phase other or a}, over the
        positions where both ends are known; NaN at offsets where none are.

    Raises
    ------
    InputError
        If ``other`` is not a phase of ``m``, or the mask does not fit or leaves nothing.

    Notes
    -----
    Counts of pairs are exact whole numbers. At r = 0 the result is the volume fraction of what is known. Torquato,
    Random Heterogeneous Materials: Microstructure and Macroscopic Properties (2002).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> m = Microstructure([[0, 1], [1, 0]], periodic=True)
    >>> two_point_map(m)[1]
    array([[0.5, 0. , 0.5],
           [0. , 0.5, 0. ],
           [0.5, 0. , 0.5]])
    >>> two_point_map(Microstructure([[0, 1], [1, 1]]), mask=[[0, 1], [1, 1]])[1, 1]
    array([1., 1., 1.])
    """
    if other is not None and not 0 <= other < m.n_phases:
        raise InputError(f"other={other} is not a phase of this microstructure; give a label in 0..{m.n_phases - 1}.")
    half = half_sides(m.shape)
    known = checked_mask(m, mask)
    places = known_places(m, half, known)
    counts = np.empty((m.n_phases, *places.shape))
    for phase in range(m.n_phases):
        if known is None and m.n_phases == 2 and phase == 0:
            continue  # what phase 1 leaves, below
        counts[phase] = _pairs(m, phase, phase if other is None else other, known)
    if known is None and m.n_phases == 2:
        counts[0] = _complement(m, counts[1], other, places)
    counts /= places
    return counts


def two_point_axes(m: Microstructure, *, other: int | None = None, mask: ArrayLike | None = None) -> Array:
    """Compute the two-point probabilities along each axis.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.
    other : int, optional
        Phase at the far end; without it each phase is paired with itself.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, ndim, R), R = max(side) // 2 + 1
        Offsets 0, 1, 2, ... in pixels; NaN beyond an axis' own half side.

    Raises
    ------
    InputError
        If ``other`` is not a phase of ``m``, or the mask does not fit or leaves nothing.

    See Also
    --------
    two_point_map : parameters and errors.

    Notes
    -----
    Torquato, Random Heterogeneous Materials: Microstructure and Macroscopic Properties (2002).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> two_point_axes(Microstructure([[0, 0, 1, 1]] * 4))[1].tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.3333333333333333, 0.0]]
    """
    return along_axes(two_point_map(m, other=other, mask=mask), half_sides(m.shape))


def two_point_radial(m: Microstructure, *, other: int | None = None, mask: ArrayLike | None = None) -> Array:
    """Compute the two-point probabilities averaged over shells of round(|r|) pixels.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.
    other : int, optional
        Phase at the far end; without it each phase is paired with itself.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, R), R = min(side) // 2 + 1
        Distances 0, 1, 2, ... in pixels.

    Raises
    ------
    InputError
        If ``other`` is not a phase of ``m``, or the mask does not fit or leaves nothing.

    See Also
    --------
    two_point_map : parameters and errors.

    Notes
    -----
    Torquato, Random Heterogeneous Materials: Microstructure and Macroscopic Properties (2002).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> two_point_radial(Microstructure([[0, 1], [1, 0]], periodic=True))[1].tolist()
    [0.5, 0.25]
    """
    return radial_mean(two_point_map(m, other=other, mask=mask), half_sides(m.shape), m.spacing)


def two_point_cross(m: Microstructure, *, mask: ArrayLike | None = None) -> Array:
    """Compute the two-point probabilities of all pairs of phases, averaged over shells of round(|r|) pixels.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, K, R), R = min(side) // 2 + 1
        P{x in the first phase, x + r in the second}; symmetric, and its sum over both phases is 1.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    Notes
    -----
    Torquato, Random Heterogeneous Materials: Microstructure and Macroscopic Properties (2002).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> two_point_cross(Microstructure([[0, 1], [1, 0]], periodic=True))[0].tolist()
    [[0.5, 0.25], [0.0, 0.25]]
    """
    half, known = half_sides(m.shape), checked_mask(m, mask)
    places = known_places(m, half, known)
    size = radial_size(half, m.spacing)
    pairs = np.zeros((m.n_phases, m.n_phases, size))
    for a in range(m.n_phases):
        # every far end lies in some phase, so the last pair of a row is what the others leave
        for b in range(a, m.n_phases - 1):
            pairs[a, b] = pairs[b, a] = radial_mean(_pairs(m, a, b, known) / places, half, m.spacing)
        total = radial_mean(known_sums(m, a, half, known) / places, half, m.spacing)
        pairs[a, -1] = pairs[-1, a] = total - pairs[a, :-1].sum(axis=0)
    return pairs


def checked_mask(m: Microstructure, mask: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Join the microstructure's own mask and a further one; None where nothing is hidden.

    Parameters
    ----------
    m : Microstructure
        Microstructure that the mask belongs to.
    mask : array_like or None
        True (not 0) where the label is to be used; None for all that the microstructure knows.

    Returns
    -------
    ndarray of bool or None
        True where both masks are; None if every label is known.

    Raises
    ------
    InputError
        If its shape is not the microstructure's, or it leaves nothing.

    Examples
    --------
    >>> checked_mask(Microstructure([[0, 1]]), [[1, 1]]) is None
    True
    """
    if mask is None:
        return m.mask
    known = np.asarray(mask).astype(bool)
    if known.shape != m.shape:
        raise InputError(f"the mask has shape {known.shape} and the microstructure {m.shape}; they must agree.")
    if m.mask is not None:
        known = known & m.mask
    if not known.any():
        raise InputError("the mask hides every pixel, so nothing can be measured; it must be True where data are good.")
    return None if known.all() else known


def known_places(m: Microstructure, half: Sequence[int], known: NDArray[np.bool_] | None) -> Array:
    """Count the positions x for which x and x + r are both known, for every offset |r_i| <= half_i.

    Parameters
    ----------
    m : Microstructure
        Gives shape and periodicity.
    half : sequence of int
        Largest offset along each axis.
    known : ndarray of bool or None
        Result of `checked_mask`.

    Returns
    -------
    ndarray of float64, shape (2 half_1 + 1, ...)
        Counts, and NaN at offsets of which the mask leaves none; the centre is r = 0.

    Examples
    --------
    >>> known_places(Microstructure([[0, 1, 1]]), (0, 1), np.array([[True, True, False]]))
    array([[1., 2., 1.]])
    """
    if known is None:
        return overlap_counts(m.shape, half, m.periodic)
    places = auto_counts(known, half, m.periodic)
    places[places == 0] = np.nan
    return places


def known_sums(m: Microstructure, phase: int, half: Sequence[int], known: NDArray[np.bool_] | None) -> Array:
    """Count the positions x in a phase for which x + r is known, for every offset |r_i| <= half_i.

    Parameters
    ----------
    m : Microstructure
        The structure.
    phase : int
        The phase.
    half : sequence of int
        Largest offset along each axis.
    known : ndarray of bool or None
        Result of `checked_mask`.

    Returns
    -------
    ndarray of float64, shape (2 half_1 + 1, ...)
        Counts; the centre is r = 0.

    Examples
    --------
    >>> known_sums(Microstructure([[1, 1, 1]]), 1, (0, 1), np.array([[True, True, False]]))
    array([[1., 2., 1.]])
    """
    if known is None:
        return window_sums(m.labels == phase, half, m.periodic)
    return cross_counts((m.labels == phase) & known, known, half, m.periodic)


def _pairs(m: Microstructure, first: int, second: int, known: NDArray[np.bool_] | None) -> Array:
    """Count pairs of one phase and another."""
    half = half_sides(m.shape)
    one, two = (m.labels == phase if known is None else (m.labels == phase) & known for phase in (first, second))
    if first == second:
        return auto_counts(one, half, m.periodic)
    return cross_counts(one, two, half, m.periodic)


def _complement(m: Microstructure, pairs: Array, other: int | None, places: Array) -> Array:
    """Count the pairs that begin in phase 0 of two, given those that begin in phase 1: every x + r is in one."""
    half = half_sides(m.shape)
    ends = window_sums(m.labels == 1, half, m.periodic)[(slice(None, None, -1),) * m.ndim]
    if other == 1:
        return ends - pairs
    if other == 0:
        return places - ends - pairs
    result: Array = places - ends
    result -= ends[(slice(None, None, -1),) * m.ndim]
    result += pairs
    return result


def normalised_covariance(two_point: Array, fraction: float | Array) -> Array:
    """Normalise two-point probabilities: c(r) = (S2 - phi^2) / (phi (1 - phi)).

    Parameters
    ----------
    two_point : ndarray, shape (*leading, R) or any
        Auto-correlation values.
    fraction : float or ndarray
        The same image's volume fraction phi, broadcastable against ``two_point``.

    Returns
    -------
    ndarray of float64
        Same shape; NaN where the phase is absent or fills everything.

    Notes
    -----
    Torquato, Random Heterogeneous Materials: Microstructure and Macroscopic Properties (2002).

    Examples
    --------
    >>> normalised_covariance(np.array([0.5, 0.25, 0.0]), 0.5)
    array([ 1.,  0., -1.])
    """
    phi = np.asarray(fraction, dtype=np.float64)
    variance = phi * (1 - phi)
    safe = np.where(variance > 0, variance, np.nan)
    result: Array = (np.asarray(two_point) - phi**2) / safe
    return result


def _radial_and_axes(m: Microstructure) -> tuple[Array, Array]:
    half, found = half_sides(m.shape), two_point_map(m)
    return radial_mean(found, half, m.spacing), along_axes(found, half)


def _laminate(w: int) -> Array:
    """S2 of a laminate: constant along the layers, falling in proportion across them."""
    return np.stack([np.full(w + 1, 0.5), 0.5 * (1 - np.arange(w + 1) / w)])


TWO_POINT = Statistic(
    name="two_point",
    long_name="two-point probability",
    compute=_radial_and_axes,
    variables=(
        Variable(
            name="two_point_radial",
            dims=("phase", "r"),
            long_name="two-point probability by distance",
            display=Display(section="curves", place=0, title="Two-point probability", against="distance"),
            facts=Facts(least=0, most=1, absent=0),
        ),
        Variable(
            name="two_point_axes",
            dims=("phase", "axis", "r"),
            long_name="two-point probability along each axis",
            facts=Facts(least=0, most=1, absent=0, layers=True, laminate=_laminate),
        ),
    ),
    cost=Cost(seconds=(0.041, 0.045), bytes=(52, 57), exponent=N_LOG_N),
    blocks="matlens.microstructure.statistics.blocks.pairs:TWO_POINT",
    cites=("torquato2002random",),
)
TWO_POINT_CROSS = Statistic(
    name="two_point_cross",
    long_name="two-point cross-correlation",
    compute=two_point_cross,
    variables=(
        Variable(
            name="two_point_cross",
            dims=("phase", "other", "r"),
            long_name="P(x in phase, x + r in other) by distance",
            facts=Facts(least=0, most=1, absent=0),
        ),
    ),
    cost=Cost(seconds=(0.051, 0.039), bytes=(50, 51), exponent=N_LOG_N, each="pair"),
    blocks="matlens.microstructure.statistics.blocks.pairs:TWO_POINT_CROSS",
    cites=("torquato2002random",),
)
