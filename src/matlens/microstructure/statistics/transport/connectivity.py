"""Percolation: along which axes each phase connects the ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.physics import percolates, spanning_cells
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["PERCOLATION", "connected_fraction", "percolation"]


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

    Raises
    ------
    InputError
        If pixels are masked.

    Notes
    -----
    Torquato, Random Heterogeneous Materials: Microstructure and Macroscopic Properties (2002).

    Examples
    --------
    >>> percolation(Microstructure([[0, 1], [0, 1]])).tolist()
    [[True, False], [True, False]]
    """
    return np.array([percolates(mask, periodic=m.periodic) for mask in m.whole("percolation").indicators()])


def connected_fraction(m: Microstructure) -> NDArray[np.float64]:
    """Compute the share of each phase that is connected to both faces of the window along each axis.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; taken as a window, even if it is periodic.

    Returns
    -------
    ndarray of float64, shape (K, ndim)
        NaN for an absent phase.

    Raises
    ------
    InputError
        If pixels are masked.

    Examples
    --------
    >>> connected_fraction(Microstructure([[0, 1, 0, 0], [0, 1, 1, 1]])).round(2).tolist()
    [[0.5, 0.0], [1.0, 0.0]]
    """
    masks = m.whole("percolation").indicators()
    spanning = [[spanning_cells(mask, axis).sum() for axis in range(m.ndim)] for mask in masks]
    pixels = masks.reshape(m.n_phases, -1).sum(axis=1)[:, None]
    shares = np.full((m.n_phases, m.ndim), np.nan)
    np.divide(spanning, pixels, out=shares, where=pixels > 0)
    return shares


def _percolates_and_share(m: Microstructure) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    return percolation(m), connected_fraction(m)


PERCOLATION = Statistic(
    name="percolation",
    long_name="percolation",
    compute=_percolates_and_share,
    variables=(
        Variable(
            name="percolates",
            dims=("phase", "axis"),
            long_name="whether the phase connects both ends of the axis",
            display=Display(section="connection", place=0, caption="1 if the phase connects both ends of the axis"),
            facts=Facts(least=0, most=1, absent=0, layers=True, laminate=lambda w: [1, 0]),
            whole=True,
        ),
        Variable(
            name="connected_fraction",
            dims=("phase", "axis"),
            long_name="share connected to both faces of the axis",
            missing="the phase is absent",
            display=Display(section="connection", place=1, caption="share of the phase that does so"),
            facts=Facts(least=0, most=1, shift=False, layers=True, laminate=lambda w: [1, 0]),
            whole=True,
        ),
    ),
    cost=Cost(seconds=(0.041, 0.07), bytes=(7, 7)),
    blocks="matlens.microstructure.statistics.blocks.clusters:PERCOLATION",
    cites=("torquato2002random",),
)
