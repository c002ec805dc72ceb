"""The report of ``library demo``: what was learned, explained and suggested, and the members' own reports."""

from __future__ import annotations

from typing import Any

from matlens.core.numbers import shown
from matlens.library.commands.demo.run import TRUTH, sentence_of_truth
from matlens.library.commands.explain.report import CITES as EXPLAIN_CITES
from matlens.library.commands.learn.report import CITES as LEARN_CITES
from matlens.library.commands.suggest.report import CITES as SUGGEST_CITES
from matlens.report.build import data_uri
from matlens.report.members import reported_members
from matlens.report.parts import Answer, Links, Page, Picture, Section, Tile, table
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
    for name in reported_members(run):
        figure, caption = _FIGURES.get(name, ("", ""))
        drawn = f"{name}/figures/{figure}"
        if (run.path / f"{drawn}.png").is_file():
            items.append(
                Picture(data_uri(run.path / f"{drawn}.png"), caption, caption, [("data (CSV)", f"{drawn}.csv")])
            )
        items.append(Links([(f"the report of {name}", f"{name}/report.html")]))
    said = [
        "A library made up by a known law: seven cation fractions, Raman spectra and power, with the columns and the "
        "layout of Umehara et al. (2019)."
    ]
    return Section("A library of photoanodes", items, said) if items else None


def answer(run: RunDirectory) -> Answer | None:
    """Show how often the effects that were found are those of the law.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before the effects are compared with the law.
    """
    found = read_table(run, TRUTH)
    if found is None or not len(found):
        return None
    right = int(((found["found"] > 0) == (found["truth"] > 0)).sum())
    held = int(((found["low"] <= found["truth"]) & (found["truth"] <= found["high"])).sum())
    tiles = [
        Tile("right signs", f"{right} of {len(found)}", "components"),
        Tile("90 % intervals that hold the truth", f"{held} of {len(found)}"),
        Tile("correlation with the truth", shown(float(found["found"].corr(found["truth"])))),
    ]
    return Answer(tiles)


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
    listed = found.assign(interval=[f"{shown(low)} to {shown(high)}" for low, high in zip(found["low"], found["high"])])
    names = {
        "component": "component",
        "found": "found (mW/cm² per at%)",
        "interval": "90 % interval",
        "truth": "truth (mW/cm² per at%)",
        "samples": "samples",
    }
    return Section("What was found, and the truth", [table(listed, "Effect of each component", names)], [said])


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
    answer=answer,
    headlines=_headlines,
)
