"""The report of a reconstruction, from micrographs or from statistics alone."""

from __future__ import annotations

from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.homogenize.report import judged_properties
from matlens.microstructure.commands.reconstruct import from_statistics_report as from_statistics
from matlens.report.parts import Page
from matlens.report.standard import notes, unfinished
from matlens.runs.directory import RunDirectory

__all__ = ["page_of"]


_FROM_MICROGRAPHS = Page(
    "Reconstruction of {}",
    sections.micrographs_subtitle,
    (
        sections.structures,
        sections.evidence,
        judged_properties,
        sections.curves,
        sections.copying,
        sections.optimisation,
        sections.cleaning,
        notes,
    ),
    lambda run: (*cites.of_engine(run), *cites.of_judging(), *cites.CONDUCTION, *cites.of_thresholds(run)),
    facts=sections.engine_facts,
    verdict=sections.joint_verdict,
    headlines=sections.verdict_headlines,
)
_FROM_STATISTICS = Page(
    "Reconstruction from statistics",
    unfinished,
    (from_statistics.structures, from_statistics.match, sections.optimisation, notes),
    lambda run: (*cites.of_engine(run), *cites.of_judging()),
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
