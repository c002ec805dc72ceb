"""Workbooks: the rows of a sheet of an XLSX file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from matlens.core.guard import reading
from matlens.core.memory import check_memory
from matlens.errors import InputError
from matlens.library.io.marks import Exact
from matlens.library.table import named

__all__ = ["read_workbook", "refuse_spreadsheet", "sheets_asked"]

_COPIES = 12  # of the unpacked XML: its tree of a row, and the cells as Python's texts


def read_workbook(path: Path, sheet: str | None = None) -> list[list[str]]:
    """Read the rows of a sheet as texts; formulas are read as the values that were stored with them.

    Parameters
    ----------
    path : Path
        The file.
    sheet : str, optional
        Name of the sheet; by default the only one with rows of numbers, or the first where none has.

    Returns
    -------
    list of list of str
        Cells of each row, empty ones included, up to the last column that is filled anywhere.

    Raises
    ------
    InputError
        If the file is damaged, has no such sheet, or has numbers on several sheets and none is named.

    Examples
    --------
    >>> import tempfile
    >>> import openpyxl
    >>> book, path = openpyxl.Workbook(), Path(tempfile.mkdtemp()) / "table.xlsx"
    >>> book.active.append(["Fe", 0.5])
    >>> book.save(path)
    >>> read_workbook(path)
    [['Fe', '0.5']]
    """
    with reading(path, "a workbook", "save it again, or as CSV"):
        return _rows(path, sheet)


def _rows(path: Path, sheet: str | None) -> list[list[str]]:
    book = _opened(path)
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise InputError(f"{path.name} has no sheet {sheet!r}; it has {named(book.sheetnames)}.")
        pages = (
            [book[sheet]] if sheet is not None else [page for page in book.worksheets if page.sheet_state == "visible"]
        )
        read = {page.title: _texts(page) for page in pages}
    finally:
        book.close()
    tables = {title: rows for title, rows in read.items() if sheet is not None or _has_numbers(rows)}
    if len(tables) > 1:
        found = "; ".join(f"{title!r} with {named(_names(rows))}" for title, rows in tables.items())
        raise InputError(
            f"{path.name} has tables on {len(tables)} sheets ({found}); name one by --sheet, or several with a row for "
            f"each sample, which are joined by its id: --sheet {','.join(tables)}."
        )
    chosen, rows = next(iter((tables or read).items()), ("", []))
    width = max((k + 1 for row in rows for k, cell in enumerate(row) if cell), default=0)
    if any(2 * sum(map(bool, row)) >= width > sum(map(bool, row)) for row in rows):
        _check_stored(path, chosen)
    return [row[:width] + [""] * (width - len(row)) for row in rows]


def sheets_asked(path: Path, text: str) -> list[str]:
    """Split a list of sheets at its commas, but not at those within the names of sheets.

    Parameters
    ----------
    path : Path
        The file.
    text : str
        Names of sheets, separated by commas.

    Returns
    -------
    list of str
        The names; what is between commas where the file has no such sheet.

    Raises
    ------
    InputError
        If the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> import openpyxl
    >>> book, path = openpyxl.Workbook(), Path(tempfile.mkdtemp()) / "table.xlsx"
    >>> book.active.title = "Fe, Co"
    >>> book.save(path)
    >>> sheets_asked(path, "Fe, Co"), sheets_asked(path, "PEC,Fe, Co")
    (['Fe, Co'], ['PEC', 'Fe, Co'])
    """
    book = _opened(path)
    there = set(book.sheetnames)
    book.close()
    parts, found = text.split(","), []
    while parts:
        # The longest name that exists comes first; a name that does not is refused when it is read.
        size = next((k for k in range(len(parts), 0, -1) if ",".join(parts[:k]).strip() in there), 1)
        found.append(",".join(parts[:size]).strip())
        parts = parts[size:]
    return found


def refuse_spreadsheet(path: Path, sheet: str | None = None) -> list[list[str]]:
    """Refuse a spreadsheet in a format that is not read, and say how it can be saved.

    Parameters
    ----------
    path : Path
        The file.
    sheet : str, optional
        Name of the sheet.

    Returns
    -------
    list of list of str
        Never.

    Raises
    ------
    InputError
        Always.

    Examples
    --------
    >>> refuse_spreadsheet(Path("old.xls"))
    Traceback (most recent call last):
    matlens.errors.InputError: old.xls is a spreadsheet in a format that is not read (.xls); save it as XLSX or CSV.
    """
    raise InputError(
        f"{path.name} is a spreadsheet in a format that is not read ({path.suffix}); save it as XLSX or CSV."
    )


def _opened(path: Path) -> Any:
    import openpyxl  # slow to import, and most tables are text

    with reading(path, "a workbook", "save it again, or as CSV"):
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
        check_memory(size * _COPIES, path.name, "save the sheet as CSV, without what is no table")
        return openpyxl.load_workbook(path, read_only=True, data_only=True)


def _check_stored(path: Path, sheet: str) -> None:
    """Refuse formulas whose values the file does not hold, which would be read as blanks."""
    import openpyxl

    values, formulas = (openpyxl.load_workbook(path, read_only=True, data_only=only) for only in (True, False))
    try:
        for book in (values, formulas):
            book[sheet].reset_dimensions()
        pairs = zip(values[sheet].iter_rows(), formulas[sheet].iter_rows(), strict=True)
        empty = (
            formula.coordinate
            for shown, written in pairs
            for value, formula in zip(shown, written, strict=True)
            if value.value is None and formula.value is not None
        )
        place = next(empty, None)
    finally:
        values.close()
        formulas.close()
    if place is not None:
        raise InputError(
            f"{path.name} has a formula without its value in cell {place} of sheet {sheet!r}; open the file in a "
            "spreadsheet program and save it there, which computes the values."
        )


def _texts(page: Any) -> list[list[str]]:
    """Rows of a sheet without the empty cells at their ends."""
    page.reset_dimensions()  # several programs write a wrong extent, which would cut the sheet
    rows = []
    for row in page.iter_rows():
        texts = list(map(_text, row))
        while texts and not texts[-1]:
            texts.pop()
        rows.append(texts)
    return rows


def _text(cell: Any) -> str:
    """Write what a cell shows: a number with the format of a percentage is shown times 100, with a percent sign."""
    value = cell.value
    if value is None:
        return ""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    shown = f"{value * 100:.12g}%" if "%" in (getattr(cell, "number_format", "") or "") else value
    return Exact(shown)


def _has_numbers(rows: list[list[str]]) -> bool:
    """Whether at least two rows have a number and another cell."""
    filled = [[cell for cell in row if cell] for row in rows]
    return sum(len(row) > 1 and any(any(map(str.isdigit, cell)) for cell in row) for row in filled) > 1


def _names(rows: list[list[str]]) -> list[str]:
    """The cells of the first row that is filled as far as any."""
    filled = [[cell for cell in row if cell] for row in rows]
    return max(filled, key=len, default=[])
