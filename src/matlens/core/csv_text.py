"""Tables as CSV text, safe to open in a spreadsheet program."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

import pandas as pd

from matlens.core.user_text import spreadsheet_cell

__all__ = ["csv_text", "quoting_of", "safe_cell"]


def csv_text(table: pd.DataFrame) -> str:
    """Write a table as CSV text that no spreadsheet program takes for formulas.

    Parameters
    ----------
    table : DataFrame
        Table; its index is not written.

    Returns
    -------
    str
        The text; `matlens.runs.tables.parse_table` reads the same texts and numbers.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"phase": ["=cmd()", "001"], "fraction": [0.5, 0.5]}))
    "phase,fraction\\n'=cmd(),0.5\\n001,0.5\\n"
    """
    heads = [spreadsheet_cell(str(column)) for column in table.columns]
    texts = {k for k in range(table.shape[1]) if table.iloc[:, k].dtype.kind not in "biufc"}
    columns: list[Any] = [
        table.iloc[:, k].map(safe_cell) if k in texts else table.iloc[:, k] for k in range(len(heads))
    ]
    safe: pd.DataFrame = pd.concat(columns, axis=1) if columns else table
    quoting = quoting_of([*heads, *(value for k in texts for value in columns[k])])
    return safe.to_csv(index=False, header=heads, lineterminator="\n", quoting=quoting)


def quoting_of(cells: Iterable[Any]) -> Any:
    """Choose how the cells of a table are quoted.

    Parameters
    ----------
    cells : iterable
        Texts among them decide.

    Returns
    -------
    int
        A constant of the csv module, which by itself quotes no cell for a carriage return, at which readers end a row.

    Examples
    --------
    >>> quoting_of(["a", 1]) == csv.QUOTE_MINIMAL, quoting_of(["a\\rb"]) == csv.QUOTE_NONNUMERIC
    (True, True)
    """
    broken = any(isinstance(cell, str) and "\r" in cell for cell in cells)
    return csv.QUOTE_NONNUMERIC if broken else csv.QUOTE_MINIMAL


def safe_cell(value: Any) -> Any:
    """Make a text safe for spreadsheet programs (see `matlens.core.user_text.spreadsheet_cell`); other values stay.

    Parameters
    ----------
    value : object
        Value of a cell.

    Returns
    -------
    object
        The cell.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell(-1)
    ("'=1+1", -1)
    """
    return spreadsheet_cell(value) if isinstance(value, str) else value
