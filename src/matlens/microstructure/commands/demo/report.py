"""The report of a demonstration: its runs, each with a report of its own."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.verdict_report import said_of
from matlens.microstructure.segmentation import read_microstructure
from matlens.report.members import reported_members
from matlens.report.parts import Answer, Drawing, Item, Links, Page, Section
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
    items: list[Item] = []
    for name in reported_members(run):
        if name in run.settings["members"] and items:
            items.append(_beside(run, name))
        items.append(Links([(f"The report of {name}", f"{name}/report.html")]))
    return Section("Materials", items) if items else None


def answer(run: RunDirectory) -> Answer | None:
    """Show the first material beside its reconstruction.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before the first material is finished.
    """
    names = [name for name in reported_members(run) if name in run.settings["members"]]
    return Answer(picture=_beside(run, names[0])) if names else None


def _beside(run: RunDirectory, name: str) -> Drawing:
    folder = run.path / name
    exemplar, results = read_microstructure(folder / "exemplar_0.npz"), sections.results_in(folder)
    window = exemplar.crop(*(slice(0, side) for side in results[0].shape))
    panels = [(name, window), *((f"realisation {index}", result) for index, result in enumerate(results))]
    source = pd.DataFrame({"panel": [title for title, _ in panels]})
    caption = f"{name}: a part of the micrograph beside what was made from it, at one scale."
    return Drawing(name, figures.micrographs(panels[:3], columns=3), source, caption)


def _cited(run: RunDirectory) -> Sequence[str]:
    keys: list[str] = []
    for name in reported_members(run):
        with RunDirectory(run.path / name) as member:
            keys += cites.of_engine(member)
    return (*keys, *cites.of_judging())


PAGE = Page(
    "Demonstration",
    lambda run: "What MatLens makes of structures that are at hand, each with a report of its own.",
    (materials,),
    _cited,
    answer=answer,
    headlines=lambda run: said_of(reported_members(run), run.path),
)
