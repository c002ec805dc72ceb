"""Volumes made of planes that do not know each other, or of one plane alone: controls for volumes from sections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.structure import Microstructure

__all__ = ["extruded", "stacked_planes"]


def stacked_planes(planes: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Microstructure:
    """Stack windows of planes that are drawn at random, each independent of its neighbours.

    Every slice along the first axis is a true picture of the material; along that axis nothing continues.

    Parameters
    ----------
    planes : sequence of Microstructure
        Planes of one material, at least as large as a slice.
    shape : sequence of int
        Number of slices, and their rows and columns.
    seed : int
        Seed of the choice of planes and windows.

    Returns
    -------
    Microstructure
        The volume, whose slices are as far apart as the rows of the planes.

    Raises
    ------
    InputError
        If there is no plane, one is a volume, or one is smaller than a slice.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> stacked_planes([bicontinuous((32, 32), seed=0)], (8, 16, 16), seed=0)
    Microstructure(8 x 16 x 16, 2 phases, 1 px)
    """
    depth, *slice_shape = _checked(planes, shape)
    rng = np.random.default_rng(seed)
    slices = []
    for index in rng.integers(len(planes), size=depth):
        labels = planes[index].labels
        corner = [int(rng.integers(side - part + 1)) for side, part in zip(labels.shape, slice_shape)]
        slices.append(labels[tuple(slice(start, start + part) for start, part in zip(corner, slice_shape))])
    return _volume(planes[0], np.stack(slices))


def extruded(plane: Microstructure, shape: Sequence[int]) -> Microstructure:
    """Repeat one plane along the first axis.

    Parameters
    ----------
    plane : Microstructure
        The plane, at least as large as a slice; its upper left corner is taken.
    shape : sequence of int
        Number of slices, and their rows and columns.

    Returns
    -------
    Microstructure
        The volume, which is the same in every slice.

    Raises
    ------
    InputError
        If the structure is a volume, or smaller than a slice.

    Examples
    --------
    >>> extruded(Microstructure([[0, 1], [1, 1]]), (2, 1, 2)).labels.tolist()
    [[[0, 1]], [[0, 1]]]
    """
    depth, rows, columns = _checked([plane], shape)
    return _volume(plane, np.repeat(plane.labels[None, :rows, :columns], depth, axis=0))


def _volume(plane: Microstructure, labels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Microstructure:
    return Microstructure(labels, (plane.spacing[0], *plane.spacing), plane.unit, plane.phase_names)


def _checked(planes: Sequence[Microstructure], shape: Sequence[int]) -> tuple[int, ...]:
    if not planes or len(shape) != 3:
        raise InputError(f"found {len(planes)} planes and the shape {tuple(shape)}; give a plane and three sides.")
    for plane in planes:
        plane.whole("a stack of planes")
        if plane.ndim != 2 or any(side < part for side, part in zip(plane.shape, shape[1:])):
            raise InputError(
                f"found {plane!r} for slices of {shape[1]} x {shape[2]} pixels; give a smaller shape or larger planes."
            )
    return tuple(shape)
