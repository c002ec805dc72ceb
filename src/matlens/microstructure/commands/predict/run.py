"""The steps of ``predict`` in a run directory: structures of any size and a stored model to a table of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.numbers import shown
from matlens.hooks import Progress
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.commands.predict.spec import PredictSpec
from matlens.microstructure.commands.samples import (
    Sample,
    check_model,
    check_samples,
    digest_of,
    model_of,
    notes_of,
    read_samples,
    understood_of,
)
from matlens.microstructure.properties import StructurePropertyModel
from matlens.microstructure.properties.data_sets.label_tables import matched, read_label_table
from matlens.microstructure.properties.evaluation import coverage_table, plain_scores
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["prepare", "work"]

_SAME = 1e-6  # distance below which a structure is one that was learned from
_BATCH = 64  # structures between two steps of the progress bar


def prepare(spec: PredictSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the structures and the model.

    Parameters
    ----------
    spec : PredictSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.

    Raises
    ------
    InputError
        If the model is one of a library or cannot be read, or a structure cannot be read.
    """
    check_model(spec, "predict")
    found = read_samples(spec)
    spec = replace(spec, device=environment["device"])
    said = f"{model_of(spec, spec.device).target_} of {len(found)} structures"
    return Prepared(
        spec,
        said,
        {"inputs": {"digest": digest_of(found)}},
        found,
        understood_of([sample.understood for sample in found]),
    )


def work(run: RunDirectory, progress: Progress, found: Sequence[Sample] | None = None) -> None:
    """Predict as the run's settings say, and write ``predictions.csv`` and, with labels, ``scores.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open.
    progress : Progress
        Called with structures done and total.
    found : sequence of Sample, optional
        The structures, where they have been read already.

    Raises
    ------
    InputError
        If a structure is none that the model can take.
    KeyboardInterrupt
        On an interrupt; features that were computed are kept.
    """
    spec = options_of(run, PredictSpec)
    samples = read_samples(spec, run.settings["inputs"]["digest"]) if found is None else found
    with FeatureCache() as cache:
        model = model_of(spec, spec.device, cache)
        check_samples(samples, model)
        table = _predicted(samples, model, progress)
    notes = notes_of(samples, model)
    table["value"] = _values(samples, model.target_, spec.labels, spec.structures[0])
    learned = (table["distance"] < _SAME) & (model.features != "volume-fraction") & table["value"].notna()
    if learned.any():
        notes.append(
            f"{int(learned.sum())} of {len(table)} structures are among those the model was trained on (distance 0); "
            "they are not scored."
        )
        table.loc[learned, "value"] = np.nan
    known = table["value"].notna()
    if known.any():
        inside = (table["low"] <= table["value"]) & (table["value"] <= table["high"])
        table["inside"] = inside.where(known)
        _write_scores(run, table[known], model)
    else:
        table = table.drop(columns="value")
    run.mark("running", resolved={**model.chosen_, "target": model.target_}, notes=notes,
             sentences=_sentences(table, model))  # fmt: skip
    write_table(run, "predictions", table)


def _predicted(samples: Sequence[Sample], model: StructurePropertyModel, progress: Progress) -> pd.DataFrame:
    """Structures of one size together, in batches."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for index, sample in enumerate(samples):
        sizes.setdefault(sample.structure.shape, []).append(index)
    progress.begin(len(samples), f"predicting {model.target_}")
    parts, done = [], 0
    for rows in sizes.values():
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            found = model.predict_interval(np.stack([samples[i].structure.labels for i in batch]))
            parts.append(found.set_axis(batch, axis=0))
            done += len(batch)
            progress.update(done, "structures")
    progress.end()
    table = pd.concat(parts).sort_index()
    table.insert(0, "structure", [sample.name for sample in samples])
    table.insert(1, "family", [sample.family for sample in samples])
    return table


def _values(samples: Sequence[Sample], target: str, labels: str | None, place: str) -> list[float]:
    if labels is None:
        return [float(sample.targets.get(target, float("nan"))) for sample in samples]
    table = read_label_table(labels, [target])
    rows = matched(table, [sample.name for sample in samples], place)
    return [float(table[target].iloc[row]) if row >= 0 else float("nan") for row in rows]


def _write_scores(run: RunDirectory, table: pd.DataFrame, model: StructurePropertyModel) -> None:
    log = model.scale_.kind != "linear" and bool((table["value"] > 0).all())
    scores = {"model": "model", "n": len(table), "scale": "log" if log else "linear", **plain_scores(table, log=log)}
    write_table(run, "scores", pd.DataFrame([{**scores, "coverage": float(table["inside"].mean())}]))
    if len(table) > 2:
        write_table(run, "coverage", coverage_table(table, "predicted"))


def _sentences(table: pd.DataFrame, model: StructurePropertyModel) -> list[str]:
    outside = int((~table["in_domain"]).sum())
    said = [
        f"{model.target_} of {len(table)} structures: {shown(table['predicted'].min())} to "
        f"{shown(table['predicted'].max())}, median {shown(table['predicted'].median())}."
    ]
    if outside:
        said.append(
            f"{outside} of {len(table)} structures are unlike the training data; their intervals are not guaranteed."
        )
    if "value" in table:
        known = table[table["value"].notna()]
        error = (known["predicted"] / known["value"] - 1).abs().median()
        said.append(
            f"{100 * known['inside'].mean():.0f} % of the {len(known)} measured values lie inside their intervals; the "
            f"median error is {shown(100 * error, 2)} %."
        )
    return said
