"""The tables of ``learn`` and ``predict``, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.microstructure.commands.learn.trials import Trial
from matlens.microstructure.properties import StructurePropertyModel
from matlens.microstructure.properties.evaluation import MODEL, TRIVIAL, coverage_table, plain_scores, score_table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import parse_table, write_table

__all__ = ["SETS", "read_predictions", "write_evidence"]

Tables = Mapping[Trial, pd.DataFrame]
SETS = {"folds": "cross-validation", "test": "test"}
_FORMER = {"lower": "low", "upper": "high"}  # columns of runs of earlier versions
_FILES = {"folds": "predictions", "test": "test_predictions"}
_TEXTS = ("structure", "family")
_OF_FAMILIES = [
    "family", "model", "n", "scale", "r2", "r2_low", "r2_high", "median_relative_error", "median_relative_error_low",
    "median_relative_error_high", "behind", "behind_low", "behind_high", "in_domain",
]  # fmt: skip


def read_predictions(file: Path) -> pd.DataFrame:
    """Read a table of predictions with every digit, names as text.

    Parameters
    ----------
    file : Path
        CSV file.

    Returns
    -------
    DataFrame
        The table; columns of earlier versions have the names of now.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "predictions.csv"
    >>> _ = file.write_text("structure,family,predicted,lower\\n0001,,0.1,\\n")
    >>> read_predictions(file).to_dict("records")
    [{'structure': '0001', 'family': '', 'predicted': 0.1, 'low': nan}]
    """
    table = parse_table(file).rename(columns=_FORMER)
    return table.assign(**{name: table[name].fillna("") for name in _TEXTS if name in table})


def write_evidence(run: RunDirectory, model: StructurePropertyModel, tables: Tables) -> None:
    """Write the tables of the trials, ``scores.csv`` last: where it is, all are.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    model : StructurePropertyModel
        The model of all structures.
    tables : Tables
        Predictions of each trial.
    """
    values = next(iter(tables.values()))["value"]
    log = model.scale_.kind != "linear" and bool((values > 0).all())
    scores, covered = [], []
    for kind, word in SETS.items():
        joined = _joined(tables, kind)
        if not joined:
            continue
        own = joined[MODEL].drop(columns=[] if kind == "folds" else "fold")
        write_table(run, _FILES[kind], own)
        covered.append(coverage_table(own, word))
        scores.append(score_table(joined, log=log, seed=model.seed).assign(set=word))
    write_table(run, "coverage", pd.concat(covered, ignore_index=True))
    if len(model.selection_):
        write_table(run, "selection", model.selection_)
    families = _families(_joined(tables, "families"), log, model.seed)
    if len(families):
        write_table(run, "families", families)
    curve = _curve(tables, log)
    if len(curve):
        write_table(run, "learning_curve", curve)
    found = pd.concat(scores, ignore_index=True)
    found.insert(0, "set", found.pop("set"))
    run.mark("running", sentences=[*_sentences(model, found), *_said_of(families)])
    write_table(run, "scores", found)


def _joined(tables: Tables, kind: str) -> dict[str, pd.DataFrame]:
    """Predictions of each contender, folds joined, all in the same order."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for trial, table in tables.items():
        if trial.kind == kind:
            parts.setdefault(trial.contender, []).append(table.assign(fold=trial.draw))
    return {
        name: pd.concat(found).sort_values("structure", kind="stable", ignore_index=True)
        for name, found in parts.items()
    }


def _families(joined: Mapping[str, pd.DataFrame], log: bool, seed: int) -> pd.DataFrame:
    """Scores of each family by what was learned from the others, and the share of it that lies in their domain."""
    rows = []
    for family in dict.fromkeys(joined[MODEL]["family"]) if joined else ():
        parts = {name: table[table["family"] == family].reset_index(drop=True) for name, table in joined.items()}
        known = [float(table["in_domain"].mean()) for table in parts.values()]
        rows.append(score_table(parts, log=log, seed=seed).assign(family=family, in_domain=known))
    return pd.concat(rows, ignore_index=True)[_OF_FAMILIES] if rows else pd.DataFrame()


def _said_of(families: pd.DataFrame) -> list[str]:
    """What the table of families says of the model."""
    if not len(families):
        return []
    own = families[families["model"] == MODEL].set_index("family")

    def ends(name: str, best: Any, worst: Any, text: str) -> str:
        return f"{text.format(own.at[best, name])} ({best}) to {text.format(own.at[worst, name])} ({worst})"

    r2, error = own["r2"], 100 * own["median_relative_error"]
    said = "R² within the family is " + ends("r2", r2.idxmax(), r2.idxmin(), "{:.2f}")
    if error.notna().all():
        own["error"] = error
        said = f"the median error is {ends('error', error.idxmin(), error.idxmax(), '{:.2g} %')}, and {said}"
    return [
        f"Each of {len(own)} families was predicted by a model of the others: {said}. The intervals are not guaranteed "
        "there."
    ]


def _curve(tables: Tables, log: bool) -> pd.DataFrame:
    """Scores of each model, number of structures and draw; skill is against the volume fraction of the same draw."""
    rows = [
        {"model": trial.contender, "n": trial.n, "draw": trial.draw, **plain_scores(table, log=log)}
        for trial, table in tables.items()
        if trial.kind == "curve"
    ]
    if not rows:
        return pd.DataFrame()
    found = pd.DataFrame(rows)
    trivial = found[found["model"] == TRIVIAL].set_index(["n", "draw"])["rmse"]
    beside = trivial.reindex(pd.MultiIndex.from_frame(found[["n", "draw"]])).to_numpy(np.float64)
    return found.assign(skill=1 - (found["rmse"] / np.maximum(beside, 1e-300)) ** 2)


def _sentences(model: StructurePropertyModel, scores: pd.DataFrame) -> list[str]:
    """What the tables say."""
    chosen = model.chosen_
    depth = f" to {chosen['depth']}" if chosen.get("depth") else ""
    said = [
        f"{model.target_} from {chosen.get('encoder', chosen.get('features'))}{depth}, head {chosen['head']}, "
        f"scale {chosen['scale']}."
    ]
    for word, table in scores.groupby("set", sort=False):
        own = table[table["model"] == MODEL].iloc[0]
        others = table[table["model"] != MODEL].sort_values("r2", ascending=False)
        best = others.iloc[0]
        where = "structures held out in folds" if word == SETS["folds"] else "test structures"
        error = "" if np.isnan(own["median_relative_error"]) else (
            f", median error {100 * own['median_relative_error']:.2g} %"
        )  # fmt: skip
        said.append(
            f"On {own['n']} {where}: R² {own['r2']:.3f} (90 % interval {own['r2_low']:.3f} to {own['r2_high']:.3f})"
            f"{error}; best baseline ({best['model']}) {best['r2']:.3f}, behind by {best['behind']:.3f} "
            f"({best['behind_low']:.3f} to {best['behind_high']:.3f})."
        )
        if not np.isnan(own["coverage"]):
            asked = 100 * float(model.coverage or 0)
            said.append(f"Intervals made for {asked:.0f} % hold {100 * own['coverage']:.0f} % of these structures.")
    return said
