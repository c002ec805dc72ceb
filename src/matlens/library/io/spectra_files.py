"""Spectra in files beside a library's table: a matrix with its axis in the first row, or one file for each sample."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.names import axis_number
from matlens.library.io.text_table import Rows, read_rows
from matlens.library.table import named

__all__ = ["Spectra", "is_spectrum", "read_matrix", "read_spectra"]

SUFFIXES = (".txt", ".csv", ".tsv", ".dat", ".xy", ".asc", ".prn")
_SAME_AXIS = 1e-3  # allowed difference of two axes, in widths of a channel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spectra:
    """Spectra on a common axis.

    Parameters
    ----------
    intensities : ndarray of float, shape (n, C)
        Intensities.
    axis : ndarray of float, shape (C,)
        Position of each channel.
    axis_unit : str
        Unit of the axis, where the file gives one.
    notes : tuple of str
        Spectra that were left out, in sentences.
    """

    intensities: Floats
    axis: Floats
    axis_unit: str = ""
    notes: tuple[str, ...] = ()


def read_spectra(path: Path, samples: Sequence[str]) -> Spectra:
    """Read the spectra of given samples from a matrix file, or from a folder of two-column files.

    A matrix may name its samples in the first column; without names its rows are those of the table. The files of a
    folder are named by the samples.

    Parameters
    ----------
    path : Path
        File or folder.
    samples : sequence of str
        Sample ids, whose order the result has.

    Returns
    -------
    Spectra
        One spectrum for each sample.

    Raises
    ------
    InputError
        If a sample has no spectrum, numbers are missing, or spectra differ in length or axis.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a", "b"):
    ...     _ = (folder / f"{name}.txt").write_text("100 1.5\\n101 2.5\\n")
    >>> read_spectra(folder, ["b", "a"]).intensities.tolist()
    [[1.5, 2.5], [1.5, 2.5]]
    """
    if path.is_dir():
        return _folder(path, samples)
    return read_matrix(path, samples)


def read_matrix(path: Path, samples: Sequence[str]) -> Spectra:
    """Read a matrix whose first row is the axis and whose other rows are the spectra of given samples.

    Parameters
    ----------
    path : Path
        The file.
    samples : sequence of str
        Sample ids, whose order the result has.

    Returns
    -------
    Spectra
        One spectrum for each sample.

    Raises
    ------
    InputError
        If the first row is not of numbers, rows differ in length, or they do not fit the samples.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "xrd.txt"
    >>> _ = path.write_text("37,37.02\\n5,6\\n7,8\\n")
    >>> read_matrix(path, ["1", "2"]).axis.tolist()
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
    if ids:
        order, notes = _matched([row[0].strip() for _, row in rows[1:]], samples, f"rows of {path.name}")
        return Spectra(intensities[order], axis, unit, notes)
    if len(intensities) != len(samples):
        raise InputError(f"{path.name} has {len(intensities)} spectra for {len(samples)} samples; give one for each.")
    return Spectra(intensities, axis, unit)


def is_spectrum(path: Path) -> bool:
    """Return whether a file is a spectrum: most of its lines are two numbers.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        False also for other suffixes than those of text files.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("shift intensity\\n100 1.5\\n101 2.5\\n")
    >>> is_spectrum(path)
    True
    """
    if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
        return False
    rows = read_rows(path)
    return 2 * sum(len(row) == 2 and None not in map(axis_number, row) for _, row in rows) > len(rows)


def _folder(folder: Path, samples: Sequence[str]) -> Spectra:
    files = sorted(file for file in folder.iterdir() if file.is_file() and is_spectrum(file))
    order, notes = _matched([file.stem for file in files], samples, f"files in {folder.name}")
    read = [_two_columns(files[k]) for k in order]
    names = [files[k].name for k in order]
    lengths = [len(pairs) for pairs in read]
    usual = Counter(lengths).most_common(1)[0][0]
    if uneven := [f"{name} ({length})" for name, length in zip(names, lengths, strict=True) if length != usual]:
        raise InputError(
            f"most spectra in {folder.name} have {usual} channels, but not {named(uneven)}; measure or resample them "
            "on one axis."
        )
    axis = np.median([pairs[:, 0] for pairs in read], axis=0)
    width = np.abs(np.gradient(axis)) if usual > 1 else np.ones(1)
    moved = [
        name for name, pairs in zip(names, read, strict=True) if (np.abs(pairs[:, 0] - axis) > _SAME_AXIS * width).any()
    ]
    if moved:
        raise InputError(
            f"the axis of {named(moved)} differs from that of the other spectra; resample them on one axis."
        )
    return Spectra(np.array([pairs[:, 1] for pairs in read]), axis, "", notes)


def _two_columns(path: Path) -> Floats:
    rows = read_rows(path)
    start = next(k for k, (_, row) in enumerate(rows) if len(row) == 2 and None not in map(axis_number, row))
    uneven = [f"{len(row)} in line {line}" for line, row in rows[start:] if len(row) != 2]
    if uneven:
        raise InputError(f"{path.name} must have two columns, position and intensity, found {named(uneven)}.")
    return _numbers(path.name, rows[start:], ["position", "intensity"])


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


def _matched(names: Sequence[str], samples: Sequence[str], what: str) -> tuple[list[int], tuple[str, ...]]:
    """Return the index of each sample in ``names``, by the same text or else the same number ("007" is "7")."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{what} name the sample {named(twice)} more than once; keep one spectrum for each.")
    exact = {name: k for k, name in enumerate(names)}
    plain = {_plain(name): k for k, name in enumerate(names)}
    order = [exact.get(sample, plain.get(_plain(sample), -1)) for sample in samples]
    lacking = [sample for sample, k in zip(samples, order, strict=True) if k < 0]
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(samples)} samples have no spectrum among the {len(names)} {what}: "
            f"{named(lacking)}; name each by its sample."
        )
    spare = sorted(set(range(len(names))) - set(order))
    return order, (f"{len(spare)} {what} belong to no sample: {named(names[k] for k in spare)}",) if spare else ()


def _plain(name: str) -> str:
    return name.strip().lower().lstrip("0") or "0"
