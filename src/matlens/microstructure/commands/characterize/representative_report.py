"""The section on representative size in a report on statistics."""

from __future__ import annotations

from typing import Any

from matlens.figures.units import typeset_unit
from matlens.microstructure import figures
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.report.parts import Drawing, Section, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["representative"]

_COLUMNS = {
    "statistic": "statistic",
    "phase": "phase",
    "n_windows": "windows",
    "precision": "wanted precision",
    "side": "side of each",
    "pixels": "side (px)",
    "extrapolated": "extrapolated",
}


def representative(run: RunDirectory) -> Section | None:
    """Show how much windows differ from each other, and how large a representative window is.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    spread, needed = read_table(run, "representative"), read_table(run, "representative_windows")
    exemplars = stored_inputs(run)
    if spread is None or needed is None or not exemplars:
        return None
    unit, precision = exemplars[0].unit, float(needed["precision"].iloc[0])
    items: list[Any] = []
    names = _COLUMNS | {"side": f"side of each ({typeset_unit(unit)})"}
    for index, (file, rows) in enumerate(spread.groupby("file", sort=False)):
        figure = figures.window_scatter(rows, unit=unit)
        caption = (
            f"{file}: standard deviation between windows over the mean (of the two-point error its root mean square). "
            "Points are measured, full lines the law variance = k / V, dashed lines what the covariance predicts."
        )
        items.append(Drawing(f"representative_{index}", figure, rows, caption))
        mine = needed[needed["file"] == file].drop(columns="file")
        mine = mine.assign(statistic=mine["statistic"].str.replace("_", " "))
        items.append(
            table(mine, f"{file}: windows whose mean is known to {100 * precision:.0f} %", names, ["precision"])
        )
    words = (
        "A value measured on one window is one random sample. Windows of volume V scatter with variance k / V as soon "
        "as they are large against the material's integral range. Sizes beyond the measured ones are extrapolated. The "
        f"mean of n windows is known to {100 * precision:.0f} % (95 % interval, two standard errors) when each has the "
        "side listed."
    )
    laws = read_table(run, "representative_laws")
    points = []
    if laws is not None:
        known = laws[laws["integral_range"].notna()]
        for file, phase, *ranges in known[["file", "phase", "integral_range", "integral_range_windows"]].to_numpy():
            points.append(
                f"{file}, {phase}: integral range {ranges[0]:.3g} pixels from the covariance, {ranges[1]:.3g} from the "
                "scatter of windows."
            )
    return Section("Representative size", items, [words], points)
