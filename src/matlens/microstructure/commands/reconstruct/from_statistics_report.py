"""The sections of a report on microstructures made from statistics alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.core.numbers import shown
from matlens.microstructure import figures
from matlens.microstructure.commands.sections import fraction_tiles, pictures, results_of
from matlens.report.parts import Answer, Drawing, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["answer", "match"]

_COLUMNS = {
    "source": "image",
    "s2_error": "two-point correlation",
    "lineal_path_error": "lineal path",
    "fraction_error": "volume fraction",
}


def answer(run: RunDirectory) -> Answer | None:
    """Show what was made, and how far its statistics are from those asked for.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before anything was made.
    """
    errors, results = read_table(run, "errors"), results_of(run)
    if errors is None or not results:
        return None
    own, noise = errors.iloc[0], errors.iloc[-1]
    tiles = [
        Tile(f"error of the {name}", shown(float(own[key])), "", f"white noise: {shown(float(noise[key]))}")
        for key, name in _COLUMNS.items()
        if key not in ("source", "fraction_error") and key in errors and not pd.isna(own[key])
    ]
    warning = (
        "Many structures share these functions and differ in connectedness: a property that depends on it does not "
        "follow from them."
    )
    return Answer([*tiles, *fraction_tiles(results[0])], pictures(run), [warning])


def match(run: RunDirectory) -> Section | None:
    """Compare the statistics of the result with those asked for.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    errors, curves, results = read_table(run, "errors"), read_table(run, "curves"), results_of(run)
    if errors is None or curves is None or not results:
        return None
    words = (
        "Two-point probabilities, lineal path and volume fractions were asked for, and nothing else is known of the "
        "material. Errors are sums of absolute differences over three times the reach of the covariance (two-point) or "
        "half the side (lineal path), relative to the target's; white noise of the same fractions is the control."
    )
    figure = figures.statistic_curves(curves, unit=results[0].unit)
    items: list[Any] = [
        Drawing("curves", figure, curves, "The statistics asked for and those of the realisations."),
        table(errors.dropna(axis=1, how="all"), "Errors against the target", _COLUMNS),
    ]
    return Section("Match", items, [words])
