"""Specific surface: interface per volume (length per area in two dimensions)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import SphericalVoronoi
from skimage.measure import marching_cubes, mesh_surface_area

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.size_shape.neighbours import half_directions, share, shifted_pair
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["SPECIFIC_SURFACE", "SurfaceMethod", "line_steps", "specific_surface", "surface_of_changes"]

Mask = NDArray[np.bool_]
SurfaceMethod = Literal["crofton", "faces", "marching"]


def specific_surface(
    m: Microstructure, *, method: SurfaceMethod = "crofton", mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Estimate the interface of every phase with all others, per area or volume.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; unequal spacings are allowed.
    method : {"crofton", "faces", "marching"}
        "crofton" counts crossings of test lines in 4 (2-D) or 13 (3-D) directions, each weighted by its share of all
        directions: right on average over orientations; a flat interface along the axes comes out 5 % (2-D) or 7 %
        (3-D) too small. Pixels may be longer along one axis, as long as the structure is wider than that (9 % where
        lengths are no multiples). "faces" adds pixel faces: too large by 4/pi (2-D) or 3/2 (3-D) for isotropic
        interfaces, exact along the axes. "marching" adds the marching-squares (cubes) interface at level 1/2: about 5 %
        too large in 2-D, 9 % in 3-D.
    mask : array_like of bool, optional
        Shape of ``m``, True where the data are good: only pairs of good pixels count. Not for "marching".

    Returns
    -------
    ndarray of float64, shape (K,)
        Per unit; counted only between pixels that are both in the window.

    Raises
    ------
    InputError
        If the method is unknown or knows no masks, or the mask does not fit or leaves nothing.

    Notes
    -----
    Ohser & Muecklich, Statistical Analysis of Microstructures in Materials Science (2000).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> stripes = Microstructure(np.tile([0, 0, 0, 0, 1, 1, 1, 1], (8, 1)), spacing=0.5, unit="um", periodic=True)
    >>> specific_surface(stripes, method="faces")
    array([0.5, 0.5])
    >>> specific_surface(stripes).round(2)
    array([0.47, 0.47])
    """
    measures = {"crofton": _crofton, "faces": _faces, "marching": _marching}
    if method not in measures:
        raise InputError(f"method={method!r} is not known; give one of {', '.join(measures)}.")
    good = checked_mask(m, mask)
    if good is not None and method == "marching":
        raise InputError("marching squares or cubes need whole windows; with a mask give method='crofton' or 'faces'.")
    phases = m.indicators() if m.n_phases != 2 else m.indicators()[:1]  # two phases have one interface
    found = [measures[method](phase, m.spacing, m.periodic, good) for phase in phases]
    return np.array(found if m.n_phases != 2 else found * 2)


def _crofton(mask: Mask, spacing: Sequence[float], periodic: bool, good: Mask | None) -> float:
    return surface_of_changes([_changes(mask, step, periodic, good) for step in line_steps(spacing)], spacing)


def surface_of_changes(changes: Sequence[float], spacing: Sequence[float]) -> float:
    """Estimate a surface from how often the ends of test lines lie on different sides (Crofton).

    Parameters
    ----------
    changes : sequence of float
        For each of `line_steps`, the share of the pairs of pixels so far apart whose ends differ.
    spacing : sequence of float
        Size of a pixel along each axis.

    Returns
    -------
    float
        Interface per area or volume.

    Examples
    --------
    >>> surface_of_changes([0.0] * 4, (1.0, 1.0))
    0.0
    """
    vectors = np.array(line_steps(spacing)) * np.asarray(spacing)
    lengths = np.linalg.norm(vectors, axis=1)
    weights = direction_weights(vectors / lengths[:, None])
    # mean crossings per test-line length, times pi/2 in the plane and 2 in space
    return (np.pi / 2 if len(spacing) == 2 else 2.0) * float(np.sum(weights * np.array(changes) / lengths))


def line_steps(spacing: Sequence[float]) -> list[tuple[int, ...]]:
    """List offsets into the 4 or 13 directions of a cubic grid in real space, whatever the shape of a voxel.

    Neighbours of long voxels nearly all lie across them, so that no weights could make up for the missing directions.

    Parameters
    ----------
    spacing : sequence of float
        Size of a pixel along each axis.

    Returns
    -------
    list of tuple of int
        Offsets in pixels.

    Examples
    --------
    >>> line_steps((2.0, 1.0))
    [(0, 1), (1, -2), (1, 0), (1, 2)]
    """
    stretch = max(spacing) / np.asarray(spacing)
    found = []
    for direction in half_directions(len(spacing)):
        offset = np.rint(np.asarray(direction) * stretch).astype(int).tolist()
        found.append(tuple(step // math.gcd(*offset) for step in offset))
    return found


def _changes(mask: Mask, offset: Sequence[int], periodic: bool, good: Mask | None) -> float:
    """Share of the pairs of known pixels whose ends differ; 0 where there are none, as in an image of one row."""
    first, second = shifted_pair(mask, offset, periodic)
    known = None if good is None else np.logical_and(*shifted_pair(good, offset, periodic))
    return share(first != second, known) if first.size and (known is None or known.any()) else 0.0


def direction_weights(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the share of all directions that are nearest to each given one and its opposite.

    Parameters
    ----------
    unit : ndarray, shape (n, ndim)
        Unit vectors, one of each opposite pair.

    Returns
    -------
    ndarray of float64, shape (n,)
        Weights that sum to 1.

    Notes
    -----
    Weights of the Crofton formula on a grid: Ohser & Muecklich, Statistical Analysis of Microstructures in Materials
    Science (2000).

    Examples
    --------
    >>> direction_weights(np.eye(2))
    array([0.5, 0.5])
    """
    both = np.concatenate([unit, -unit])
    if unit.shape[1] == 2:
        angle = np.arctan2(both[:, 0], both[:, 1])
        order = np.argsort(angle)
        gaps = np.diff(angle[order], append=angle[order[0]] + 2 * np.pi)
        share = np.empty(len(both))
        share[order] = (gaps + np.roll(gaps, 1)) / 2
    else:
        share = SphericalVoronoi(both).calculate_areas()
    result: NDArray[np.float64] = (share[: len(unit)] + share[len(unit) :]) / share.sum()
    return result


def _faces(mask: Mask, spacing: Sequence[float], periodic: bool, good: Mask | None) -> float:
    total = 0.0
    for axis, step in enumerate(spacing):
        total += _changes(mask, [1 if i == axis else 0 for i in range(mask.ndim)], periodic, good) / step
    return total


def _marching(mask: Mask, spacing: Sequence[float], periodic: bool, good: Mask | None) -> float:
    if periodic:
        mask = np.pad(mask, [(0, 1)] * mask.ndim, mode="wrap")
    volume = float(np.prod((np.array(mask.shape) - 1) * np.asarray(spacing)))
    if mask.all() or not mask.any():
        return 0.0
    if mask.ndim == 3:
        vertices, triangles, _, _ = marching_cubes(mask.astype(np.float32), 0.5, spacing=tuple(spacing))
        return float(mesh_surface_area(vertices, triangles)) / volume
    corners = [mask[:-1, :-1], mask[:-1, 1:], mask[1:, 1:], mask[1:, :-1]]
    inside = np.sum(corners, axis=0)
    height, width = spacing
    slanted = float(np.hypot(height, width)) / 2
    opposite = (inside == 2) & (corners[0] == corners[2])
    level = (inside == 2) & (corners[0] == corners[1])
    upright = (inside == 2) & (corners[0] == corners[3])
    odd = (inside == 1) | (inside == 3)
    total = slanted * (odd.sum() + 2 * opposite.sum()) + width * level.sum() + height * upright.sum()
    return float(total) / volume


SPECIFIC_SURFACE = Statistic(
    name="specific_surface",
    long_name="specific surface",
    compute=specific_surface,
    variables=(
        Variable(
            name="specific_surface",
            dims=("phase",),
            long_name="interface per volume (Crofton)",
            units="{unit}^-1",
            display=Display(section="shape", place=1, caption="interface per volume, by crossings of test lines"),
            facts=Facts(least=0, absent=0, laminate=lambda w: (1 + np.sqrt(2)) * np.pi / 8 / w, tolerance=1e-7),
        ),
    ),
    cost=Cost(seconds=(0.0022, 0.0039), bytes=(3, 3)),
    blocks="matlens.microstructure.statistics.blocks.cells:SPECIFIC_SURFACE",
    cites=("ohser2000statistical",),
)
