"""Tables as they stand in a file: rows of text under column names, with the line each row came from."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.table import named

__all__ = ["WRITTEN", "TextTable", "read_rows", "read_table"]

WRITTEN = "# matlens library"  # begins the tables that `write_library` makes
_MISSING = frozenset(("", "nan", "na", "n/a", "-", "none", "null", "#n/a"))
_DELIMITERS = (";", "\t", ",")  # between semicolons a comma may be the decimal point
_LOOKED_AT = 50  # lines that tell how a file is laid out
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_LIMIT = re.compile(r"\s*([<>])=?\s*(.+)")

Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Parameters
    ----------
    name : str
        The file's name, for messages.
    title : tuple of str
        The lines above the column names.
    columns : list of str
        Their names.
    lines : list of int
        Line of the file of each row.
    rows : list of list of str
        The cells.
    """

    name: str
    title: tuple[str, ...]
    columns: list[str]
    lines: list[int]
    rows: list[list[str]]

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, column: int) -> list[str]:
        """Give the cells of a column."""
        return [row[column].strip() for row in self.rows]

    def numbers(self, columns: Sequence[int], *, missing: bool = False) -> NDArray[np.float64]:
        """Read columns of numbers, shape (rows, columns); empty cells are NaN if ``missing`` is allowed.

        Raises
        ------
        InputError
            If a cell is no finite number; the message names lines and columns.
        """
        found = self.guessed(columns)
        bad = ~np.isfinite(found)
        if missing:
            bad &= ~self._blank(columns, bad)
        if bad.any():
            raise InputError(
                f"{self.name}: {self.places(columns, bad)}; finite numbers are expected there, correct it."
            )
        return found

    def guessed(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Read columns as numbers, NaN where a cell is none, shape (rows, columns)."""
        cells = [[row[column] for column in columns] for row in self.rows]
        try:
            return np.array(cells, dtype=np.float64).reshape(len(cells), len(columns))
        except ValueError:
            return np.array([[_number(cell) for cell in row] for row in cells]).reshape(len(cells), len(columns))

    def places(self, columns: Sequence[int], bad: NDArray[np.bool_]) -> str:
        """Name the cells where ``bad``, shape (rows, columns), is true."""
        return "found " + named(
            f"{self.rows[row][columns[k]].strip() or 'nothing'!r} in line {self.lines[row]}, "
            f"column {self.columns[columns[k]]!r}"
            for row, k in np.argwhere(bad)
        )

    def limits(self, column: int) -> tuple[TextTable, NDArray[np.int8]]:
        """Take ``>`` and ``<`` off the cells of a column; give the table without them, and 1, -1 or 0 a row."""
        matches = [_LIMIT.fullmatch(row[column]) for row in self.rows]
        signs = np.array([0 if match is None else 1 if match[1] == ">" else -1 for match in matches], dtype=np.int8)
        if not signs.any():
            return self, signs
        rows = [
            row if match is None else [*row[:column], match[2], *row[column + 1 :]]
            for row, match in zip(self.rows, matches, strict=True)
        ]
        return replace(self, rows=rows), signs

    def _blank(self, columns: Sequence[int], where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        blank = np.zeros(where.shape, dtype=bool)
        for row, k in np.argwhere(where):
            blank[row, k] = self.rows[row][columns[k]].strip().lower() in _MISSING
        return blank


def read_table(path: str | os.PathLike[str], sheet: str | None = None) -> TextTable:
    """Read a table with column names from a CSV, TSV or XLSX file.

    The first row that is as wide as most rows, and mostly filled, has the names; what stands above is the title.
    Commas, semicolons, tabs and blanks may separate columns, and decimals may be written with a comma between
    semicolons or tabs.

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, names a column twice, or has rows of another width.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = path.write_text("A title\\nSample,Bi,V\\n1,0.5,0.5\\n")
    >>> table = read_table(path)
    >>> table.columns, table.lines, table.numbers([1, 2]).tolist()
    (['Sample', 'Bi', 'V'], [3], [[0.5, 0.5]])
    """
    name, rows = Path(path).name, read_rows(path, sheet)
    width, _ = _common_width(row for _, row in rows)
    head = next((k for k, (_, row) in enumerate(rows) if len(row) == width and _filled(row) * 2 > width), 0)
    columns = [cell.strip() for cell in rows[head][1]] if rows else []
    if width < 2 or len(rows) - head < 2:
        raise InputError(
            f"{name} has {max(width, 0)} columns and {max(len(rows) - head - 1, 0)} rows under them where a table with "
            "column names is expected; check the file, and that columns are separated by commas, semicolons or tabs."
        )
    body = [(line, row) for line, row in rows[head + 1 :] if _filled(row)]
    uneven = [f"line {line} with {len(row)}" for line, row in body if len(row) != width]
    if uneven:
        raise InputError(f"{name} has {width} columns, but {named(uneven)} cells; complete or correct these lines.")
    kept = [k for k in range(width) if columns[k] or any(row[k].strip() for _, row in body)]
    title = tuple(" ".join(cell for cell in row if cell.strip()).strip() for _, row in rows[:head])
    columns = [columns[k] or f"column {k + 1}" for k in kept]
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InputError(f"{name} has the column {named(twice)} more than once; every column needs a name of its own.")
    cells = [row if len(kept) == width else [row[k] for k in kept] for _, row in body]
    return TextTable(name, title, columns, [line for line, _ in body], cells)


def read_rows(path: str | os.PathLike[str], sheet: str | None = None) -> Rows:
    """Read the rows of a text table or a workbook as (line, cells), without empty ones.

    Raises
    ------
    InputError
        If the file cannot be read as one.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "matrix.txt"
    >>> _ = path.write_text("37.0 37.1\\n\\n5 6\\n")
    >>> read_rows(path)
    [(1, ['37.0', '37.1']), (3, ['5', '6'])]
    """
    source = Path(path)
    try:
        if source.suffix.lower() in (".xlsx", ".xlsm"):
            return [(line, row) for line, row in enumerate(_workbook_rows(source, sheet), 1) if _filled(row)]
        text = _decoded(source.read_bytes())
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror or error}); check the path.") from error
    if "\0" in text:
        raise InputError(f"{source.name} is no text; save the table as CSV or XLSX.")
    return _split(text)


def _split(text: str) -> Rows:
    if text.startswith(WRITTEN):  # one line of what MatLens knows about its own table, with commas of its own
        first, _, text = text.partition("\n")
        return [(1, [first.strip()]), *((line + 1, row) for line, row in _split(text))]
    head = text.splitlines()[:_LOOKED_AT]
    layouts = [_common_width(csv.reader(head, delimiter=delimiter)) for delimiter in _DELIMITERS]
    counts = [count if width > 1 else 0 for width, count in layouts]  # lines that a delimiter splits alike
    if not any(counts):
        return [(number, row) for number, line in enumerate(text.splitlines(), 1) if (row := line.split())]
    best = int(np.argmax(counts))
    delimiter, width = _DELIMITERS[best], layouts[best][0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = [(reader.line_num, row) for row in reader if _filled(row)]
    rows = [(line, row[:width] if len(row) > width and not _filled(row[width:]) else row) for line, row in rows]
    if delimiter != "," and any(_COMMA_NUMBER.fullmatch(cell) for _, row in rows[:_LOOKED_AT] for cell in row):
        rows = [
            (line, [cell.replace(",", ".") if _COMMA_NUMBER.fullmatch(cell) else cell for cell in row])
            for line, row in rows
        ]
    return rows


def _workbook_rows(path: Path, sheet: str | None) -> list[list[str]]:
    import openpyxl  # here, for most tables are text and need none of it

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


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _common_width(rows: Iterable[Sequence[str]]) -> tuple[int, int]:
    """Give the width that most rows have (the larger one of two), and how many do."""
    counts = Counter(len(row) for row in rows if _filled(row))
    return max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
