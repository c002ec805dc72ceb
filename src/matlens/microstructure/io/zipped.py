"""A ZIP archive around one picture or volume."""

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
    """Read the one readable member, or the one ``dataset`` names; it is unpacked to a temporary folder."""
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
