"""Scores on held-out samples: predictions, summaries with bootstrap intervals and paired differences of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from matlens.core.bootstrap import bootstrap_weights, interval_columns
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.model.targets import learned_target
from matlens.library.table import MaterialsLibrary
from matlens.library.validation.partitions import Fold

__all__ = ["LibraryLearner", "concordance", "held_out", "paired", "summarise"]

Array = NDArray[np.float64]
_SAME = ["partition", "repeat", "fold", "sample"]


class LibraryLearner(Protocol):
    """Interface of models that can be scored: `LibraryModel` and `BaselineModel` have it."""

    target_: str
    """Name of the figure of merit, once fitted."""
    unit_: str
    """Unit of its predictions."""

    def fit(self, library: MaterialsLibrary, target: str | None = None) -> Any:
        """Train on the samples of a library."""

    def predict(self, library: MaterialsLibrary) -> Array:
        """Return predictions, shape (n,)."""

    def predict_interval(self, library: MaterialsLibrary, coverage: float = 0.9) -> Array:
        """Return lower and upper ends of prediction intervals, shape (n, 2)."""


def held_out(
    make: Callable[[], LibraryLearner],
    library: MaterialsLibrary,
    folds: Sequence[Fold],
    *,
    name: str = "model",
    target: str | None = None,
    coverage: float = 0.9,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict the held-out samples of each fold by a model trained on the training samples of that fold.

    Parameters
    ----------
    make : callable
        Function without arguments that returns a new model.
    library : MaterialsLibrary
        Library with the samples. Samples without the figure of merit are neither trained on nor predicted.
    folds : sequence of Fold
        Folds, for example from a function in `PARTITIONS`.
    name : str
        Name of the model in the table.
    target : str, optional
        Name of the figure of merit; needed only if there are several.
    coverage : float
        Nominal coverage of the prediction intervals, 0 to 1.
    progress : Progress, optional
        Called with folds done and total.

    Returns
    -------
    DataFrame
        One row per held-out sample: ``model``, ``partition``, ``repeat``, ``fold``, ``sample`` (id), ``group`` (number
        of the composition), ``value``, ``predicted``, ``low``, ``high`` (all on the scale of the model, including its
        transform) and ``censored`` (1: the true value lies above ``value``, -1: below).

    Raises
    ------
    InputError
        If a model cannot be trained on a fold.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> from matlens.library.validation.partitions import grouped
    >>> a = np.linspace(0, 1, 30)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> table = held_out(BASELINES["ridge"], library, grouped(library, folds=3))
    >>> len(table), bool((table["predicted"] - table["value"]).abs().max() < 1e-3)
    (30, True)
    """
    group, report, tables = library.replicates(), progress or Silent(), []
    report.begin(len(folds), f"held-out scores of {name}")
    for done, fold in enumerate(folds, start=1):
        model = make()
        model.fit(library.select(fold.train), target)
        found = learned_target(model)
        values = found.values(library)
        rows = fold.held[~np.isnan(values[fold.held])]
        tested = library.select(rows)
        ends = model.predict_interval(tested, coverage) if len(rows) else np.empty((0, 2))
        columns = {
            "model": name,
            "partition": fold.partition,
            "repeat": fold.repeat,
            "fold": fold.name,
            "sample": list(tested.samples),
            "group": group[rows],
            "value": values[rows],
            "predicted": model.predict(tested) if len(rows) else np.empty(0),
            "low": ends[:, 0],
            "high": ends[:, 1],
            "censored": tested.censoring(found.name),
        }
        tables.append(pd.DataFrame(columns, index=range(len(rows))))
        report.update(done, fold.name)
    report.end()
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def summarise(
    predictions: pd.DataFrame, *, coverage: float = 0.9, resample: str = "group", seed: int = 0
) -> pd.DataFrame:
    """Score each model on each partition.

    Scores of repeated partitions are averaged.

    Parameters
    ----------
    predictions : DataFrame
        Predictions as returned by `held_out`; tables of several models can be concatenated.
    coverage : float
        Nominal coverage of the prediction intervals, 0 to 1.
    resample : {"group", "fold"}
        Units of the bootstrap: compositions, or whole folds (held-out regions or systems), within which errors are
        correlated.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row per model and partition: ``model``, ``partition``, ``n`` (measured samples), ``r2``, ``rmse``,
        ``spearman``, ``coverage`` (share of values inside the intervals), ``width`` (mean width of the intervals) and
        ``interval_score`` (smaller is better; Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359, 2007), each with
        ``_low`` and ``_high``, the ends of a 90 % bootstrap interval; ``censored`` (number of censored samples) and
        ``concordance`` (as in `concordance`). Censored samples count in the last two columns only.

    Raises
    ------
    InputError
        If all held-out samples are censored, or ``resample`` is unknown.

    Examples
    --------
    >>> table = pd.DataFrame({"model": "m", "partition": "grouped", "repeat": 0, "fold": "0", "sample": list("abcd"),
    ...     "group": range(4), "value": [1.0, 2.0, 3.0, 4.0], "predicted": [1.0, 2.0, 3.0, 5.0], "low": 0.0,
    ...     "high": 4.5, "censored": 0})
    >>> summarise(table)[["n", "r2", "rmse", "spearman", "coverage", "interval_score"]].round(3).values.tolist()
    [[4.0, 0.8, 0.5, 1.0, 1.0, 4.5]]
    """
    rows = []
    for (model, partition), table in predictions.groupby(["model", "partition"], sort=False):
        scores = _resampled(table, coverage, resample, seed)
        limits = table["censored"] != 0
        row: dict[str, Any] = {"model": model, "partition": partition}
        row["n"] = int(table["sample"][~limits].nunique())
        for name, found in scores.items():
            row |= interval_columns(name, found)
        row |= {"censored": int(table["sample"][limits].nunique()), "concordance": concordance(table)}
        rows.append(row)
    return pd.DataFrame(rows)


def paired(
    predictions: pd.DataFrame, reference: str, *, coverage: float = 0.9, resample: str = "group", seed: int = 0
) -> pd.DataFrame:
    """Compare one model with each other model on the same samples and bootstrap resamples.

    Parameters
    ----------
    predictions : DataFrame
        Predictions of several models, as returned by `held_out`.
    reference : str
        Name of the model that is compared with the others.
    coverage : float
        Nominal coverage of the prediction intervals, 0 to 1.
    resample : {"group", "fold"}
        Units of the bootstrap, as in `summarise`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row per partition and other model: ``model``, ``other``, ``partition``, ``r2_gain`` and ``spearman_gain``
        (score of the model minus that of the other), ``rmse_ratio`` and ``interval_score_ratio`` (divided by that of
        the other; below 1 the model is better), each with ``_low`` and ``_high``, the ends of a 90 % bootstrap
        interval.

    Raises
    ------
    InputError
        If there are no predictions of the reference, or the models have different held-out samples.

    Examples
    --------
    >>> table = pd.DataFrame({"model": "m", "partition": "grouped", "repeat": 0, "fold": "0", "sample": list("abcd"),
    ...     "group": range(4), "value": [1.0, 2.0, 3.0, 4.0], "predicted": [1.0, 2.0, 3.0, 5.0], "low": 0.0,
    ...     "high": 4.5, "censored": 0})
    >>> worse = table.assign(model="other", predicted=2.5)
    >>> paired(pd.concat([table, worse]), "m")[["other", "r2_gain"]].round(3).values.tolist()
    [['other', 0.8]]
    """
    models = list(dict.fromkeys(predictions["model"]))
    if reference not in models:
        raise InputError(f"found no predictions of {reference!r}, only of {', '.join(models)}; name one of these.")
    rows = []
    for partition, table in predictions.groupby("partition", sort=False):
        by_model = {name: part.reset_index(drop=True) for name, part in table.groupby("model", sort=False)}
        if reference not in by_model:
            continue
        first = _resampled(by_model[reference], coverage, resample, seed)
        for name, part in by_model.items():
            if name == reference:
                continue
            if not part[_SAME].equals(by_model[reference][_SAME]):
                raise InputError(
                    f"{reference!r} and {name!r} were held out on different samples in {partition!r}; score both with "
                    "the same folds."
                )
            second = _resampled(part, coverage, resample, seed)
            row: dict[str, Any] = {"model": reference, "other": name, "partition": partition}
            for key in ("r2", "spearman"):
                row |= interval_columns(f"{key}_gain", first[key] - second[key])
            for key in ("rmse", "interval_score"):
                ratio = first[key] / np.maximum(second[key], 1e-300)
                row |= interval_columns(f"{key}_ratio", ratio)
            rows.append(row)
    return pd.DataFrame(rows)


def concordance(predictions: pd.DataFrame) -> float:
    """Compute the concordance index of pairs of a censored and a measured sample.

    It is the share of pairs that are predicted in the known order (Harrell et al., J. Am. Med. Assoc. 247, 2543, 1982,
    restricted to such pairs). A value known to lie above 10 exceeds a measured 7; its order with a measured 11 is
    unknown, so that such a pair does not count. Ties count half.

    Parameters
    ----------
    predictions : DataFrame
        Predictions of one model on one partition, as returned by `held_out`; pairs are formed within a repeat.

    Returns
    -------
    float
        Share from 0 to 1; NaN if no pair has a known order.

    Examples
    --------
    >>> table = pd.DataFrame({"repeat": 0, "value": [1.0, 2.0, 10.0], "predicted": [1.0, 8.0, 7.0],
    ...     "censored": [0, 0, 1]})
    >>> concordance(table)
    0.5
    """
    right = pairs = 0.0
    for _, table in predictions.groupby("repeat"):
        value, guess, side = (table[name].to_numpy(np.float64) for name in ("value", "predicted", "censored"))
        for row in np.flatnonzero(side):
            known = (side == 0) & (side[row] * (value[row] - value) >= 0)
            ahead = side[row] * (guess[row] - guess[known])
            right += float((ahead > 0).sum() + 0.5 * (ahead == 0).sum())
            pairs += float(known.sum())
    return right / pairs if pairs else float("nan")


def _resampled(table: pd.DataFrame, coverage: float, resample: str, seed: int) -> dict[str, Array]:
    """Each score of all measured samples, and of each bootstrap draw, shape (1 + draws,); the mean over repeats."""
    if resample not in ("group", "fold"):
        raise InputError(f"resample is {resample!r}, expected 'group' or 'fold'.")
    measured = table[table["censored"] == 0]
    if measured.empty:
        raise InputError("all held-out samples are censored, so that there is no error to measure.")
    strata = measured["repeat"] if resample == "fold" else None  # folds of one repeat share no samples
    weights = bootstrap_weights(measured[resample], strata=strata, seed=seed)
    parts = list(_repeats(measured, weights, coverage))
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}


def _repeats(table: pd.DataFrame, weights: Array, coverage: float) -> Iterator[dict[str, Array]]:
    """Scores of each repeat: every one is made of weighted sums, so that all draws are one product of matrices."""
    for repeat in dict.fromkeys(table["repeat"]):
        mine = (table["repeat"] == repeat).to_numpy()
        names = ("value", "predicted", "low", "high")
        value, guess, low, high = (table[name].to_numpy(np.float64)[mine] for name in names)
        weight = weights[:, mine]
        count = np.maximum(weight.sum(1), 1)

        def mean(what: Array, weight: Array = weight, count: Array = count) -> Array:
            found: Array = weight @ what / count
            return found

        square = mean((guess - value) ** 2)
        about = value - value.mean()
        variance = mean(about**2) - mean(about) ** 2
        outside = np.maximum(low - value, 0) + np.maximum(value - high, 0)
        yield {
            "r2": np.where(variance > 0, 1 - square / np.maximum(variance, 1e-300), np.nan),
            "rmse": np.sqrt(square),
            "spearman": _correlation(rankdata(value), rankdata(guess), mean),
            "coverage": mean(np.where(np.isnan(outside), np.nan, outside == 0)),
            "width": mean(high - low),
            "interval_score": mean(high - low + 2 / (1 - coverage) * outside),
        }


def _correlation(a: Array, b: Array, mean: Callable[[Array], Array]) -> Array:
    """Weighted correlation; of ranks that stay those of all samples, which draws would change little."""
    a, b = a - a.mean(), b - b.mean()
    covariance = mean(a * b) - mean(a) * mean(b)
    size = (mean(a**2) - mean(a) ** 2) * (mean(b**2) - mean(b) ** 2)
    return np.where(size > 1e-12, covariance / np.sqrt(np.maximum(size, 1e-12)), 0.0)
