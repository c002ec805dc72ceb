"""Pictures of volumes by ray casting with an orthographic camera, in NumPy alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from scipy import ndimage

from matlens.figures.style import phase_colours
from matlens.microstructure.structure import Microstructure

__all__ = ["Camera", "cast_rays"]

Array = NDArray[np.float64]

_ACROSS = 2  # rays along each side of a pixel, whose mean smooths the edges
_FACES = (1.0, 0.84, 0.68)  # brightness of the faces across z, y and x: three greys make three sides of a box
_SMOOTH, _AROUND = 1.4, 9  # voxels over which normals, and what is open around a point, are averaged
_AMBIENT, _DIFFUSE, _GLOSS, _HOLLOW = 0.42, 0.56, 0.3, 0.22
_LIGHT = np.array([-0.75, 0.35, 0.56])  # from above, a little from the right, in the order (z, y, x)
_PALE = 0.3  # share of white in the colour of a surface, so that a nearly black phase has shades too
_STEP = 1e-3  # voxels; beyond a border between voxels, so that rounding does not lead back


@dataclass(frozen=True)
class Camera:
    """An orthographic camera that looks from above at the corner where x and y are largest.

    The first slice is on top, since slices are counted downwards; x grows to the lower right and y to the lower left.
    The default angles shorten the three axes alike.

    Attributes
    ----------
    lengths : tuple of float
        Sides of the box along (z, y, x), in any unit of length.
    azimuth : float
        Angle by which x turns away from the right of the picture, in degrees between 0 and 90.
    elevation : float
        Angle of the line of sight below the horizon, in degrees between 0 and 90.

    Examples
    --------
    >>> camera = Camera((1.0, 1.0, 1.0))
    >>> camera.project([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]).round(3) + 0.0
    array([[-0.707, -0.408],
           [ 0.   ,  0.   ]])
    """

    lengths: tuple[float, ...]
    azimuth: float = 45.0
    elevation: float = float(np.degrees(np.arcsin(1 / np.sqrt(3))))

    @cached_property
    def basis(self) -> Array:
        """Unit vectors in the order (z, y, x): to the right of the picture, upwards in it, and towards the camera."""
        a, e = np.radians([self.azimuth, self.elevation])
        right = [0.0, -np.sin(a), np.cos(a)]
        up = [-np.cos(e), -np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a)]
        towards = [-np.sin(e), np.cos(e) * np.cos(a), np.cos(e) * np.sin(a)]
        return np.array([right, up, towards])

    def project(self, points: Sequence[Sequence[float]]) -> Array:
        """Project points into the picture.

        Parameters
        ----------
        points : array_like, shape (n, 3)
            Points (z, y, x) in the unit of ``lengths``.

        Returns
        -------
        ndarray, shape (n, 2)
            Places right of and above the middle of the box.
        """
        return (np.asarray(points, dtype=float) - np.divide(self.lengths, 2)) @ self.basis[:2].T

    @cached_property
    def extent(self) -> tuple[float, float]:
        """Half the width and half the height of the picture, which the box just fills."""
        width, height = (np.abs(self.basis[:2]) @ np.asarray(self.lengths) / 2).tolist()
        return width, height


def cast_rays(structure: Microstructure, camera: Camera, width: int, hidden: Collection[int] = ()) -> NDArray[np.uint8]:
    """Draw the outer faces of a volume, and the surfaces behind phases that are not shown.

    Parameters
    ----------
    structure : Microstructure
        The volume. Masked voxels are not shown.
    camera : Camera
        Where to look from, with the physical sides of the volume.
    width : int
        Width of the picture in pixels; its height follows from the camera.
    hidden : collection of int
        Phases that are not shown. Other phases are seen through them, with diffuse light and less of it in hollows.

    Returns
    -------
    ndarray of uint8, shape (rows, width, 4)
        Red, green, blue and opacity.

    Examples
    --------
    >>> cube = Microstructure([[[0, 1], [1, 1]], [[1, 0], [0, 0]]])
    >>> cast_rays(cube, Camera((2.0, 2.0, 2.0)), 60).shape
    (69, 60, 4)
    """
    half_width, half_height = camera.extent
    height = max(round(width * half_height / half_width), 1)
    columns, rows = width * _ACROSS, height * _ACROSS
    right = ((np.arange(columns) + 0.5) / columns * 2 - 1) * half_width
    up = (1 - (np.arange(rows) + 0.5) / rows * 2) * half_height
    origins = camera.basis[0][:, None, None] * right + camera.basis[1][:, None, None] * up[:, None]
    spacing, sides = np.asarray(structure.spacing)[:, None], np.asarray(structure.shape)
    starts = (origins.reshape(3, -1) + np.divide(camera.lengths, 2)[:, None]) / spacing  # now lengths are in voxels
    starts = starts.astype(np.float32)
    direction = (-camera.basis[2] / structure.spacing).astype(np.float32)
    near, far = np.where(direction > 0, 0, sides), np.where(direction > 0, sides, 0)
    enter, leave = ((plane[:, None] - starts) / direction[:, None] for plane in (near, far))
    rays = np.flatnonzero(enter.max(axis=0) < leave.min(axis=0))
    face = enter[:, rays].argmax(axis=0)
    points = starts[:, rays] + enter[face, rays] * direction[:, None]
    seen = ~np.isin(structure.labels, list(hidden))
    if structure.mask is not None:
        seen &= structure.mask
    points, hit, deep = _march(seen, points, direction)
    rays, face, points, deep = rays[hit], face[hit], points[:, hit], deep[hit]
    colours = np.array([to_rgb(colour) for colour in phase_colours(structure.n_phases)])
    picture = np.zeros((rows * columns, 4))
    picture[rays, :3] = colours[structure.labels[_voxels(points, sides)]]
    picture[rays, 3] = 1.0
    picture[rays[~deep], :3] *= np.asarray(_FACES)[face[~deep], None]
    if deep.any():
        light, gloss = _light(seen, points[:, deep], camera, structure.spacing)
        surface = _PALE + (1 - _PALE) * picture[rays[deep], :3]
        picture[rays[deep], :3] = surface * light[:, None] + (1 - surface) * gloss[:, None]
    return _averaged(picture.reshape(height, _ACROSS, width, _ACROSS, 4))


def _voxels(points: Array, sides: NDArray[np.int64]) -> tuple[NDArray[np.intp], ...]:
    """Index of the voxels that hold points, of which those on a far face lie in the last voxel."""
    return tuple(np.clip(points.astype(np.intp), 0, sides[:, None] - 1))


def _march(
    seen: NDArray[np.bool_], points: Array, direction: Array
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Follow rays, shape (3, n), to the first voxel that is seen: points, which rays hit, and which began hidden."""
    sides = np.asarray(seen.shape)
    # Around each voxel a cube without seen voxels reaches one voxel less far than the nearest of them, and one step
    # leaves it.
    clear = ndimage.distance_transform_cdt(~seen, metric="chessboard")
    if not seen.any():
        clear[...] = sides.max()
    found, hit = points.copy(), np.zeros(points.shape[1], dtype=bool)
    room = clear[_voxels(points, sides)].astype(np.int32)
    deep = room > 0
    hit[~deep] = True
    active, at, room = np.flatnonzero(deep), points[:, deep], room[deep]
    further = _STEP / np.abs(direction).max()
    while active.size:
        length = np.full(active.size, np.inf, dtype=at.dtype)
        for axis, slope in enumerate(direction):
            whole = np.floor(at[axis])
            np.minimum(length, ((whole + room if slope > 0 else whole - room + 1) - at[axis]) / slope, out=length)
        at += (length + further) * direction[:, None]
        inside = ((at > 0) & (at < sides[:, None])).all(axis=0)
        active, at = active[inside], at[:, inside]
        room = clear[tuple(at.astype(np.intp))]
        there = room <= 0
        hit[active[there]], found[:, active[there]] = True, at[:, there]
        active, at, room = active[~there], at[:, ~there], room[~there]
    return found, hit, deep


def _light(seen: NDArray[np.bool_], points: Array, camera: Camera, spacing: tuple[float, ...]) -> tuple[Array, Array]:
    """Brightness, and share of white added by gloss, of points on surfaces inside the volume."""
    solid = seen.astype(np.float32)
    smooth = ndimage.gaussian_filter(solid, _SMOOTH, mode="nearest", truncate=3)
    closed = ndimage.uniform_filter(solid, _AROUND, mode="constant")
    slopes = [
        (_sampled(smooth, points - step) - _sampled(smooth, points + step)) / length
        for step, length in zip(np.eye(3)[:, :, None], spacing)
    ]
    normals = np.array(slopes) / np.maximum(np.linalg.norm(slopes, axis=0), 1e-9)
    sun = _LIGHT / np.linalg.norm(_LIGHT)
    between = sun + camera.basis[2]
    between /= np.linalg.norm(between)
    outside = np.clip(1.6 * (1 - _sampled(closed, points)), 0, 1)  # a plane has half of its surroundings open
    light = _AMBIENT + _DIFFUSE * np.clip(sun @ normals, 0, 1)
    return light * (_HOLLOW + (1 - _HOLLOW) * outside), _GLOSS * np.clip(between @ normals, 0, 1) ** 20 * outside


def _sampled(field: NDArray[np.float32], points: Array) -> Array:
    """A field that is known in the middles of voxels, at points between them."""
    return np.asarray(ndimage.map_coordinates(field, points - 0.5, order=1, mode="nearest"), dtype=float)


def _averaged(picture: Array) -> NDArray[np.uint8]:
    """Means over the rays of each pixel, of colours weighted by opacity."""
    opacity = picture[..., 3:].mean(axis=(1, 3))
    colour = (picture[..., :3] * picture[..., 3:]).mean(axis=(1, 3)) / np.maximum(opacity, 1e-9)
    values = np.clip(np.concatenate([colour, opacity], axis=-1), 0, 1)
    return np.asarray(np.rint(255 * values), dtype=np.uint8)
