"""The result of a homogenisation: an effective property and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.physics.bound_checks import BoundCheck

__all__ = ["Homogenization"]


@dataclass(frozen=True, eq=False)
class Homogenization:
    """An effective property and how well it is known.

    Parameters
    ----------
    tensor : ndarray
        Conductivity (d, d), index 0 being array axis 0; or stiffness (3, 3) in plane strain or (6, 6), in Voigt's
        order of array axes 00, 11, 01 or 00, 11, 22, 12, 02, 01 for engineering shear strains. NaN where nothing is
        known: load cases not asked for, and entries off the diagonal under fixed potentials.
    name : str
        ``"conductivity"`` or ``"stiffness"``.
    unit : str or None
        Unit of the tensor, that of the phases' values.
    boundary : str
        What was assumed beyond the border.
    iterations, residual : ndarray
        Of each load case, in the order of ``axes`` or of Voigt.
    converged : bool
        Whether all load cases reached the tolerance.
    percolates : tuple of bool
        Per axis, whether what conducts (or carries) connects the two ends.
    status : str
        In words: how it ended, and what to do if it did not end well.
    bounds : BoundCheck or None
        Whether the bounds of any periodic sample are kept; None under other boundaries or for a part of the tensor.
    fields : dict of ndarray
        If asked for: ``"potential"`` and ``"flux"`` (magnitude), or ``"strain energy"``, each load case x space, for
        a mean gradient or strain of 1; lengths in the unit of the spacing. In 2-D also ``"flux components"``, load case
        x axis x space.
    hourglass : ndarray or None
        Stiffness: share of energy that alternates from voxel to voxel, per load case; a sign of too coarse a grid.
    scheme : str
        Where the potentials sit: ``"rotated"`` at the corners of the cells, ``"staggered"`` at their centres.
    """

    tensor: NDArray[np.float64]
    name: str
    unit: str | None
    boundary: str
    iterations: NDArray[np.int64]
    residual: NDArray[np.float64]
    converged: bool
    percolates: tuple[bool, ...]
    status: str
    bounds: BoundCheck | None = None
    fields: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    hourglass: NDArray[np.float64] | None = None
    scheme: str = "rotated"
