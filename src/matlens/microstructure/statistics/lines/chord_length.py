"""Chord lengths: how long the pieces of a straight line are that a phase cuts out.

A window cuts the chords at its border and sees short ones more often whole than long ones. Only chords with both ends
inside are counted, each weighted by the inverse of the number of places where one of its length would be seen whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.statistics.correlation.offsets import half_sides
from matlens.microstructure.statistics.lines.lineal_path import open_lines, run_lengths
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["CHORD_LENGTH", "chord_length_distribution", "mean_chord_length"]

Array = NDArray[np.float64]


def chord_length_distribution(m: Microstructure) -> Array:
    """Compute the chord-length distribution of every phase along every axis.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Returns
    -------
    ndarray of float64, shape (K, ndim, R), R = max(side) // 2 + 1
        Entry z is the share of the phase's chords that are z pixels long (entry 0 is 0), free of the window's
        censoring. Longer chords than half the side are not listed, so the sum may stay below 1; NaN beyond an axis'
        own half side and where a phase has no chord.

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
    half = half_sides(m.shape)
    result = np.full((m.n_phases, m.ndim, max(half) + 1), np.nan)
    for axis, reach in enumerate(half):
        whole, chords = _chords(m, axis)
        with np.errstate(invalid="ignore"):
            result[:, axis, : reach + 1] = whole[:, : reach + 1] / chords[:, None]
    return result


def mean_chord_length(m: Microstructure) -> Array:
    """Compute the mean chord length of every phase along every axis, with long chords included.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Returns
    -------
    ndarray of float64, shape (K, ndim)
        Volume fraction over number of chords per length, in pixels; infinite where a phase has no chord end.

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
    chords = np.stack([_chords(m, axis)[1] for axis in range(m.ndim)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(chords > 0, m.volume_fractions[:, None] / chords, np.inf)


def _chords(m: Microstructure, axis: int) -> tuple[Array, Array]:
    """Estimate the number of chords per pixel of line: by length, shape (K, N + 1), and in all, shape (K,)."""
    side = m.shape[axis]
    lines = np.ascontiguousarray(np.moveaxis(m.labels, axis, -1)).reshape(-1, side)
    count = lines.shape[0]
    if m.periodic:
        lines, _ = open_lines(lines)  # begins at a change: every run is a whole chord
        sites = np.full(side + 1, side)
    else:
        sites = np.maximum(side - 1 - np.arange(side + 1), 0)  # starts 1 .. side - 1 - z
    starts, lengths, cut = run_lengths(lines)
    phase = lines.ravel()[starts].astype(np.intp)
    whole = np.full(starts.size, True) if m.periodic else ~cut
    code = phase[whole] * (side + 1) + lengths[whole]
    histogram = np.bincount(code, minlength=m.n_phases * (side + 1)).reshape(m.n_phases, side + 1)
    by_length = np.divide(histogram, sites * count, out=np.zeros(histogram.shape), where=sites > 0)
    # every change of phase begins one chord and ends another; both sides are known at side - 1 places of a window
    if m.periodic:
        return by_length, np.bincount(phase, minlength=m.n_phases) / (side * count)
    begins = np.bincount(phase[starts % side > 0], minlength=m.n_phases)
    ends = np.bincount(phase[(starts + lengths) % side > 0], minlength=m.n_phases)
    return by_length, (begins + ends) / (2 * max(side - 1, 1) * count)


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
    cites=("torquato1993chord",),
)
