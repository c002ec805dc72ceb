"""Chord lengths: how long the pieces of a straight line are that a phase cuts out.

A window cuts the chords at its border and sees short ones more often whole than long ones. Only chords with both ends
inside are counted, each weighted by the inverse of the number of places where one of its length would be seen whole.
The rim of what is masked is a border too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.microstructure.statistics.correlation.offsets import half_sides
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.lines.lineal_path import lines_along, open_lines, run_lengths, segments_known
from matlens.microstructure.statistics.size_shape.volume_fraction import volume_fraction
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["CHORD_LENGTH", "chord_length_distribution", "chords_of_runs", "mean_chord_length"]

Array = NDArray[np.float64]


def chord_length_distribution(m: Microstructure, *, mask: ArrayLike | None = None) -> Array:
    """Compute the chord-length distribution of every phase along every axis.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, ndim, R), R = max(side) // 2 + 1
        Entry z is the share of the phase's chords that are z pixels long (entry 0 is 0), free of the window's
        censoring. Longer chords than half the side are not listed, so the sum may stay below 1; NaN beyond an axis'
        own half side and where a phase has no chord.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    Notes
    -----
    For a periodic structure this is the second difference of the lineal path, normalised; for a window it is not.
    Torquato & Lu, Phys. Rev. E 47, 2950 (1993).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> stripes = Microstructure(np.tile([0, 0, 0, 1], (4, 4)), periodic=True)
    >>> chord_length_distribution(stripes)[:, 1, :5].tolist()
    [[0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]
    """
    half, known = half_sides(m.shape), checked_mask(m, mask)
    result = np.full((m.n_phases, m.ndim, max(half) + 1), np.nan)
    for axis, reach in enumerate(half):
        whole, chords = _chords(m, axis, known)
        with np.errstate(invalid="ignore"):
            result[:, axis, : reach + 1] = whole[:, : reach + 1] / chords[:, None]
    return result


def mean_chord_length(m: Microstructure, *, mask: ArrayLike | None = None) -> Array:
    """Compute the mean chord length of every phase along every axis, with long chords included.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, ndim)
        Volume fraction over number of chords per length, in pixels; infinite where a phase has no chord end.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    Notes
    -----
    Torquato & Lu, Phys. Rev. E 47, 2950 (1993). Ends of chords are counted between pixels of the window, on one pixel
    less than its side: right on average over windows of a material. In a window with a few particles that all lie
    inside, it is smaller than the mean of the chords by that pixel's share (a single pixel in 64: 0.984).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> mean_chord_length(Microstructure(np.tile([0, 0, 0, 1], (4, 4)), periodic=True))[:, 1]
    array([3., 1.])
    """
    known = checked_mask(m, mask)
    chords = np.stack([_chords(m, axis, known)[1] for axis in range(m.ndim)], axis=1)
    fractions = volume_fraction(m, mask=known)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(chords > 0, fractions / chords, np.inf)


def _chords(m: Microstructure, axis: int, known: NDArray[np.bool_] | None) -> tuple[Array, Array]:
    """Estimate the number of chords per pixel of line: by length, shape (K, N + 1), and in all, shape (K,)."""
    side, phases = m.shape[axis], m.n_phases
    lines, fits = lines_along(m, axis, known), segments_known(m, axis, known)
    if m.periodic:
        lines, _ = open_lines(lines)  # begins at a change: every run is whole
    starts, lengths, _cut = run_lengths(lines)
    phase = lines.ravel()[starts].astype(np.intp)
    last = starts % side + lengths == side
    # what a run touches before and behind: the end of an open line is as unknown as what is masked
    before, behind = np.roll(phase, 1), np.roll(phase, -1)
    if m.periodic:
        begins = starts % side == 0
        before[begins], behind[last] = phase[last], phase[begins]
    else:
        before[starts % side == 0], behind[last] = phases, phases
    seen = phase < phases
    ends = (before < phases).astype(np.int64) + (behind < phases)
    whole = seen & (ends == 2)
    histogram = np.bincount(phase[whole] * (side + 1) + lengths[whole], minlength=phases * (side + 1))
    of_phase = np.bincount(phase[seen], weights=ends[seen], minlength=phases)
    return chords_of_runs(histogram.reshape(phases, side + 1), of_phase, fits, periodic=m.periodic)


def chords_of_runs(
    whole: NDArray[np.int64], ends: NDArray[Any], fits: NDArray[np.int64], *, periodic: bool
) -> tuple[Array, Array]:
    """Estimate the number of chords per pixel of line, given the runs of equal labels.

    Parameters
    ----------
    whole : ndarray of int, shape (K, N + 1)
        Number of runs that end in another phase on both sides, by phase and length.
    ends : ndarray, shape (K,)
        Number of ends of a phase's runs at other phases.
    fits : ndarray of int, shape (N,)
        Result of `segments_known`.
    periodic : bool
        Whether lines are closed.

    Returns
    -------
    by_length : ndarray of float64, shape (K, N + 1)
        Chords of each length.
    chords : ndarray of float64, shape (K,)
        All chords.

    Examples
    --------
    >>> chords_of_runs(np.array([[0, 1, 0, 0, 0]]), np.array([2]), np.array([4, 3, 2, 1]), periodic=False)[1].tolist()
    [0.3333333333333333]
    """
    side = whole.shape[1] - 1
    # a chord of z pixels is seen whole where z + 2 pixels in a row are known; on a closed line one may come twice
    sites = np.append(fits[1:], [fits[-1] if periodic else 0] * 2)
    by_length = np.divide(whole, sites, out=np.zeros(whole.shape), where=sites > 0)
    # every change of phase begins one chord and ends another; both sides are known at so many places
    places = max(int(fits[1]), 1) if side > 1 else 1
    return by_length, ends / (2 * places)


def _distribution_and_mean(m: Microstructure) -> tuple[Array, Array]:
    return chord_length_distribution(m), mean_chord_length(m) * np.asarray(m.spacing)


def _laminate(w: int) -> Array:
    """No chord along the layers; across them every chord is as long as a layer is wide."""
    return np.stack([np.full(w + 1, np.nan), np.eye(w + 1)[w]])


CHORD_LENGTH = Statistic(
    name="chord_length",
    long_name="chord length",
    compute=_distribution_and_mean,
    variables=(
        Variable(
            name="chord_length",
            dims=("phase", "axis", "r"),
            long_name="share of chords of r pixels",
            display=Display(
                section="sizes",
                place=0,
                caption="chord lengths along each axis, corrected for the border",
                title="Chord length",
                label="share of chords",
                listed_from=1,  # no chord has no pixels
            ),
            facts=Facts(least=0, most=1, layers=True, laminate=_laminate),
        ),
        Variable(
            name="mean_chord_length",
            dims=("phase", "axis"),
            long_name="mean chord length",
            units="{unit}",
            display=Display(section="shape", place=6, caption="mean length of a line's way through the phase"),
            facts=Facts(least=0, absent=np.inf, layers=True, laminate=lambda w: [np.inf, w]),
        ),
    ),
    cost=Cost(seconds=(0.025, 0.039), bytes=(8, 8), each="structure"),
    blocks="matlens.microstructure.statistics.blocks.runs:CHORD_LENGTH",
    cites=("torquato1993chord",),
)
