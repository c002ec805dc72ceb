"""Cellular structures: a Voronoi tessellation of more or less regular points, with walls between the cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import drawn_shape
from matlens.microstructure.problems.oriented import checked_plane, stretched_coordinates
from matlens.microstructure.problems.spreading import spread_points
from matlens.microstructure.problems.stamping import cut_included
from matlens.microstructure.structure import Microstructure

__all__ = ["cell_walls"]

_NEIGHBOURS = 12  # a cell's nearest wall is shared with one of its nearest neighbours; a plane cell has 6 on average


def cell_walls(
    shape: Sequence[int],
    *,
    diameter: float = 14.0,
    regularity: float = 0.6,
    aspect: float = 1.0,
    angle: float = 0.0,
    included: int = 1,
    fraction: float = 0.3,
    seed: int = 0,
    periodic: bool = True,
) -> Microstructure:
    """Make a Voronoi tessellation of the plane with walls of one thickness between the cells.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.
    diameter : float
        Mean diameter of a cell in pixels (of the circle of the same area), from 3 to half the shorter side.
    regularity : float
        Regularity of the cells' centres, from 0 (Poisson points) to 1 (as evenly distributed as possible).
    aspect : float
        Length of a cell over its width, at least 1.
    angle : float
        Direction of the long diameters in degrees, from axis 1 towards axis 0.
    included : int
        Phase of the walls: 1, or 0 when phase 1 fills the cells.
    fraction : float
        Volume fraction of phase 1, exact to the pixel; it determines the thickness of the walls.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases, ``cells`` and ``walls``.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> cell_walls((64, 64), diameter=16, fraction=0.25, seed=1).volume_fractions
    array([0.75, 0.25])
    """
    sides = checked_plane(shape)
    drawn = checked_plane(drawn_shape(sides, periodic))
    if not 3 <= diameter <= min(drawn) / 2 or not 0 <= regularity <= 1:
        raise InputError(
            f"cells need a diameter of 3..{min(drawn) / 2:g} pixels for this shape and a regularity of 0..1, found "
            f"{diameter!r} and {regularity!r}."
        )
    rng = np.random.default_rng(seed)
    count = max(round(drawn[0] * drawn[1] / (np.pi / 4 * diameter**2)), 4)
    spacing = np.sqrt(drawn[0] * drawn[1] / count)
    centres = spread_points(drawn, np.full(count, 0.5 * regularity * spacing), rng)
    scores = -_distance_to_wall(drawn, centres, aspect, angle)
    return cut_included(scores, sides, fraction, included=included, names=("cells", "walls"), periodic=periodic)


def _distance_to_wall(
    sides: tuple[int, int], centres: NDArray[np.float64], aspect: float, angle: float
) -> NDArray[np.float64]:
    """Distance in pixels from each pixel to the nearest wall; the metric of the tessellation is stretched."""
    from scipy.spatial import cKDTree

    shifts = np.array([(i * sides[0], j * sides[1]) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    copies = (centres[None] + shifts[:, None]).reshape(-1, 2)
    pixels = np.stack(np.meshgrid(*(np.arange(side, dtype=float) for side in sides), indexing="ij"), axis=-1)
    stretched = np.stack(stretched_coordinates(copies[:, 0], copies[:, 1], aspect, angle), axis=-1)
    points = np.stack(stretched_coordinates(pixels[..., 0], pixels[..., 1], aspect, angle), axis=-1).reshape(-1, 2)
    distance, index = cKDTree(stretched).query(points, k=min(_NEIGHBOURS, len(copies)))
    towards = stretched[index[:, 1:]] - stretched[index[:, :1]]
    # (d_j^2 - d_0^2) / 2 falls to zero at the wall; divided by its gradient in space it is a distance there.
    along, across = towards[..., 0] / np.sqrt(aspect), towards[..., 1] * np.sqrt(aspect)
    gradient = np.hypot(along, across)
    level = (distance[:, 1:] ** 2 - distance[:, :1] ** 2) / 2
    return np.asarray((level / np.maximum(gradient, 1e-9)).min(axis=1).reshape(sides))
