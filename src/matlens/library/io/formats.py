"""The formats of files of spectra and tables; importing this module loads none of their readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matlens.core.late import imported

__all__ = ["SPECTRUM_FORMATS", "TABLE_FORMATS", "TEXT_SUFFIXES", "FileFormat", "find_format"]

TEXT_SUFFIXES = (".txt", ".csv", ".tsv", ".dat", ".xy", ".asc", ".prn")


@dataclass(frozen=True)
class FileFormat:
    """A format of files of spectra or tables.

    Attributes
    ----------
    name : str
        As users call it.
    suffixes : tuple of str
        Endings of file names, with the dot, in lower case.
    read : str
        Its reader as ``"module:function"``, imported when the first such file is read. A reader of spectra takes the
        path and returns `Spectra`, one for a file of a sample or many. A reader of tables takes the path and the name
        of the asked sheet (None where none is asked), and returns rows of texts.
    recognise : str or None
        A function as ``"module:function"`` that takes the path and returns whether the content is of this format, where
        the suffix alone does not tell.

    Examples
    --------
    >>> find_format("table.xlsx", TABLE_FORMATS).name
    'workbook'
    """

    name: str
    suffixes: tuple[str, ...]
    read: str
    recognise: str | None = None

    def fits(self, path: Path) -> bool:
        """Return whether a file is of this format, by its suffix and content."""
        return path.suffix.lower() in self.suffixes and (self.recognise is None or bool(imported(self.recognise)(path)))

    def load(self) -> Callable[..., Any]:
        """Import the reader."""
        loaded: Callable[..., Any] = imported(self.read)
        return loaded


SPECTRUM_FORMATS: list[FileFormat] = [
    FileFormat(
        "two columns of text",
        TEXT_SUFFIXES,
        "matlens.library.io.text_spectra:read_two_columns",
        recognise="matlens.library.io.text_spectra:is_two_columns",
    ),
]

# What is of none of these is read as a table of text.
TABLE_FORMATS: list[FileFormat] = [
    FileFormat("workbook", (".xlsx", ".xlsm"), "matlens.library.io.workbook:read_workbook"),
]


def find_format(path: str | os.PathLike[str], formats: Sequence[FileFormat]) -> FileFormat | None:
    """Find the first format that a file fits.

    Parameters
    ----------
    path : path-like
        The file.
    formats : sequence of FileFormat
        ``SPECTRUM_FORMATS`` or ``TABLE_FORMATS``.

    Returns
    -------
    FileFormat or None
        None for a hidden file, and where no format fits.

    Examples
    --------
    >>> find_format("a.docx", SPECTRUM_FORMATS) is None
    True
    """
    file = Path(path)
    return None if file.name.startswith(".") else next((found for found in formats if found.fits(file)), None)
