"""Percolation: along which axes each phase connects the ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.physics import percolates, spanning_cells
from matlens.microstructure.structure import Microstructure

__all__ = ["connected_fraction", "percolation"]


def percolation(m: Microstructure) -> NDArray[np.bool_]:
    """Tell along which axes each phase percolates, through shared faces of pixels.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional. In a window the phase has to lead from face to face; if it is periodic, to the same
        pixel one period further.

    Returns
    -------
    ndarray of bool, shape (K, ndim)
        False for an absent phase. A window smaller than the structure's scale percolates more often than the material.

    Examples
    --------
    >>> percolation(Microstructure([[0, 1], [0, 1]])).tolist()
    [[True, False], [True, False]]
    """
    return np.array([percolates(mask, periodic=m.periodic) for mask in m.indicators()])


def connected_fraction(m: Microstructure) -> NDArray[np.float64]:
    """Share of each phase that is connected to both faces of the window along each axis.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; taken as a window, even if it is periodic.

    Returns
    -------
    ndarray of float64, shape (K, ndim)
        NaN for an absent phase.

    Examples
    --------
    >>> connected_fraction(Microstructure([[0, 1, 0, 0], [0, 1, 1, 1]])).round(2).tolist()
    [[0.5, 0.0], [1.0, 0.0]]
    """
    masks = m.indicators()
    spanning = [[spanning_cells(mask, axis).sum() for axis in range(m.ndim)] for mask in masks]
    pixels = masks.reshape(m.n_phases, -1).sum(axis=1)[:, None]
    shares = np.full((m.n_phases, m.ndim), np.nan)
    np.divide(spanning, pixels, out=shares, where=pixels > 0)
    return shares
