"""Triple-phase boundary: the lines (points, in two dimensions) where three phases meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure import Microstructure
from matlens.physics import spanning_cells

__all__ = ["triple_phase_boundary"]

Bits = NDArray[np.uint64]


def triple_phase_boundary(
    m: Microstructure,
    *,
    phases: Sequence[int] | None = None,
    connected_along: int | None = None,
    method: Literal["crofton", "edges"] = "crofton",
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

    Returns
    -------
    float
        Per unit^2; counted only where all pixels around are in the window. NaN with fewer than three phases, and in an
        image of one row, where the question has no answer.

    Raises
    ------
    InputError
        If ``phases`` are not three different phases, the axis does not exist, or the method is unknown.

    Notes
    -----
    In pixels, TauFactor gives the mean over all voxel edges, about a third of "edges".

    Examples
    --------
    >>> corner = Microstructure([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 2, 2], [2, 2, 2, 2]], spacing=0.5, unit="um")
    >>> round(triple_phase_boundary(corner) * 1.5**2, 6)
    1.0
    >>> triple_phase_boundary(corner, connected_along=1)
    0.0
    """
    wanted = _checked(m, phases, connected_along, method)
    if m.n_phases < 3:
        return float("nan")
    bits = np.left_shift(np.uint64(1), m.labels.astype(np.uint64))
    if connected_along is not None:
        bits[~np.any([spanning_cells(mask, connected_along) for mask in m.indicators()], axis=0)] = 0
    cell = float(np.prod(m.spacing))
    if m.ndim == 2:
        return _share_meeting(bits, (0, 1), m.periodic, wanted) / cell
    planes = [tuple(other for other in range(3) if other != axis) for axis in range(3)]
    lengths = [_share_meeting(bits, plane, m.periodic, wanted) * step / cell for plane, step in zip(planes, m.spacing)]
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


def _share_meeting(bits: Bits, plane: Sequence[int], periodic: bool, wanted: np.uint64 | None) -> float:
    """Share of the places with four pixels around them, across a plane, where three phases meet."""
    around = np.pad(bits, [(0, int(i in plane)) for i in range(bits.ndim)], mode="wrap") if periodic else bits
    for axis in plane:
        low = tuple(slice(None, -1) if i == axis else slice(None) for i in range(bits.ndim))
        high = tuple(slice(1, None) if i == axis else slice(None) for i in range(bits.ndim))
        around = around[low] | around[high]
    if around.size == 0:
        return float("nan")
    meets = np.bitwise_count(around) >= 3 if wanted is None else (around & wanted) == wanted
    return float(np.count_nonzero(meets) / meets.size)
