"""Words that the reports of a library share: partitions, schemes, marks of trust, units and notes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from matlens.figures.units import name_with_unit, raise_powers
from matlens.report.standard import unfinished
from matlens.runs.directory import RunDirectory

__all__ = [
    "MARKS",
    "PARTITIONS",
    "SCHEMES",
    "gradients_in",
    "interval_text",
    "intervals_of",
    "notes_of",
    "read_samples",
    "sentence",
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


def interval_text(value: float, low: float, high: float, digits: int = 2) -> str:
    r"""Write a number with its interval; a dash where it is not known.

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
    """Write a column with its ``_low`` and ``_high`` beside, row by row."""
    none = pd.Series(np.nan, index=table.index)
    low, high = table.get(f"{name}_low", none), table.get(f"{name}_high", none)
    return [interval_text(float(v), float(lo), float(hi), digits) for v, lo, hi in zip(table[name], low, high)]


def notes_of(run: RunDirectory) -> list[str]:
    """Notes of a run as sentences."""
    return [sentence(str(note)) for note in run.provenance.get("notes", ()) if str(note)]


def sentence(text: str) -> str:
    """Begin with a capital, end with a full stop, and write units as print does.

    Examples
    --------
    >>> sentence("an R2 of 0.9"), sentence("Adding W raises P by 2 mW/cm2 per at%.")
    ('An R² of 0.9.', 'Adding W raises P by 2 mW/cm² per at%.')
    """
    return raise_powers(re.sub(r"\bR2\b", "R²", f"{text[:1].upper()}{text[1:].rstrip('.')}."))


def target_of(run: RunDirectory) -> tuple[str, str]:
    """Name and unit of the figure of merit, as far as the run says."""
    resolved = run.provenance.get("resolved", {})
    asked = run.settings.get("options", {}).get("target")
    return str(resolved.get("target") or asked or "figure of merit"), str(resolved.get("unit", ""))


def subtitle(run: RunDirectory) -> str:
    """Give the line below the title: the figure of merit, and of how many samples."""
    name, unit = target_of(run)
    if run.status != "finished" and "target" not in run.provenance.get("resolved", {}):
        return unfinished(run)
    samples = run.provenance.get("resolved", {}).get("samples")
    return name_with_unit(name, unit, "text") + (f" of {samples} samples." if samples else ".")


def sizes(run: RunDirectory) -> dict[str, Any]:
    """Give the numbers of samples and models for the header of a report."""
    resolved = run.provenance.get("resolved", {})
    return {"samples": resolved.get("samples", ""), "models": resolved.get("members", "")}


def read_samples(folder: str | os.PathLike[str], name: str) -> pd.DataFrame | None:
    """Read a table of samples; their ids stay text."""
    file = Path(folder) / f"{name}.csv"
    return pd.read_csv(file, dtype={"sample": str, "fold": str}) if file.is_file() else None


def gradients_in(run: RunDirectory) -> xr.Dataset | None:
    """The data set of gradients; None before it is written."""
    file = run.path / "gradients.nc"
    if not file.is_file():
        return None
    with xr.open_dataset(file, engine="h5netcdf") as dataset:
        return dataset.load()
