"""The report of a reconstruction, from micrographs or from statistics alone."""

from __future__ import annotations

from collections.abc import Sequence

from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.homogenize.report import judged_properties
from matlens.microstructure.commands.reconstruct import from_statistics_report as from_statistics
from matlens.report.parts import Page
from matlens.report.standard import notes
from matlens.runs.directory import RunDirectory

__all__ = ["PAGE"]


def _cited(run: RunDirectory) -> Sequence[str]:
    judged = () if from_statistics.made(run) else (*cites.STATISTICS, *cites.CONDUCTION)
    always = judged or cites.STATISTICS
    return (*cites.of_engine(run), *always, *cites.of_thresholds(run))


PAGE = Page(
    "Reconstruction of {}",
    sections.micrographs_subtitle,
    (
        sections.structures,
        from_statistics.structures,
        from_statistics.match,
        sections.evidence,
        judged_properties,
        sections.curves,
        sections.copying,
        sections.optimisation,
        sections.cleaning,
        notes,
    ),
    _cited,
    facts=sections.engine_facts,
    verdict=sections.joint_verdict,
    headlines=sections.verdict_headlines,
)
