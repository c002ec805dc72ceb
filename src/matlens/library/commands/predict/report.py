"""The report of ``library predict``."""

from __future__ import annotations

from typing import Any

from matlens.core.numbers import shown
from matlens.figures.units import name_with_unit, typeset_unit
from matlens.library import figures
from matlens.library.commands.words import (
    MARKS,
    intervals_of,
    notes_of,
    read_samples,
    sizes,
    subtitle,
    target_of,
)
from matlens.report.numbers import interval
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]

_MOST = 40  # samples listed
_COLUMNS = {
    "sample": "sample",
    "prediction": "prediction, 90 % interval",
    "spread": "spread",
    "value": "measured",
    "question": "question",
    "trust": "support",
    "distance": "distance (% of the atoms)",
    "nearest": "nearest measured",
    "note": "why",
}
_SCORES = {"n": "samples", "R²": "R²", "rmse": "RMSE", "spearman": "rank correlation",
           "covered": "inside 90 % intervals", "concordance": "concordance of censored"}  # fmt: skip


def predictions(run: RunDirectory) -> Section | None:
    """Show predictions with intervals and support, against measured values where these are known.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_samples(run.path, "predictions")
    if found is None:
        return None
    items: list[Any] = []
    unit = typeset_unit(target_of(run)[1])
    scores = read_table(run, "scores")
    if scores is not None:
        listed = scores.assign(covered=intervals_of(scores, "coverage"), **{"R²": intervals_of(scores, "r2")})
        items.append(table(listed, "Scores on samples whose compositions are not in the training data", _SCORES))
    listed = found.assign(
        prediction=intervals_of(
            found.rename(columns={"low": "predicted_low", "high": "predicted_high"}), "predicted", 3
        ),
        trust=[MARKS[2 - int(level)] for level in found["support"]],
        note=found["note"].astype(object).where(found["note"].notna(), ""),
    )
    names = _COLUMNS | (
        {name: f"{_COLUMNS[name]} ({unit})" for name in ("prediction", "spread", "value")} if unit else {}
    )
    more = f"; the first {_MOST} of {len(found)}" if len(found) > _MOST else ""
    items.append(table(listed.head(_MOST), f"predictions.csv{more}", names))
    said = [
        "Intervals are made from errors on measured compositions left out in training, and are for supported samples: "
        "those no farther from a measured composition (and spectrum) than measured ones usually are from each other. "
        "Distance is in hundredths of the atoms to exchange to come to the nearest measured composition. The spread is "
        "the standard deviation over models."
    ]
    return Section("Predictions", items, [*said, *notes_of(run)])


def answer(run: RunDirectory) -> Answer | None:
    """Show how many samples have support, and predictions against measured values where these are known.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before anything was predicted.
    """
    found, scores = read_samples(run.path, "predictions"), read_table(run, "scores")
    if found is None:
        return None
    name, unit = target_of(run)
    best, drawn = found.iloc[int(found["predicted"].argmax())], None
    inside = int((found["support"] == 2).sum())
    tiles = [
        Tile("samples with support", f"{inside} of {len(found)}"),
        Tile(f"largest: sample {best['sample']}", shown(float(best["predicted"])), typeset_unit(unit),
             interval(best["low"], best["high"])),
    ]  # fmt: skip
    if scores is not None:
        tiles.append(Tile("R² on known samples", shown(float(scores["r2"].iloc[0]))))
    if "value" in found and found["value"].notna().any():
        known = found[found["value"].notna()].assign(partition="samples with a figure of merit")
        figure = figures.held_out_parity(known, label=name_with_unit(name, unit))
        drawn = Drawing("parity", figure, known, "Predictions with 90 % intervals against what was measured.")
    alone = len(found) - inside
    warning = f"{alone} of {len(found)} samples lie beyond what was measured; their numbers are guesses."
    return Answer(tiles, drawn, [warning] if alone else [])


PAGE = Page(
    "Predictions of samples",
    subtitle,
    (predictions,),
    lambda run: ("umehara2019analyzing", "lakshminarayanan2017simple", "lei2018distribution"),
    answer=answer,
    facts=sizes,
    marks=MARKS,
)
