"""The formats of files of spectra and tables; importing this module loads none of their readers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matlens.core.late import imported
from matlens.library.io.layout import DEFAULT, Layout

__all__ = [
    "SPECTRUM_FORMATS",
    "TABLE_FORMATS",
    "TEXT_SUFFIXES",
    "FileFormat",
    "export_advice",
    "find_format",
    "is_document",
]

_NUMBERED = re.compile(r"\.\d+")
SPREADSHEETS = (".xls", ".xlsb", ".ods", ".fods", ".numbers")  # not read; the user learns how to save them
TEXT_SUFFIXES = (".txt", ".csv", ".tsv", ".dat", ".xy", ".asc", ".prn")


@dataclass(frozen=True)
class FileFormat:
    """A format of files of spectra or tables.

    Attributes
    ----------
    name : str
        As users call it.
    suffixes : tuple of str
        Endings of file names, with the dot, in lower case; ``.0`` stands for all numbers, as OPUS counts its files.
    read : str
        Its reader as ``"module:function"``, imported when the first such file is read. A reader of spectra takes the
        path and returns `Spectra`, one for a file of a sample or many. A reader of tables takes the path and the name
        of the asked sheet (None where none is asked), and returns rows of texts.
    recognise : str or None
        A function as ``"module:function"`` that takes the path and returns whether the content is of this format, where
        the suffix alone does not tell.
    text : bool
        Whether the reader and ``recognise`` take the `Layout` after the path, as those of files of text do.

    Examples
    --------
    >>> find_format("table.xlsx", TABLE_FORMATS).name
    'workbook'
    """

    name: str
    suffixes: tuple[str, ...]
    read: str
    recognise: str | None = None
    text: bool = False

    def fits(self, path: Path, layout: Layout = DEFAULT) -> bool:
        """Return whether a file is of this format, by its suffix and content."""
        if _NUMBERED.sub(".0", path.suffix.lower()) not in self.suffixes:
            return False
        more = (layout,) if self.text else ()
        return self.recognise is None or bool(imported(self.recognise)(path, *more))

    def open(self, path: Path, layout: Layout = DEFAULT) -> Any:
        """Read a file of spectra."""
        return self.load()(path, *((layout,) if self.text else ()))

    def load(self) -> Callable[..., Any]:
        """Import the reader."""
        loaded: Callable[..., Any] = imported(self.read)
        return loaded


_HERE = "matlens.library.io"

SPECTRUM_FORMATS: list[FileFormat] = [
    FileFormat("Renishaw WiRE", (".wdf",), f"{_HERE}.renishaw:read_wdf", recognise=f"{_HERE}.renishaw:is_wdf"),
    FileFormat("GRAMS", (".spc",), f"{_HERE}.grams:read_spc", recognise=f"{_HERE}.grams:is_spc"),
    FileFormat(
        "JCAMP-DX", (".jdx", ".dx", ".jcm"), f"{_HERE}.jcamp:read_jcamp", recognise=f"{_HERE}.jcamp:is_jcamp", text=True
    ),
    FileFormat("Bruker OPUS", (".opus", ".0"), f"{_HERE}.opus:read_opus", recognise=f"{_HERE}.opus:is_opus", text=True),
    FileFormat("Bruker RAW", (".raw",), f"{_HERE}.bruker:read_raw", recognise=f"{_HERE}.bruker:is_raw"),
    FileFormat("Bruker BRML", (".brml",), f"{_HERE}.bruker:read_brml"),
    FileFormat("PANalytical XRDML", (".xrdml",), f"{_HERE}.diffractometers:read_xrdml"),
    FileFormat("Rigaku RAS", (".ras",), f"{_HERE}.diffractometers:read_ras", text=True),
    FileFormat("Rigaku RASX", (".rasx",), f"{_HERE}.diffractometers:read_rasx"),
    FileFormat(
        "columns of text",
        (*TEXT_SUFFIXES, ".xye"),
        f"{_HERE}.text_spectra:read_spectrum_text",
        recognise=f"{_HERE}.text_spectra:is_spectrum_text",
        text=True,
    ),
]

# What is of none of these is read as a table of text.
TABLE_FORMATS: list[FileFormat] = [
    FileFormat("workbook", (".xlsx", ".xlsm"), "matlens.library.io.workbook:read_workbook"),
    FileFormat("other spreadsheet", SPREADSHEETS, "matlens.library.io.workbook:refuse_spreadsheet"),
]


def find_format(
    path: str | os.PathLike[str], formats: Sequence[FileFormat], layout: Layout = DEFAULT
) -> FileFormat | None:
    """Find the first format that a file fits.

    Parameters
    ----------
    path : path-like
        The file.
    formats : sequence of FileFormat
        ``SPECTRUM_FORMATS`` or ``TABLE_FORMATS``.
    layout : Layout
        How files of text are written, where they do not say.

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
    return None if file.name.startswith(".") else next((one for one in formats if one.fits(file, layout)), None)


# Formats of instruments that are not read, and how their files become readable.
_CLOSED = {
    ".wdf": "no whole file of Renishaw WiRE; copy it again, or export it as text",
    ".spc": "no file of GRAMS, but maybe of EDAX; export it as text",
    ".l6m": "a map of HORIBA LabSpec; export it as text",
    ".l6s": "a file of HORIBA LabSpec; export it as text",
    ".wip": "a project of WITec; export it as text",
    ".raw": "no RAW file of Bruker, but maybe of Rigaku or another maker; export it as text (.xy)",
    ".opus": "no file of Bruker OPUS; export it as text",
    ".spa": "a file of Thermo OMNIC; export it as text",
    ".jdx": "no JCAMP-DX file; export it again",
    ".dx": "no JCAMP-DX file; export it again",
    ".gz": "a compressed file; unpack it",
    ".zip": "a compressed file; unpack it",
    ".xz": "a compressed file; unpack it",
    ".bz2": "a compressed file; unpack it",
}
_DOCUMENTS = re.compile(
    r"\.(md|rst|pdf|docx?|pptx?|py|ipynb|m|r|json|ya?ml|toml|html?|png|jpe?g|gif|svg|tiff?|bmp|log|ini|cfg|bib|db)"
)
_DOCUMENT_NAMES = ("readme", "read_me", "license", "licence", "changelog", "citation", "notes")


def export_advice(path: Path) -> str:
    """Say what a file of an instrument is that is not read, and how to export it.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        What it is and what to do; "" for other files.

    Examples
    --------
    >>> export_advice(Path("a.wip"))
    'a project of WITec; export it as text'
    """
    suffix = path.suffix.lower()
    return _CLOSED[".opus"] if _NUMBERED.fullmatch(suffix) else _CLOSED.get(suffix, "")


def is_document(path: Path) -> bool:
    """Return whether a file is for people, such as a readme or a picture, so that nobody expects it to be read.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> is_document(Path("README.txt")), is_document(Path("a.txt"))
    (True, False)
    """
    return _DOCUMENTS.fullmatch(path.suffix.lower()) is not None or path.stem.lower().startswith(_DOCUMENT_NAMES)
