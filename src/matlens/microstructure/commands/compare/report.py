"""The report of a comparison."""

from __future__ import annotations

from matlens.microstructure.commands import cites, sections, verdict_report
from matlens.report.parts import Page

__all__ = ["PAGE"]

PAGE = Page(
    "Comparison with {}",
    sections.micrographs_subtitle,
    (
        sections.cleaning,
        verdict_report.evidence,
        verdict_report.judged_properties,
        sections.curves,
        verdict_report.copying,
    ),
    lambda run: (*cites.of_judging(), *cites.CONDUCTION, *cites.of_thresholds(run)),
    answer=verdict_report.answer,
    headlines=verdict_report.headlines,
)
