"""Kinds of benchmark materials: where the image of each comes from; a call gives its 256 x 256 pixels."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

SIDE = 256


class AbsentError(Exception):
    """A file is not at hand; says what to do."""


@dataclass(frozen=True)
class Fetched:
    """One of the seven of Li et al. (2018), from the registry."""

    file: str

    def path(self) -> Path:
        from matlens.core.registry import locate

        path = locate(self.file)
        if path is None:
            raise AbsentError(f"{self.file} is not at hand: run 'matlens fetch li2018', or name its folder in "
                              "MATLENS_DATA")  # fmt: skip
        return path

    def __call__(self) -> Any:
        from matlens import read_microstructure

        return read_microstructure(self.path())


@dataclass(frozen=True)
class Micrograph:
    """A file in a folder of MATLENS_DATA, through the cleaning chain; the image begins at a row and a column."""

    file: str
    row: int = 0
    column: int = 0
    cleaning: dict[str, Any] = field(default_factory=dict)

    def path(self) -> Path:
        path = next(iter(in_data_folders(self.file)), None)
        if path is None:
            raise AbsentError(f"{self.file} is in no folder that MATLENS_DATA names")
        return path

    def __call__(self) -> Any:
        from matlens.microstructure.segmentation import CleaningOptions, load

        whole = load(self.path(), CleaningOptions(**self.cleaning)).microstructure
        return whole.crop(slice(self.row, self.row + SIDE), slice(self.column, self.column + SIDE))


@dataclass(frozen=True, kw_only=True)
class Published(Micrograph):
    """A micrograph of a public repository, which a user saves under ``file``; its bytes are checked."""

    what: str
    licence: str
    repository: str
    commit: str
    inside: str  # path within the repository
    sha256: str

    @property
    def address(self) -> str:
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{quote(self.inside)}"

    def path(self) -> Path:
        found = in_data_folders(self.file)
        for path in found:
            if hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256:
                return path
        said = f"{found[0]} has other bytes than expected" if found else f"{self.file} is in no folder of MATLENS_DATA"
        raise AbsentError(f"{said}: save {self.address} as {self.file} in such a folder")


@dataclass(frozen=True)
class Synthetic:
    """A texture of `matlens.microstructure.problems`, not periodic."""

    problem: str
    options: dict[str, Any]

    def path(self) -> None:
        """Nothing is needed."""

    def __call__(self) -> Any:
        from matlens.microstructure import problems

        return getattr(problems, self.problem)((SIDE, SIDE), seed=2018, periodic=False, **self.options)


def in_data_folders(file: str) -> list[Path]:
    """All files of this name in the folders of MATLENS_DATA."""
    folders = (Path(part) for part in os.environ.get("MATLENS_DATA", "").split(os.pathsep) if part)
    return [found for folder in folders for found in sorted(folder.rglob(file))]
