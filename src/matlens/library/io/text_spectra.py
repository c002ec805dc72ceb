"""Spectra in text: two columns for one spectrum, or a matrix with the axis in its first row for many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.names import axis_number
from matlens.library.io.spectra import Spectra
from matlens.library.io.text_table import Rows, read_rows
from matlens.library.table import named

__all__ = ["is_two_columns", "read_matrix", "read_two_columns"]

Floats = NDArray[np.float64]


def is_two_columns(path: Path) -> bool:
    """Return whether a file of text is one spectrum: most of its lines are two numbers.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("shift intensity\\n100 1.5\\n101 2.5\\n")
    >>> is_two_columns(path)
    True
    """
    rows = read_rows(path)
    return 2 * sum(_is_pair(row) for _, row in rows) > len(rows)


def read_two_columns(path: Path) -> Spectra:
    """Read one spectrum: a position and an intensity in each line, below a head of any lines.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Spectra
        One spectrum.

    Raises
    ------
    InputError
        If a line below the head has not two cells, or not two finite numbers.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("shift intensity\\n100 1.5\\n101 2.5\\n")
    >>> read_two_columns(path).intensities.tolist()
    [[1.5, 2.5]]
    """
    rows = read_rows(path)
    start = next(k for k, (_, row) in enumerate(rows) if _is_pair(row))
    uneven = [f"{len(row)} in line {line}" for line, row in rows[start:] if len(row) != 2]
    if uneven:
        raise InputError(f"{path.name} must have two columns, position and intensity, found {named(uneven)}.")
    pairs = _numbers(path.name, rows[start:], ["position", "intensity"])
    return Spectra(pairs[:, 1][None], pairs[:, 0])


def read_matrix(path: Path) -> Spectra:
    """Read a matrix whose first row is the axis and whose other rows are spectra.

    Its first column may name the samples.

    Parameters
    ----------
    path : Path
        The file.

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
    rows = read_rows(path)
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
    return Spectra(intensities, axis, unit, names=tuple(row[0].strip() for _, row in rows[1:]) if ids else ())


def _is_pair(row: Sequence[str]) -> bool:
    return len(row) == 2 and None not in map(axis_number, row)


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
