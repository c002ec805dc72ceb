"""One call of the solver with the options of ``homogenize``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matlens.hooks import Progress
from matlens.microstructure.commands.homogenize.spec import HomogenizeSpec
from matlens.microstructure.physics import Homogenization, homogenize
from matlens.microstructure.physics.conduction import MAX_ITERATIONS
from matlens.microstructure.physics.summary import voigt_names
from matlens.microstructure.structure import Microstructure
from matlens.runs.command import LIBRARIES

__all__ = ["cost_of", "solve"]

SECONDS_PER_CELL = 1.3e-6  # of a load case, two threads, contrast 100: docs/results.md
ARRAYS_HELD = 40  # of the cells' size at one time: all axes of 128^3 cells in float64 peak at 1.1 GB


def cost_of(spec: HomogenizeSpec, shape: tuple[int, ...]) -> tuple[int, float, float]:
    """Estimate the cost of all load cases, at a contrast of about 100 between the phases.

    Parameters
    ----------
    spec : HomogenizeSpec
        Options of the command.
    shape : tuple of int
        Number of cells along each axis.

    Returns
    -------
    tuple of int, float and float
        Number of load cases, seconds, and bytes with those of Python and its packages.

    Examples
    --------
    >>> cost_of(HomogenizeSpec(file="a.npy", conductivity={0: 1.0, 1: 2.0}), (100, 100, 100))[0]
    3
    """
    elastic = spec.young is not None
    cases = len(voigt_names(len(shape))) if elastic else len(spec.axes or shape)
    cells = float(np.prod(shape))
    work_of_case = len(shape) if elastic else 1  # displacements have a component an axis
    word = 8 if spec.precision == "float64" else 4
    return cases, cases * cells * work_of_case * SECONDS_PER_CELL, LIBRARIES + cells * work_of_case * word * ARRAYS_HELD


def solve(
    spec: HomogenizeSpec,
    structure: Microstructure,
    progress: Progress,
    *,
    axes: tuple[int, ...] | None = None,
    solved: Mapping[int, NDArray[np.generic]] | None = None,
    start: Mapping[int, NDArray[np.generic]] | None = None,
    fields: bool = True,
) -> Homogenization:
    """Homogenise as the options ask.

    Parameters
    ----------
    spec : HomogenizeSpec
        Options of the command.
    structure : Microstructure
        The structure.
    progress : Progress
        Shows the work on each load case.
    axes : tuple of int, optional
        Axes in place of those asked for.
    solved : mapping of int to ndarray, optional
        Potentials that are solved already, by axis: they are put together as they are, and residual and tensor
        evaluated once.
    start : mapping of int to ndarray, optional
        Potentials of a similar structure, to start from.
    fields : bool
        Whether the result has its fields.

    Returns
    -------
    Homogenization
        Effective tensor; fields unless the potentials were given.
    """
    # Taking the mean gradient off stored potentials rounds them, which may lift a residual above the tolerance again.
    tolerance = spec.tolerance if solved is None else 10 * spec.tolerance
    return homogenize(
        structure,
        conductivity=spec.conductivity,
        young=spec.young,
        poisson=spec.poisson,
        boundary=spec.boundary,
        scheme=spec.scheme,
        axes=spec.axes if axes is None else axes,
        tolerance=tolerance,
        max_iterations=MAX_ITERATIONS if solved is None else 0,
        dtype=spec.precision,
        device=spec.device,
        unit=spec.unit,
        fields=fields and solved is None,
        start=start if solved is None else solved,
        progress=progress,
    )
