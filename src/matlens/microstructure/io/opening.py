"""Opening of a file whose values do not fit into memory: as `read_image`, but only blocks of it are read."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.guard import reading
from matlens.errors import InputError
from matlens.microstructure.io.formats import suffixes_of
from matlens.microstructure.io.image import OpenImage, checked_spacing
from matlens.microstructure.io.parts import PartOf, SliceValues, stand_in
from matlens.microstructure.io.reading import format_of, read_image, slices_in
from matlens.microstructure.io.slices import missing_slice, stacked_facts
from matlens.microstructure.large import BlockArray

__all__ = ["open_image"]


def open_image(path: str | os.PathLike[str], *, dataset: str | None = None) -> OpenImage:
    """Open an image or volume, of which blocks are read, with the scale that the file gives.

    Parameters
    ----------
    path : path-like
        A file of one of the ``FORMATS`` that have an opener, or a folder with the slices of a volume.
    dataset : str, optional
        Name of the array, in files that hold several.

    Returns
    -------
    OpenImage
        Values of shape (y, x) or (z, y, x).

    Raises
    ------
    InputError
        If the file is missing, empty, damaged, of a format that is read whole only, or holds colours or no picture.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "grey.npy"
    >>> np.save(path, np.arange(6.0).reshape(1, 2, 3))
    >>> open_image(path).values[0:1, 1:3].tolist()
    [[1.0, 2.0]]
    """
    file = Path(path)
    found, notes = format_of(file)
    if file.is_dir() and found is None:
        return _checked(_folder(file, dataset), file.name)
    opener = None if found is None else found.load("open")
    if found is None or opener is None:
        raise InputError(
            f"{file.name} is read whole only; to work on it in blocks, save it in one of the formats "
            f"{suffixes_of('open')}, or as a folder of slices."
        )
    with reading(file, f"a file of the format {found.name}"):
        opened: OpenImage = opener(file, dataset)
    image = replace(opened.image, notes=(*notes, *opened.image.notes), format=opened.image.format or found.name)
    return _checked(OpenImage(_Guarded(opened.values, file, found.name), image), file.name)


class _Guarded:
    """Values whose damage, met while a block is read, becomes one sentence that names the file."""

    def __init__(self, values: BlockArray, file: Path, kind: str) -> None:
        self.shape, self.dtype = tuple(values.shape), values.dtype
        self.layers: int = getattr(values, "layers", 1)
        self._values, self._file, self._kind = values, file, kind

    def __getitem__(self, box: tuple[slice, ...]) -> NDArray[Any]:
        with reading(self._file, f"a file of the format {self._kind}"):
            return np.asarray(self._values[box])


def _folder(folder: Path, dataset: str | None) -> OpenImage:
    """Open the pictures in a folder as the slices of a volume, in the order of their numbers."""
    names, left = slices_in(folder)
    missing_slice(names, folder.name)
    first = read_image(folder / names[0], dataset=dataset)
    if first.colour or first.palette is not None or first.valid is not None or first.values.ndim != 2:
        raise InputError(
            f"{folder.name}: {names[0]} is no plain grey picture; save slices as grey pictures to work in blocks."
        )

    shape = (len(names), *first.values.shape)
    facts = replace(first, values=stand_in(shape, first.values.dtype), format=f"folder of {first.format}")
    image = stacked_facts(facts, names)
    image = replace(image, notes=(*image.notes, *left))
    return OpenImage(SliceValues(_Files(folder, names, dataset), shape, first.values.dtype), image)


class _Files:
    """The slices of a folder."""

    def __init__(self, folder: Path, names: list[str], dataset: str | None) -> None:
        self._folder, self._names, self._dataset = folder, names, dataset

    def read(self, number: int) -> NDArray[Any]:
        """Read a slice."""
        return read_image(self._folder / self._names[number], dataset=self._dataset).values

    def name(self, number: int) -> str:
        """Say which file it is."""
        return self._names[number]


def _checked(opened: OpenImage, name: str) -> OpenImage:
    """Drop axes of length one, and check that the values are an image or a volume of numbers."""
    values, image = opened.values, opened.image
    if values.dtype.kind not in "buif":
        raise InputError(f"{name} holds an array of dtype {values.dtype}; save plain numbers (integers or floats).")
    dropped = [axis for axis, side in enumerate(values.shape) if side == 1 and len(values.shape) > 2]
    kept = [axis for axis in range(len(values.shape)) if axis not in dropped]
    if len(kept) not in (2, 3) or 0 in values.shape:
        raise InputError(
            f"{name} holds an array of shape {values.shape}, expected 2-D or 3-D; save one picture or volume."
        )
    if len(kept) == 3 and values.shape[-1] in (3, 4) and values.dtype.kind == "u" and min(values.shape[:2]) >= 8:
        raise InputError(f"{name} holds a colour picture, which is read whole only; save it as grey values or labels.")
    if dropped:
        values = PartOf(values, [slice(0, side) for side in values.shape], dropped)
        spacing = image.spacing
        if spacing is not None and len(spacing) == len(opened.values.shape):
            spacing = tuple(spacing[axis] for axis in kept)
        image = replace(image, values=stand_in(values.shape, values.dtype), spacing=spacing)
    if image.spacing is not None and len(image.spacing) == 1:
        image = replace(image, spacing=image.spacing * len(kept))
    if image.spacing is not None and len(image.spacing) != len(kept):
        image = replace(image, spacing=None)
    return OpenImage(values, checked_spacing(image))
