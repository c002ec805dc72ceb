"""The table of a source: found, read, restored where MatLens wrote it, and cleared of what is no value of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.folders import table_and_spectra
from matlens.library.io.formats import TABLE_FORMATS, find_format
from matlens.library.io.numerals import value_of
from matlens.library.io.options import LibraryOptions
from matlens.library.io.text_table import TextTable, read_table
from matlens.library.io.values import without_signs, without_summaries
from matlens.library.io.writing import is_written, read_written
from matlens.library.table import MaterialsLibrary

__all__ = ["Cleared", "SourceTable", "cleared", "restored", "table_of"]


@dataclass(frozen=True)
class SourceTable:
    """The table of a source, before any column is understood.

    Attributes
    ----------
    table : TextTable
        The table.
    file : Path
        Its file.
    folder : Path or None
        The folder, where the source is one.
    spectra : Path or None
        File or folder of spectra that are not in the table.
    """

    table: TextTable
    file: Path
    folder: Path | None
    spectra: Path | None


def table_of(source: Path, options: LibraryOptions) -> SourceTable:
    """Find and read the table of a file or folder.

    Parameters
    ----------
    source : Path
        Table, or folder with one.
    options : LibraryOptions
        How it is written.

    Returns
    -------
    SourceTable
        The table and where it lies.

    Raises
    ------
    InputError
        If there is no table, or more than one.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "t.csv"
    >>> _ = path.write_text("Fe,Co,P\\n0.5,0.5,1\\n")
    >>> table_of(path, LibraryOptions()).table.columns
    ['Fe', 'Co', 'P']
    """
    layout = options.layout()
    spectra = None if options.spectra is None else Path(options.spectra)
    folder = source if source.is_dir() else None
    if folder is not None:
        source, beside = table_and_spectra(folder, layout)
        spectra = spectra or beside
    if options.sheet is not None and find_format(source, TABLE_FORMATS) is None:
        raise InputError(f"{source.name} is a table of text and has no sheets; leave out --sheet {options.sheet!r}.")
    return SourceTable(read_table(source, layout), source, folder, spectra)


def restored(table: TextTable, options: LibraryOptions) -> MaterialsLibrary | None:
    """Restore a library that MatLens wrote, unless options say that its columns are something else.

    Parameters
    ----------
    table : TextTable
        The table.
    options : LibraryOptions
        Options of reading.

    Returns
    -------
    MaterialsLibrary or None
        The library; None for any other table.

    Examples
    --------
    >>> restored(TextTable("t.csv", (), ["Fe"], [2], [["1"]]), LibraryOptions()) is None
    True
    """
    if not is_written(table) or not set(options.settings()) <= {"merits", "components", "sites", "ignore_unread"}:
        return None
    library = read_written(table)
    on_sites = {name: site for site, names in options.members().items() for name in names}
    try:
        for name in options.merits:
            library.merit_name(name)
    except InputError:  # another column is meant, or none: the plain reader says which
        return None
    known = dict(zip(library.components, library.sites, strict=False))
    same = set(options.components or library.components) == set(library.components)
    return library if same and (on_sites or known) == known else None


@dataclass(frozen=True)
class Cleared:
    """A table without what is no value of a sample.

    Attributes
    ----------
    table : TextTable
        Without codes of missing values, rows that sum others up, and signs before numbers.
    notes : tuple of str
        What was left out.
    signs : dict of int to ndarray of int8
        Signs of limits by column.
    below : dict of int to ndarray of bool
        Cells below a limit of detection by column.
    """

    table: TextTable
    notes: tuple[str, ...]
    signs: dict[int, NDArray[np.int8]]
    below: dict[int, NDArray[np.bool_]]


def cleared(table: TextTable, options: LibraryOptions) -> Cleared:
    """Take out of a table what is no value of a sample.

    Parameters
    ----------
    table : TextTable
        The table.
    options : LibraryOptions
        Codes of missing values.

    Returns
    -------
    Cleared
        The table, and what was taken out.

    Examples
    --------
    >>> cleared(TextTable("t.csv", (), ["P"], [2, 3], [[">10"], ["2"]]), LibraryOptions()).table.rows
    [['10'], ['2']]
    """
    kept, notes = without_summaries(_without_codes(table, options.missing))
    plain, signs, below = without_signs(kept)
    return Cleared(plain, notes, signs, below)


def _without_codes(table: TextTable, codes: Sequence[str]) -> TextTable:
    """Blank cells that hold a code of a missing value."""
    numbers = {value_of(code) for code in codes}
    if not codes:
        return table

    def cleared(cell: str) -> str:
        return "" if cell.strip() in codes or value_of(cell) in numbers else cell

    return replace(table, rows=[[cleared(cell) for cell in row] for row in table.rows])
