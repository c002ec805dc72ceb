"""Tortuosity factor: how much longer than straight channels a phase makes the way of what diffuses in it."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from matlens.hooks import Progress
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.physics import percolates, tortuosity_factor
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["TORTUOSITY", "TORTUOSITY_CELLS", "tortuosity"]

TORTUOSITY_CELLS = 1 << 21  # 128^3: some seconds an axis


def tortuosity(
    m: Microstructure, *, tolerance: float = 1e-3, most_cells: int = TORTUOSITY_CELLS, progress: Progress | None = None
) -> NDArray[np.float64]:
    """Compute the tortuosity factor, volume fraction over relative diffusivity, of every phase along every axis.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; between two faces with insulated sides, through the repeated cell if it is periodic.
    tolerance : float
        Relative residual of the solve; the factor is about as exact as its square.
    most_cells : int
        Larger images are not solved.
    progress : Progress, optional
        Called with the percent done of each solve.

    Returns
    -------
    ndarray of float64, shape (K, ndim)
        1 for straight channels. NaN where the phase does not percolate along the axis or is absent, where the solve
        did not converge, and everywhere in an image of more than ``most_cells`` pixels.

    Raises
    ------
    InputError
        If pixels are masked.

    See Also
    --------
    matlens.microstructure.physics.tortuosity_factor : one of them, with its convergence.

    Notes
    -----
    Cooper et al., SoftwareX 5, 203 (2016).

    Examples
    --------
    >>> tortuosity(Microstructure([[0, 1, 1, 1]] * 4)).round(6).tolist()
    [[1.0, nan], [1.0, nan]]
    """
    found = np.full((m.whole("the tortuosity factor").n_phases, m.ndim), np.nan)
    if m.labels.size > most_cells:
        return found
    boundary = "periodic" if m.periodic else "fixed"
    for phase, mask in enumerate(m.indicators()):
        for axis in np.flatnonzero(percolates(mask, periodic=m.periodic)).tolist():
            factor = tortuosity_factor(m, phase, axis, boundary=boundary, tolerance=tolerance, progress=progress)
            if factor.converged:
                found[phase, axis] = factor.value
    return found


def _why_missing(m: Microstructure | LargeMicrostructure) -> str:
    if prod(m.shape) > TORTUOSITY_CELLS:
        return f"not solved: more than {TORTUOSITY_CELLS} pixels"
    return "the phase does not percolate along the axis"


TORTUOSITY = Statistic(
    name="tortuosity",
    long_name="tortuosity factor",
    compute=tortuosity,
    variables=(
        Variable(
            name="tortuosity_factor",
            dims=("phase", "axis"),
            long_name="tortuosity factor",
            missing=_why_missing,
            display=Display(
                section="connection",
                place=2,
                caption="volume fraction over relative diffusivity, a dash where the phase does not percolate",
            ),
            facts=Facts(least=1, layers=True, laminate=lambda w: [1, np.nan], tolerance=1e-4),
            whole=True,
        ),
    ),
    cost=Cost(seconds=(16, 6.6), bytes=(250, 260), exponent=1.4, largest=TORTUOSITY_CELLS),
    cites=("cooper2016taufactor",),
)
