"""The report of a batch."""

from __future__ import annotations

import pandas as pd

from matlens.report.parts import Page, Section, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]

_SHOWN = {
    "group": "group",
    "quantity": "quantity",
    "phase": "phase",
    "axis": "axis",
    "mean": "mean",
    "standard_deviation": "standard deviation",
    "least": "least",
    "greatest": "greatest",
    "samples": "samples",
    "files": "files",
    "unit": "unit",
}


def groups(run: RunDirectory) -> Section | None:
    """Make the section of the means of groups.

    Parameters
    ----------
    run : RunDirectory
        The run.

    Returns
    -------
    Section or None
        None where there is no table.
    """
    found = read_table(run, "groups")
    if found is None:
        return None
    caption = (
        "Means, standard deviations and extremes of the samples of each group. Files of one sample are averaged first."
    )
    return Section("Groups", [table(found, caption, _SHOWN)])


def failed(run: RunDirectory) -> Section | None:
    """Make the section of the files that failed.

    Parameters
    ----------
    run : RunDirectory
        The run.

    Returns
    -------
    Section or None
        None where none failed.
    """
    if not run.failed:
        return None
    rows = pd.DataFrame({"file": list(run.failed), "reason": list(run.failed.values())})
    return Section("Files that failed", [table(rows, "'matlens resume' tries them again.")])


def _subtitle(run: RunDirectory) -> str:
    items = run.settings["items"]
    return f"{len(items)} files, each worked on by itself; the run of each lies below items."


PAGE = Page("Batch of files", _subtitle, (groups, failed), lambda run: ())
