"""Folders with a library: the files of the Fe-Ga-Pd library, or a table with spectra in other files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from matlens.errors import InputError
from matlens.library.io.formats import TABLE_FORMATS, TEXT_SUFFIXES, find_format, is_document
from matlens.library.io.layout import DEFAULT, Layout
from matlens.library.io.names import axis_number
from matlens.library.io.spectra_files import holds_spectra, readable
from matlens.library.io.text_spectra import read_matrix
from matlens.library.io.text_table import TextTable, read_rows, read_table
from matlens.library.table import named

__all__ = ["SATURATION", "Parts", "is_cameo", "read_cameo", "table_and_spectra"]

# Names of a first column that holds the axis of spectra in the other columns.
_POSITIONS = re.compile(r"shift|wave|theta|angle|energy|cm.?-1|\b[qQ]\b|\(nm\)|\beV\b", re.IGNORECASE)
SATURATION = 10.0  # V: the largest voltage that the scanning SQUID of the Fe-Ga-Pd library measures


@dataclass(frozen=True)
class Parts:
    """A library in the layout of the Fe-Ga-Pd files, as read.

    Parameters
    ----------
    table : TextTable
        Fractions.
    spectra : ndarray of float, shape (n, C)
        Diffraction patterns.
    axis : ndarray of float, shape (C,)
        Their axis in degrees 2 theta.
    merit : ndarray of float, shape (n,)
        Voltage of the scanning SQUID, a proxy of the magnetisation.
    covariates : DataFrame
        Labels from the file ending in DFT_regions, where the folder has it.
    """

    table: TextTable
    spectra: np.ndarray
    axis: np.ndarray
    merit: np.ndarray
    covariates: pd.DataFrame


def is_cameo(folder: Path) -> bool:
    """Return whether a folder holds one file each ending in CMP, XRD and Mag, as the Fe-Ga-Pd library does.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> is_cameo(Path("."))
    False
    """
    return all(len(_ending(folder, end)) == 1 for end in ("cmp", "xrd", "mag"))


def read_cameo(folder: Path) -> Parts:
    """Read a library in the layout of the Fe-Ga-Pd files.

    Fractions have column names, diffraction patterns have their axis in the first row, and the voltage is in column
    one. The samples have no names in the files and are numbered from 1. The second column of the Mag file, in which
    saturated voltages were replaced by random ones, is not read.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    Parts
        Content of the files.

    Raises
    ------
    InputError
        If the files do not hold the same number of samples, or numbers are missing.

    Notes
    -----
    Kusne et al., Nat. Commun. 11, 5966 (2020).
    """
    table = read_table(_ending(folder, "cmp")[0])
    samples = [str(k + 1) for k in range(len(table))]
    patterns = _ending(folder, "xrd")[0]
    spectra = read_matrix(patterns).of(samples, patterns.name)
    source = _ending(folder, "mag")[0]
    rows = read_rows(source)
    try:
        merit = np.array([float(row[0]) for _, row in rows])
    except ValueError as error:
        raise InputError(f"{source.name} must have numbers in its first column: {error}.") from error
    if len(merit) != len(table):
        raise InputError(
            f"{source.name} has {len(merit)} values for the {len(table)} samples of {table.name}; give one for each."
        )
    regions = _ending(folder, "dft_regions")
    labels = [row[0] for _, row in read_rows(regions[0])] if regions else []
    covariates = pd.DataFrame({"DFT region": labels}) if len(labels) == len(table) else pd.DataFrame()
    return Parts(table, spectra.intensities, spectra.axis, merit, covariates)


def table_and_spectra(folder: Path, layout: Layout = DEFAULT) -> tuple[Path, Path | None]:
    """Find the table of a folder, and the file or folder of its spectra.

    Parameters
    ----------
    folder : Path
        The folder.
    layout : Layout
        How files of text are written, where they do not say.

    Returns
    -------
    table : Path
        File of the table.
    spectra : Path or None
        File with a matrix, or folder with a file for each sample; None if there are no spectra.

    Raises
    ------
    InputError
        If there is not exactly one table, or more than one matrix.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "samples.csv").write_text("Sample,Fe,Ga\\na,0.5,0.5\\n")
    >>> _ = (folder / "a.txt").write_text("100 1.5\\n101 2.5\\n")
    >>> table, spectra = table_and_spectra(folder)
    >>> table.name, spectra == folder
    ('samples.csv', True)
    """
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    single = [file for file in files if holds_spectra(file, layout)]
    matrices = [file for file in files if file not in single and _is_matrix(file, layout)]
    tables = [file for file in files if file not in single and file not in matrices and _is_table(file, layout)]
    if len(tables) != 1 or len(matrices) > 1:
        raise InputError(
            f"{folder} holds {len(tables)} tables with column names ({named(file.name for file in tables) or 'none'}) "
            f"and {len(matrices)} matrices of spectra, where one table, with one matrix or one file of two columns for "
            "each sample, is expected; give the table's own path, and the spectra's as an option."
        )
    if matrices or single:
        return tables[0], matrices[0] if matrices else folder
    below = [part for part in sorted(folder.iterdir()) if part.is_dir() and readable(part, layout)]
    return tables[0], below[0] if len(below) == 1 else folder if below else None


def _ending(folder: Path, end: str) -> list[Path]:
    return [
        file
        for file in sorted(folder.iterdir())
        if file.stem.lower().endswith(end) and file.suffix.lower() in TEXT_SUFFIXES and not file.name.startswith(".")
    ]


def _is_matrix(path: Path, layout: Layout) -> bool:
    if path.suffix.lower() not in TEXT_SUFFIXES or is_document(path):
        return False
    rows = read_rows(path, layout)
    if len(rows) < 2 or len(rows[0][1]) < 3:
        return False
    in_columns = _POSITIONS.search(rows[0][1][0]) and None not in (
        axis_number(cell) for _, row in rows[1:] for cell in row
    )
    return bool(in_columns) or None not in map(axis_number, rows[0][1][1:])


def _is_table(path: Path, layout: Layout) -> bool:
    if path.suffix.lower() not in TEXT_SUFFIXES and find_format(path, TABLE_FORMATS) is None:
        return False
    try:
        table = read_table(path, layout)
    except InputError:
        return False
    return bool(np.isfinite(table.guessed(range(len(table.columns)))).any())
