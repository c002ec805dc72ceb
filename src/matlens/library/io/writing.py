"""MatLens' own table of a library: plain CSV below one line of JSON that describes the columns."""

from __future__ import annotations

import csv
import io
import json
import os
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from matlens.core.arguments import checked_arguments
from matlens.core.atomic import atomic_write
from matlens.core.csv_text import quoting_of, safe_cell
from matlens.core.user_text import plain_cell, spreadsheet_cell
from matlens.errors import InputError
from matlens.library.io.names import split_unit
from matlens.library.io.text_table import WRITTEN, TextTable
from matlens.library.table import MaterialsLibrary

__all__ = ["is_written", "put_library", "read_written", "write_library"]

_SIGNS = {-1: "<", 0: "", 1: ">"}


@checked_arguments
def write_library(library: MaterialsLibrary, path: str | os.PathLike[str]) -> None:
    """Write a library as CSV, from which `read_library` restores it to the last digit.

    The columns are Sample, the components (fractions), covariates, the spectrum and the figures of merit. The line
    above them is for MatLens only. A text that a spreadsheet program would compute has an apostrophe before it.

    Parameters
    ----------
    library : MaterialsLibrary
        The library.
    path : path-like
        The file.

    Raises
    ------
    InputError
        If two columns would have the same name.
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "library.csv"
    >>> write_library(MaterialsLibrary([[0.5, 0.5]], ("Fe", "Ga"), {"M": [2.0]}, {"M": "T"}), path)
    >>> path.read_text().splitlines()[1:]
    ['Sample,Fe,Ga,M (T)', '0,0.5,0.5,2.0']
    """
    with atomic_write(path) as file:
        put_library(library, file)


def put_library(library: MaterialsLibrary, file: BinaryIO) -> None:
    """Write a library to an open file, as `write_library` does.

    Parameters
    ----------
    library : MaterialsLibrary
        The library.
    file : binary file
        Open for writing.

    Raises
    ------
    InputError
        If two columns would have the same name.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> put_library(MaterialsLibrary([[0.5, 0.5]], ("Fe", "Ga"), {"M": [2.0]}, {"M": "T"}), file)
    >>> file.getvalue().splitlines()[2]
    b'0,0.5,0.5,2.0'
    """
    merits = [_headed(name, unit) for name, unit in library.merit_units.items()]
    channels = [] if library.axis is None else [repr(value) for value in library.axis.tolist()]
    columns = ["Sample", *library.components, *library.covariates, *channels, *merits]
    twice = sorted({name for name in columns if columns.count(name) > 1}) if len(set(columns)) < len(columns) else []
    if twice:
        raise InputError(f"the columns {', '.join(twice)} would occur twice; rename components, covariates or merits.")
    text = io.StringIO(newline="")
    text.write(f"{WRITTEN} {json.dumps(_description(library), ensure_ascii=False)}\n")
    rows: list[list[object]] = [[*map(spreadsheet_cell, columns)], *_rows(library)]
    quoting = quoting_of(cell for row in rows for cell in row)
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)
    file.write(text.getvalue().encode())


def is_written(table: TextTable) -> bool:
    """Return whether a table was written by `write_library`.

    Parameters
    ----------
    table : TextTable
        The table.

    Returns
    -------
    bool
        Whether it was.

    Examples
    --------
    >>> is_written(TextTable("t.csv", ("A title",), [], [], []))
    False
    """
    return bool(table.title) and table.title[0].startswith(WRITTEN)


def read_written(table: TextTable) -> MaterialsLibrary:
    """Restore a library from a table that `write_library` wrote.

    Parameters
    ----------
    table : TextTable
        The table.

    Returns
    -------
    MaterialsLibrary
        The library.

    Raises
    ------
    InputError
        If the first line is damaged or does not fit the columns, or a cell is not a number.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from matlens.library.io.text_table import read_table
    >>> path = Path(tempfile.mkdtemp()) / "library.csv"
    >>> write_library(MaterialsLibrary([[0.5, 0.5]], ("Fe", "Ga"), {"M": [2.0]}, {"M": "T"}), path)
    >>> read_written(read_table(path))
    MaterialsLibrary(1 samples, Fe-Ga, M in T, no spectra)
    """
    try:
        known = json.loads(table.title[0].removeprefix(WRITTEN))
        sizes = [1, len(known["components"]), len(known["covariates"]), known["channels"], len(known["merits"])]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the first line of {table.name} is damaged ({error}); remove it to read a plain table."
        ) from error
    ends = np.cumsum(sizes)
    if ends[-1] != len(table.columns):
        raise InputError(
            f"{table.name} has {len(table.columns)} columns, but its first line describes {ends[-1]}; remove that line "
            "to read a plain table."
        )
    components, covariates, channels, merits = (range(low, high) for low, high in pairwise(ends))
    signs = {}
    for name, k in zip(known["merits"], merits, strict=True):
        table, signs[name] = table.limits(k)
    spectral: dict[str, Any] = {}
    if known["channels"]:
        axis = [float(table.columns[k]) for k in channels]
        spectral = {"spectra": table.numbers(channels), "axis": np.array(axis)}
    return MaterialsLibrary(
        table.numbers(components),
        tuple(known["components"]),
        pd.DataFrame(table.numbers(merits, missing=True), columns=list(known["merits"])),
        known["merits"],
        **spectral,
        **known["names"],
        samples=tuple(map(plain_cell, table.texts(0))),
        covariates=_covariates(table, known["covariates"], covariates),
        censored=pd.DataFrame(signs) if any(sign.any() for sign in signs.values()) else None,
        notes=tuple(known["notes"]),
        sites=tuple(known.get("sites", ())),
    )


def _description(library: MaterialsLibrary) -> dict[str, Any]:
    names = ("axis_name", "axis_unit", "spectrum_name", "spectrum_unit", "fraction_name")
    numeric = {str(name): library.covariates[name].dtype.kind in "biuf" for name in library.covariates}
    return {
        "version": 1,
        "components": library.components,
        "covariates": numeric,
        "channels": 0 if library.axis is None else library.axis.size,
        "merits": dict(library.merit_units),
        "names": {name: getattr(library, name) for name in names},
        "notes": library.notes,
    } | ({"sites": library.sites} if library.sites else {})


def _rows(library: MaterialsLibrary) -> list[list[object]]:
    spectra = np.empty((len(library), 0)) if library.spectra is None else library.spectra
    values = library.merits.to_numpy()
    signs = np.zeros(values.shape, dtype=int) if library.censored is None else library.censored.to_numpy()
    merits = [
        ["" if np.isnan(value) else _SIGNS[int(sign)] + repr(value) for value, sign in zip(row, marks, strict=True)]
        for row, marks in zip(values.tolist(), signs, strict=True)
    ]
    covariates = library.covariates.astype(object).where(library.covariates.notna(), "").to_numpy().tolist()
    fractions = library.compositions.tolist()
    return [
        [spreadsheet_cell(sample), *fractions[k], *map(safe_cell, covariates[k]), *spectra[k].tolist(), *merits[k]]
        for k, sample in enumerate(library.samples)
    ]


def _covariates(table: TextTable, numeric: dict[str, bool], columns: range) -> pd.DataFrame:
    found = {
        name: table.numbers([k], missing=True)[:, 0]
        if plain
        else np.array([*map(plain_cell, table.texts(k))], dtype=object)
        for (name, plain), k in zip(numeric.items(), columns, strict=True)
    }
    return pd.DataFrame(found, index=range(len(table)))


def _headed(name: str, unit: str) -> str:
    head = f"{name} ({unit})"
    return head if unit and split_unit(head) == (name, unit) else name
