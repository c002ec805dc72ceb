"""The report of ``library demo``: what was learned, explained and suggested, and the members' own reports."""

from __future__ import annotations

from typing import Any

from matlens.library.commands.explain.report import CITES as EXPLAIN_CITES
from matlens.library.commands.learn.report import CITES as LEARN_CITES
from matlens.library.commands.suggest.report import CITES as SUGGEST_CITES
from matlens.report.members import reported_members
from matlens.report.parts import Links, Page, Picture, Section, data_uri
from matlens.runs.directory import RunDirectory

__all__ = ["PAGE"]

_FIGURES = {
    "photoanode": ("scores", "Held-out scores of the model and of baselines."),
    "photoanode-insight": ("components", "What each component does to the power, and where data support it."),
    "photoanode-plan": ("suggestions", "What to make next."),
}


def members(run: RunDirectory) -> Section | None:
    """Show the conclusions of the runs below this one, and a figure of each.

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
    points: list[str] = []
    for name in reported_members(run):
        points += _sentences(run, name)
        figure, caption = _FIGURES.get(name, ("", ""))
        drawn = f"{name}/figures/{figure}"
        if (run.path / f"{drawn}.png").is_file():
            items.append(Picture(data_uri(run.path / f"{drawn}.png"), caption, f"{drawn}.pdf", f"{drawn}.csv"))
        items.append(Links([(f"the report of {name}", f"{name}/report.html")]))
    said = [
        "A library made up by a known law: seven cation fractions, Raman spectra and power, with the columns and the "
        "layout of Umehara et al. (2019)."
    ]
    return Section("A library of photoanodes", items, said, points) if items else None


def _sentences(run: RunDirectory, name: str) -> list[str]:
    with RunDirectory(run.path / name) as member:
        return [str(sentence) for sentence in member.provenance.get("sentences", ())]


def _headlines(run: RunDirectory) -> list[str]:
    return [f"{name}: {sentence}" for name in reported_members(run) for sentence in _sentences(run, name)]


PAGE = Page(
    "Demonstration on a library",
    lambda run: "What MatLens makes of a library that it makes up; every step has a report of its own.",
    (members,),
    lambda run: (*LEARN_CITES, *EXPLAIN_CITES, *SUGGEST_CITES),
    headlines=_headlines,
)
