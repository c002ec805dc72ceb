"""Volume fraction: the share of the volume that each phase takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["VOLUME_FRACTION", "volume_fraction"]


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


VOLUME_FRACTION = Statistic(
    name="volume_fraction",
    long_name="volume fraction",
    compute=volume_fraction,
    variables=(
        Variable(
            name="volume_fraction",
            dims=("phase",),
            long_name="volume fraction",
            display=Display(section="shape", place=0, caption="share of the volume"),
            facts=Facts(least=0, most=1, absent=0, layers=True, laminate=lambda w: 0.5),
        ),
    ),
    cost=Cost(seconds=(0.002, 0.0017), bytes=(8, 8)),
    cites=("torquato2002random",),
)
