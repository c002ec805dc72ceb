"""The result of a homogenisation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matlens.core.display import Shown
from matlens.core.numbers import shown
from matlens.microstructure.physics.bound_checks import BoundCheck

__all__ = ["Homogenization"]


@dataclass(frozen=True, eq=False, repr=False)
class Homogenization(Shown):
    """An effective property, with convergence, percolation and a check of the bounds.

    Parameters
    ----------
    tensor : ndarray
        Conductivity (d, d), index 0 being array axis 0; or stiffness (3, 3) in plane strain or (6, 6), in Voigt's
        order of array axes 00, 11, 01 or 00, 11, 22, 12, 02, 01 for engineering shear strains. NaN where it is unknown:
        for load cases that were not asked for, and off the diagonal under fixed potentials.
    name : str
        ``"conductivity"`` or ``"stiffness"``.
    unit : str or None
        Unit of the tensor, that of the phases' values.
    boundary : str
        Boundary condition.
    iterations, residual : ndarray
        Iterations and relative residual of each load case, in the order of ``axes`` or of Voigt.
    converged : bool
        Whether all load cases reached the tolerance.
    percolates : tuple of bool
        For each axis, whether the conducting (or stiff) phases connect the two ends.
    status : str
        Outcome in words, with advice where the tolerance was not reached.
    bounds : BoundCheck or None
        Check of the bounds of every periodic sample; None under other boundaries or for a part of the tensor.
    fields : dict of str to ndarray
        If asked for: ``"potential"`` and ``"flux"`` (magnitude), or ``"strain energy"``, each ``loads x *space``, for a
        mean gradient or strain of 1; lengths in the unit of the spacing. In 2-D also ``"flux components"``,
        ``loads x d x *space``.
    hourglass : ndarray or None
        For stiffness: share of the energy of each load case that alternates from voxel to voxel, a sign of a grid that
        is too coarse.
    scheme : str
        Position of the potentials: ``"rotated"`` at the corners of the cells, ``"staggered"`` at their centres.

    Examples
    --------
    >>> from matlens.microstructure.physics import homogenize
    >>> from matlens.microstructure.structure import Microstructure
    >>> result = homogenize(Microstructure([[0, 0], [1, 1]], periodic=True), conductivity={0: 1.0, 1: 4.0})
    >>> result.name, result.converged, result.percolates, result.bounds.sentence
    ('conductivity', True, (True, True), 'keeps all bounds')
    >>> result
    Homogenization(conductivity, periodic: 1.6, 2.5 along axes 0, 1; converged)
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

    def __repr__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        values = [(axis, value) for axis, value in enumerate(np.diagonal(self.tensor)) if np.isfinite(value)]
        named = "along axes" if self.name == "conductivity" else "for the components"
        axes = [str(axis) if self.name == "conductivity" else f"{axis}{axis}" for axis, _ in values]
        numbers = ", ".join(shown(value, 4) for _, value in values)
        end = "converged" if self.converged else "not converged"
        return f"Homogenization({self.name}, {self.boundary}: {numbers}{unit} {named} {', '.join(axes)}; {end})"
