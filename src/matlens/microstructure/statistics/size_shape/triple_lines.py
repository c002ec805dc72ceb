"""Triple-phase boundary: the lines (points, in two dimensions) where three phases meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.physics import spanning_cells
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.size_shape.neighbours import block
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["TRIPLE_PHASE_BOUNDARY", "triple_phase_boundary"]

Bits = NDArray[np.uint64]


def triple_phase_boundary(
    m: Microstructure,
    *,
    phases: Sequence[int] | None = None,
    connected_along: int | None = None,
    method: Literal["crofton", "edges"] = "crofton",
    mask: ArrayLike | None = None,
) -> float:
    """Estimate the length (number, in two dimensions) of triple-phase boundary per volume (area).

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.
    phases : sequence of int, optional
        The three phases that must meet; without it any three.
    connected_along : int, optional
        Array axis: only where all three are connected to both of its faces through their own phase, as a reaction
        needs that feeds on all three. Without it the total.
    method : {"crofton", "edges"}
        "edges" adds the voxel edges around which three phases lie: 3/2 too long for isotropic lines, exact for lines
        along the axes. "crofton" counts the same as crossings of test planes, which is right on average over
        orientations and 2/3 of a line along an axis. In two dimensions both count points.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask. Connections lead through
        known pixels only.

    Returns
    -------
    float
        Per unit^2; counted only where all pixels around are in the window and known. NaN with fewer than three phases,
        and where there is no such place, e.g. in an image of one row.

    Raises
    ------
    InputError
        If ``phases`` are not three different phases, the axis does not exist, the method is unknown, or the mask does
        not fit or leaves nothing.

    Notes
    -----
    In pixels, TauFactor (Cooper et al., SoftwareX 5, 203, 2016) gives the mean over all voxel edges, about a third of
    "edges".

    Examples
    --------
    >>> corner = Microstructure([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 2, 2], [2, 2, 2, 2]], spacing=0.5, unit="um")
    >>> round(triple_phase_boundary(corner) * 1.5**2, 6)
    1.0
    >>> triple_phase_boundary(corner, connected_along=1)
    0.0
    """
    wanted, known = _checked(m, phases, connected_along, method), checked_mask(m, mask)
    if m.n_phases < 3:
        return float("nan")
    bits = np.left_shift(np.uint64(1), m.labels.astype(np.uint64))
    if connected_along is not None:
        shown = m.indicators() if known is None else m.indicators() & known
        bits[~np.any([spanning_cells(phase, connected_along) for phase in shown], axis=0)] = 0
    cell = float(np.prod(m.spacing))
    if m.ndim == 2:
        return _share_meeting(bits, (0, 1), m.periodic, wanted, known) / cell
    planes = [tuple(other for other in range(3) if other != axis) for axis in range(3)]
    lengths = [
        _share_meeting(bits, plane, m.periodic, wanted, known) * step / cell for plane, step in zip(planes, m.spacing)
    ]
    return float(np.sum(lengths)) * (1 if method == "edges" else 2 / 3)


def _checked(m: Microstructure, phases: Sequence[int] | None, axis: int | None, method: str) -> np.uint64 | None:
    """Return the wanted phases as bits, or None for any three."""
    if method not in ("crofton", "edges"):
        raise InputError(f"method={method!r} is not known; give 'crofton' or 'edges'.")
    if axis is not None and axis not in range(m.ndim):
        raise InputError(f"connected_along must be an axis from 0 to {m.ndim - 1}, found {axis!r}.")
    if phases is None:
        return None
    if len(phases) != 3 or len(set(phases)) != 3 or not set(phases) <= set(range(m.n_phases)):
        raise InputError(f"phases must be three different labels in 0..{m.n_phases - 1}, found {list(phases)}.")
    return np.uint64(sum(1 << int(phase) for phase in phases))


def _share_meeting(
    bits: Bits, plane: Sequence[int], periodic: bool, wanted: np.uint64 | None, known: NDArray[np.bool_] | None
) -> float:
    """Share of the places with four known pixels around them, across a plane, where three phases meet."""
    around = block(bits, plane, periodic, full=False)
    meets = np.bitwise_count(around) >= 3 if wanted is None else (around & wanted) == wanted
    if known is not None:
        meets = meets[block(known, plane, periodic, full=True)]
    return float(np.count_nonzero(meets) / meets.size) if meets.size else float("nan")


def _total_and_connected(m: Microstructure) -> tuple[float, NDArray[np.float64]]:
    along = np.array([triple_phase_boundary(m, connected_along=axis) for axis in range(m.ndim)])
    return triple_phase_boundary(m), along


TRIPLE_PHASE_BOUNDARY = Statistic(
    name="triple_phase_boundary",
    long_name="triple-phase boundary",
    compute=_total_and_connected,
    variables=(
        Variable(
            name="triple_phase_boundary",
            dims=(),
            long_name="triple-phase boundary per volume",
            units="{unit}^-2",
            missing="needs three phases",
            display=Display(section="connection", place=5, caption="lines (2-D: points) where three phases meet"),
            facts=Facts(least=0, laminate=lambda w: np.nan),
        ),
        Variable(
            name="triple_phase_boundary_connected",
            dims=("axis",),
            long_name="of it, where all three phases connect both faces of the axis",
            units="{unit}^-2",
            missing="needs three phases",
            display=Display(
                section="connection", place=6, caption="of these, where all three phases reach both ends of the axis"
            ),
            facts=Facts(least=0, shift=False, laminate=lambda w: [np.nan, np.nan]),
            whole=True,
        ),
    ),
    cost=Cost(seconds=(0.081, 0.18), bytes=(32, 31), each="structure"),
    cites=("cooper2016taufactor",),
)
