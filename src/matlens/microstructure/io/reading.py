"""Reading of a file as an `Image`, in the format that its content shows, else in the one that its suffix names."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from matlens.core.guard import reading
from matlens.errors import InputError
from matlens.microstructure.io.formats import FileFormat, can_read, find_format, recognised, suffixes_of
from matlens.microstructure.io.image import Image, check_room, checked_image
from matlens.microstructure.io.sidecars import scale_beside
from matlens.microstructure.io.slices import ordered, stacked

__all__ = ["format_of", "read_image", "slices_in"]


def read_image(path: str | os.PathLike[str], *, dataset: str | None = None) -> Image:
    """Read the values of an image or volume unchanged, with the scale that the file gives.

    Parameters
    ----------
    path : path-like
        A file of one of ``FORMATS``, or a folder with the slices of a volume.
    dataset : str, optional
        Name of the array, in files that hold several.

    Returns
    -------
    Image
        Values of shape (y, x) or (z, y, x); of a colour image with a last axis of three.

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
    found, notes = format_of(file)
    if file.is_dir() and found is None:
        return _folder(file, dataset)
    reader = None if found is None else found.load("read")
    if found is None or reader is None:
        raise InputError(
            f"{file.name} has the suffix {file.suffix!r}, which is not one MatLens reads: {suffixes_of('read')}."
        )
    with reading(file, f"a file of the format {found.name}"):
        check_room((file.stat().st_size if file.is_file() else 0,), 1, file.name)
        image: Image = reader(file, dataset)
    image = replace(image, notes=(*notes, *image.notes), format=image.format or found.name)
    if image.spacing is None and len(image.space) == 2 and (beside := scale_beside(file, image.space[-1])):
        size, unit, source = beside
        image = replace(image, spacing=(size, size), unit=unit, scale=source)
    return checked_image(image, file.name)


def _folder(folder: Path, dataset: str | None) -> Image:
    """Read the pictures in a folder as the slices of a volume, in the order of their numbers."""
    names, left = slices_in(folder)
    slices = [read_image(folder / name, dataset=dataset) for name in names]
    if len(slices) == 1:
        return slices[0]
    volume = stacked(slices, names, folder.name)
    notes = (*volume.notes, *left)
    return checked_image(replace(volume, format=f"folder of {slices[0].format}", notes=notes), folder.name)


def slices_in(folder: Path) -> tuple[list[str], tuple[str, ...]]:
    """List the pictures in a folder that are the slices of a volume.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    names : list of str
        Files of the format that most have, in the order of their numbers.
    notes : tuple of str
        A sentence on files of other formats, if there are some.

    Raises
    ------
    InputError
        If there are none, or the folder is a run directory.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("s10.png", "s9.png"):
    ...     (folder / name).touch()
    >>> slices_in(folder)
    (['s9.png', 's10.png'], ())
    """
    if (folder / "settings.toml").is_file():
        raise InputError(f"{folder} is a run directory; name one of its files, such as {folder / 'realisation_0.tif'}.")
    files = [file for file in folder.iterdir() if file.is_file() and can_read(file)]
    if not files:
        raise InputError(
            f"{folder} is a folder without slices; name a file, or a folder of pictures: {suffixes_of('read')}."
        )
    suffixes = [file.suffix.lower() for file in files]
    most = max(sorted(set(suffixes)), key=suffixes.count)
    names = ordered([file.name for file in files if file.suffix.lower() == most])
    others = sorted(file.name for file in files if file.suffix.lower() != most)
    left = f"Files of other formats in the folder were left out: {', '.join(others[:5])}{', ...' * (len(others) > 5)}."
    return names, (left,) if others else ()


def format_of(file: Path) -> tuple[FileFormat | None, tuple[str, ...]]:
    """Find the format of a file by its first bytes, else by its suffix.

    Parameters
    ----------
    file : Path
        A file, or a folder.

    Returns
    -------
    found : FileFormat or None
        None for a folder of slices, and where no format fits.
    notes : tuple of str
        A sentence, where the suffix names another format.

    Raises
    ------
    InputError
        If there is no such file, or it is empty.

    Examples
    --------
    >>> import tempfile
    >>> format_of(Path(tempfile.mkdtemp()))
    (None, ())
    """
    if file.is_dir():
        by_name = find_format(file)
        return by_name if by_name is not None and by_name.folder else None, ()
    if not file.is_file():
        raise InputError(f"there is no file {file}; check the path.")
    if file.stat().st_size == 0:
        raise InputError(f"{file} is empty; save or copy it again.")
    by_name, by_content = find_format(file), recognised(file)
    if by_content is None or by_content is by_name:
        return by_name, ()
    return by_content, (f"{file.name} is a {by_content.name} file by its content, and is read as such.",)
