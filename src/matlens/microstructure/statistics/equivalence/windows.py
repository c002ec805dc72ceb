"""Windows of one size, cut out of several fields."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from matlens.microstructure.statistics.equivalence.curves import Curves
from matlens.microstructure.structure import Microstructure

__all__ = ["count_windows", "cut_windows", "smaller_window"]

SMALLEST = 16  # pixels; smaller windows hold hardly any structure
MOST = 64


def count_windows(fields: Sequence[Microstructure], shape: Sequence[int]) -> int:
    """Count the adjacent, non-overlapping windows of a shape, without masked pixels, that fit into fields.

    Parameters
    ----------
    fields : sequence of Microstructure
        Fields of one dimension.
    shape : sequence of int
        Pixels of a window along each axis.

    Returns
    -------
    int
        Number of windows.

    Examples
    --------
    >>> count_windows([Microstructure(np.eye(8, dtype=int))], (4, 2))
    8
    """
    return sum(
        prod(side // want for side, want in zip(field.shape, shape, strict=True))
        if field.mask is None
        else sum(1 for _ in field.tiles(shape))
        for field in fields
    )


def cut_windows(fields: Sequence[Microstructure], shape: Sequence[int]) -> list[Curves]:
    """Cut fields into windows without masked pixels; of more than 64, evenly spaced ones are kept.

    Parameters
    ----------
    fields : sequence of Microstructure
        Fields of one dimension.
    shape : sequence of int
        Pixels of a window along each axis.

    Returns
    -------
    list of Curves
        Curves of each window.

    Examples
    --------
    >>> len(cut_windows([Microstructure(np.eye(8, dtype=int))], (4, 2)))
    8
    """
    windows = [window for field in fields for window in field.tiles(shape)]
    if len(windows) > MOST:
        windows = [windows[i] for i in np.linspace(0, len(windows) - 1, MOST).astype(int)]
    return [Curves(window) for window in windows]


def smaller_window(shape: Sequence[int], exemplars: Sequence[Microstructure], enough: int) -> tuple[int, ...] | None:
    """Find the largest window, by halving the results' size, of which the exemplars hold enough.

    Parameters
    ----------
    shape : sequence of int
        Shape of the results.
    exemplars : sequence of Microstructure
        Fields of the material.
    enough : int
        Number of windows that the exemplars must hold.

    Returns
    -------
    tuple of int or None
        None if it would have to be smaller than 16 pixels.

    Examples
    --------
    >>> smaller_window((128, 128), [Microstructure(np.eye(128, dtype=int))], 8)
    (32, 32)
    """
    window = tuple(shape)
    while count_windows(exemplars, window) < enough:
        window = tuple(side // 2 for side in window)
        if min(window) < SMALLEST:
            return None
    return window
