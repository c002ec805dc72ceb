"""ZIP archives with one image or volume, or with the slices of one."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

from matlens.errors import InputError
from matlens.microstructure.io.formats import can_read, find_format
from matlens.microstructure.io.image import Image, check_room, pick
from matlens.microstructure.io.slices import ordered, stacked

__all__ = ["read_zip"]


def read_zip(path: Path, dataset: str | None = None) -> Image:
    """Read the only readable file in a ZIP archive, the one that ``dataset`` names, or the slices of a volume.

    The file is unpacked to a temporary folder.

    Parameters
    ----------
    path : Path
        The archive.
    dataset : str, optional
        Name of the file in the archive.

    Returns
    -------
    Image
        The content of the file.

    Raises
    ------
    InputError
        If the archive holds no readable file, or several and none is named.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "m.zip"
    >>> with ZipFile(path, "w") as archive, archive.open("labels.npy", "w") as file:
    ...     np.save(file, np.eye(3))
    >>> read_zip(path).space
    (3, 3)
    """
    with ZipFile(path) as archive:
        readers = {
            info.filename: reader
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/") and (reader := _reader(info.filename))
        }
        if not readers:
            raise InputError(f"{path.name} holds no file MatLens reads; put a TIFF into it.")
        names = ordered(list(readers))
        if dataset is None and len(names) > 1 and _numbered(names):
            return stacked([_member(archive, name, readers[name]) for name in names], names, path.name)
        chosen = pick(dict.fromkeys(readers, ()), dataset, path.name)
        return _member(archive, chosen, readers[chosen])


def _member(archive: ZipFile, name: str, reader: Callable[..., Any]) -> Image:
    """Unpack a file to a temporary folder, and read it."""
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / PurePosixPath(name).name
        check_room((archive.getinfo(name).file_size,), 1, name)
        with archive.open(name) as source, unpacked.open("wb") as target:
            shutil.copyfileobj(source, target)
        image: Image = reader(unpacked, None)
        return image


def _numbered(names: list[str]) -> bool:
    """Whether the files have one name but for a number: slices of a volume."""
    return len({re.sub(r"\d+", "", name) for name in names}) == 1


def _reader(member: str) -> Callable[..., Any] | None:
    """The reader of a file in an archive; archives within archives are not looked into."""
    found = find_format(member)
    known = found is not None and can_read(PurePosixPath(member).name)
    return found.load("read") if found is not None and known and found.name != "ZIP" else None
