"""Reading of a file as an `Image`, in the format that its suffix names."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from matlens.errors import InputError, MatlensError
from matlens.microstructure.io.formats import find_format, suffixes_of
from matlens.microstructure.io.image import Image, checked_values

__all__ = ["read_image"]


def read_image(path: str | os.PathLike[str], *, dataset: str | None = None) -> Image:
    """Read the values of an image or volume unchanged, with the scale that the file gives.

    Parameters
    ----------
    path : path-like
        PNG, JPEG, BMP, TIFF, NPY, NPZ, MAT, HDF5, DREAM3D, or a ZIP archive with one of them.
    dataset : str, optional
        Name of the array, in files that hold several.

    Returns
    -------
    Image
        Values of shape (y, x) or (z, y, x), or a colour image of shape (y, x, 3).

    Raises
    ------
    InputError
        If the file is missing, empty, damaged, of an unknown format, or holds no image or volume.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "grey.npy"
    >>> np.save(path, np.arange(6.0).reshape(2, 3))
    >>> read_image(path).values.max()
    np.float64(5.0)
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"there is no file {file}; check the path.")
    found = find_format(file)
    reader = None if found is None else found.load("read")
    if reader is None:
        raise InputError(
            f"{file.name} has the suffix {file.suffix!r}, which is not one MatLens reads: {suffixes_of('read')}."
        )
    if file.stat().st_size == 0:
        raise InputError(f"{file} is empty; save or copy it again.")
    try:
        image: Image = reader(file, dataset)
    except MatlensError:
        raise
    except Exception as error:  # damaged files make the format libraries fail in every imaginable way
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{file} cannot be read ({reason}); it may be truncated or damaged, save it again.") from error
    values, colour = checked_values(image.values, file.name)
    spacing = image.spacing
    if spacing is not None and len(spacing) != (2 if colour else values.ndim):
        spacing = _fitting(spacing, image.values.shape, 2 if colour else values.ndim)
    return replace(image, values=values, colour=colour, spacing=spacing, unit=image.unit if spacing else None)


def _fitting(spacing: tuple[float, ...], shape: tuple[int, ...], ndim: int) -> tuple[float, ...] | None:
    """Drop the spacing of the axes of length one, which were dropped from the values."""
    kept = tuple(step for step, side in zip(spacing, shape) if side != 1)
    return kept if len(kept) == ndim else None
