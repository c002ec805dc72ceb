"""ZIP archives with one image or volume."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

from matlens.errors import InputError
from matlens.microstructure.io.formats import find_format
from matlens.microstructure.io.image import Image, pick

__all__ = ["read_zip"]


def read_zip(path: Path, dataset: str | None = None) -> Image:
    """Read the only readable file in a ZIP archive, or the one that ``dataset`` names.

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
        chosen = pick(dict.fromkeys(readers, ()), dataset, path.name)
        with tempfile.TemporaryDirectory() as folder:
            unpacked = Path(folder) / PurePosixPath(chosen).name
            with archive.open(chosen) as source, unpacked.open("wb") as target:
                shutil.copyfileobj(source, target)
            image: Image = readers[chosen](unpacked, None)
            return image


def _reader(member: str) -> Callable[..., Any] | None:
    """The reader of a file in an archive; archives within archives are not looked into."""
    found = find_format(member)
    return None if found is None or found.name == "ZIP" else found.load("read")
