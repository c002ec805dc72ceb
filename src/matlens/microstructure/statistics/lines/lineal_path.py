"""Lineal path: the probability that a whole segment lies in one phase, exact from run lengths."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics.correlation.offsets import half_sides
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["LINEAL_PATH", "lineal_path"]


def run_lengths(lines: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Split lines into runs of equal label.

    Parameters
    ----------
    lines : ndarray, shape (lines, N)

    Returns
    -------
    starts : ndarray of int
        Flat index of each run's first pixel.
    lengths : ndarray of int
        Number of pixels of each run.
    cut : ndarray of bool
        Whether it touches an end of its line, so that its true length is unknown in a window.

    Examples
    --------
    >>> starts, lengths, cut = run_lengths(np.array([[0, 0, 1, 0]], dtype=np.uint8))
    >>> starts.tolist(), lengths.tolist(), cut.tolist()
    ([0, 2, 3], [2, 1, 1], [True, False, True])
    """
    side = lines.shape[1]
    begins = np.ones(lines.shape, dtype=bool)
    np.not_equal(lines[:, 1:], lines[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], lines.size)
    return starts, ends - starts, (starts % side == 0) | (ends % side == 0)


def open_lines(lines: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cut closed lines open at a change of phase, and take out lines of a single phase.

    Parameters
    ----------
    lines : ndarray of uint8, shape (n, N)
        Labels along closed lines.

    Returns
    -------
    mixed : ndarray of uint8, shape (m, N)
        The lines with a change of phase, each turned so that it begins at one.
    uniform : ndarray of uint8, shape (n - m,)
        Phase of each line that is taken out.

    Examples
    --------
    >>> cut, uniform = open_lines(np.array([[0, 1, 0], [1, 1, 1]], dtype=np.uint8))
    >>> cut.tolist(), uniform.tolist()
    ([[1, 0, 0]], [1])
    """
    change = lines != np.roll(lines, 1, axis=1)
    mixed = change.any(axis=1)
    order = (np.arange(lines.shape[1]) + change.argmax(axis=1)[:, None]) % lines.shape[1]
    return np.take_along_axis(lines, order, axis=1)[mixed], lines[~mixed, 0]


def lineal_path(m: Microstructure, *, mask: ArrayLike | None = None) -> NDArray[np.float64]:
    """Compute the lineal-path function of every phase along every axis.

    L(r) = P{the r + 1 pixels x, ..., x + r all lie in the phase}, over the positions where the segment fits into what
    is known; L(0) is the volume fraction. If ``m`` is periodic runs continue across the border.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, ndim, R), R = max(side) // 2 + 1
        Offsets r = 0, 1, 2, ... in pixels; NaN beyond an axis' own half side, and where no segment is known.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    Notes
    -----
    Lu & Torquato, Phys. Rev. A 45, 922 (1992). A run of n pixels holds n - r segments of r + 1 pixels.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> lineal_path(Microstructure([[0, 0, 1, 1]] * 4))[1].tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.3333333333333333, 0.0]]
    """
    half, known = half_sides(m.shape), checked_mask(m, mask)
    curves = np.full((m.n_phases, m.ndim, max(half) + 1), np.nan)
    for axis, reach in enumerate(half):
        segments = segments_in_phases(lines_along(m, axis, known), m.n_phases, m.periodic)[:, : reach + 1]
        fits = segments_known(m, axis, known)[: reach + 1]
        curves[:, axis, : reach + 1] = np.divide(segments, fits, out=np.full(segments.shape, np.nan), where=fits > 0)
    return curves


def lines_along(m: Microstructure, axis: int, known: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Lay out the labels along an axis as rows, with one label more for what is masked.

    Parameters
    ----------
    m : Microstructure
        The structure.
    axis : int
        Array axis.
    known : ndarray of bool or None
        Result of `checked_mask`.

    Returns
    -------
    ndarray of uint8, shape (lines, N)
        Labels; K, the number of phases, where the pixel is masked.

    Examples
    --------
    >>> lines_along(Microstructure([[0, 1], [1, 1]]), 0, np.array([[True, True], [False, True]])).tolist()
    [[0, 2], [1, 1]]
    """
    labels = m.labels if known is None else np.where(known, m.labels, np.uint8(m.n_phases))
    return np.ascontiguousarray(np.moveaxis(labels, axis, -1)).reshape(-1, m.shape[axis])


def segments_in_phases(lines: NDArray[np.uint8], n_phases: int, periodic: bool) -> NDArray[np.int64]:
    """Count the segments of r + 1 pixels that lie in each phase, for r = 0, 1, ..., N - 1.

    Parameters
    ----------
    lines : ndarray of uint8, shape (lines, N)
        Labels; those from ``n_phases`` on are no phase.
    n_phases : int
        Number of phases K.
    periodic : bool
        Whether lines are closed.

    Returns
    -------
    ndarray of int, shape (K, N)
        Numbers of segments.

    Examples
    --------
    >>> segments_in_phases(np.array([[0, 0, 1, 1, 1]], dtype=np.uint8), 2, False).tolist()
    [[2, 1, 0, 0, 0], [3, 2, 1, 0, 0]]
    """
    return segments_of_runs(*_run_histogram(lines, n_phases, periodic))


def segments_of_runs(histogram: NDArray[np.int64], closed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the segments of r + 1 pixels that lie in each phase, given the runs of equal labels.

    Parameters
    ----------
    histogram : ndarray of int, shape (K, N + 1)
        Number of runs by phase and length.
    closed : ndarray of int, shape (K,)
        Number of closed lines that lie wholly in a phase.

    Returns
    -------
    ndarray of int, shape (K, N)
        Numbers of segments.

    Examples
    --------
    >>> segments_of_runs(np.array([[0, 0, 1, 0]]), np.array([0])).tolist()
    [[2, 1, 0]]
    """
    # number of segments of r + 1 pixels = sum over runs of max(0, n - r), as a doubly cumulated histogram
    longer = np.cumsum(histogram[:, ::-1], axis=1)[:, ::-1][:, 1:]
    side = histogram.shape[1] - 1
    found: NDArray[np.int64] = np.cumsum(longer[:, ::-1], axis=1)[:, ::-1] + side * closed[:, None]
    return found


def segments_known(
    m: Microstructure | LargeMicrostructure, axis: int, known: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Count the places along an axis where r + 1 pixels in a row are known, for r = 0, 1, ..., N - 1.

    Parameters
    ----------
    m : Microstructure
        Gives shape and periodicity.
    axis : int
        Array axis.
    known : ndarray of bool or None
        Result of `checked_mask`.

    Returns
    -------
    ndarray of int, shape (N,)
        Numbers of places.

    Examples
    --------
    >>> segments_known(Microstructure([[0, 1, 1, 0]]), 1, np.array([[True, True, True, False]])).tolist()
    [3, 2, 1, 0]
    """
    side = m.shape[axis]
    if known is None:
        places: NDArray[np.int64] = side - (0 if m.periodic else 1) * np.arange(side)
        return places * (prod(m.shape) // side)
    hidden = np.ascontiguousarray(np.moveaxis(~known, axis, -1)).reshape(-1, side).astype(np.uint8)
    found: NDArray[np.int64] = segments_in_phases(hidden, 1, m.periodic)[0]
    return found


def _run_histogram(
    lines: NDArray[np.uint8], n_phases: int, periodic: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count runs by phase and length, shape (K, N + 1), and the closed lines that lie wholly in a phase, shape (K,)."""
    side = lines.shape[1]
    closed = np.zeros(n_phases, dtype=np.int64)
    if periodic:
        lines, uniform = open_lines(lines)
        closed += np.bincount(uniform, minlength=n_phases)[:n_phases]
    starts, lengths, _ = run_lengths(lines)
    code = lines.ravel()[starts].astype(np.intp) * (side + 1) + lengths
    counted = np.bincount(code, minlength=n_phases * (side + 1))[: n_phases * (side + 1)]
    return counted.reshape(n_phases, side + 1), closed


LINEAL_PATH = Statistic(
    name="lineal_path",
    long_name="lineal path",
    compute=lineal_path,
    variables=(
        Variable(
            name="lineal_path",
            dims=("phase", "axis", "r"),
            long_name="P(segment of r + 1 pixels lies in the phase)",
            display=Display(section="curves", place=1, title="Lineal path", label="probability", against="distance"),
            facts=Facts(
                least=0,
                most=1,
                absent=0,
                layers=True,
                laminate=lambda w: np.stack([np.full(w + 1, 0.5), 0.5 * (1 - np.arange(w + 1) / w)]),
            ),
        ),
    ),
    cost=Cost(seconds=(0.011, 0.014), bytes=(5, 6), each="structure"),
    blocks="matlens.microstructure.statistics.blocks.runs:LINEAL_PATH",
    cites=("lu1992lineal",),
)
