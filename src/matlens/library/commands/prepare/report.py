"""The report of ``library prepare``."""

from __future__ import annotations

from matlens.figures.units import name_with_unit, typeset_unit
from matlens.library import figures
from matlens.library.commands.words import notes_of
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
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
    "change": "largest change, of the range",
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
    listed = found.assign(points=found["points"].where(found["points"] >= 0))
    unit = typeset_unit(str(run.provenance["resolved"]["unit"]))
    names = _COLUMNS | ({"low": f"from ({unit})", "high": f"to ({unit})"} if unit else {})
    items = [table(listed, "What each step changed", names, ["change"])] if len(listed) else []
    return Section("Steps", items, notes_of(run)) if items or notes_of(run) else None


def answer(run: RunDirectory) -> Answer | None:
    """Show the size of the library, and spectra as they were and as they became.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before the library was prepared.
    """
    found = read_table(run, "effect")
    if read_table(run, "steps") is None and run.status != "finished":
        return None
    known = run.provenance["resolved"]
    tiles = [Tile("samples", str(known["samples"]))]
    if found is None:
        return Answer(tiles)
    figure = figures.before_and_after(
        found,
        axis=name_with_unit(str(known["axis_name"]), str(known["unit"])),
        intensity=name_with_unit(str(known["spectrum_name"]), str(known["spectrum_unit"])),
    )
    caption = (
        "Spectra of the samples that the steps changed least, most, and as much as half of the others, as they were in "
        "the file and as they were prepared."
    )
    return Answer(tiles, Drawing("effect", figure, found, caption))


PAGE = Page(
    "Prepared library",
    lambda run: "",
    (steps,),
    lambda run: (),
    answer=answer,
)
