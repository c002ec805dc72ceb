"""Pictures whose values are indices into a table of colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.structure import MAX_PHASES

__all__ = ["LUMINANCE", "shown_palette"]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue in a grey value, of ITU-R BT.709."""

_RAMP, _ANNOTATED = 16, 0.01  # a grey micrograph with coloured annotations: many greys, few pixels with colours


def shown_palette(indices: NDArray[Any], table: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """Replace indices by grey values where the table holds no colours.

    Parameters
    ----------
    indices : ndarray of int
        Index of each pixel.
    table : ndarray of uint8, shape (K, 3)
        Colour of each index.

    Returns
    -------
    values : ndarray
        The grey values that a viewer shows where the used part of the table has no colours; the indices where at most
        64 colours are used; else the colours, with a last axis of three.
    table : ndarray of uint8, shape (K, 3), or None
        The table, where the values are indices.

    Examples
    --------
    >>> shown_palette(np.array([[0, 1]]), np.array([[9, 9, 9], [4, 4, 4]], dtype=np.uint8))
    (array([[9, 4]], dtype=uint8), None)
    """
    indices = indices.astype(np.uint8 if len(table) <= 256 else np.uint16)  # a table of two is indexed by booleans
    numbers, counts = np.unique(indices, return_counts=True)
    used = table[numbers]
    grey = (used == used[:, :1]).all(axis=1)
    if grey.all():
        return table[indices, 0], None
    if grey.sum() > _RAMP and counts[~grey].sum() < _ANNOTATED * counts.sum():
        return np.rint(table @ LUMINANCE).astype(np.uint8)[indices], None
    if len(used) > MAX_PHASES:  # a photograph with few colours: its indices mean nothing
        return table[indices], None
    return indices, table
