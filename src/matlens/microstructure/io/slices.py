"""Volumes as folders and ZIP archives of slices, one picture each, in the order of their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io.image import Image

__all__ = ["missing_slice", "ordered", "stacked", "stacked_facts"]


def ordered(names: Sequence[str]) -> list[str]:
    """Sort file names so that 2 comes before 10.

    Parameters
    ----------
    names : sequence of str
        File names.

    Returns
    -------
    list of str
        The names in the order of the numbers in them.

    Examples
    --------
    >>> ordered(["s10.tif", "s2.tif", "s1.tif"])
    ['s1.tif', 's2.tif', 's10.tif']
    """
    return sorted(names, key=lambda name: [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name)])


def stacked(pictures: Sequence[Image], names: Sequence[str], source: str) -> Image:
    """Put slices on top of each other.

    Parameters
    ----------
    pictures : sequence of Image
        The slices in their order, each a plane.
    names : sequence of str
        Their names.
    source : str
        Name of the folder or the archive.

    Returns
    -------
    Image
        The volume; the distance between slices is unknown.

    Raises
    ------
    InputError
        If the slices differ in shape, kind, pixel size or colour table, or numbers are missing between them.

    Examples
    --------
    >>> stacked([Image(np.zeros((4, 5)))] * 3, ["a1.png", "a2.png", "a3.png"], "a").values.shape
    (3, 4, 5)
    """
    first = pictures[0]
    for name, picture in zip(names, pictures):
        if (picture.values.shape, picture.colour) != (first.values.shape, first.colour) or len(picture.space) != 2:
            raise InputError(
                f"{source}: {name} has shape {picture.values.shape} and {names[0]} {first.values.shape}; slices of a "
                "volume must be pictures of one shape."
            )
        if not np.array_equal(_palette(picture), _palette(first)):
            raise InputError(
                f"{source}: {name} and {names[0]} have colour tables that differ, so that one number means two "
                "colours; save the slices with one table, or as grey pictures."
            )
        if picture.spacing != first.spacing or picture.unit != first.unit:
            raise InputError(
                f"{source}: {name} has the pixel size {_step(picture)} and {names[0]} {_step(first)}; slices of a "
                "volume must have one."
            )
    missing_slice(names, source)
    values = np.stack([picture.values for picture in pictures])
    valid = None
    if any(picture.valid is not None for picture in pictures):
        everywhere = np.ones(first.space, dtype=bool)
        valid = np.stack([everywhere if picture.valid is None else picture.valid for picture in pictures])
    notes = dict.fromkeys(said for picture in pictures for said in picture.notes)
    lossy = any(picture.lossy for picture in pictures)
    return stacked_facts(replace(first, values=values, valid=valid, lossy=lossy, notes=tuple(notes)), names)


def missing_slice(names: Sequence[str], source: str) -> None:
    """Refuse slices between whose numbers one is missing.

    Parameters
    ----------
    names : sequence of str
        Their names in their order.
    source : str
        Name of the folder or the archive.

    Raises
    ------
    InputError
        If a number is missing.

    Examples
    --------
    >>> missing_slice(["a1.png", "a3.png"], "a")
    Traceback (most recent call last):
    matlens.errors.InputError: a: a slice is missing before number 3; put it back, or rename the slices.
    """
    numbers = [_number(name) for name in names]
    gaps = [b for a, b in pairwise(numbers) if a is not None and b is not None and b - a != 1]
    if gaps:
        raise InputError(f"{source}: a slice is missing before number {gaps[0]}; put it back, or rename the slices.")


def stacked_facts(image: Image, names: Sequence[str]) -> Image:
    """Turn the facts of the first slice into those of the volume.

    Parameters
    ----------
    image : Image
        Facts of the first slice, and the values of the volume.
    names : sequence of str
        Names of the slices.

    Returns
    -------
    Image
        Without a distance between slices, which no picture tells, and with a note on the slices.

    Examples
    --------
    >>> stacked_facts(Image(np.zeros((2, 4, 5))), ["a1.png", "a2.png"]).notes
    ('2 slices were put together, from a1.png to a2.png.',)
    """
    spacing = None if image.spacing is None else (float("nan"), *image.spacing)
    note = f"{len(names)} slices were put together, from {PurePath(names[0]).name} to {PurePath(names[-1]).name}."
    return replace(image, spacing=spacing, phase_names=None, notes=(note, *image.notes))


def _palette(picture: Image) -> NDArray[np.uint8]:
    return np.zeros((0, 3), np.uint8) if picture.palette is None else picture.palette


def _step(picture: Image) -> str:
    return (
        "unknown"
        if picture.spacing is None
        else f"{' x '.join(f'{step:g}' for step in picture.spacing)} {picture.unit}"
    )


def _number(name: str) -> int | None:
    found: Any = re.findall(r"\d+", Path(name).stem)
    return int(found[-1]) if found else None
