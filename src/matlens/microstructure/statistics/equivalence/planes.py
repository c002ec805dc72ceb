"""Planes of volumes, by which they are compared with images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matlens.microstructure.axes import AXES
from matlens.microstructure.structure import Microstructure

__all__ = ["PLANES", "planes_of", "shown_planes"]

PLANES = 3  # along each axis: a few correlation lengths lie between them, and all of them are judged together


def shown_planes(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Choose planes of a volume that lie far apart.

    Parameters
    ----------
    shape : sequence of int
        Sides of the volume.

    Returns
    -------
    list of (int, int)
        Axis, and number of the plane along it: three for each axis, in the middles of its thirds.

    Examples
    --------
    >>> shown_planes((32, 64, 64))[:4]
    [(0, 5), (0, 16), (0, 26), (1, 10)]
    """
    return [(axis, int((i + 0.5) * side / PLANES)) for axis, side in enumerate(shape) for i in range(PLANES)]


def planes_of(
    volumes: Sequence[Microstructure], axes: Sequence[int] = (0, 1, 2)
) -> tuple[list[Microstructure], tuple[str, ...]]:
    """Cut planes from volumes, all of one size.

    Parameters
    ----------
    volumes : sequence of Microstructure
        Volumes.
    axes : sequence of int
        Axes that the planes are normal to.

    Returns
    -------
    planes : list of Microstructure
        The planes, cropped to the size that all have.
    said : tuple of str
        Which planes they are, one sentence.

    Examples
    --------
    >>> volume = Microstructure(np.random.default_rng(0).integers(2, size=(16, 24, 24)))
    >>> planes, said = planes_of([volume])
    >>> len(planes), planes[0].shape
    (9, (16, 24))
    """
    found, said = [], []
    for volume in volumes:
        chosen = [(axis, place) for axis, place in shown_planes(volume.shape) if axis in axes]
        found += [volume[(*[slice(None)] * axis, place)] for axis, place in chosen]
        words = ", ".join(
            f"{AXES[axis]} = {', '.join(str(place) for other, place in chosen if other == axis)}" for axis in axes
        )
        said.append(f"The volume is judged by its planes at {words}: they are results 0 to {len(chosen) - 1}.")
    sides = np.min([plane.shape for plane in found], axis=0)
    whole = [slice(int(side)) for side in sides]
    if any(plane.shape != tuple(sides) for plane in found):
        said.append(f"All planes were cropped to {' x '.join(map(str, sides))} px, the size that all of them have.")
    return [plane.crop(*whole) for plane in found], tuple(dict.fromkeys(said))
