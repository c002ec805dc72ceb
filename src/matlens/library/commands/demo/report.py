"""The report of ``library demo``: what was learned, explained and suggested, and the members' own reports."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.library.commands.demo.run import TRUTH, sentence_of_truth
from matlens.library.commands.explain.report import CITES as EXPLAIN_CITES
from matlens.library.commands.learn.report import CITES as LEARN_CITES
from matlens.library.commands.suggest.report import CITES as SUGGEST_CITES
from matlens.report.members import reported_members
from matlens.report.parts import Links, Page, Picture, Section, data_uri, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

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


def truth(run: RunDirectory) -> Section | None:
    """Show the effect of each component that was found beside the one that the library was made with.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the model has not been explained yet.
    """
    found = read_table(run, TRUTH)
    if found is None or not len(found):
        return None
    said = (
        "Everything in this library follows from a law that is known, so what was found can be set beside it. The "
        "effect is the change of the power when the component grows at the expense of all others, in mW/cm² per at%, "
        "averaged over the samples that support it."
    )
    shown = pd.DataFrame(
        {
            "component": found["component"],
            "found (mW/cm² per at%)": found["found"].map("{:.3g}".format),
            "90 % interval": [f"{low:.3g} to {high:.3g}" for low, high in zip(found["low"], found["high"])],
            "truth (mW/cm² per at%)": found["truth"].map("{:.3g}".format),
            "samples": found["samples"],
        }
    )
    return Section("What was found, and the truth", [table(shown, "Effect of each component")], [said], _of_truth(run))


def _of_truth(run: RunDirectory) -> list[str]:
    found = read_table(run, TRUTH)
    return [] if found is None or not len(found) else [sentence_of_truth(found)]


def _sentences(run: RunDirectory, name: str) -> list[str]:
    with RunDirectory(run.path / name) as member:
        return [str(sentence) for sentence in member.provenance.get("sentences", ())]


def _headlines(run: RunDirectory) -> list[str]:
    members_said = [f"{name}: {sentence}" for name in reported_members(run) for sentence in _sentences(run, name)]
    return [*_of_truth(run), *members_said]


PAGE = Page(
    "Demonstration on a library",
    lambda run: "What MatLens makes of a library that it makes up; every step has a report of its own.",
    (truth, members),
    lambda run: (*LEARN_CITES, *EXPLAIN_CITES, *SUGGEST_CITES),
    headlines=_headlines,
)
