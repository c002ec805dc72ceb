"""The report of ``library prepare``."""

from __future__ import annotations

from typing import Any

from matlens.figures.units import name_with_unit
from matlens.library import figures
from matlens.library.commands.words import notes_of, sentence
from matlens.report.parts import Page, Section, picture, table
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


def effect(run: RunDirectory) -> Section | None:
    """Show spectra as they were and as they became.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "effect")
    if found is None:
        return None
    known = run.provenance["resolved"]
    figure = figures.before_and_after(
        found,
        axis=name_with_unit(str(known["axis_name"]), str(known["unit"])),
        intensity=name_with_unit(str(known["spectrum_name"]), str(known["spectrum_unit"])),
    )
    caption = (
        "Spectra of the samples that the steps changed least, most, and as much as half of the others, as they were in "
        "the file and as they were prepared."
    )
    return Section("Before and after", [picture(run, "effect", figure, found, caption)])


PAGE = Page(
    "Prepared library",
    lambda run: f"{run.provenance['resolved']['samples']} samples.",
    (steps, effect),
    lambda run: (),
)
