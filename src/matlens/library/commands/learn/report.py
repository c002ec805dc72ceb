"""The report of ``library learn``: what the data allow, and what the model is worth."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.figures.scores import score_bars
from matlens.figures.units import name_with_unit
from matlens.library import figures
from matlens.library.commands.maps import wafer
from matlens.library.commands.words import (
    MARKS,
    PARTITIONS,
    intervals_of,
    notes_of,
    read_samples,
    sentence,
    sizes,
    subtitle,
    target_of,
)
from matlens.report.parts import Page, Section, picture, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["CITES", "PAGE"]

_SCORES = {
    "held out": "held out",
    "model": "model",
    "n": "n",
    "R²": "R²",
    "rmse": "RMSE",
    "spearman": "rank correlation",
    "covered": "inside 90 % intervals",
    "interval_score": "interval score",
    "concordance": "concordance of censored",
}
_PAIRED = {
    "held out": "held out",
    "other": "baseline",
    "gain": "R² ahead by",
    "ratio": "RMSE ratio",
    "scores": "interval score ratio",
}


def first_checks(run: RunDirectory) -> Section | None:
    """Show the checks of the data before any model: sampling, replicates, position on the plate.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    pairs, reach = read_table(run, "component_pairs"), read_table(run, "reach")
    points = _checks(run)
    if pairs is None or reach is None:
        return Section("Before any model", (), points=points) if points else None
    square = pairs.set_index(str(pairs.columns[0]))
    replicates = _replicates(read_table(run, "replicates"))
    name, unit = target_of(run)
    figure = figures.check_page(square, replicates, reach, label=name_with_unit(name, unit))
    caption = (
        "Left: number of samples that hold both components (on the diagonal: the component); where it is 0 nothing can "
        "be learned of the pair. Middle: samples of equal composition against their mean. Right: R² that "
        "a perfect model of composition could reach, given how far replicates differ, and R² of each covariate (as "
        "the position on the wafer) alone, held out; where one does well, composition and preparation may not be told "
        "apart."
    )
    source = pd.concat(
        [pairs.assign(panel="pairs"), replicates.assign(panel="replicates"), reach.assign(panel="reach")]
    )
    return Section("Before any model", [picture(run, "checks", figure, source, caption)], (), points)


def _checks(run: RunDirectory) -> list[str]:
    found = read_table(run, "checks")
    return [] if found is None else [sentence(str(text)) for text in found.iloc[:, -1]]


def _replicates(found: pd.DataFrame | None) -> pd.DataFrame:
    if found is None or "value" not in found:
        return pd.DataFrame({"mean": [], "value": []})
    if "mean" not in found:
        found = found.assign(mean=found.groupby("group")["value"].transform("mean"))
    return found[["mean", "value"]]


def held_out_scores(run: RunDirectory) -> Section | None:
    """Show the scores of the model on held-out samples, beside the baselines on the same samples.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    scores = read_table(run, "scores")
    if scores is None:
        return None
    scores = scores.assign(**{"held out": scores["partition"].map(lambda name: PARTITIONS.get(name, name))})
    items: list[Any] = [*_parity(run), _bars(run, scores), *_ahead(run)]
    shown = scores.assign(covered=intervals_of(scores, "coverage") if "coverage" in scores else "–")
    shown["R²"] = intervals_of(scores, "r2")
    unknown = "concordance" not in shown or shown["concordance"].isna().all()
    names = {key: word for key, word in _SCORES.items() if not (key == "concordance" and unknown)}
    items.append(table(shown, "Every score, on held-out samples only, with 90 % intervals", names))
    said = [
        "No score is of samples that were learned from. Compositions left out: replicates are never on both sides. "
        "Regions left out: whole parts of the composition space, found by k-means and drawn anew in each repetition. "
        "Co-alloy systems left out: every sample with that set of components. Intervals resample whole compositions "
        "(or regions, or systems), and the same ones for all models, so that differences are paired."
    ]
    sentences = [sentence(str(text)) for text in run.provenance.get("sentences", ())]
    notes = [note for note in notes_of(run) if note not in _checks(run)]
    return Section("Held-out scores", items, [*said, *notes], sentences)


def _parity(run: RunDirectory) -> list[Any]:
    found = read_samples(run.path, "held_out")
    if found is None:
        return []
    model = found["model"].iloc[0]
    found = _foremost(found[found["model"] == model])
    found = found[found["repeat"] == found["repeat"].min()]
    found = found.assign(partition=found["partition"].map(lambda name: PARTITIONS.get(name, name)))
    name, unit = target_of(run)
    figure = figures.held_out_parity(found, label=name_with_unit(name, unit))
    caption = (
        f"Predictions of held-out samples by {_named(model)}, with 90 % intervals, against what was measured; of "
        "repeated partitions the first. Intervals are made from errors on compositions left out; for regions and "
        "systems left out nothing is promised, and the share inside says how far they still hold."
    )
    return [picture(run, "parity", figure, found, caption)]


def _foremost(found: pd.DataFrame) -> pd.DataFrame:
    """Leave out shuffled rows, which stand in tables for information, unless nothing else was held out."""
    others = found[found["partition"] != "shuffled"]
    return found if others.empty else others


def _named(model: str) -> str:
    return "the model" if model == "model" else str(model)


def _bars(run: RunDirectory, scores: pd.DataFrame) -> Any:
    drawn = _foremost(scores).rename(columns={"held out": "set"})[["set", "model", "r2", "r2_low", "r2_high"]]
    caption = "R² on held-out samples, with 90 % intervals; 0 is the mean of the samples, and below it there is no bar."
    return picture(run, "scores", score_bars(drawn), drawn, caption)


def _ahead(run: RunDirectory) -> list[Any]:
    found = read_table(run, "paired")
    if found is None:
        return []
    found = found.assign(**{"held out": found["partition"].map(lambda name: PARTITIONS.get(name, name))})
    columns = {"held out": "partition", "other": "baseline", "r2_gain": "difference", "r2_gain_low": "low",
               "r2_gain_high": "high"}  # fmt: skip
    drawn = _foremost(found).rename(columns={"partition": "kind"}).rename(columns=columns)
    caption = (
        "How far the model is ahead of each baseline on the same samples: orange where the whole 90 % interval is "
        "above 0, blue where a baseline is ahead, grey where the data do not tell."
    )
    shown = found.assign(gain=intervals_of(found, "r2_gain", 3), ratio=intervals_of(found, "rmse_ratio"))
    if "interval_score_ratio" in found:
        shown["scores"] = intervals_of(found, "interval_score_ratio")
    drawn = drawn[list(columns.values())]
    return [
        picture(run, "paired", figures.paired_differences(drawn), drawn, caption),
        table(shown, "The model against each baseline; ratios below 1 are better", _PAIRED),
    ]


CITES = ("umehara2019analyzing", "lakshminarayanan2017simple", "meredig2018can", "lei2018distribution")
PAGE = Page(
    "Model of a library", subtitle, (held_out_scores, first_checks, wafer), lambda run: CITES, facts=sizes, marks=MARKS
)
