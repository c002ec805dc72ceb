"""The part of a micrograph that shows the sample: without edges, and without the data bar."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["data_bar", "trimmed_edges"]


def trimmed_edges(grey: NDArray[Any], limit: float = 0.1) -> tuple[slice, ...]:
    """Find the part of an image without dark or bright edges (vignetting, frames, the border of a scan).

    A border row is trimmed while one of its quarters, by its upper quartile, is darker than that quarter of every inner
    row (or brighter, by the lower quartile). Columns are treated alike.

    Parameters
    ----------
    grey : ndarray
        Shape (y, x) or (z, y, x); of a volume only the last two axes are trimmed.
    limit : float
        Largest fraction of an axis that is trimmed at each border.

    Returns
    -------
    tuple of slice
        Part to keep, one slice for each axis.

    Examples
    --------
    >>> grey = np.random.default_rng(0).normal(100, 5, (60, 80)); grey[:3] = 10
    >>> trimmed_edges(grey)
    (slice(3, 60, None), slice(0, 80, None))
    """
    plane = grey.mean(axis=0) if grey.ndim == 3 else grey
    rows = _trimmed(plane, limit)
    columns = _trimmed(plane[rows].T, limit)
    return (slice(0, grey.shape[0]),) * (grey.ndim - 2) + (rows, columns)


def data_bar(grey: NDArray[Any]) -> tuple[int, int]:
    """Count the rows of the data bar of an electron micrograph.

    A bar has what a micrograph has not: one background value in at least a third of nearly each row, or two values in
    nearly all of it, or neighbours without noise. Whatever of this the rest of the picture, or its other end, has too
    is no sign of a bar.

    Parameters
    ----------
    grey : ndarray
        Shape (y, x).

    Returns
    -------
    top, bottom : int
        Number of rows to cut off at the top and at the bottom; at most one of them is not 0.

    Examples
    --------
    >>> grey = np.random.default_rng(0).integers(0, 256, (100, 80)); grey[88:] = 0; grey[92:95, 10:30] = 255
    >>> data_bar(grey), data_bar(grey[::-1])
    ((0, 12), (12, 0))
    """
    bottom, top = _bar_below(grey), _bar_below(grey[::-1])
    if bottom and abs(bottom - top) <= max(2, 0.2 * bottom):
        return 0, 0  # rows of one kind at both ends are what lies around a round field of view
    return (0, bottom) if bottom else (top, 0)


def _bar_below(grey: NDArray[Any]) -> int:
    for measure in (_one_background, _two_values, _no_noise):
        flat = measure(grey)
        reach = grey.shape[0] // 3
        from_below = flat[::-1][:reach]
        share = np.cumsum(from_below) / np.arange(1, from_below.size + 1)
        ends = np.flatnonzero(from_below & (share > 0.8))
        height = int(ends[-1]) + 1 if ends.size else 0
        # If the sample itself has many such rows, what was found is a dark phase and not a bar.
        if height >= 5 and flat[: grey.shape[0] - height].mean() <= 0.2:
            return height + _separator(grey, height)
    return 0


def _background(grey: NDArray[Any]) -> float:
    values, counts = np.unique(grey[-max(3, grey.shape[0] // 50) :], return_counts=True)
    return float(values[counts.argmax()])


def _near(grey: NDArray[Any], value: float) -> NDArray[np.bool_]:
    return np.abs(grey.astype(float) - value) <= 0.01 * float(np.ptp(grey))


def _one_background(grey: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(_near(grey, _background(grey)).mean(axis=1) > 1 / 3)


def _two_values(grey: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows of background and text alone, under a picture whose own phase has the value of the background."""
    background = _background(grey)
    text = float(grey.max() if background < (float(grey.max()) + float(grey.min())) / 2 else grey.min())
    return np.asarray((_near(grey, background) | _near(grey, text)).mean(axis=1) > 0.9)


def _no_noise(grey: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows in which neighbours hardly differ, as in a bar with a gradient."""
    steps = np.abs(np.diff(grey.astype(float), axis=1)) <= 0.005 * float(np.ptp(grey))
    return np.asarray(steps.mean(axis=1) > 0.7)


def _trimmed(plane: NDArray[Any], limit: float) -> slice:
    quarters = np.array_split(plane, 4, axis=1)
    dark = _odd_rows(np.stack([np.quantile(part, 0.75, axis=1) for part in quarters]), limit)
    bright = _odd_rows(-np.stack([np.quantile(part, 0.25, axis=1) for part in quarters]), limit)
    odd = dark | bright
    reach = int(limit * plane.shape[0])
    low = next((row for row in range(reach) if not odd[row]), reach)
    high = next((row for row in range(reach) if not odd[plane.shape[0] - 1 - row]), reach)
    return slice(low, plane.shape[0] - high)


def _odd_rows(levels: NDArray[Any], limit: float) -> NDArray[np.bool_]:
    """Rows with a quarter that is darker than that quarter of every inner row, where a phase may fill it too."""
    reach = int(limit * levels.shape[1])
    inner = levels[:, reach : levels.shape[1] - reach]
    deviation = np.median(np.abs(inner - np.median(inner, axis=1, keepdims=True)), axis=1, keepdims=True)
    return np.asarray((levels < inner.min(axis=1, keepdims=True) - deviation).any(axis=0))


def _separator(grey: NDArray[Any], height: int) -> int:
    """Number of rows of a line of one colour between micrograph and bar, four at most; frames may be inset a little."""
    extra = 0
    while extra < 4:
        row = grey[grey.shape[0] - height - extra - 1]
        inset = max(2, row.size // 200)
        if np.ptp(row[inset:-inset]) > 0:
            break
        extra += 1
    return extra
