"""Tables as CSV text, safe to open in a spreadsheet program."""

from __future__ import annotations

import csv
from typing import Any

import pandas as pd

from matlens.core.user_text import spreadsheet_cell

__all__ = ["csv_text"]


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
    columns: list[Any] = [table.iloc[:, k].map(_cell) if k in texts else table.iloc[:, k] for k in range(len(heads))]
    safe: pd.DataFrame = pd.concat(columns, axis=1) if columns else table
    broken = any("\r" in str(value) for k in texts for value in columns[k]) or any("\r" in head for head in heads)
    # The csv module quotes no cell for a carriage return, at which readers end a row.
    quoting: Any = csv.QUOTE_NONNUMERIC if broken else csv.QUOTE_MINIMAL
    return safe.to_csv(index=False, header=heads, lineterminator="\n", quoting=quoting)


def _cell(value: Any) -> Any:
    return spreadsheet_cell(value) if isinstance(value, str) else value
