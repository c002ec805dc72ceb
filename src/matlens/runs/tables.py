"""Tables of a run as CSV files; the same numbers give the same bytes, and names come back as they were written."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.csv_text import csv_text
from matlens.core.guard import reading
from matlens.core.user_text import plain_cell
from matlens.errors import RunError
from matlens.runs.directory import RunDirectory

__all__ = ["parse_table", "read_table", "write_table"]

# Columns with names that users gave: such a name may look like a number, a truth or a missing value.
_NAMES = frozenset({
    "components", "component", "family", "file", "first", "fold", "input", "material", "name", "phase", "property",
    "region", "sample", "second", "sentence", "source", "structure", "subject", "system", "target", "unit",
})  # fmt: skip
_WHOLE = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf|nan)")


def write_table(run: RunDirectory, name: str, table: pd.DataFrame) -> None:
    """Write a table as ``NAME.csv``, with all digits of its numbers.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Name of the file without extension.
    table : DataFrame
        Table; its index is not written.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "compare", {})
    >>> write_table(run, "errors", pd.DataFrame({"error": [0.1]}))
    >>> (run.path / "errors.csv").read_text()
    'error\\n0.1\\n'
    """
    with run.writing(f"{name}.csv") as file:
        file.write(csv_text(table).encode())


def read_table(run: RunDirectory, name: str) -> pd.DataFrame | None:
    """Read a table of a run.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Name of the file without extension.

    Returns
    -------
    DataFrame or None
        None if the run has no such table, or an empty one.

    Raises
    ------
    RunError
        If the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "compare", {})
    >>> write_table(run, "errors", pd.DataFrame({"error": [0.1]}))
    >>> read_table(run, "errors")["error"].tolist(), read_table(run, "verdicts")
    ([0.1], None)
    """
    file = run.path / f"{name}.csv"
    if not file.is_file():
        return None
    with reading(file, "a table of a run", f"make it again with 'matlens resume {run.path}', or restore it", RunError):
        return parse_table(file) if file.read_text(encoding="utf-8").strip() else None


def parse_table(file: Path) -> pd.DataFrame:
    """Read a table that `csv_text` wrote.

    Parameters
    ----------
    file : Path
        CSV file.

    Returns
    -------
    DataFrame
        Columns of names as texts; other columns as truths, whole numbers or floats with every digit where all their
        cells are, else as texts. Empty cells are missing values.

    Raises
    ------
    ValueError
        If the file is empty, the rows differ in length, or a column is named twice.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = file.write_text(csv_text(pd.DataFrame({"phase": ["NA", "1"], "share": [0.1, 0.9]})))
    >>> parse_table(file).to_dict("list")
    {'phase': ['NA', '1'], 'share': [0.1, 0.9]}
    """
    with file.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream, strict=True))
    if not lines:
        raise ValueError("it is empty")
    heads, *rows = [line for line in lines if line] or [[]]
    heads = [plain_cell(head) for head in heads]
    if len(set(heads)) < len(heads) or any(len(row) != len(heads) for row in rows):
        raise ValueError(f"not every row has one cell for each of {len(heads)} columns with names of their own")
    cells = zip(*rows) if rows else [()] * len(heads)
    return pd.DataFrame({head: _column(head, column) for head, column in zip(heads, cells)}, columns=heads)


def _column(head: str, cells: Sequence[str]) -> pd.Series[Any]:
    words = set(cells) - {""}
    if head not in _NAMES and words:
        if words <= {"True", "False"}:
            found = [{"True": True, "False": False}.get(cell, np.nan) for cell in cells]
            return pd.Series(found, dtype=object if "" in cells else np.bool_)
        if "" not in cells and all(_WHOLE.fullmatch(word) for word in words):
            return pd.Series(np.array(cells, dtype=np.int64))
        if all(_NUMBER.fullmatch(word) for word in words):
            return pd.Series(np.array([cell or "nan" for cell in cells], dtype=np.float64))
    if not words and head not in _NAMES:
        return pd.Series(np.full(len(cells), np.nan))
    return pd.Series([plain_cell(cell) if cell else np.nan for cell in cells], dtype="str")
