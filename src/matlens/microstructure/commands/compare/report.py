"""The report of a comparison."""

from __future__ import annotations

from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.homogenize.report import judged_properties
from matlens.report.parts import Page

__all__ = ["PAGE"]

PAGE = Page(
    "Comparison with {}",
    sections.micrographs_subtitle,
    (
        sections.structures,
        sections.evidence,
        judged_properties,
        sections.curves,
        sections.copying,
        sections.cleaning,
    ),
    lambda run: (*cites.of_judging(), *cites.CONDUCTION, *cites.of_thresholds(run)),
    verdict=sections.joint_verdict,
    headlines=sections.verdict_headlines,
)
