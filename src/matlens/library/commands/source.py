"""A library as a run names it: the place of its file, how it is read, and what it was when the run started."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from matlens.errors import InputError
from matlens.library.io import LibraryOptions, read_library
from matlens.library.table import MaterialsLibrary

__all__ = ["LibrarySource", "is_library", "library_digest"]

_TABLES = (".csv", ".tsv", ".txt", ".dat", ".xlsx", ".xlsm")
_ARRAYS = (".h5", ".hdf5", ".npy", ".npz", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")


def is_library(source: str | os.PathLike[str]) -> bool:
    """Tell whether a path is a library's (a table, or a folder of tables) or one of structures (pictures, arrays).

    Examples
    --------
    >>> is_library("library.csv"), is_library("structures.h5")
    (True, False)
    """
    place = Path(source)
    if not place.is_dir():
        return place.suffix.lower() in _TABLES
    kinds = {file.suffix.lower() for file in place.iterdir() if file.is_file() and not file.name.startswith(".")}
    return bool(kinds & set(_TABLES)) and not kinds & set(_ARRAYS)


@dataclass(frozen=True)
class LibrarySource:
    """Where a library lies.

    Parameters
    ----------
    path : str
        A table or a folder; absolute in a settings file.
    reading : mapping
        Settings of `matlens.library.io.LibraryOptions`.
    digest : str
        What was read when the run started.

    Examples
    --------
    >>> source = LibrarySource("library.csv", {"merits": ["P"]})
    >>> LibrarySource.of(source.settings()) == replace(source, path=os.path.abspath("library.csv"))
    True
    """

    path: str
    reading: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    def settings(self) -> dict[str, Any]:
        """Give it as a settings file holds it."""
        return {"library": os.path.abspath(self.path), "reading": dict(self.reading), "digest": self.digest}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> LibrarySource:
        """Read it back."""
        return cls(settings["library"], dict(settings["reading"]), settings["digest"])

    def read(self, *, learned: bool = True) -> MaterialsLibrary:
        """Read the library; it must be the one that the run started with.

        Unless it is ``learned`` from, all compositions may be the same.

        Raises
        ------
        InputError
            If the file cannot be used, or has changed.
        """
        found = read_library(Path(self.path), options=LibraryOptions(**self.reading), varied=learned)
        if self.digest and self.digest != library_digest(found):
            raise InputError(f"{self.path} has changed since the run started; put the old one back or start a new run.")
        return found

    def resolved(self, library: MaterialsLibrary) -> LibrarySource:
        """Note what the library is."""
        return replace(self, digest=library_digest(library))


def library_digest(library: MaterialsLibrary) -> str:
    """Compute the SHA-256 of all numbers and names that are learned from.

    Examples
    --------
    >>> one, other = (MaterialsLibrary([[1.0]], ("Fe",), {"P": [value]}) for value in (1, 2))
    >>> len(library_digest(one)), library_digest(one) == library_digest(other)
    (64, False)
    """
    found = hashlib.sha256()
    names = (library.components, library.samples, tuple(library.merits), library.fraction_name)
    found.update(repr(names).encode())
    arrays = (library.compositions, library.merits.to_numpy(np.float64), library.spectra, library.axis)
    for array in arrays:
        if array is not None:
            found.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    if library.censored is not None:
        found.update(library.censored.to_numpy(np.int8).tobytes())
    return found.hexdigest()
