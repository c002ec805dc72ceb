"""Words that the reports of a library share: partitions, schemes, marks of trust, units and notes."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from matlens.figures.units import name_with_unit
from matlens.report.numbers import sentence
from matlens.runs.codecs import DATASET, TABLE, read_file
from matlens.runs.directory import RunDirectory

__all__ = [
    "MARKS",
    "PARTITIONS",
    "SCHEMES",
    "gradients_in",
    "interval_text",
    "intervals_of",
    "model_words",
    "notes_of",
    "read_samples",
    "sizes",
    "subtitle",
    "target_of",
]

MARKS = ("supported", "weak", "unsupported")
PARTITIONS = {
    "grouped": "compositions left out",
    "regions": "regions left out",
    "systems": "co-alloy systems left out",
    "shuffled": "rows shuffled (for information)",
}
SCHEMES = {
    "dilution": "dilution: all others shrink in proportion",
    "exchange": "exchange: in place of the host",
    "tangent": "tangent: less the mean of those present",
}


def model_words(name: str) -> str:
    """Name a model as a sentence does.

    Parameters
    ----------
    name : str
        Its name in tables, as ``gaussian-process``.

    Returns
    -------
    str
        The words.

    Examples
    --------
    >>> model_words("gaussian-process"), model_words("pls"), model_words("random-forest")
    ('Gaussian process', 'PLS', 'random forest')
    """
    return {"gaussian-process": "Gaussian process", "pls": "PLS"}.get(name, name.replace("-", " "))


def interval_text(value: float, low: float, high: float, digits: int = 2) -> str:
    r"""Write a number with its interval, and a dash for an unknown number.

    Parameters
    ----------
    value, low, high : float
        Number and ends of the interval; NaN where unknown.
    digits : int
        Digits after the decimal point.

    Returns
    -------
    str
        The text, with no-break spaces.

    Examples
    --------
    >>> interval_text(0.912, 0.9, 0.93), interval_text(float("nan"), 0, 0), interval_text(0.9, np.nan, np.nan)
    ('0.91\xa0(0.90\xa0to\xa00.93)', '–', '0.90')
    """
    if not np.isfinite(value):
        return "–"
    if not (np.isfinite(low) and np.isfinite(high)):
        return f"{value:.{digits}f}"
    text = f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})".replace("-", "−")
    return text.replace(" ", "\N{NO-BREAK SPACE}")  # tables stay one line a row


def intervals_of(table: pd.DataFrame, name: str, digits: int = 2) -> list[str]:
    """Write a column with the interval in its ``_low`` and ``_high`` columns.

    Parameters
    ----------
    table : DataFrame
        Table with the columns.
    name : str
        Name of the column.
    digits : int
        Digits after the decimal point.

    Returns
    -------
    list of str
        A text for each row.
    """
    none = pd.Series(np.nan, index=table.index)
    low, high = table.get(f"{name}_low", none), table.get(f"{name}_high", none)
    return [interval_text(float(v), float(lo), float(hi), digits) for v, lo, hi in zip(table[name], low, high)]


def notes_of(run: RunDirectory) -> list[str]:
    """Return the notes of a run as sentences.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        Sentences.
    """
    return [sentence(str(note)) for note in run.provenance.get("notes", ()) if str(note)]


def target_of(run: RunDirectory) -> tuple[str, str]:
    """Return name and unit of the figure of merit, as far as the run holds them.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    tuple of (str, str)
        Name and unit; the unit may be empty.
    """
    resolved = run.provenance.get("resolved", {})
    asked = run.settings.get("options", {}).get("target")
    return str(resolved.get("target") or asked or "figure of merit"), str(resolved.get("unit", ""))


def subtitle(run: RunDirectory) -> str:
    """Return the line below the title: the figure of merit, and the number of samples.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    str
        The line.
    """
    name, unit = target_of(run)
    if run.status != "finished" and "target" not in run.provenance.get("resolved", {}):
        return ""
    samples = run.provenance.get("resolved", {}).get("samples")
    return name_with_unit(name, unit) + (f" of {samples} samples." if samples else ".")


def sizes(run: RunDirectory) -> dict[str, Any]:
    """Return the numbers of samples and models for the header of a report.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    dict
        ``samples`` and ``models``.
    """
    resolved = run.provenance.get("resolved", {})
    return {"samples": resolved.get("samples", ""), "models": resolved.get("members", "")}


def read_samples(folder: str | os.PathLike[str], name: str) -> pd.DataFrame | None:
    """Read a table of samples, ids as text.

    Parameters
    ----------
    folder : path-like
        Folder of the run.
    name : str
        Name of the table, without ``.csv``.

    Returns
    -------
    DataFrame or None
        The table; None if there is no such file.
    """
    file = Path(folder) / f"{name}.csv"
    return read_file(file, TABLE) if file.is_file() else None


def gradients_in(run: RunDirectory) -> xr.Dataset | None:
    """Read the data set of gradients.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Dataset or None
        The gradients; None before they are written.
    """
    file = run.path / "gradients.nc"
    return _gradients(file, file.stat().st_mtime_ns).copy() if file.is_file() else None


@lru_cache(maxsize=1)  # ten sections of a report ask for it, and reading takes most of a second
def _gradients(file: Path, changed: int) -> xr.Dataset:
    return read_file(file, DATASET)
