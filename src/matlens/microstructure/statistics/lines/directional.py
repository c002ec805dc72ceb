"""Lineal path and chords along any direction, of windows and of masked windows.

Lines are digitised: from pixel to pixel along the axis that the direction follows most, rounded sideways along the
others. Shifted copies of one such line cover the window, each pixel once. Where a line leaves the window or enters what
is masked nothing is known: a run that ends there is censored, not ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.lines.lineal_path import run_lengths
from matlens.microstructure.statistics.size_shape.neighbours import half_directions
from matlens.microstructure.statistics.size_shape.volume_fraction import volume_fraction
from matlens.microstructure.structure import Microstructure

__all__ = ["chord_survival", "directional_lineal_path", "directional_mean_chord", "line_step"]

Array = NDArray[np.float64]
Directions = Sequence[Sequence[float]]
Number = TypeVar("Number", np.int64, np.float64)
_UNKNOWN = 255  # no phase: labels stay below matlens.microstructure.structure.MAX_PHASES


def directional_lineal_path(
    m: Microstructure, directions: Directions | None = None, *, mask: ArrayLike | None = None
) -> Array:
    """Compute the lineal path of every phase along given directions.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; taken as a window even if it is periodic.
    directions : sequence of sequence of float, optional
        Vectors in pixels, array order; only their direction counts. By default those to all neighbours: 4 in two
        dimensions, 13 in three. In 2-D the angle t from the x axis, counted upwards, is ``(-sin t, cos t)``.
    mask : array_like of bool, optional
        True where the label is known.

    Returns
    -------
    ndarray of float64, shape (K, directions, R), R = max(side) // 2 + 1
        Entry r: share of the positions, among those where r + 1 pixels of a line are known, at which all lie in the
        phase. A step is `line_step` long, sqrt(2) pixels along a diagonal. NaN where no line is so long.

    Raises
    ------
    InputError
        If a direction does not have one number an axis or is zero, or the mask does not fit or leaves nothing.

    Examples
    --------
    >>> m = Microstructure(np.eye(6, dtype=int))
    >>> directional_lineal_path(m, [(1, 1), (1, -1)])[1].round(2).tolist()
    [[0.17, 0.2, 0.25, 0.33], [0.17, 0.0, 0.0, 0.0]]
    """
    reach = max(m.shape) // 2
    curves = np.full((m.n_phases, len(_checked(m, directions)), reach + 1), np.nan)
    for index, runs in enumerate(_runs(m, directions, mask)):
        fits = _segments(runs.known, reach)
        inside = np.stack([_segments(runs.whole[k] + runs.censored[k] + runs.hidden[k], reach) for k in _phases(m)])
        curves[:, index] = np.divide(inside, fits, out=np.full(inside.shape, np.nan), where=fits > 0)
    return curves


def chord_survival(m: Microstructure, directions: Directions | None = None, *, mask: ArrayLike | None = None) -> Array:
    """Estimate the share of chords longer than z pixels, with those cut by the window used for what they show.

    Parameters
    ----------
    m, directions, mask
        As in `directional_lineal_path`.

    Returns
    -------
    ndarray of float64, shape (K, directions, R), R = max(side) + 1
        Entry z: share of a phase's chords that have more than z pixels, for z = 0, 1, ...; 1 at z = 0, not
        increasing. NaN from the length on that no chord was long enough to tell about.

    Notes
    -----
    The product-limit estimate of Kaplan & Meier, J. Am. Stat. Assoc. 53, 457 (1958), over chords that begin at a change
    of phase inside the window, read in both senses: how far the border is does not depend on a chord's length. It
    exceeds `chord_length_distribution`, which weighs whole chords, where chords are not much shorter than the window.

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 0, 0, 1], (4, 4)))
    >>> chord_survival(stripes, [(0, 1)])[:, 0, :5].tolist()
    [[1.0, 1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]]
    """
    length = max(m.shape)
    curves = np.full((m.n_phases, len(_checked(m, directions)), length + 1), np.nan)
    for index, runs in enumerate(_runs(m, directions, mask)):
        for phase in _phases(m):
            ended, cut = (_padded(2 * runs.whole[phase], length), _padded(runs.censored[phase], length))
            # of a censored run the pixel after the last is unknown, so it says nothing about chords of its length
            at_risk = _at_least(ended) + np.append(_at_least(cut)[1:], 0)
            hazard = np.divide(ended, at_risk, out=np.full(length + 1, np.nan), where=at_risk > 0)
            hazard[0] = 0.0 if at_risk[0] else np.nan
            curves[phase, index] = _survival(hazard)
    return curves


def directional_mean_chord(
    m: Microstructure, directions: Directions | None = None, *, mask: ArrayLike | None = None
) -> Array:
    """Compute the mean chord length of every phase along given directions, in the unit of the spacing.

    Parameters
    ----------
    m, directions, mask
        As in `directional_lineal_path`.

    Returns
    -------
    ndarray of float64, shape (K, directions)
        Volume fraction of what is known over number of chords per length; unbiased by the border. Infinite where a
        phase has no end along the direction, NaN where it is absent.

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 0, 0, 1], (8, 2)), spacing=0.5, unit="um")
    >>> directional_mean_chord(stripes, [(0, 1), (1, 1)]).round(2).tolist()
    [[1.75, 2.47], [0.58, 0.82]]
    """
    fractions = volume_fraction(m, mask=mask)
    result = np.empty((m.n_phases, len(_checked(m, directions))))
    for index, (runs, vector) in enumerate(zip(_runs(m, directions, mask), _checked(m, directions))):
        places = (np.arange(runs.known.size) - 1).clip(0) @ runs.known  # where both sides of a change are known
        ends = np.array([(2 * runs.whole[k] + runs.censored[k]).sum() for k in _phases(m)])
        with np.errstate(divide="ignore", invalid="ignore"):
            result[:, index] = fractions / (ends / (2 * places)) * line_step(m, vector)
    return result


def line_step(m: Microstructure, direction: ArrayLike) -> float:
    """Return the length of one step along a digitised line, in the unit of the spacing.

    Parameters
    ----------
    m : Microstructure
        Microstructure that gives the spacing.
    direction : array_like, shape (ndim,)
        Direction in pixels, in the order of the array axes; its length has no effect.

    Returns
    -------
    float
        Length of a step.

    Examples
    --------
    >>> m = Microstructure([[0, 1], [1, 0]], spacing=(2.0, 1.0), unit="um")
    >>> line_step(m, (0, 5)), round(line_step(m, (1, 1)), 3)
    (1.0, 2.236)
    """
    vector = np.asarray(direction, dtype=float)
    return float(np.linalg.norm(vector / np.abs(vector).max() * np.asarray(m.spacing)))


class _Runs(NamedTuple):
    """Histograms of run lengths, entry n: runs of n pixels; by phase (K, N + 1), or of all that is known (N + 1,).

    ``whole`` end in another phase on both sides, ``censored`` on one, ``hidden`` on none.
    """

    whole: NDArray[np.int64]
    censored: NDArray[np.int64]
    hidden: NDArray[np.int64]
    known: NDArray[np.int64]


def _runs(m: Microstructure, directions: Directions | None, mask: ArrayLike | None) -> list[_Runs]:
    known = checked_mask(m, mask)
    labels = m.labels if known is None else np.where(known, m.labels, np.uint8(_UNKNOWN))
    return [_run_histograms(_lines(labels, vector), m.n_phases) for vector in _checked(m, directions)]


def _lines(labels: NDArray[np.uint8], direction: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Lay out all digitised lines along a direction as rows, padded with the unknown."""
    major = int(np.abs(direction).argmax())
    ordered = np.moveaxis(labels, major, -1)
    slopes = np.delete(direction, major) / direction[major]
    steps = np.arange(ordered.shape[-1])
    moves = [np.rint(slope * steps).astype(np.intp) for slope in slopes]
    # a line that starts at s passes s + move: to make it a row, column j is moved back by its move
    sides = [side + int(np.ptp(move)) for side, move in zip(ordered.shape, moves)]
    rows = np.full((*sides, steps.size + 1), _UNKNOWN, dtype=np.uint8)  # the last column parts the lines
    for j in steps:
        start = [int(move.max() - move[j]) for move in moves]
        place: tuple[Any, ...] = (*(slice(s, s + n) for s, n in zip(start, ordered.shape)), j)
        rows[place] = ordered[..., j]
    return rows.reshape(-1, steps.size + 1)


def _run_histograms(lines: NDArray[np.uint8], n_phases: int) -> _Runs:
    side = lines.shape[1]
    starts, lengths, _ = run_lengths(lines)
    phase = lines.ravel()[starts]
    following = np.append(phase[1:], _UNKNOWN)
    before = np.insert(phase[:-1], 0, _UNKNOWN)
    # a run of the unknown may be broken by the row's end, so the neighbour of a run is right in any case
    unknown_ends = (following == _UNKNOWN).astype(np.int64) + (before == _UNKNOWN)
    seen = phase != _UNKNOWN
    code = (unknown_ends * n_phases + phase)[seen] * side + lengths[seen]
    counts = np.bincount(code, minlength=3 * n_phases * side).reshape(3, n_phases, side)
    known = (lines != _UNKNOWN).astype(np.uint8)
    starts, lengths, _ = run_lengths(known)
    stretches = np.bincount(lengths[known.ravel()[starts] == 1], minlength=side)
    return _Runs(counts[0], counts[1], counts[2], stretches)


def _segments(histogram: NDArray[np.int64], reach: int) -> Array:
    """Number of segments of r + 1 pixels in runs, r = 0..reach: a run of n pixels holds n - r."""
    longer = _at_least(histogram)[1:]
    return _padded(_at_least(longer), reach)


def _at_least(histogram: NDArray[Number]) -> NDArray[Number]:
    counts: NDArray[Number] = np.cumsum(histogram[::-1])[::-1]
    return counts


def _padded(values: NDArray[np.int64], last: int) -> Array:
    result = np.zeros(last + 1)
    result[: min(values.size, last + 1)] = values[: last + 1]
    return result


def _survival(hazard: Array) -> Array:
    """Multiply up; after the last chord there is nothing left, which is known, or else nothing is."""
    survival: Array = np.cumprod(1 - hazard).astype(np.float64)
    ended = np.flatnonzero(hazard == 1)
    if ended.size:
        survival[ended[0] :] = 0.0
    return survival


def _phases(m: Microstructure) -> range:
    return range(m.n_phases)


def _checked(m: Microstructure, directions: Directions | None) -> list[NDArray[np.float64]]:
    vectors = [np.asarray(v, dtype=float) for v in (half_directions(m.ndim) if directions is None else directions)]
    for vector in vectors:
        if vector.shape != (m.ndim,) or not np.isfinite(vector).all() or not vector.any():
            raise InputError(f"direction {vector.tolist()} is not usable; give {m.ndim} numbers, not all zero.")
    return vectors
