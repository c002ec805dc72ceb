"""Tables of a run as sheets of an Excel file; the same numbers give the same bytes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from io import BytesIO

import pandas as pd

from matlens.runs.directory import RunDirectory

__all__ = ["write_workbook"]

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP archive can hold
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def write_workbook(run: RunDirectory, name: str, sheets: Mapping[str, pd.DataFrame]) -> None:
    """Write tables as the sheets of ``NAME.xlsx``.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Name of the file without extension.
    sheets : mapping of str to DataFrame
        The tables; an index is not written. Texts that a spreadsheet would take for formulas are written as texts.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "batch characterize", {})
    >>> write_workbook(run, "batch", {"values": pd.DataFrame({"value": [0.5]})})
    >>> pd.read_excel(run.path / "batch.xlsx", sheet_name="values")["value"].tolist()
    [0.5]
    """
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, table in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(list(table.columns))
        for row in table.astype(object).where(table.notna(), None).itertuples(index=False):
            sheet.append(list(row))
        for cells in sheet.iter_rows():
            for cell in cells:
                if isinstance(cell.value, str):
                    cell.data_type = "s"  # never a formula
        sheet.freeze_panes = "A2"
    written = BytesIO()
    book.save(written)
    with run.writing(f"{name}.xlsx") as file:
        _without_times(written, file)


def _without_times(written: BytesIO, file: BytesIO) -> None:
    """Copy a workbook without the times that it was made at."""
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "docProps/core.xml":
                content = _TIME.sub(b"1980-01-01T00:00:00Z", content)
            new.writestr(zipfile.ZipInfo(entry.filename, _EPOCH), content, zipfile.ZIP_DEFLATED)
