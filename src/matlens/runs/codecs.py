"""Codecs: how one value is written to a file and read from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from matlens.core.csv_text import csv_text
from matlens.core.guard import reading
from matlens.core.hdf5 import read_netcdf
from matlens.errors import RunError
from matlens.hooks import Arrays
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import parse_table

__all__ = ["ARRAYS", "DATASET", "JSON", "TABLE", "Codec", "read_file", "read_value", "table_codec", "write_value"]

T = TypeVar("T")


@dataclass(frozen=True)
class Codec(Generic[T]):
    """Write a value to a file, and read the same value from it.

    Parameters
    ----------
    suffix : str
        Extension of the file, with its dot.
    write : callable
        Takes a file in memory and the value.
    read : callable
        Takes the path and returns the value; raises OSError or ValueError if the file is damaged.

    Examples
    --------
    >>> text = Codec(".txt", lambda file, value: file.write(value.encode()), lambda path: path.read_text())
    >>> text.suffix
    '.txt'
    """

    suffix: str
    write: Callable[[BytesIO, T], object]
    read: Callable[[Path], T]


def write_value(run: RunDirectory, name: str, value: T, codec: Codec[T]) -> None:
    """Write a value as a file of the run, atomically.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Path of the file within the run.
    value : object
        Value that the codec can write.
    codec : Codec
        Writes the value.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {})
    >>> write_value(run, "facts.json", {"n": 3}, JSON)
    >>> (run.path / "facts.json").read_text()
    '{\\n  "n": 3\\n}\\n'
    """
    with run.writing(name) as file:
        codec.write(file, value)


def read_value(run: RunDirectory, name: str, codec: Codec[T]) -> T:
    """Read a value from a file of the run.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Path of the file within the run.
    codec : Codec
        Reads the value.

    Returns
    -------
    object
        The value that was written.

    Raises
    ------
    RunError
        If the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn", {})
    >>> write_value(run, "facts.json", {"n": 3}, JSON)
    >>> read_value(run, "facts.json", JSON)
    {'n': 3}
    """
    remedy = f"remove it and go on with 'matlens resume {run.path}', which makes it again"
    with reading(run.path / name, "a file of a run", remedy, RunError):
        return codec.read(run.path / name)


def read_file(path: Path, codec: Codec[T]) -> T:
    """Read a value from a file of a run that is not open, such as the one that a command starts from.

    Parameters
    ----------
    path : Path
        The file.
    codec : Codec
        Reads the value.

    Returns
    -------
    object
        The value that was written.

    Raises
    ------
    RunError
        If the file is damaged.

    Examples
    --------
    >>> read_file(Path("nowhere.json"), JSON)
    Traceback (most recent call last):
    matlens.errors.RunError: nowhere.json cannot be read as a file of a run (No such file or directory); restore it, or
    make the run again.
    """
    with reading(path, "a file of a run", "restore it, or make the run again", RunError):
        return codec.read(path)


def _write_arrays(file: BytesIO, arrays: Arrays) -> None:
    named: dict[str, Any] = dict(arrays)
    np.savez(file, allow_pickle=False, **named)


def _read_arrays(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def _write_json(file: BytesIO, value: Any) -> None:
    file.write((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_table(file: BytesIO, table: pd.DataFrame) -> None:
    file.write(csv_text(table).encode())


def _write_dataset(file: BytesIO, dataset: xr.Dataset) -> None:
    dataset.to_netcdf(file, engine="h5netcdf")


def _read_dataset(path: Path) -> xr.Dataset:
    return read_netcdf(path)


def table_codec(read: Callable[[Path], pd.DataFrame]) -> Codec[pd.DataFrame]:
    """Return a codec of tables whose columns need a reader of their own, e.g. where an empty text is no missing value.

    Parameters
    ----------
    read : callable
        Takes the path of a CSV file and returns the table.

    Returns
    -------
    Codec
        Writes CSV files, and reads them with ``read``.

    Examples
    --------
    >>> table_codec(lambda path: pd.read_csv(path, dtype=str)).suffix
    '.csv'
    """
    return Codec(".csv", _write_table, read)


TABLE: Codec[pd.DataFrame] = table_codec(parse_table)
"""A table as CSV, written with every digit of its numbers."""

DATASET: Codec[xr.Dataset] = Codec(".nc", _write_dataset, _read_dataset)
"""Labelled arrays as netCDF."""

ARRAYS: Codec[Arrays] = Codec(".npz", _write_arrays, _read_arrays)
"""Arrays by name as NPZ, without pickled objects."""

JSON: Codec[Any] = Codec(".json", _write_json, _read_json)
"""Numbers, texts, lists and dictionaries as JSON."""
