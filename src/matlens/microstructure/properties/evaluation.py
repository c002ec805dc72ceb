"""Scores of a model on held-out structures, beside those of simpler models on the same structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.bootstrap import bootstrap_weights, interval_columns
from matlens.hooks import Progress
from matlens.microstructure.properties.data_sets.structure_set import StructureSet
from matlens.microstructure.properties.model import StructurePropertyModel

__all__ = [
    "BASELINES",
    "MODEL",
    "TRIVIAL",
    "baseline",
    "coverage_table",
    "plain_scores",
    "predictions_of",
    "score_table",
]

Array = NDArray[np.float64]
MODEL = "model"
BASELINES: Mapping[str, Mapping[str, str]] = {
    "volume fraction, gp": {"features": "volume-fraction", "head": "gp"},
    "two-point, ridge": {"features": "two-point", "head": "ridge"},
    "two-point, boosting": {"features": "two-point", "head": "boosting"},
    "two-point, gp": {"features": "two-point", "head": "gp"},
}
"""Classical descriptors with usual regressions: volume fractions, and principal components of two-point statistics."""
TRIVIAL = next(iter(BASELINES))


def baseline(name: str, model: StructurePropertyModel) -> StructurePropertyModel:
    """Make a baseline model with the scale, phases and seed of another model, without intervals.

    Parameters
    ----------
    name : str
        A key of ``BASELINES``.
    model : StructurePropertyModel
        Model whose settings are taken.

    Returns
    -------
    StructurePropertyModel
        The baseline, not fitted.

    Examples
    --------
    >>> baseline("two-point, gp", StructurePropertyModel(scale="log")).get_params()["scale"]
    'log'
    """
    kept = {key: getattr(model, key) for key in ("scale", "phase_values", "symmetry", "seed")}
    options: dict[str, Any] = {**kept, **BASELINES[name], "coverage": None}
    return StructurePropertyModel(**options)


def predictions_of(
    model: StructurePropertyModel, structures: StructureSet, target: str, progress: Progress | None = None
) -> pd.DataFrame:
    """Predict labelled structures with a fitted model, and list the predictions beside the labels.

    Parameters
    ----------
    model : StructurePropertyModel
        Fitted model.
    structures : StructureSet
        Labelled structures.
    target : str
        Name of the target.
    progress : Progress, optional
        Called with structures done and total.

    Returns
    -------
    DataFrame
        ``structure``, ``family``, ``group``, ``value``, ``predicted``, ``low``, ``high``, ``inside``, ``distance``,
        ``in_domain``; one row per structure.

    Examples
    --------
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]) * 1
    >>> data = StructureSet.from_arrays(labels, targets=pd.DataFrame({"k": labels.mean((1, 2))}))
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge", scale="linear").fit(data, "k")
    >>> predictions_of(model, data, "k")["predicted"].round(1).tolist()[:3]
    [0.1, 0.2, 0.3]
    """
    found = model.predict_interval(structures, progress)
    value = structures.targets[target].to_numpy(np.float64)
    known = pd.DataFrame(
        {"structure": structures.names, "family": structures.families, "group": structures.groups, "value": value}
    )
    inside = (found["low"] <= value) & (value <= found["high"])
    return pd.concat(
        [known, found[["predicted", "low", "high"]], inside.rename("inside"), found[["distance", "in_domain"]]],
        axis=1,
    )


def score_table(
    predictions: Mapping[str, pd.DataFrame], reference: str = MODEL, *, log: bool, seed: int = 0
) -> pd.DataFrame:
    """Score models on the same held-out structures, with bootstrap intervals over groups and paired differences.

    Parameters
    ----------
    predictions : mapping of str to DataFrame
        Results of `predictions_of` by model, with the same rows.
    reference : str
        Model that the others are compared with.
    log : bool
        Whether errors are those of the logarithm; values must then be positive.
    seed : int
        Seed of the bootstrap; all models have the same samples.

    Returns
    -------
    DataFrame
        One row per model: ``model``, ``n``, ``scale``, ``r2``, ``median_relative_error`` (of |error| / |value|),
        ``rmse`` (on the scale), ``skill`` (1 - mean square error over that of the volume fraction), ``behind`` (R
        squared of the reference minus that of the model), each with ``_low`` and ``_high``, the ends of a 90 %
        interval; ``coverage``, the share inside the model's own intervals, and ``width``, their median width relative
        to the value.

    Examples
    --------
    >>> table = pd.DataFrame({"group": range(4), "value": [1.0, 2.0, 4.0, 8.0], "predicted": [1.0, 2.0, 4.0, 7.0],
    ...                       "low": np.nan, "high": np.nan, "inside": False})
    >>> score_table({"model": table}, log=True)["r2"].round(3).tolist()
    [0.993]
    """
    weights = bootstrap_weights(predictions[reference]["group"], seed=seed)
    scored = {name: _scores(table, weights, log) for name, table in predictions.items()}
    rows = []
    for name, table in predictions.items():
        values = dict(scored[name])
        if TRIVIAL in scored:
            values["skill"] = 1 - (values["rmse"] / np.maximum(scored[TRIVIAL]["rmse"], 1e-300)) ** 2
        values["behind"] = scored[reference]["r2"] - values["r2"]
        row: dict[str, Any] = {"model": name, "n": len(table), "scale": "log" if log else "linear"}
        for key, found in values.items():
            row |= interval_columns(key, found)
        rows.append({**row, **_intervals(table)})
    return pd.DataFrame(rows)


def plain_scores(predictions: pd.DataFrame, *, log: bool) -> dict[str, float]:
    """Compute R squared, median relative error and root mean square error of one table of predictions.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``value`` and ``predicted``.
    log : bool
        Whether errors are those of the logarithm; values must then be positive.

    Returns
    -------
    dict of str to float
        ``r2``, ``median_relative_error`` and ``rmse``, as in `score_table`.

    Examples
    --------
    >>> table = pd.DataFrame({"value": [1.0, 2.0, 4.0], "predicted": [1.0, 2.0, 4.4]})
    >>> round(plain_scores(table, log=False)["r2"], 3)
    0.966
    """
    return {name: float(found[0]) for name, found in _scores(predictions, np.ones((1, len(predictions))), log).items()}


def coverage_table(predictions: pd.DataFrame, sets: str) -> pd.DataFrame:
    """Compute the share of structures inside their intervals: all, by tercile of the value, family and domain flag.

    Parameters
    ----------
    predictions : DataFrame
        Result of `predictions_of`.
    sets : str
        Name of the set of structures, for the column ``set``.

    Returns
    -------
    DataFrame
        ``set``, ``by``, ``which``, ``n``, ``coverage``, ``width`` (median, relative to the value).

    Examples
    --------
    >>> table = pd.DataFrame({"value": [1.0, 2.0, 3.0], "low": 0.5, "high": 2.5, "inside": [True, True, False],
    ...                       "family": "a", "in_domain": True})
    >>> coverage_table(table, "test")["coverage"].round(2).tolist()
    [0.67, 1.0, 1.0, 0.0]
    """
    third = pd.qcut(predictions["value"].rank(method="first"), 3, labels=["lowest", "middle", "highest"])
    split: list[tuple[str, Sequence[Any] | pd.Series[Any]]] = [("all", ["all"] * len(predictions))]
    split.append(("tercile of the value", third))
    if predictions["family"].nunique() > 1:
        split.append(("family", predictions["family"]))
    if not predictions["in_domain"].all():
        split.append(("domain", predictions["in_domain"].map({True: "inside", False: "outside"})))
    rows = []
    for by, classes in split:
        for which, part in predictions.groupby(pd.CategoricalIndex(classes), observed=True):
            rows.append({"set": sets, "by": by, "which": which, "n": len(part), **_intervals(part)})
    return pd.DataFrame(rows)


def _intervals(table: pd.DataFrame) -> dict[str, float]:
    """Compute the share inside the intervals and their median relative width; NaN for models without intervals."""
    if table["low"].isna().any():
        return {"coverage": float("nan"), "width": float("nan")}
    size = table["value"].abs().replace(0, np.nan)
    width = ((table["high"] - table["low"]) / size).median()
    return {"coverage": float(table["inside"].mean()), "width": float(width)}


def _scores(table: pd.DataFrame, weights: Array, log: bool) -> dict[str, Array]:
    """Compute each score under each row of weights, counts of shape (1 + draws, n); the first row is all ones."""
    value, predicted = (table[name].to_numpy(np.float64) for name in ("value", "predicted"))
    truth, guess = value, predicted
    if log:
        truth, guess = np.log(value), np.log(np.maximum(predicted, 1e-300))
    count = weights.sum(1)
    square = weights @ (guess - truth) ** 2 / count
    about = truth - truth.mean()
    variance = weights @ about**2 / count - (weights @ about / count) ** 2
    relative = np.abs(predicted - value) / np.where(value == 0, np.nan, np.abs(value))
    median = [np.median(np.repeat(relative, counts)) for counts in weights.astype(np.intp)]
    return {
        "r2": 1 - square / np.maximum(variance, 1e-300),
        "median_relative_error": np.array(median) if (value != 0).all() else np.full(len(weights), np.nan),
        "rmse": np.sqrt(square),
    }
