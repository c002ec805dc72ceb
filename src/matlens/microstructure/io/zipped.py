"""ZIP archives with one image or volume."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from matlens.errors import InputError
from matlens.microstructure.io.image import Image, pick

__all__ = ["read_zip"]


def read_zip(path: Path, dataset: str | None, readers: dict[str, Callable[[Path, str | None], Image]]) -> Image:
    """Read the only readable file in a ZIP archive, or the one that ``dataset`` names.

    The file is unpacked to a temporary folder.

    Parameters
    ----------
    path : Path
        The archive.
    dataset : str, optional
        Name of the file in the archive.
    readers : dict of str to callable
        Reader of each suffix.

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
    >>> path = Path(tempfile.mkdtemp()) / "m.zip"
    >>> with ZipFile(path, "w") as archive:
    ...     archive.writestr("labels.npy", b"...")
    >>> read_zip(path, None, {".npy": lambda file, dataset: file.name})
    'labels.npy'
    """
    with ZipFile(path) as archive:
        members = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir()
            and PurePosixPath(info.filename).suffix.lower() in readers
            and not info.filename.startswith("__MACOSX/")
        ]
        if not members:
            raise InputError(f"{path.name} holds no file MatLens reads; put a TIFF into it.")
        chosen = pick(dict.fromkeys(members, ()), dataset, path.name)
        with tempfile.TemporaryDirectory() as folder:
            unpacked = Path(folder) / PurePosixPath(chosen).name
            with archive.open(chosen) as source, unpacked.open("wb") as target:
                shutil.copyfileobj(source, target)
            return readers[unpacked.suffix.lower()](unpacked, None)
