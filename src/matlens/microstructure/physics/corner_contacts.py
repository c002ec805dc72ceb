"""Cells that touch at an edge or a corner only: whether current passes there, no grid of cells can say."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.structure import Microstructure

__all__ = ["corner_contacts"]


def corner_contacts(m: Microstructure, conductivity: NDArray[np.float64], contrast: float = 100.0) -> float:
    """Compute the share of good conductors that touch another one across a corner, with poor ones beside them.

    Parameters
    ----------
    m : Microstructure
        The structure; opposite borders touch only if it is periodic.
    conductivity : ndarray, shape (K,)
        Conductivity of each phase.
    contrast : float
        How many times better than both cells beside them the two conduct.

    Returns
    -------
    float
        Number of such contacts over the number of cells; of two cells in space that share an edge, too.

    Raises
    ------
    InputError
        If pixels are masked.

    Examples
    --------
    >>> corner_contacts(Microstructure([[1, 0], [0, 1]]), np.array([1e-6, 1.0]))
    0.25
    >>> corner_contacts(Microstructure([[1, 1], [0, 1]]), np.array([1e-6, 1.0]))
    0.0
    """
    field = np.nan_to_num(conductivity)[m.whole("the share of corner contacts").labels]
    if m.periodic:
        field = np.pad(field, [(0, 1)] * m.ndim, mode="wrap")
    found = 0
    for first, second in combinations(range(m.ndim), 2):
        here = [slice(None)] * m.ndim
        corners = []
        for low, high in ((0, 0), (1, 1), (0, 1), (1, 0)):
            for axis, side in ((first, low), (second, high)):
                here[axis] = slice(side, field.shape[axis] - 1 + side)
            corners.append(field[tuple(here)])
        a, d, b, c = corners
        found += int((np.minimum(a, d) > contrast * np.maximum(b, c)).sum())
        found += int((np.minimum(b, c) > contrast * np.maximum(a, d)).sum())
    return found / m.labels.size
