"""Tables of text as in a file: rows of cells under column names, with the line number of each row."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.guard import reading
from matlens.core.memory import check_memory
from matlens.errors import InputError
from matlens.library.io.encoding import decoded
from matlens.library.io.formats import TABLE_FORMATS, find_format
from matlens.library.io.headers import common_width, filled, find_head, with_cell_units
from matlens.library.io.layout import DEFAULT, Layout
from matlens.library.io.marks import plain_marks
from matlens.library.io.names import is_sample_name
from matlens.library.io.numerals import MISSING, units_in_cells, value_of
from matlens.library.io.workbook import sheets_asked
from matlens.library.table import named

__all__ = ["WRITTEN", "TextTable", "read_rows", "read_table", "text_of"]

WRITTEN = "# matlens library"  # beginning of the files of `write_library`
_DELIMITERS = (";", "\t", ",", "|")  # between semicolons and tabs a comma may be the decimal mark
_GZIP = b"\x1f\x8b"
_COPIES = 30  # of a text: its cells as Python's texts, and as numbers
_LOOKED_AT = 50  # number of lines from which the layout of a file is recognised
_BLANKS = re.compile(r" *[-+]?\d*[.,]?\d+(?:[eE][+-]?\d+)?(?: +[-+]?\d*[.,]?\d+(?:[eE][+-]?\d+)?)+ *")
_ACCOUNTING = re.compile(r"\(\s*[\d.,]+\s*\)")  # a negative number in accounts
_LIMIT = re.compile(r"\s*([<>\u2264\u2265])=?\s*(.+)")

Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Parameters
    ----------
    name : str
        File name, for messages.
    title : tuple of str
        Lines above the column names.
    columns : list of str
        Column names.
    lines : list of int
        Line number of each row in the file.
    rows : list of list of str
        Cells.

    Examples
    --------
    >>> table = TextTable("t.csv", (), ["Fe", "P"], [2, 3], [["0.5", ">10"], ["0.4", ""]])
    >>> len(table), table.texts(0), table.guessed([0]).ravel().tolist()
    (2, ['0.5', '0.4'], [0.5, 0.4])
    """

    name: str
    title: tuple[str, ...]
    columns: list[str]
    lines: list[int]
    rows: list[list[str]]

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, column: int) -> list[str]:
        """Return the cells of a column.

        Parameters
        ----------
        column : int
            Index of the column.

        Returns
        -------
        list of str
            The cells without surrounding blanks.
        """
        return [row[column].strip() for row in self.rows]

    def numbers(self, columns: Sequence[int], *, missing: bool = False) -> NDArray[np.float64]:
        """Convert columns to numbers.

        Parameters
        ----------
        columns : sequence of int
            Indices of the columns.
        missing : bool
            Whether empty cells are allowed; they become NaN.

        Returns
        -------
        ndarray of float, shape (rows, columns)
            The numbers.

        Raises
        ------
        InputError
            If a cell is not a finite number; the message names lines and columns.

        Examples
        --------
        >>> TextTable("t.csv", (), ["P"], [2, 3], [["1.5"], [""]]).numbers([0], missing=True).ravel()
        array([1.5, nan])
        """
        found = self.guessed(columns)
        bad = ~np.isfinite(found)
        if missing:
            bad &= ~self._blank(columns, bad)
        if bad.any():
            raise InputError(
                f"{self.name}: {self.places(columns, bad)}; finite numbers are expected there, correct it"
                f"{self._advice(columns[int(np.argwhere(bad)[0, 1])])}."
            )
        return found

    def guessed(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Convert columns to numbers, with NaN for any cell that is not a number.

        Parameters
        ----------
        columns : sequence of int
            Indices of the columns.

        Returns
        -------
        ndarray of float, shape (rows, columns)
            The numbers.

        Examples
        --------
        >>> TextTable("t.csv", (), ["P"], [2, 3], [["1.5"], ["high"]]).guessed([0]).ravel()
        array([1.5, nan])
        """
        cells = [[row[column] for column in columns] for row in self.rows]
        if not any("_" in cell for row in cells for cell in row):  # NumPy would read 1_5 as 15
            with suppress(ValueError):
                return np.array(cells, dtype=np.float64).reshape(len(cells), len(columns))
        return np.array([[value_of(cell) for cell in row] for row in cells]).reshape(len(cells), len(columns))

    def places(self, columns: Sequence[int], bad: NDArray[np.bool_]) -> str:
        """List the cells at which ``bad`` is true, for a message.

        Parameters
        ----------
        columns : sequence of int
            Indices of the columns.
        bad : ndarray of bool, shape (rows, columns)
            True at the cells to list.

        Returns
        -------
        str
            Contents, lines and columns of the cells.

        Examples
        --------
        >>> TextTable("t.csv", (), ["P"], [2], [["high"]]).places([0], np.array([[True]]))
        "found 'high' in line 2, column 'P'"
        """
        return "found " + named(
            f"{self.rows[row][columns[k]].strip() or 'nothing'!r} in line {self.lines[row]}, "
            f"column {self.columns[columns[k]]!r}"
            for row, k in np.argwhere(bad)
        )

    def limits(self, column: int) -> tuple[TextTable, NDArray[np.int8]]:
        """Remove ``>`` and ``<`` from the cells of a column.

        Parameters
        ----------
        column : int
            Index of the column.

        Returns
        -------
        table : TextTable
            The table without the signs.
        signs : ndarray of int8, shape (rows,)
            1 for ``>``, -1 for ``<``, 0 for none.

        Examples
        --------
        >>> table, signs = TextTable("t.csv", (), ["P"], [2, 3], [[">10"], ["3"]]).limits(0)
        >>> table.rows, signs.tolist()
        ([['10'], ['3']], [1, 0])
        """
        matches = [_LIMIT.fullmatch(row[column]) for row in self.rows]
        signs = np.array(
            [0 if match is None else 1 if match[1] in ">\u2265" else -1 for match in matches], dtype=np.int8
        )
        if not signs.any():
            return self, signs
        rows = [
            row if match is None else [*row[:column], match[2], *row[column + 1 :]]
            for row, match in zip(self.rows, matches, strict=True)
        ]
        return replace(self, rows=rows), signs

    def _advice(self, column: int) -> str:
        """Say what may be the matter with a column that should hold numbers."""
        texts = self.texts(column)
        if any(map(_ACCOUNTING.fullmatch, texts)):
            return ", and write negative numbers with a minus sign, as parentheses may also mark a note"
        units = units_in_cells(texts)
        if len(units) > 1:
            return (
                f": the cells of this column are in {named(unit or 'no unit' for unit in units)}; convert them to one"
            )
        return ""

    def _blank(self, columns: Sequence[int], where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        blank = np.zeros(where.shape, dtype=bool)
        for row, k in np.argwhere(where):
            blank[row, k] = self.rows[row][columns[k]].strip().lower() in MISSING
        return blank


def text_of(frame: pd.DataFrame) -> TextTable:
    """Write a table in memory as the text that a file of it would hold.

    Parameters
    ----------
    frame : DataFrame
        The table; an index that is not just a number of the row becomes the first column.

    Returns
    -------
    TextTable
        The text; empty cells where values are missing.

    Examples
    --------
    >>> table = text_of(pd.DataFrame({"Fe": [0.5, 1.0], "P": [None, 2.0]}, index=["a", "b"]))
    >>> table.columns, table.rows
    (['sample', 'Fe', 'P'], [['a', '0.5', ''], ['b', '1.0', '2.0']])
    """
    if not pd.api.types.is_integer_dtype(frame.index):
        frame = frame.reset_index(names=str(frame.index.name or "sample"))
    known = frame.notna().to_numpy()
    cells = frame.astype(object).to_numpy()
    rows = [[str(cell) if there else "" for cell, there in zip(*row)] for row in zip(cells, known)]
    return TextTable("the table", (), [str(name) for name in frame.columns], list(range(1, len(rows) + 1)), rows)


def read_table(path: str | os.PathLike[str], layout: Layout = DEFAULT) -> TextTable:
    """Read a table with column names from a CSV, TSV or XLSX file.

    The first row that is as wide as most rows, and mostly filled, holds the names; the rows above are the title.
    Commas, semicolons, tabs or blanks separate columns. Decimal marks are decided as in `plain_marks`, rows of units
    and names in two rows as in `find_head`.

    Parameters
    ----------
    path : path-like
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    TextTable
        The table.

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, has a column name twice, or has rows of another width.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = path.write_text("A title\\nSample,Bi,V\\n1,0.5,0.5\\n")
    >>> table = read_table(path)
    >>> table.columns, table.lines, table.numbers([1, 2]).tolist()
    (['Sample', 'Bi', 'V'], [3], [[0.5, 0.5]])
    """
    if layout.sheet is not None and "," in layout.sheet:
        names = sheets_asked(Path(path), layout.sheet)
        if len(names) > 1:
            return _joined([_read_table(path, replace(layout, sheet=sheet)) for sheet in names], names)
    return _read_table(path, layout)


def _read_table(path: str | os.PathLike[str], layout: Layout) -> TextTable:
    name, rows = Path(path).name, read_rows(path, layout)
    width, _ = common_width(row for _, row in rows)
    head = find_head(rows, width)
    columns, body = head.columns, [(line, row) for line, row in rows[head.size :] if filled(row)]
    if width < 2 or not body:
        raise InputError(
            f"{name} has {max(width, 0)} columns and {len(body)} rows under them where a table with column names is "
            "expected; check the file, and that columns are separated by commas, semicolons or tabs."
        )
    uneven = [f"line {line} with {len(row)}" for line, row in body if len(row) != width]
    if uneven:
        raise InputError(f"{name} has {width} columns, but {named(uneven)} cells; complete or correct these lines.")
    kept = [k for k in range(width) if columns[k] or any(row[k].strip() for _, row in body)]
    columns = [columns[k] or f"column {k + 1}" for k in kept]
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InputError(f"{name} has the column {named(twice)} more than once; every column needs a name of its own.")
    if len(kept) < width:
        body = [(line, [row[k] for k in kept]) for line, row in body]
    columns, body = with_cell_units(columns, body)
    return TextTable(name, head.title, columns, [line for line, _ in body], [row for _, row in body])


def _joined(tables: Sequence[TextTable], sheets: Sequence[str]) -> TextTable:
    """Join the tables of several sheets by their sample ids, in the order of the first one."""
    keys = [next((k for k, name in enumerate(table.columns) if is_sample_name(name)), -1) for table in tables]
    first = tables[0]
    for table, key, sheet in zip(tables, keys, sheets, strict=True):
        ids = [] if key < 0 else table.texts(key)
        twice = [sample for sample, count in Counter(ids).items() if count > 1]
        if key < 0 or twice:
            found = f"more than one row for {named(twice)}" if twice else "no column of sample ids such as Sample"
            raise InputError(
                f"{first.name}: the sheet {sheet!r} has {found}, and sheets are joined by ids that differ; give every "
                "sample one row with its id."
            )
        lacking = sorted(set(ids) ^ set(first.texts(keys[0])))
        if lacking:
            raise InputError(
                f"{first.name}: the samples {named(lacking)} stand on only one of the sheets {sheets[0]!r} and "
                f"{sheet!r}; complete or remove them."
            )
    columns, rows = list(first.columns), [list(row) for row in first.rows]
    for table, key in zip(tables[1:], keys[1:], strict=True):
        place = {sample: k for k, sample in enumerate(table.texts(key))}
        columns += [name for k, name in enumerate(table.columns) if k != key]
        for row, sample in zip(rows, first.texts(keys[0]), strict=True):
            row += [cell for k, cell in enumerate(table.rows[place[sample]]) if k != key]
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InputError(
            f"{first.name} has the column {named(twice)} on more than one of the sheets {named(sheets)}; every column "
            "needs a name of its own."
        )
    title = tuple(line for table in tables for line in table.title)
    # Rows of other sheets have other lines, so messages say whose lines they name.
    return TextTable(f"{first.name} (lines as on {sheets[0]!r})", title, columns, first.lines, rows)


def read_rows(path: str | os.PathLike[str], layout: Layout = DEFAULT) -> Rows:
    """Read the rows of a text table, or of a file of another format of tables, without empty ones.

    Parameters
    ----------
    path : path-like
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    list of (int, list of str)
        Line number and cells of each row; numbers have decimal points.

    Raises
    ------
    InputError
        If the file cannot be read or is not text, the sheet does not exist, or a decimal mark remains open.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "matrix.txt"
    >>> _ = path.write_text("37.0 37.1\\n\\n5 6\\n")
    >>> read_rows(path)
    [(1, ['37.0', '37.1']), (3, ['5', '6'])]
    """
    source = Path(path)
    with reading(source, "a table"):
        found = find_format(source, TABLE_FORMATS)
        if found is not None:
            rows = [(line, row) for line, row in enumerate(found.load()(source, layout.sheet), 1) if filled(row)]
        else:
            check_memory(source.stat().st_size * _COPIES, source.name, "split it, or save fewer channels")
            content = source.read_bytes()
            if content.startswith(_GZIP):
                raise InputError(f"{source.name} is a compressed file (gzip); unpack it, and give what is in it.")
            rows = _split(decoded(content, source.name, layout.encoding))
    return rows if rows and rows[0][1][0].startswith(WRITTEN) else plain_marks(rows, source.name, layout.decimal)


def _split(text: str) -> Rows:
    if text.startswith(WRITTEN):  # one line of JSON, whose commas separate no columns
        first, _, text = text.partition("\n")
        return [(1, [first.strip()]), *((line + 1, row) for line, row in _cells(text, ","))]
    lines = text.splitlines()
    head = lines if len(lines) <= 2 * _LOOKED_AT else lines[:_LOOKED_AT] + lines[-_LOOKED_AT:]  # heads may be long
    try:
        layouts = [common_width(csv.reader(head, delimiter=delimiter)) for delimiter in _DELIMITERS]
    except csv.Error as error:
        raise InputError(
            f"a cell at its beginning or end has more than {csv.field_size_limit()} characters; look for a quote that "
            "is opened there and not closed."
        ) from error
    counts = [count if width > 1 else 0 for width, count in layouts]  # lines that a delimiter splits alike
    if not any(counts) or _between_blanks(lines):
        return [(number, row) for number, line in enumerate(lines, 1) if (row := line.split())]
    best = int(np.argmax(counts))
    delimiter, width = _DELIMITERS[best], layouts[best][0]
    rows = _cells(text, delimiter)
    return [(line, row[:width] if len(row) > width and not filled(row[width:]) else row) for line, row in rows]


def _cells(text: str, delimiter: str) -> Rows:
    """Split a text into rows; a quote that is opened and not closed would take the lines below into one cell.

    Where quotes stand within cells, as in 3" wafer, a text is read loosely, and then no cell has several lines.
    """
    try:
        return _parsed(text, delimiter, strict=True)
    except csv.Error:
        return _parsed(text, delimiter, strict=False)


def _parsed(text: str, delimiter: str, *, strict: bool) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=strict)
    rows: Rows = []
    end = 0
    try:
        for row in reader:
            if not strict and any("\n" in cell for cell in row):
                raise _open_quote(end + 1)
            end = reader.line_num
            if filled(row):
                rows.append((end, row))
    except csv.Error as error:
        if strict:
            raise
        raise _open_quote(end + 1) from error
    return rows


def _open_quote(line: int) -> InputError:
    return InputError(
        f"the quote that opens in line {line} is not closed; close it, or remove the quotes of that line."
    )


def _between_blanks(lines: list[str]) -> bool:
    """Whether most lines are numbers between blanks, so that their commas are decimal or thousands marks."""
    there = [line for line in lines if line.strip()][: _LOOKED_AT * 4]
    return 2 * sum(_BLANKS.fullmatch(line) is not None for line in there) > len(there)
