"""Channels of a spectrum: those in a band, their widths, and means over the channels of another axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from matlens.errors import InputError

__all__ = ["Axis", "band", "check_scale", "mean_matrix", "widths"]

Axis = NDArray[np.float64]


def band(axis: Axis, low: float, high: float, *, least: int = 1) -> slice:
    """Find the channels between two positions on an ascending axis.

    Parameters
    ----------
    axis : ndarray of float, shape (C,)
        Position of each channel.
    low, high : float
        Ends of the band, both included.
    least : int
        Smallest allowed number of channels.

    Returns
    -------
    slice
        The channels.

    Raises
    ------
    InputError
        If the band holds fewer channels than ``least``.

    Examples
    --------
    >>> band(np.array([1.0, 2.0, 4.0, 8.0]), 2, 5)
    slice(1, 3, None)
    """
    start, stop = int(np.searchsorted(axis, low, "left")), int(np.searchsorted(axis, high, "right"))
    if stop - start < least:
        raise InputError(
            f"{max(stop - start, 0)} channels lie between {low:g} and {high:g}, expected at least {least}; "
            f"the axis goes from {axis[0]:g} to {axis[-1]:g}."
        )
    return slice(start, stop)


def widths(axis: Axis) -> NDArray[np.float64]:
    """Compute the width of each channel: half the distance between its neighbours, and the whole distance at the ends.

    Parameters
    ----------
    axis : ndarray of float, shape (C,)
        Position of each channel.

    Returns
    -------
    ndarray of float, shape (C,)
        Widths in the unit of the axis.

    Examples
    --------
    >>> widths(np.array([0.0, 1.0, 3.0]))
    array([1. , 1.5, 2. ])
    """
    found: NDArray[np.float64] = np.gradient(np.asarray(axis, dtype=np.float64), edge_order=1)
    steps = np.diff(axis)
    found[1:-1] = (steps[:-1] + steps[1:]) / 2
    return found


def mean_matrix(old: Axis, new: Axis) -> NDArray[np.float64]:
    """Build the matrix that resamples a spectrum by means over the width of each new channel.

    Between old channels the spectrum is interpolated linearly.

    Parameters
    ----------
    old : ndarray of float, shape (C,)
        Ascending axis of the spectrum.
    new : ndarray of float, shape (C',)
        Ascending axis of the result.

    Returns
    -------
    ndarray of float, shape (C', C)
        The matrix; rows sum to 1.

    Raises
    ------
    InputError
        If the new axis extends beyond the old one, is not ascending, or has fewer than two channels.

    Examples
    --------
    >>> mean_matrix(np.arange(3.0), np.array([0.0, 2.0])).round(3)
    array([[0.5, 0.5, 0. ],
           [0. , 0.5, 0.5]])
    """
    slack = 1e-9 * (old[-1] - old[0])
    if len(new) < 2 or (np.diff(new) <= 0).any() or new[0] < old[0] - slack or new[-1] > old[-1] + slack:
        raise InputError(
            f"the new axis must ascend, with two channels or more, within {old[0]:g} to {old[-1]:g}; change its step "
            "or its ends."
        )
    middle = (new[1:] + new[:-1]) / 2
    # At both ends the mean is over the inner half of the channel, because the spectrum may be unknown beyond.
    edges = np.concatenate([new[:1], middle, new[-1:]]).clip(old[0], old[-1])
    area = np.diff(_integral(old, edges), axis=0)
    return area / np.diff(edges)[:, None]


def _integral(axis: Axis, ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (e, C) of intensities in the integral of the interpolated spectrum from the first channel to each end."""
    cell = np.clip(np.searchsorted(axis, ends, "right") - 1, 0, len(axis) - 2)
    step = np.diff(axis)
    whole = np.zeros((len(axis), len(axis)))  # row c: the integral up to channel c
    lower = np.tril(np.ones((len(axis), len(axis) - 1)), -1) * step / 2
    whole[:, :-1] += lower
    whole[:, 1:] += lower
    part = ends - axis[cell]
    share = part**2 / (2 * step[cell])  # integral of the linear weight of the cell's upper channel
    weights = whole[cell]
    rows = np.arange(len(ends))
    weights[rows, cell] += part - share
    weights[rows, cell + 1] += share
    return weights


def check_scale(scale: Tensor, what: str) -> None:
    """Check that the divisor of each spectrum is positive.

    Parameters
    ----------
    scale : Tensor, shape (..., 1)
        Divisor of each spectrum.
    what : str
        Its name, for the message.

    Raises
    ------
    InputError
        If a divisor is not positive; the message names the first spectra.

    Examples
    --------
    >>> import torch
    >>> check_scale(torch.ones(2, 1), "area")
    """
    bad = ~(scale.detach().flatten() > 0)
    if bool(bad.any()):
        rows = bad.nonzero().flatten().tolist()
        named = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        raise InputError(
            f"the {what} of {len(rows)} spectra (numbers {named}) is not positive, so that nothing can be divided by "
            "it; leave these samples out or choose another normalisation."
        )
