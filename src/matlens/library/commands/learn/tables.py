"""The tables that ``learn`` writes for a library, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.user_text import listed
from matlens.library.commands.words import model_words
from matlens.library.model import LibraryModel
from matlens.library.model.targets import Target
from matlens.library.stacking import MEMBERS, StackedModel
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import LibraryChecks, check_library, paired, summarise
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import parse_table, write_table

__all__ = ["MODEL", "read_held_out", "write_checks", "write_library_evidence"]

MODEL = "model"
_TEXTS = ("model", "partition", "fold", "sample")
_WHOLE = ("repeat", "group", "censored")
_BY_FOLD = ("regions", "systems")  # errors within one of these go together: whole ones are drawn anew
_WORDS = {
    "grouped": "compositions left out",
    "regions": "regions of composition left out",
    "systems": "co-alloy systems left out",
    "shuffled": "single rows left out, which flatters",
}
_NOTED = 0.005  # weight in the mixture from which a member is named
_COVERED = 0.8  # of intervals made for 0.9; below, a warning


def read_held_out(file: Path) -> pd.DataFrame:
    """Read held-out predictions with every digit, ids as text.

    Parameters
    ----------
    file : Path
        CSV file.

    Returns
    -------
    DataFrame
        The table.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "held_out.csv"
    >>> _ = file.write_text("sample,repeat,predicted\\n0001,0,0.1\\n")
    >>> read_held_out(file).to_dict("records")
    [{'sample': '0001', 'repeat': 0, 'predicted': 0.1}]
    """
    table = parse_table(file)
    kinds = dict.fromkeys(table, np.float64) | dict.fromkeys(_WHOLE, np.int64) | dict.fromkeys(_TEXTS, "str")
    return table.astype({name: kinds[name] for name in table})


def write_library_evidence(
    run: RunDirectory, model: LibraryModel, predictions: pd.DataFrame, contenders: Sequence[str]
) -> None:
    """Write the tables of the trials, ``scores.csv`` last: where it is, all are.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    model : LibraryModel
        The model of all samples.
    predictions : DataFrame
        Held-out predictions of all contenders.
    contenders : sequence of str
        Names of the model and the baselines, in the order of the tables.
    """
    found = pd.concat([predictions[predictions["model"] == name] for name in contenders], ignore_index=True)
    write_table(run, "held_out", found)
    scores, gains = [], []
    for partition, part in found.groupby("partition", sort=False):
        resample = "fold" if partition in _BY_FOLD and part["fold"].nunique() > 1 else "group"
        scores.append(summarise(part, resample=resample, seed=model.seed))
        if len(contenders) > 1:
            gains.append(paired(part, MODEL, resample=resample, seed=model.seed))
    table = pd.concat(scores, ignore_index=True)
    ahead = pd.concat(gains, ignore_index=True) if gains else pd.DataFrame()
    if len(ahead):
        write_table(run, "paired", ahead)
    limits = _warnings(table)
    alarms = [text for text in run.provenance.get("warnings", ()) if text not in limits]  # those of the checks
    said = [*alarms[:1], *_sentences(model, table, ahead)]  # what is wrong with the data comes before any model
    run.mark("running", sentences=said, warnings=[*alarms, *limits])
    write_table(run, "scores", table)


def _sentences(model: LibraryModel, scores: pd.DataFrame, ahead: pd.DataFrame) -> list[str]:
    """What the scores say: first what the model is good for, then each way of holding samples out."""
    inputs = " and ".join(
        word for word, used in (("composition", model.uses_composition_), ("spectrum", model.uses_spectrum_)) if used
    )
    tested = scores[scores["model"] == MODEL].to_dict("records")
    good, unsure, bad = (
        [f"{_with(row)} (R² {row['r2']:.2f})".replace(" -", " −") for row in tested if _worth(row) == worth]
        for worth in (2, 1, 0)
    )
    what = f"with {listed(good)}" if good else "" if unsure else "in no test"
    what += f"{', ' if good else ''}perhaps with {listed(unsure)}" if unsure else ""
    what += f", but not with {listed(bad)}" if bad and (good or unsure) else ""
    said = [f"A model of {inputs} predicts {model.target_} {what}."]
    said = [*_beaten(model, ahead), *said, *_mixture(model)]
    for partition, part in scores.groupby("partition", sort=False):
        row = part[part["model"] == MODEL].iloc[0]
        sentence = (
            f"With {_WORDS.get(str(partition), partition)}: R² {row['r2']:.2f} (90 % interval {row['r2_low']:.2f} to "
            f"{row['r2_high']:.2f}) on {row['n']} samples"
        )
        others = part[part["model"] != MODEL]
        if len(others):
            best = others.sort_values("r2").iloc[-1]
            gain = ahead[(ahead["partition"] == partition) & (ahead["other"] == best["model"])].iloc[0]
            kind = "single model" if isinstance(model, StackedModel) else "baseline"
            better, sign = ("the model", 1) if gain["r2_gain"] >= 0 else (f"the {kind}", -1)
            ends = sorted(sign * gain[f"r2_gain_{end}"] for end in ("low", "high"))
            surely = (
                f"{better} is better by {sign * gain['r2_gain']:.2f}" if ends[0] > 0 else "neither is surely better"
            )
            sentence += (
                f"; the best {kind} ({model_words(best['model'])}) reaches {best['r2']:.2f}: {surely} "
                f"(90 % interval of the difference {ends[0]:.2f} to {ends[1]:.2f})"
            )
        if np.isfinite(row["coverage"]):
            sentence += f"; the nominal 90 % intervals contain {100 * row['coverage']:.0f} % of the measured values"
        said.append(f"{sentence}.")
        if row["censored"]:
            said.append(
                f"{100 * row['concordance']:.0f} % of the pairs of one of {row['censored']} censored samples and a "
                "measured one are predicted in the right order."
            )
    return said


def _worth(row: Mapping[Any, Any]) -> int:
    """2 where the model surely predicts, 1 where the interval of its R squared reaches 0, and 0 where it does not."""
    return int(row["r2"] > 0) + int(row["r2"] > 0 and not row["r2_low"] <= 0)


def _beaten(model: LibraryModel, ahead: pd.DataFrame) -> list[str]:
    """Which model is surely better, and of which one the gradients are."""
    if not len(ahead):
        return []
    surely = ahead[(ahead["r2_gain_high"] < 0) & (ahead["partition"] != "shuffled")]
    best = surely.sort_values("r2_gain").drop_duplicates("partition")
    own = "this mixture" if isinstance(model, StackedModel) else "this ensemble"
    said = []
    for row in best.to_dict("records"):
        other, test = model_words(row["other"]), _WORDS.get(row["partition"], row["partition"])
        gain, *ends = (-row[f"r2_gain{end}"] for end in ("", "_high", "_low"))
        said.append(
            f"The {other} alone is surely better with {test} (R² higher by {gain:.2f}, 90 % interval {ends[0]:.2f} to "
            f"{ends[1]:.2f}); gradients and suggestions are those of {own}."
        )
    return said


def _mixture(model: LibraryModel) -> list[str]:
    """What the mixture consists of, and whether its intervals were calibrated."""
    if not isinstance(model, StackedModel):
        return []
    stack = model.stack_
    near, far = (_shares(weights) for weights in (stack.near, stack.far))
    said = f"The model is a mixture: {near}"
    said += f" among measured compositions, and {far} in new regions." if far != near else "."
    left = [
        name
        for name, known in zip(("among measured compositions", "in new regions"), stack.calibrated, strict=True)
        if not known
    ]
    if left:
        said += f" Intervals {listed(left)} are the model's own: too few were left out to calibrate them."
    return [said, "For new co-alloy systems intervals are not calibrated."]


def _shares(weights: Sequence[float]) -> str:
    order = sorted(zip(weights, MEMBERS, strict=True), reverse=True)
    parts = [f"{100 * share:.0f} % {model_words(name)}" for share, name in order if share > _NOTED]
    return listed(parts)


def _warnings(scores: pd.DataFrame) -> list[str]:
    """For what the model must not be used."""
    own = scores[(scores["model"] == MODEL) & (scores["partition"] != "shuffled")].to_dict("records")
    said = [
        f"Do not use the model as in the test with {_with(row)}: its R² is {row['r2']:.2f} there, and the mean of the "
        "samples predicts better."
        for row in own
        if row["r2"] <= 0
    ]
    return said + [
        f"With {_with(row)} the nominal 90 % intervals contain only {100 * row['coverage']:.0f} % of measured values."
        for row in own
        if row["coverage"] < _COVERED
    ]


def _with(row: Mapping[Any, Any]) -> str:
    """What was left out, in words."""
    return _WORDS.get(str(row["partition"]), str(row["partition"]))


def write_checks(run: RunDirectory, library: MaterialsLibrary, target: Target, seed: int) -> None:
    """Write the checks of the data before any model, ``checks.csv`` last: coverage, replicates, position.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    library : MaterialsLibrary
        The library.
    target : Target
        Figure of merit on the scale to learn on.
    seed : int
        Seed of the checks.
    """
    if (run.path / "checks.csv").is_file():
        return
    found = check_library(library, target.name, transform=target.transform, seed=seed)
    write_table(run, "components", found.components)
    write_table(run, "component_pairs", found.pairs.rename_axis("component").reset_index())
    write_table(run, "systems", found.systems)
    write_table(run, "replicates", _replicates(library, target))
    write_table(run, "reach", _reach(found))
    places = library.covariates.rename(columns=str.lower)
    if {"x", "y"} <= set(places):
        kept = places[[name for name in ("x", "y", "plate") if name in places]]
        write_table(run, "positions", kept.assign(sample=list(library.samples)))
    if found.alarms:
        run.mark("running", warnings=list(found.alarms))
    write_table(run, "checks", pd.DataFrame({"sentence": [*found.alarms, *library.notes, *found.sentences]}))


def _replicates(library: MaterialsLibrary, target: Target) -> pd.DataFrame:
    """Samples of which there are several of the same composition."""
    table = pd.DataFrame(
        {"sample": list(library.samples), "group": library.replicates(), "value": target.values(library)}
    )
    measured = table["value"].notna() & (library.censoring(target.name) == 0)
    several: pd.DataFrame = table.loc[measured & table["group"].where(measured).duplicated(keep=False)]
    return several.assign(mean=several.groupby("group")["value"].transform("mean"))


def _reach(found: LibraryChecks) -> pd.DataFrame:
    """What a perfect model of composition could reach, and what other things reach by themselves."""
    noise = found.noise
    rows = [{"name": "noise ceiling", "r2": noise.ceiling, "low": noise.low, "high": noise.high}]
    rows += [
        {"name": f"{row['covariate']} alone", "r2": row["r2"], "low": np.nan, "high": np.nan}
        for row in found.confounding.to_dict("records")
    ]
    return pd.DataFrame(rows)
