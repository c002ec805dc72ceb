"""The report of ``library prepare``."""

from __future__ import annotations

from typing import Any

from matlens.library.commands.words import notes_of, sentence
from matlens.report.parts import Page, Section, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]

_COLUMNS = {
    "step": "step",
    "channels": "channels",
    "low": "from",
    "high": "to",
    "points": "points changed",
    "spectra": "spectra changed",
    "change": "largest change / range",
}


def steps(run: RunDirectory) -> Section | None:
    """Show what each step changed.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "steps")
    if found is None:
        return None
    shown = found.assign(points=found["points"].where(found["points"] >= 0))
    items: list[Any] = [table(shown, "What each step changed", _COLUMNS)] if len(shown) else []
    said = [sentence(str(text)) for text in run.provenance.get("sentences", ())]
    return Section("Preparation", items, [*notes_of(run)], said)


PAGE = Page(
    "Prepared library",
    lambda run: f"{run.provenance['resolved']['samples']} samples.",
    (steps,),
    lambda run: (),
)
