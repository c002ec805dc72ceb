"""The report of ``library predict``."""

from __future__ import annotations

from typing import Any

from matlens.figures.units import name_with_unit
from matlens.library import figures
from matlens.library.commands.words import (
    MARKS,
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

__all__ = ["PAGE"]

_MOST = 40  # samples listed
_COLUMNS = {
    "sample": "sample",
    "prediction": "prediction, 90 % interval",
    "spread": "spread",
    "value": "measured",
    "trust": "support",
    "distance": "distance",
    "nearest": "nearest measured",
    "note": "why",
}
_SCORES = {"n": "n", "R²": "R²", "rmse": "RMSE", "spearman": "rank correlation", "covered": "inside 90 % intervals",
           "concordance": "concordance of censored"}  # fmt: skip


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
    name, unit = target_of(run)
    items: list[Any] = []
    if "value" in found and found["value"].notna().any():
        drawn = found[found["value"].notna()].assign(partition="samples with a figure of merit")
        caption = "Predictions with 90 % intervals against what was measured."
        figure = figures.held_out_parity(drawn, label=name_with_unit(name, unit))
        items.append(picture(run, "parity", figure, drawn, caption))
    scores = read_table(run, "scores")
    if scores is not None:
        shown = scores.assign(covered=intervals_of(scores, "coverage"), **{"R²": intervals_of(scores, "r2")})
        items.append(table(shown, "Scores on samples of compositions not learned from", _SCORES))
    shown = found.assign(
        prediction=intervals_of(
            found.rename(columns={"low": "predicted_low", "high": "predicted_high"}), "predicted", 3
        ),
        trust=[MARKS[2 - int(level)] for level in found["support"]],
        note=found["note"].astype(object).where(found["note"].notna(), ""),
    )
    more = f"; the first {_MOST} of {len(found)}" if len(found) > _MOST else ""
    items.append(table(shown.head(_MOST), f"predictions.csv{more}", _COLUMNS))
    said = [
        "Intervals are made from errors on measured compositions left out in training, and are for supported samples: "
        "those no farther from a measured composition (and spectrum) than measured ones usually are from each other. "
        "Distance is in hundredths of the atoms to exchange to come to the nearest measured composition. The spread is "
        "the standard deviation over models."
    ]
    sentences = [sentence(str(text)) for text in run.provenance.get("sentences", ())]
    return Section("Predictions", items, [*said, *notes_of(run)], sentences)


PAGE = Page(
    "Predictions of samples",
    subtitle,
    (predictions,),
    lambda run: ("umehara2019analyzing", "lakshminarayanan2017simple", "lei2018distribution"),
    facts=sizes,
    marks=MARKS,
)
