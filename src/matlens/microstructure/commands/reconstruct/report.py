"""The report of a reconstruction, from micrographs or from statistics alone."""

from __future__ import annotations

from matlens.microstructure.commands import cites, sections, verdict_report
from matlens.microstructure.commands.reconstruct import from_statistics_report as from_statistics
from matlens.microstructure.commands.reconstruct import in_space_report as in_space
from matlens.report.parts import Page
from matlens.report.standard import notes
from matlens.runs.directory import RunDirectory

__all__ = ["page_of"]


_FROM_MICROGRAPHS = Page(
    "Reconstruction of {}",
    sections.micrographs_subtitle,
    (
        sections.cleaning,
        verdict_report.evidence,
        in_space.proposed,
        verdict_report.judged_properties,
        sections.curves,
        verdict_report.copying,
        sections.optimisation,
        notes,
    ),
    lambda run: (*cites.of_engine(run), *cites.of_judging(), *cites.CONDUCTION, *cites.of_thresholds(run)),
    facts=sections.engine_facts,
    answer=verdict_report.answer,
    headlines=verdict_report.headlines,
)
_FROM_STATISTICS = Page(
    "Reconstruction from statistics",
    lambda run: f"From the statistics in {run.settings['options']['target']}.",
    (from_statistics.match, sections.optimisation, notes),
    lambda run: (*cites.of_engine(run), *cites.of_judging()),
    answer=from_statistics.answer,
    facts=sections.engine_facts,
)


def page_of(run: RunDirectory) -> Page:
    """Choose the page: a reconstruction from statistics alone has no exemplar to be compared with.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Page
        The page.
    """
    return _FROM_STATISTICS if "target" in run.settings["options"] else _FROM_MICROGRAPHS
