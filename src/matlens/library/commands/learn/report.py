"""The report of ``library learn``: what the data allow, and what the model is worth."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.core.numbers import shown
from matlens.figures.scores import score_bars
from matlens.figures.units import name_with_unit, typeset_unit
from matlens.library import figures
from matlens.library.commands.maps import wafer
from matlens.library.commands.words import (
    MARKS,
    PARTITIONS,
    intervals_of,
    notes_of,
    read_samples,
    sizes,
    subtitle,
    target_of,
)
from matlens.report.numbers import interval, sentence
from matlens.report.parts import Answer, Drawing, Folded, Page, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["CITES", "PAGE"]

_SCORES = {
    "held out": "held out",
    "model": "model",
    "n": "samples",
    "R²": "R²",
    "rmse": "RMSE",
    "spearman": "rank correlation",
    "covered": "inside 90 % intervals",
    "interval_score": "interval score",
    "concordance": "concordance of censored",
}
_HELD = "partition"  # what was held out
_PAIRED = {
    "held out": "held out",
    "other": "baseline",
    "gain": "R² of the model less that of the baseline",
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
        "a perfect model of composition alone could reach, given how far replicates differ, and R² of each covariate "
        "(as the position on the wafer) alone, held out; where one does well, the effects of composition and "
        "preparation may be inseparable."
    )
    source = pd.concat(
        [pairs.assign(panel="pairs"), replicates.assign(panel="replicates"), reach.assign(panel="reach")]
    )
    return Section("Before any model", [Drawing("checks", figure, source, caption)], (), points)


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
    items: list[Any] = [_bars(run, scores), *_ahead(run)]
    listed = scores.assign(covered=intervals_of(scores, "coverage") if "coverage" in scores else "–")
    listed["R²"] = intervals_of(scores, "r2")
    unknown = "concordance" not in listed or listed["concordance"].isna().all()
    names = {key: word for key, word in _SCORES.items() if not (key == "concordance" and unknown)}
    unit = typeset_unit(target_of(run)[1])
    names |= {"rmse": f"RMSE ({unit})", "interval_score": f"interval score ({unit})"} if unit else {}
    every = table(listed, "Every score, on held-out samples only, with 90 % intervals", names)
    items.append(Folded("Every score of the model and the baselines", [every]))
    said = [
        "All scores are computed on samples that were not used for training. Compositions left out: replicates are "
        "never on both sides. "
        "Regions left out: whole parts of the composition space, found by k-means and drawn anew in each repetition. "
        "Co-alloy systems left out: every sample with that set of components. Intervals resample whole compositions "
        "(or regions, or systems), and the same ones for all models, so that differences are paired."
    ]
    notes = [note for note in notes_of(run) if note not in _checks(run)]
    return Section("Held-out scores", items, [*said, *notes])


def answer(run: RunDirectory) -> Answer | None:
    """Show the scores of the model for each way of holding samples out, and its predictions of them.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before the model was judged.
    """
    scores = read_table(run, "scores")
    if scores is None:
        return None
    own = _foremost(scores[scores["model"] == scores["model"].iloc[0]])
    tiles = [
        Tile(
            f"R², {PARTITIONS.get(row[_HELD], row[_HELD])}",
            shown(row["r2"]),
            "",
            interval(row["r2_low"], row["r2_high"]),
        )
        for row in own.to_dict("records")
    ]
    first = own.iloc[0]
    tiles.append(Tile("typical error (RMSE)", shown(float(first["rmse"])), typeset_unit(target_of(run)[1])))
    if "coverage" in own and not pd.isna(first["coverage"]):
        tiles.append(Tile("inside 90 % intervals", shown(100 * float(first["coverage"])), "%"))
    return Answer(tiles, _parity(run))


def _parity(run: RunDirectory) -> Drawing | None:
    found = read_samples(run.path, "held_out")
    if found is None:
        return None
    model = found["model"].iloc[0]
    found = _foremost(found[found["model"] == model])
    found = found[found["repeat"] == found["repeat"].min()]
    found = found.assign(partition=found["partition"].map(lambda name: PARTITIONS.get(name, name)))
    name, unit = target_of(run)
    figure = figures.held_out_parity(found, label=name_with_unit(name, unit))
    made = (
        "compositions left out, and those of regions from errors on other regions left out, if there were enough; for "
        "systems"
        if run.settings["options"].get("model") == "auto"
        else "compositions left out; for regions and systems"
    )
    caption = (
        f"Predictions of held-out samples by {_named(model)}, with 90 % intervals, against what was measured (only the "
        f"first repetition is drawn). Intervals are made from errors on {made} left out nothing is promised, and the "
        "share inside says how far they still hold."
    )
    return Drawing("parity", figure, found, caption)


def _foremost(found: pd.DataFrame) -> pd.DataFrame:
    """Leave out shuffled rows, which stand in tables for information, unless nothing else was held out."""
    others = found[found["partition"] != "shuffled"]
    return found if others.empty else others


def _named(model: str) -> str:
    return "the model" if model == "model" else str(model)


def _bars(run: RunDirectory, scores: pd.DataFrame) -> Any:
    drawn = _foremost(scores).rename(columns={"held out": "set"})[["set", "model", "r2", "r2_low", "r2_high"]]
    caption = "R² on held-out samples, with 90 % intervals; 0 is the mean of the samples, and below it there is no bar."
    return Drawing("scores", score_bars(drawn), drawn, caption)


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
    listed = found.assign(gain=intervals_of(found, "r2_gain", 3), ratio=intervals_of(found, "rmse_ratio"))
    if "interval_score_ratio" in found:
        listed["scores"] = intervals_of(found, "interval_score_ratio")
    drawn = drawn[list(columns.values())]
    return [
        Drawing("paired", figures.paired_differences(drawn), drawn, caption),
        table(listed, "The model against each baseline; ratios below 1 are better", _PAIRED),
    ]


CITES = ("umehara2019analyzing", "lakshminarayanan2017simple", "meredig2018can", "lei2018distribution")
PAGE = Page(
    "Model of a library",
    subtitle,
    (first_checks, held_out_scores, wafer),
    lambda run: CITES,
    answer=answer,
    facts=sizes,
    marks=MARKS,
)
