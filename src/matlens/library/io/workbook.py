"""Workbooks: the rows of a sheet of an XLSX file."""

from __future__ import annotations

from pathlib import Path

from matlens.errors import InputError
from matlens.library.table import named

__all__ = ["read_workbook"]


def read_workbook(path: Path, sheet: str | None = None) -> list[list[str]]:
    """Read the rows of a sheet as texts; formulas are read as the values that were stored with them.

    Parameters
    ----------
    path : Path
        The file.
    sheet : str, optional
        Name of the sheet; by default the first.

    Returns
    -------
    list of list of str
        Cells of each row, empty ones included, up to the last column that is filled anywhere.

    Raises
    ------
    InputError
        If the file is damaged, or has no such sheet.

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
    import openpyxl  # slow to import, and most tables are text

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except OSError:
        raise
    except Exception as error:  # openpyxl has no common error: bad archives, bad XML, missing parts
        raise InputError(f"{path.name} cannot be read as a workbook ({error}); save it again, or as CSV.") from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise InputError(f"{path.name} has no sheet {sheet!r}; it has {named(book.sheetnames)}.")
        page = book[sheet] if sheet is not None else book.worksheets[0]
        rows = [["" if cell is None else str(cell) for cell in row] for row in page.iter_rows(values_only=True)]
    finally:
        book.close()
    width = max((k + 1 for row in rows for k, cell in enumerate(row) if cell), default=0)
    return [row[:width] + [""] * (width - len(row)) for row in rows]
