"""The sections of a report on microstructures made from statistics alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.microstructure import figures
from matlens.microstructure.commands.sections import results_of
from matlens.report.parts import Section, picture, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["match", "structures"]

_MOST_SHOWN = 6
_COLUMNS = {
    "source": "of",
    "s2_error": "two-point correlation",
    "lineal_path_error": "lineal path",
    "fraction_error": "volume fraction",
}


def structures(run: RunDirectory) -> Section | None:
    """Show the structures made from statistics.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    results = results_of(run)
    if not results:
        return None
    panels = [(f"realisation {index}", result) for index, result in enumerate(results[:_MOST_SHOWN])]
    rows = [
        {"panel": title, "phase": name, "volume_fraction": share}
        for title, structure in panels
        for name, share in zip(structure.phase_names, structure.volume_fractions)
    ]
    figure = figures.micrographs(panels)
    return Section("Structures", [picture(run, "structures", figure, pd.DataFrame(rows), "The realisations.")])


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
        "material. Many structures share these functions and differ in connectedness, so a property that depends on it "
        "is not settled by them. Errors are sums of absolute differences over three correlation lengths (two-point) or "
        "half the side (lineal path), relative to the target's; white noise of the same fractions is the control."
    )
    figure = figures.statistic_curves(curves, unit=results[0].unit)
    items: list[Any] = [
        picture(run, "curves", figure, curves, "The statistics asked for and those of the realisations."),
        table(errors.dropna(axis=1, how="all"), "Errors against the target", _COLUMNS),
    ]
    return Section("Match", items, [words])
