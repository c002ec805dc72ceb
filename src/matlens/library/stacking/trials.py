"""Predictions of left-out samples by the models of a mixture, and by the mixture itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.library.gradients import farness
from matlens.library.stacking.weights import LeftOut, Stack, fit_stack
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import Fold

__all__ = ["left_out", "stacked_predictions"]

Array = NDArray[np.float64]
_WEIGHED = ("grouped", "regions")  # partitions that weights and intervals are made by


def left_out(table: pd.DataFrame, library: MaterialsLibrary, folds: Sequence[Fold], names: Sequence[str]) -> LeftOut:
    """Bring predictions of left-out samples into one shape.

    Parameters
    ----------
    table : DataFrame
        Predictions by all models, from `matlens.library.validation.held_out`.
    library : MaterialsLibrary
        The samples.
    folds : sequence of Fold
        Folds that the table was made with.
    names : sequence of str
        Names of the K models in the table.

    Returns
    -------
    LeftOut
        Predictions of uncensored samples.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> from matlens.library.validation import PARTITIONS, held_out
    >>> a = np.linspace(0, 1, 30)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> folds = PARTITIONS["grouped"](library, folds=3)
    >>> left_out(held_out(BASELINES["ridge"], library, folds), library, folds, ["model"]).predicted.shape
    (30, 1)
    """
    first, found = _rows(table, names)
    return LeftOut(
        first["value"].to_numpy(),
        np.stack([each["predicted"].to_numpy() for each in found], 1),
        np.stack([(each["high"] - each["low"]).to_numpy() / 2 for each in found], 1),
        _far(first, library, folds),
        first["group"].to_numpy(np.intp),
        _numbers(first),
    )


def stacked_predictions(
    table: pd.DataFrame, library: MaterialsLibrary, folds: Sequence[Fold], names: Sequence[str], name: str
) -> pd.DataFrame:
    """Predict left-out samples by a mixture whose weights were found without them.

    For the samples of a fold, weights and intervals come from the predictions of all samples of other compositions
    (and, where a region was left out, of other regions).

    Parameters
    ----------
    table : DataFrame
        Predictions by all models, from `matlens.library.validation.held_out`.
    library : MaterialsLibrary
        The samples.
    folds : sequence of Fold
        Folds that the table was made with.
    names : sequence of str
        Names of the models of the mixture.
    name : str
        Name of the mixture in the new table.

    Returns
    -------
    DataFrame
        Rows of the mixture, with the columns of ``table``.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> from matlens.library.validation import PARTITIONS, held_out
    >>> a = np.linspace(0, 1, 30)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": a**2})
    >>> folds = PARTITIONS["grouped"](library, folds=3)
    >>> both = ("ridge", "gaussian-process")
    >>> table = pd.concat([held_out(BASELINES[each], library, folds, name=each) for each in both])
    >>> found = stacked_predictions(table, library, folds, both, "mixture")
    >>> bool((found["predicted"] - found["value"]).abs().max() < 0.01)
    True
    """
    first, found = _rows(table, names, censored=True)
    predicted = np.stack([each["predicted"].to_numpy() for each in found], 1)
    half = np.stack([(each["high"] - each["low"]).to_numpy() / 2 for each in found], 1)
    far, known = _far(first, library, folds), left_out(table, library, folds, names)
    mean, width = np.empty(len(first)), np.empty(len(first))
    place = _places(first)
    for one in dict.fromkeys(place):
        rows = place == one
        stack = _stack_without(known, first["group"].to_numpy()[rows], len(names))
        mean[rows], width[rows] = stack.interval(predicted[rows], half[rows], far[rows])
    return first.assign(model=name, predicted=mean, low=mean - width, high=mean + width)


def _stack_without(known: LeftOut, groups: NDArray[np.intp], models: int) -> Stack:
    """Weights by the samples of other compositions; equal ones where too few are left."""
    rest = known.select(~np.isin(known.composition, groups))
    if len(rest.value) > models:
        return fit_stack(rest)
    equal = (1 / models,) * models
    return Stack(equal, equal, 1.0, 1.0, 0, 0)


def _rows(
    table: pd.DataFrame, names: Sequence[str], *, censored: bool = False
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Rows of each model in one order; only those that weights are made by, unless ``censored`` ones are asked for."""
    kept = table if censored else table[(table["censored"] == 0) & table["partition"].isin(_WEIGHED)]
    found = [kept[kept["model"] == name].reset_index(drop=True) for name in names]
    return found[0], found


def _far(rows: pd.DataFrame, library: MaterialsLibrary, folds: Sequence[Fold]) -> Array:
    """How far each row lies from what was trained on in its fold."""
    place = {sample: row for row, sample in enumerate(library.samples)}
    group, far = library.replicates(), np.zeros(len(rows))
    by_fold = {f"{fold.partition}/{fold.repeat}/{fold.name}": fold for fold in folds}
    for key, part in rows.groupby(_places(rows), sort=False):
        train = by_fold[str(key)].train
        points = library.compositions[train[np.unique(group[train], return_index=True)[1]]]
        asked = library.compositions[[place[str(sample)] for sample in part["sample"]]]
        far[part.index.to_numpy()] = farness(asked, points)
    return far


def _places(rows: pd.DataFrame) -> NDArray[np.object_]:
    """Name of the fold of each row."""
    parts = (rows[name].astype(str) for name in ("partition", "repeat", "fold"))
    return np.array(["/".join(each) for each in zip(*parts, strict=True)], dtype=object)


def _numbers(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Number of the region of each row; -1 where single compositions were left out."""
    names = rows["repeat"].astype(str) + "/" + rows["fold"].astype(str)
    numbers = pd.factorize(names)[0]
    return np.where(rows["partition"] == "regions", numbers, -1).astype(np.intp)
