"""The report of a segmentation: the alternatives side by side, and how the file became phases."""

from __future__ import annotations

from matlens.core.numbers import percent
from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.report.parts import Answer, Drawing, Page, Section, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]


def answer(run: RunDirectory) -> Answer | None:
    """Show the alternatives as a contact sheet, with the fractions of the first one.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None if the run was stopped before it stored them.
    """
    found, structures = read_table(run, "alternatives"), stored_inputs(run, "alternative")
    if found is None or not structures:
        return None
    names = list(dict.fromkeys(found["alternative"]))
    grey, ways = sections.grey_of(run, 0), list(zip(names, structures))
    figure = figures.micrographs(ways) if grey is None else figures.ways_to_segment(grey, ways)
    caption = "The file segmented in several ways; the first one is in labels.tif and segmentation.toml."
    shares = found.assign(text=[f"{percent(float(s))} {p}" for s, p in zip(found["volume_fraction"], found["phase"])])
    each = [f"{name}: {', '.join(rows['text'])}." for name, rows in shares.groupby("alternative", sort=False)]
    drawn = Drawing("alternatives", figure, found, caption, " ".join(each))
    return Answer(sections.fraction_tiles(structures[0]), drawn, sections.threshold_warnings(run))


def ways(run: RunDirectory) -> Section | None:
    """List the phases of each alternative, with the options that make it.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run was stopped before it stored them.
    """
    found = read_table(run, "alternatives")
    if found is None:
        return None
    columns = {"alternative": "way", "phase": "phase", "volume_fraction": "volume fraction", "settings": "options"}
    return Section("Ways to segment", [table(found, "", columns, ["volume_fraction"])])


PAGE = Page(
    "Segmentation of {}",
    sections.micrographs_subtitle,
    (sections.cleaning, ways),
    cites.of_thresholds,
    answer=answer,
)
