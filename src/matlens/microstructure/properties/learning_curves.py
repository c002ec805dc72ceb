"""Learning curves: the error of a model against the number of labelled structures, on one fixed test set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from matlens.core.splits import draw_groups
from matlens.microstructure.properties.data_sets.structure_set import StructureSet
from matlens.microstructure.properties.model import StructurePropertyModel

__all__ = ["learning_curve", "scores", "summary"]

Array = NDArray[np.float64]


def scores(truth: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Compute the scores of predictions of a positive property.

    Parameters
    ----------
    truth, predicted : array_like, shape (n,)
        Positive values.

    Returns
    -------
    dict of str to float
        ``r2`` of the logarithm, and ``median_relative_error``, the median of |predicted - truth| / truth.

    Examples
    --------
    >>> scores([1.0, 2.0, 4.0], [1.0, 2.0, 5.0])
    {'r2': 0.948..., 'median_relative_error': 0.0}
    """
    y, guess = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    log, missed = np.log(y), np.log(guess) - np.log(y)
    r2 = 1 - float((missed**2).sum() / ((log - log.mean()) ** 2).sum())
    return {"r2": r2, "median_relative_error": float(np.median(np.abs(guess - y) / y))}


def learning_curve(
    make: Callable[[], StructurePropertyModel],
    train: StructureSet,
    test: StructureSet,
    target: str,
    sizes: Sequence[int],
    draws: Sequence[int],
) -> Iterator[dict[str, float]]:
    """Fit a model to increasing numbers of structures, the same for all models, so that differences are paired.

    Parameters
    ----------
    make : callable
        Returns an unfitted model.
    train, test : StructureSet
        Structures to draw from, and structures to predict; no structure may be in both.
    target : str
        Name of the property.
    sizes : sequence of int
        Numbers of structures.
    draws : sequence of int
        Seeds of the samples.

    Yields
    ------
    dict
        ``n``, ``draw``, the `scores`, ``coverage`` and ``width`` (median high / low) of the intervals, and
        ``seconds`` to fit.

    Examples
    --------
    >>> from matlens.microstructure.properties import Recipe, generate_structures
    >>> made = generate_structures(Recipe(families=("fields",), shape=(32, 32), conductivity_contrasts=(10,)), 24)
    >>> make = lambda: StructurePropertyModel(features="volume-fraction", head="ridge")
    >>> rows = list(learning_curve(make, made.select(range(16)), made.select(range(16, 24)), "k_00_c10", [8], [0]))
    >>> rows[0]["n"], rows[0]["draw"]
    (8, 0)
    """
    truth = test.targets[target].to_numpy(np.float64)
    for n in sizes:
        for draw in draws:
            started = time.perf_counter()
            model = make().fit(train.select(draw_groups(train.groups, n, draw)), target)
            seconds = time.perf_counter() - started
            found = model.predict_interval(test)
            inside = (found["low"] <= truth) & (truth <= found["high"])
            yield {
                "n": n,
                "draw": draw,
                **scores(truth, found["predicted"]),
                "coverage": float(inside.mean()),
                "width": float((found["high"] / found["low"]).median()),
                "seconds": seconds,
            }


def summary(rows: pd.DataFrame, against: str) -> pd.DataFrame:
    """Compute the median over draws for each model and size, with the paired difference of R squared to a reference.

    Parameters
    ----------
    rows : DataFrame
        Columns ``model``, ``n``, ``draw``, ``r2``, ``median_relative_error``.
    against : str
        Model that the others are compared with.

    Returns
    -------
    DataFrame
        Index (model, n): ``r2``, ``r2_low``, ``r2_high`` (smallest and largest over draws), ``median_relative_error``,
        and ``behind``, ``behind_low``, ``behind_high``: R squared of the reference minus that of the model, mean and 90
        % bootstrap interval over draws.

    Examples
    --------
    >>> rows = pd.DataFrame({"model": ["a", "b"] * 2, "n": 10, "draw": [0, 0, 1, 1], "r2": [0.9, 0.5, 0.9, 0.7],
    ...                      "median_relative_error": 0.1})
    >>> summary(rows, against="a").loc[("b", 10), "behind"].round(2)
    np.float64(0.3)
    """
    wide = rows.pivot_table(index=["n", "draw"], columns="model", values="r2")
    found = rows.groupby(["model", "n"]).agg(
        r2=("r2", "median"),
        r2_low=("r2", "min"),
        r2_high=("r2", "max"),
        median_relative_error=("median_relative_error", "median"),
    )
    for model, n in found.index:
        difference = (wide[against] - wide[model]).xs(n, level="n").dropna().to_numpy()
        random = np.random.default_rng(0)
        means = random.choice(difference, (2000, difference.size)).mean(1) if difference.size else np.array([np.nan])
        values = (difference.mean() if difference.size else np.nan, *np.quantile(means, [0.05, 0.95]))
        found.loc[(model, n), ["behind", "behind_low", "behind_high"]] = values
    return found
