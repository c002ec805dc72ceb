"""Regular structures, whose statistics and effective properties are known in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.problems.fields import checked_fraction, checked_shape
from matlens.microstructure.structure import Microstructure

__all__ = ["checkerboard", "laminate"]


def checkerboard(shape: Sequence[int], cell: int = 8) -> Microstructure:
    """Make a checkerboard of squares (2-D) or cubes (3-D) of two phases.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    cell : int
        Side of a square in pixels; the structure is periodic if twice the cell divides every side.

    Returns
    -------
    Microstructure
        Two phases. Along an axis the normalised covariance is a triangle wave of period ``2 cell``.

    Raises
    ------
    InputError
        If a size or the cell is not positive.

    Examples
    --------
    >>> checkerboard((4, 4), cell=2).labels.tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    """
    sides = checked_shape(shape)
    if cell < 1:
        raise InputError(f"cell must be a positive number of pixels, found {cell!r}.")
    index = np.indices(sides) // cell
    periodic = all(side % (2 * cell) == 0 for side in sides)
    names = ("phase 0", "phase 1")
    return Microstructure((index.sum(axis=0) % 2).astype(np.uint8), phase_names=names, periodic=periodic)


def laminate(shape: Sequence[int], period: int = 16, fraction: float = 0.5, axis: int = 0) -> Microstructure:
    """Make a laminate of two phases with layers normal to one axis.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    period : int
        Thickness of a pair of layers in pixels; the structure is periodic if it divides the side along ``axis``.
    fraction : float
        Volume fraction of phase 1, rounded to whole pixels of a pair.
    axis : int
        Axis along which the phases alternate.

    Returns
    -------
    Microstructure
        Two phases. The effective conductivity is the arithmetic mean along the layers and the harmonic mean across
        them.

    Raises
    ------
    InputError
        If a size, the period, the fraction or the axis is out of range.

    Examples
    --------
    >>> laminate((4, 2), period=4, fraction=0.25).labels[:, 0].tolist()
    [0, 0, 0, 1]
    """
    sides = checked_shape(shape)
    thickness = round(checked_fraction(fraction) * period)
    if not 0 < thickness < period or not -len(sides) <= axis < len(sides):
        raise InputError(
            f"a laminate needs a period in which both layers have a pixel, and an existing axis; "
            f"found period {period!r}, fraction {fraction!r}, axis {axis!r}."
        )
    profile = (np.arange(sides[axis]) % period >= period - thickness).astype(np.uint8)
    column = profile.reshape([-1 if k == axis % len(sides) else 1 for k in range(len(sides))])
    names = ("phase 0", "phase 1")
    return Microstructure(np.broadcast_to(column, sides), phase_names=names, periodic=sides[axis] % period == 0)
