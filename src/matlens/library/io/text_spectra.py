"""Spectra in text: columns for one spectrum, or a matrix with the axis in its first row for many."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.headers import common_width
from matlens.library.io.layout import DEFAULT, Layout
from matlens.library.io.names import axis_number, axis_unit_in
from matlens.library.io.spectra import Spectra
from matlens.library.io.text_table import Rows, read_rows
from matlens.library.table import named

__all__ = ["is_spectrum_text", "read_matrix", "read_spectra_in_columns", "read_spectrum_text"]

Floats = NDArray[np.float64]

# Names of a third column that holds the error of the second one.
_ERROR = re.compile(r"err|sigma|σ|\besd\b|\bs\.?d\.?\b|\bstd|unc|±|dev", re.IGNORECASE)
_WITH_ERRORS = (".xye",)
_COMMENT = ("#", "%", "!", "//", "'")
_KEY = re.compile(r"\s*([A-Za-z]\w*)\s*=\s*(.*)")
_LEAST = 5  # lines of numbers that make a spectrum below a head of more lines


def is_spectrum_text(path: Path, layout: Layout = DEFAULT) -> bool:
    """Return whether a file of text is one spectrum: its longest run of lines is of positions and intensities.

    Two columns are a spectrum. Three are one if the third is named as an error, if no names stand above them, or in a
    file ending in ``.xye``; else they may as well be a table.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("shift intensity\\n100 1.5\\n101 2.5\\n")
    >>> is_spectrum_text(path)
    True
    """
    rows = read_rows(path, layout)
    block = _block(rows)
    if block is None:
        return False
    start, width = block
    if width == 2:
        return True
    axis = np.array([value for _, row in rows[start:] if (value := _first_number(row, width)) is not None])
    steps = np.diff(axis)
    if not ((steps > 0).all() or (steps < 0).all()):
        return False
    names = rows[start - 1][1] if start and len(rows[start - 1][1]) >= width else []
    return path.suffix.lower() in _WITH_ERRORS or not names or _ERROR.search(names[-1]) is not None


def read_spectrum_text(path: Path, layout: Layout = DEFAULT) -> Spectra:
    """Read one spectrum: a position and an intensity in each line, below a head of any lines; errors are left out.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    Spectra
        One spectrum, with the unit of its axis where the head gives it.

    Raises
    ------
    InputError
        If a line between numbers has another number of cells, or cells that are not finite numbers.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("Raman shift (cm-1),intensity\\n100,1.5\\n101,2.5\\n")
    >>> read_spectrum_text(path).intensities.tolist(), read_spectrum_text(path).axis_unit
    ([[1.5, 2.5]], 'cm-1')
    """
    rows = read_rows(path, layout)
    block = _block(rows)
    if block is None:
        raise InputError(f"{path.name} has no lines of positions and intensities; check the file.")
    start, width = block
    numeric = [k for k, (_, row) in enumerate(rows) if k >= start and _width(row) == width]
    body = [(line, row) for line, row in rows[start : numeric[-1] + 1] if not row[0].lstrip().startswith(_COMMENT)]
    uneven = [f"{len(row)} in line {line}" for line, row in body if len(row) != width]
    if uneven:
        many = "two columns" if width == 2 else f"{width} columns"
        raise InputError(f"{path.name} must have {many}, position and intensity first, found {named(uneven)}.")
    pairs = _numbers(path.name, [(line, row[:2]) for line, row in body], ["position", "intensity"])
    third = np.array([_number(row[2]) for _, row in body]) if width == 3 else np.zeros(1)
    if np.nan_to_num(np.abs(third)).mean() > np.abs(pairs[:, 1]).mean() and path.suffix.lower() not in _WITH_ERRORS:
        raise InputError(
            f"{path.name} has three columns, and the third one is larger than the second, so that it holds no errors "
            "of the intensities; keep the two columns of positions and intensities, without marks of thousands."
        )
    notes = ("the third columns of the spectra (errors) are not used",) if width == 3 else ()
    return Spectra(pairs[:, 1][None], pairs[:, 0], axis_unit_in([row for _, row in rows[:start]]), notes)


def read_matrix(path: Path, layout: Layout = DEFAULT) -> Spectra:
    """Read a matrix whose first row is the axis and whose other rows are spectra.

    Its first column may name the samples. A file of lines such as ``Q=15.0,15.1`` and ``I1=3,4`` is a matrix, too: the
    lines ``I1``, ``I2`` and so on are the spectra, and the line before them is the axis.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    Spectra
        One spectrum for each row but the first.

    Raises
    ------
    InputError
        If the first row is not of numbers, rows differ in length, or a cell is no finite number.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "xrd.txt"
    >>> _ = path.write_text("37,37.02\\n5,6\\n7,8\\n")
    >>> read_matrix(path).axis.tolist()
    [37.0, 37.02]
    """
    rows, unread = _keyed(read_rows(path, layout))
    first = rows[0][1] if rows else []
    ids = int(len(first) > 2 and not re.match(r"[\d.+-]", first[0].strip()))  # the first column names the samples
    read = [axis_number(cell) for cell in first[ids:]]
    wrong = [cell.strip() or "nothing" for cell, number in zip(first[ids:], read, strict=True) if number is None]
    if wrong or len(rows) < 2:
        raise InputError(
            f"{path.name} must have the axis of the spectra in its first row and a spectrum in each other one, found "
            f"{named(wrong) + ' in the first row' if wrong else f'{len(rows)} rows'}."
        )
    uneven = [f"{len(row) - ids} in line {line}" for line, row in rows[1:] if len(row) != len(first)]
    if uneven:
        raise InputError(
            f"{path.name} has an axis of {len(read)} channels, but spectra of {named(uneven)}; complete these lines."
        )
    axis = np.array([number[0] for number in read if number is not None])
    unit = next((number[1] for number in read if number and number[1]), "")
    intensities = _numbers(path.name, [(line, row[ids:]) for line, row in rows[1:]], first[ids:])
    names = tuple(row[0].strip() for _, row in rows[1:]) if ids else ()
    notes = (f"lines of {path.name} that are not read: {named(unread)}",) if unread else ()
    return Spectra(intensities, axis, unit, notes, names)


def read_spectra_in_columns(path: Path, layout: Layout = DEFAULT) -> Spectra:
    """Read a table whose first column is the axis and whose other columns are spectra, named by their samples or not.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How the file is written, where it does not say.

    Returns
    -------
    Spectra
        One spectrum for each column but the first.

    Raises
    ------
    InputError
        If there are fewer than two columns, rows differ in length, or a cell is no finite number.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "raman.txt"
    >>> _ = path.write_text("shift (cm-1),a,b\\n100,5,6\\n101,7,8\\n")
    >>> found = read_spectra_in_columns(path)
    >>> found.names, found.axis.tolist(), found.axis_unit, found.intensities.tolist()
    (('a', 'b'), [100.0, 101.0], 'cm-1', [[5.0, 7.0], [6.0, 8.0]])
    """
    rows = [(line, row) for line, row in read_rows(path, layout) if not _is_comment(row) or axis_number(row[0])]
    width, _ = common_width(row for _, row in rows)
    body = [(line, row) for line, row in rows if len(row) == width and axis_number(row[0]) is not None]
    if width < 2 or len(body) < 2:
        raise InputError(f"{path.name} has no columns of numbers beside one of positions; check the file.")
    start = rows.index(body[0])
    uneven = [f"{len(row)} in line {line}" for line, row in rows[start:] if len(row) != width]
    if uneven:
        raise InputError(f"{path.name} has {width} columns, but {named(uneven)} cells; complete these lines.")
    head = [row for _, row in rows[:start] if len(row) == width]
    names = tuple(cell.strip() for cell in head[-1][1:]) if head else ()
    columns = head[-1] if head else [f"column {k + 1}" for k in range(width)]
    numbers = _numbers(path.name, rows[start:], columns)
    return Spectra(numbers[:, 1:].T, numbers[:, 0], axis_unit_in([row for _, row in rows[:start]]), names=names)


def _is_comment(row: Sequence[str]) -> bool:
    return row[0].lstrip().startswith(_COMMENT) and len(row) < 2


def _keyed(rows: Rows) -> tuple[Rows, list[str]]:
    """Take the axis and the spectra from lines of the form ``key=numbers``, and name the other keys."""
    matches = [_KEY.fullmatch(row[0]) for _, row in rows]
    spectra = [k for k, match in enumerate(matches) if match is not None and re.fullmatch(r"I\d+", match[1])]
    if not spectra or spectra[0] == 0 or matches[spectra[0] - 1] is None:
        return rows, []
    kept = [spectra[0] - 1, *spectra]
    unread = [match[1] for k, match in enumerate(matches) if match is not None and k not in kept]
    return [(rows[k][0], [match[2], *rows[k][1][1:]]) for k in kept if (match := matches[k]) is not None], unread


def _block(rows: Rows) -> tuple[int, int] | None:
    """Find the first line of the numbers and their number of columns; None where the file holds something else."""
    widths = [_width(row) for _, row in rows]
    counted = Counter(width for width in widths if width)
    if not counted:
        return None
    width, count = counted.most_common(1)[0]
    if 2 * count > len(rows):
        return widths.index(width), width
    runs, k = [], 0  # below a head that is longer than the spectrum
    for there, group in groupby(widths):
        size = len(list(group))
        runs.append((size if there == width else 0, k))
        k += size
    size, start = max(runs)
    return (start, width) if size >= _LEAST else None


def _width(row: Sequence[str]) -> int | None:
    return len(row) if len(row) in (2, 3) and None not in map(axis_number, row) else None


def _first_number(row: Sequence[str], width: int) -> float | None:
    number = axis_number(row[0]) if _width(row) == width else None
    return None if number is None else number[0]


def _numbers(name: str, rows: Rows, columns: Sequence[str]) -> Floats:
    try:
        found = np.array([row for _, row in rows], dtype=np.float64)
    except ValueError:
        found = np.array([[_number(cell) for cell in row] for _, row in rows])
    bad = [(rows[row], column) for row, column in np.argwhere(~np.isfinite(found))]
    if bad:
        places = (f"{row[k].strip() or 'nothing'!r} in line {line}, column {columns[k]!r}" for (line, row), k in bad)
        raise InputError(f"{name}: found {named(places)}; finite numbers are expected there, correct it.")
    return found


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan
