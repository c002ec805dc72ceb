"""Apparent properties of windows: what a phase far above the others makes of a structure, as a statistic.

A window is no periodic cell. Its conductivity is taken between two faces with the other sides insulated, which is that
of the periodic cell of the window and its mirror images; its stiffness is taken of that mirrored cell itself. No
interface is made where a window was cut, and generated fields are treated as micrographs are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.microstructure.physics import solve_conduction, solve_elasticity
from matlens.microstructure.structure import Microstructure

__all__ = ["apparent_conductivity", "apparent_stiffness"]

POISSON = 0.3
_TOLERANCE = 1e-4  # of the residual: the property is known to about 1e-6, and windows differ by 1e-2 at least
_TOGETHER = 1 << 21  # cells in memory at once

Array = NDArray[np.float64]
Solver = Callable[[Tensor], Tensor]


def apparent_conductivity(windows: Sequence[Microstructure], *, contrast: float = 50.0) -> NDArray[np.float64]:
    """Compute the apparent conductivity of windows along each axis, with one phase in turn as the conductor.

    Parameters
    ----------
    windows : sequence of Microstructure
        Windows of one size, dimension and number of phases; cells count as squares or cubes.
    contrast : float
        Conductivity of each phase in turn; the others have 1.

    Returns
    -------
    ndarray
        Shape (windows, phases, axes), in units of the poor conductor; index 0 of the last is array axis 0.

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 1], (8, 4)))
    >>> apparent_conductivity([stripes], contrast=3.0).round(4).tolist()
    [[[2.0, 1.5], [2.0, 1.5]]]
    """

    def solve(indicator: Tensor) -> Tensor:
        field = 1 + (contrast - 1) * indicator
        return solve_conduction(field, boundary="fixed", tolerance=_TOLERANCE).tensor.diagonal(dim1=1, dim2=2)

    return _each_phase(windows, solve, windows[0].ndim)


def apparent_stiffness(windows: Sequence[Microstructure], *, contrast: float = 100.0) -> NDArray[np.float64]:
    """Compute the apparent stiffness of windows, with one phase in turn as the stiff one; plane strain in 2-D.

    Parameters
    ----------
    windows : sequence of Microstructure
        As for `apparent_conductivity`.
    contrast : float
        Young's modulus of each phase in turn; the others have 1, and every phase a Poisson's ratio of 0.3.

    Returns
    -------
    ndarray
        Diagonal of the Voigt matrix (normal stiffnesses, then shear), shape (windows, phases, 3 or 6), of the
        periodic cell made of the window and its mirror images.

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 1], (8, 4)))
    >>> apparent_stiffness([stripes], contrast=1.0)[0, 1].round(3).tolist()
    [1.346, 1.346, 0.385]
    """

    def solve(indicator: Tensor) -> Tensor:
        for axis in range(1, indicator.ndim):
            indicator = torch.cat([indicator, indicator.flip(axis)], axis)
        young = 1 + (contrast - 1) * indicator
        solution = solve_elasticity(young, torch.full_like(young, POISSON), tolerance=_TOLERANCE)
        return solution.stiffness.diagonal(dim1=1, dim2=2)

    return _each_phase(windows, solve, 3 if windows[0].ndim == 2 else 6)


def _each_phase(windows: Sequence[Microstructure], solve: Solver, size: int) -> Array:
    """Solve for each window and each phase that it has; one that is absent leaves the homogeneous body."""
    first = windows[0]
    windows = [window.whole("an apparent property") for window in windows]
    pairs = [(i, k) for i, k in product(range(len(windows)), range(first.n_phases)) if windows[i].volume_fractions[k]]
    values = np.empty((len(windows), first.n_phases, size))
    values[:] = solve(torch.zeros(1, *(2,) * first.ndim))[0].numpy()
    many = max(1, _TOGETHER // prod(first.shape))
    for start in range(0, len(pairs), many):
        some = pairs[start : start + many]
        indicator = torch.from_numpy(np.stack([windows[i].labels == k for i, k in some]))
        for (i, k), value in zip(some, solve(indicator.float())):
            values[i, k] = value.numpy()
    return values
