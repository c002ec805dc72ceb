"""The head of a table: where the names of its columns stand, in one row or two, and whether units stand below them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matlens.errors import InputError
from matlens.library.io.names import is_sample_name, is_unit, split_unit
from matlens.library.io.numerals import MISSING, unit_of_cells, value_of

__all__ = ["Head", "common_width", "filled", "find_head", "with_cell_units"]

Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class Head:
    """The head of a table.

    Parameters
    ----------
    title : tuple of str
        Lines above the names.
    columns : list of str
        Names of the columns, with the units of a row of units in parentheses.
    size : int
        Number of rows above the first sample.
    """

    title: tuple[str, ...]
    columns: list[str]
    size: int


def find_head(rows: Rows, width: int) -> Head:
    """Find the names of the columns among the first rows of a table.

    The names stand in the first row that is as wide as the table and mostly filled. A row above others that begins with
    ``#`` is a comment. A second row completes the names where a heading such as "Composition" stands above several
    columns, and a row of units goes into the names.

    Parameters
    ----------
    rows : list of (int, list of str)
        Line number and cells of each row.
    width : int
        Number of columns.

    Returns
    -------
    Head
        The names, and how many rows they take.

    Examples
    --------
    >>> head = find_head([(1, ["Sample", "Fe", "T"]), (2, ["", "at%", "K"]), (3, ["a", "5", "7"])], 3)
    >>> head.columns, head.size
    (['Sample', 'Fe (at%)', 'T (K)'], 2)
    """
    start = next((k for k, (_, row) in enumerate(rows) if len(row) == width and filled(row) * 2 > width), 0)
    while _is_comment(rows, start, width):
        start += 1
    title = tuple(" ".join(cell for cell in row if cell.strip()).strip() for _, row in rows[:start])
    columns = [" ".join(cell.split()) for cell in rows[start][1]] if rows else []  # names may be broken over lines
    size = start + 1
    if _is_second_row(rows, size, columns):
        columns = _merged(columns, [" ".join(cell.split()) for cell in rows[size][1]])
        size += 1
    if size < len(rows) and _is_row_of_units(rows[size][1], columns):
        units = [cell.strip().strip("()[]") for cell in rows[size][1]]
        columns = [
            f"{name} ({unit})" if unit and not split_unit(name)[1] else name
            for name, unit in zip(columns, units, strict=True)
        ]
        size += 1
    return Head(title, columns, size)


def with_cell_units(columns: list[str], body: Rows) -> tuple[list[str], Rows]:
    """Move a unit that all cells of a column carry, such as "1.5 mA" or "39.5%", into the name of the column.

    Parameters
    ----------
    columns : list of str
        Names of the columns.
    body : list of (int, list of str)
        Line number and cells of each sample.

    Returns
    -------
    columns : list of str
        Names with units.
    body : list of (int, list of str)
        Rows without them.

    Raises
    ------
    InputError
        If a column's name has one unit and its cells another.

    Examples
    --------
    >>> with_cell_units(["s", "I"], [(2, ["a", "1.5 mA"]), (3, ["b", "2 mA"])])
    (['s', 'I (mA)'], [(2, ['a', '1.5']), (3, ['b', '2'])])
    """
    columns, found = list(columns), [list(row) for _, row in body]
    for k, name in enumerate(columns):
        split = None if is_sample_name(name) else unit_of_cells([row[k] for row in found])
        if split is None:
            continue
        texts, unit = split
        known = split_unit(name)[1]
        if known and known != unit and not (unit == "%" and known.endswith("%")):
            raise InputError(
                f"the column {name!r} has {known} in its name and {unit} in its cells; correct the one that is wrong."
            )
        columns[k] = name if known else f"{name} ({unit})"
        for row, text in zip(found, texts, strict=True):
            row[k] = text
    return columns, [(line, row) for (line, _), row in zip(body, found, strict=True)]


def common_width(rows: Iterable[Sequence[str]]) -> tuple[int, int]:
    """Return the width that most rows have (the larger one of two), and the number of these rows.

    Parameters
    ----------
    rows : iterable of sequence of str
        Cells of each row.

    Returns
    -------
    width, count : int
        Number of cells, and number of rows that have as many.

    Examples
    --------
    >>> common_width([["title"], ["a", "b"], ["1", "2"]])
    (2, 2)
    """
    counts = Counter(len(row) for row in rows if filled(row))
    return max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))


def filled(row: Sequence[str]) -> int:
    """Return the number of cells that are not blank.

    Parameters
    ----------
    row : sequence of str
        The cells.

    Returns
    -------
    int
        Their number.

    Examples
    --------
    >>> filled(["a", " ", ""])
    1
    """
    return sum(1 for cell in row if cell.strip())


def _is_number(cell: str) -> bool:
    return not math.isnan(value_of(cell.strip().lstrip("<>=")))


def _words(row: Sequence[str]) -> bool:
    """Whether a row has no numbers."""
    return not any(cell.strip() and _is_number(cell) for cell in row)


def _is_comment(rows: Rows, k: int, width: int) -> bool:
    """Whether a wide row begins with ``#`` and another row of names stands below it."""
    if k + 2 >= len(rows) or not rows[k][1][0].lstrip().startswith("#"):
        return False
    below = rows[k + 1][1]
    return len(below) == width and filled(below) * 2 > width and _words(below)


def _is_second_row(rows: Rows, k: int, columns: Sequence[str]) -> bool:
    """Whether row k completes the names above: words above numbers, and blank below names merged downwards."""
    row, below = (rows[k][1], [cells for _, cells in rows[k + 1 : k + 3]]) if k < len(rows) else ([], [])
    if len(row) != len(columns) or not filled(row) or not _words(row) or all(map(_words, below)):
        return False
    merged = any(not cell.strip() for cell in row) and any(not name for name in columns)
    return merged and all(cell.strip() or name for cell, name in zip(row, columns, strict=True))


def _merged(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Join two rows of names; a heading counts where the lower name would occur twice, and its unit always."""
    headings, heading = [], ""
    for name in upper:
        heading = name or heading
        headings.append(heading)
    counted, found = Counter(lower), []
    for name, low, heading in zip(upper, lower, headings, strict=True):
        words, unit = ("", heading) if is_unit(heading) else split_unit(heading)
        own = f"{words} {low}".strip() if counted[low] > 1 else low
        found.append(name if not low else f"{own} ({unit})" if unit and not split_unit(low)[1] else own)
    return found


def _is_row_of_units(row: Sequence[str], columns: Sequence[str]) -> bool:
    cells = [cell.strip().strip("()[]") for cell in row]
    there = [cell for cell in cells if cell.lower() not in MISSING]
    known = sum(map(is_unit, there))
    return len(row) == len(columns) and known > 0 and known >= len(there) - 1 and _words(row)
