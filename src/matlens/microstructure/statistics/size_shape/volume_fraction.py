"""Volume fraction: the share of the volume that each phase takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.structure import Microstructure

__all__ = ["volume_fraction"]


def volume_fraction(m: Microstructure) -> NDArray[np.float64]:
    """Compute the volume fraction of every phase.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Returns
    -------
    ndarray of float64, shape (K,)
        Sums to 1; the value of every two-point probability and lineal path at r = 0.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> volume_fraction(Microstructure([[0, 1], [1, 1]]))
    array([0.25, 0.75])
    """
    return m.volume_fractions
