"""Volume fraction: the share of the volume that each phase takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["VOLUME_FRACTION", "volume_fraction"]


def volume_fraction(m: Microstructure, *, mask: ArrayLike | None = None) -> NDArray[np.float64]:
    """Compute the volume fraction of every phase.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K,)
        Share of what is known. Sums to 1; the value of every two-point probability and lineal path at r = 0.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> volume_fraction(Microstructure([[0, 1], [1, 1]]))
    array([0.25, 0.75])
    """
    known = checked_mask(m, mask)
    labels = m.labels.ravel() if known is None else m.labels[known]
    return np.bincount(labels, minlength=m.n_phases) / labels.size


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
    blocks="matlens.microstructure.statistics.blocks.cells:VOLUME_FRACTION",
    cites=("torquato2002random",),
)
