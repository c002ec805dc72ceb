"""The report of a demonstration: its runs, each with a report of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.segmentation import read_microstructure
from matlens.report.members import reported_members
from matlens.report.parts import Links, Page, Section, picture
from matlens.runs.directory import RunDirectory

__all__ = ["PAGE"]


def materials(run: RunDirectory) -> Section | None:
    """Show each material beside its reconstruction.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    items: list[Any] = []
    for name in reported_members(run):
        if name in run.settings["members"]:
            items.append(_beside(run, name))
        items.append(Links([(f"the report of {name}", f"{name}/report.html")]))
    return Section("Materials", items) if items else None


def _beside(run: RunDirectory, name: str) -> Any:
    folder = run.path / name
    exemplar, results = read_microstructure(folder / "exemplar_0.npz"), sections.results_in(folder)
    window = exemplar.crop(*(slice(0, side) for side in results[0].shape))
    panels = [(name, window), *((f"realisation {index}", result) for index, result in enumerate(results))]
    source = pd.DataFrame({"panel": [title for title, _ in panels]})
    said = " ".join(sections.verdict_in(folder).get("sentences", [])[:1])
    caption = f"{name}: a window of the exemplar beside what was made from it. {said}"
    return picture(run, name, figures.micrographs(panels[:3], columns=3), source, caption)


def _cited(run: RunDirectory) -> Sequence[str]:
    keys: list[str] = []
    for name in reported_members(run):
        with RunDirectory(run.path / name) as member:
            keys += cites.of_engine(member)
    return (*keys, *cites.of_judging())


def _headlines(run: RunDirectory) -> list[str]:
    return [
        f"{name}: {sentence}"
        for name in reported_members(run)
        for sentence in sections.verdict_in(run.path / name).get("sentences", [])[:1]
    ]


PAGE = Page(
    "Demonstration",
    lambda run: "What MatLens makes of structures that are at hand, each with a report of its own.",
    (materials,),
    _cited,
    headlines=_headlines,
)
