"""The report of a segmentation: the alternatives side by side, and how the file became phases."""

from __future__ import annotations

from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.report.parts import Page, Section, picture, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]


def side_by_side(run: RunDirectory) -> Section | None:
    """Show the alternatives as a contact sheet, with their volume fractions.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run was stopped before it stored them.
    """
    found, structures = read_table(run, "alternatives"), stored_inputs(run, "alternative")
    if found is None or not structures:
        return None
    names = list(dict.fromkeys(found["alternative"]))
    grey, ways = sections.grey_of(run, 0), list(zip(names, structures))
    figure = figures.micrographs(ways) if grey is None else figures.ways_to_segment(grey, ways)
    caption = "The file segmented in several ways; the first one is in labels.tif and segmentation.toml."
    columns = {"alternative": "way", "phase": "phase", "volume_fraction": "fraction", "settings": "settings"}
    return Section("Ways to segment", [picture(run, "alternatives", figure, found, caption), table(found, "", columns)])


PAGE = Page(
    "Segmentation of {}",
    sections.micrographs_subtitle,
    (side_by_side, sections.cleaning),
    cites.of_thresholds,
)
