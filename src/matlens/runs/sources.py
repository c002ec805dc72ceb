"""Inputs of a run: short names for headings, and the side of MatLens that they belong to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

__all__ = ["PROBLEM", "kind_of_source", "short_names"]

_TABLES = frozenset({".csv", ".tsv", ".txt", ".dat", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
_ARRAYS = frozenset({".h5", ".hdf5", ".npy", ".npz", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp"})
PROBLEM = "problem:"  # "problem:gravel" is a structure that MatLens makes itself


def short_names(sources: Sequence[str]) -> list[str]:
    """Return a short name of each input, numbered where two files share one.

    Parameters
    ----------
    sources : sequence of str
        Paths, or ``problem:NAME``.

    Returns
    -------
    list of str
        Names without folder and extension.

    Examples
    --------
    >>> short_names(["a/slice.tif", "b/slice.tif", "problem:gravel"])
    ['slice (1)', 'slice (2)', 'gravel']
    """
    short = [s.removeprefix(PROBLEM) if s.startswith(PROBLEM) else Path(s).stem for s in sources]
    return [name if short.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(short)]


def kind_of_source(source: str | os.PathLike[str]) -> Literal["structures", "library", "unknown"]:
    """Return the kind of a file or folder by its names: structures (images, arrays) or a library (tables).

    A folder with both holds structures, as labelled structures come with tables.

    Parameters
    ----------
    source : path-like
        File or folder.

    Returns
    -------
    {"structures", "library", "unknown"}
        Kind of the content.

    Examples
    --------
    >>> kind_of_source("library.csv"), kind_of_source("structures.h5"), kind_of_source("notes.md")
    ('library', 'structures', 'unknown')
    """
    place = Path(source)
    files = place.iterdir() if place.is_dir() else [place]
    kinds = {file.suffix.lower() for file in files if not file.name.startswith(".") and not file.is_dir()}
    if kinds & _ARRAYS:
        return "structures"
    return "library" if kinds & _TABLES else "unknown"
