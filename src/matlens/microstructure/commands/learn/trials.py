"""Trials: a model or a baseline fitted to some structures and judged on others that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.splits import draw_groups, grouped_folds, leave_one_out
from matlens.errors import InputError
from matlens.microstructure.properties import StructurePropertyModel, StructureSet
from matlens.microstructure.properties.evaluation import BASELINES, MODEL, baseline, predictions_of
from matlens.microstructure.properties.selection import FOLDS

__all__ = ["Trial", "run_trial", "trials_of"]

_LARGEST = 64**3  # voxels up to which a two-point map is a baseline: at all offsets it has half as many columns
_FAMILIES, _LEAST = 3, 10  # families that are left out one by one, and groups in each, at least
_CURVE = (MODEL, "volume fraction, gp", "two-point, gp")


@dataclass(frozen=True)
class Trial:
    """Fit of one model, and the structures that it is tested on.

    Attributes
    ----------
    kind : str
        ``folds``, ``test``, ``families`` or ``curve``.
    contender : str
        ``model``, or the name of a baseline.
    train, held : ndarray of int or None
        Rows that are learned from (None: all), and rows that are predicted (None: the test set).
    n, draw : int
        Number of groups and the seed they were drawn with, or the number of the fold or family.
    """

    kind: str
    contender: str
    n: int
    draw: int
    train: NDArray[np.intp] | None = field(compare=False, default=None)
    held: NDArray[np.intp] | None = field(compare=False, default=None)

    @property
    def key(self) -> str:
        """Key under which the result is stored, part of a file name.

        Examples
        --------
        >>> Trial("folds", "two-point, gp", 0, 3).key
        'folds_two-point-gp_0_3'
        """
        return f"{self.kind}_{self.contender.replace(', ', '-').replace(' ', '-')}_{self.n}_{self.draw}"


def trials_of(
    train: StructureSet,
    test: StructureSet | None,
    seed: int,
    curve: Sequence[int] = (),
    draws: int = 3,
    families_by: str | None = None,
) -> list[Trial]:
    """List the trials: folds of the structures, the test set, families left out, draws of a learning curve.

    A learning curve is judged on the test set, else on the first fold. Where a target is named as ``families_by``, and
    there are 3 families or more with 10 groups or more each, each of them is predicted by what knows the others alone.

    Parameters
    ----------
    train : StructureSet
        Structures to learn from.
    test : StructureSet or None
        Structures to test on; None if there are none.
    seed : int
        Seed of folds and draws.
    curve : sequence of int
        Numbers of groups of the learning curve.
    draws : int
        Random draws of each of these numbers.
    families_by : str, optional
        Target whose families are left out; None for no such trials.

    Returns
    -------
    list of Trial
        Trials in the order of the work.

    Raises
    ------
    InputError
        If a learning curve asks for more groups than there are, or fewer than the folds.

    Examples
    --------
    >>> made = StructureSet.from_arrays(np.zeros((10, 8, 8)))
    >>> len(trials_of(made, None, seed=0))
    25
    """
    folds = list(grouped_folds(train.groups, FOLDS, seed))
    found = [
        Trial("folds", name, 0, number, rows, held)
        for name in _contenders(train, train)
        for number, (rows, held) in enumerate(folds)
    ]
    if test is not None:
        found += [Trial("test", name, 0, 0) for name in _contenders(train, test)]
    found += [
        Trial("families", name, 0, number, rows, held)
        for number, (rows, held) in enumerate(_families(train, families_by))
        for name in _contenders(train, train)
    ]
    rows, held = (np.arange(len(train)), None) if test is not None else folds[0]
    names = [name for name in _CURVE if name in _contenders(train, train if test is None else test)]
    for n in curve:
        available = len(np.unique(train.groups[rows]))
        if not FOLDS <= n <= available:
            raise InputError(f"a learning curve may go from {FOLDS} to {available} groups here, found {n}.")
        for draw in range(1 if n == available else draws):
            drawn = rows[draw_groups(train.groups[rows], n, seed + draw)]
            found += [Trial("curve", name, n, draw, drawn, held) for name in names]
    return found


def run_trial(
    trial: Trial,
    sets: tuple[StructureSet, StructureSet | None],
    fitted: StructurePropertyModel,
    template: StructurePropertyModel,
) -> pd.DataFrame:
    """Fit a model or baseline and predict the structures held out.

    A model of all structures that is tested on the test set is not fitted again.

    Parameters
    ----------
    trial : Trial
        The trial.
    sets : tuple of StructureSet and StructureSet or None
        Structures to learn from, and those to test on.
    fitted : StructurePropertyModel
        The model of all structures.
    template : StructurePropertyModel
        The same model, not fitted.

    Returns
    -------
    DataFrame
        As `matlens.microstructure.properties.evaluation.predictions_of`.
    """
    train, test = sets
    held = test if trial.held is None else train.select(trial.held)
    if held is None:
        raise InputError("there is no test set to try a model on; name one with --test.")
    if trial.contender != MODEL:
        model = baseline(trial.contender, template)
    elif trial.train is None:
        return predictions_of(fitted, held, fitted.target_)
    else:
        model = _copy(template)
        if trial.kind == "families":  # their intervals are not guaranteed
            model.set_params(coverage=None)
    learned = train if trial.train is None else train.select(trial.train)
    return predictions_of(model.fit(learned, fitted.target_), held, fitted.target_)


def _families(train: StructureSet, target: str | None) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows of the other families, without groups that share in it, and of each family; none where they are too few."""
    if target is None:
        return []
    named = np.flatnonzero(train.families != "")
    values, found = train.targets[target].to_numpy(), []
    for _, others, own in leave_one_out(train.families[named]):
        rows, held = named[others], named[own]
        rows = rows[~np.isin(train.groups[rows], train.groups[held])]
        enough = len(np.unique(train.groups[rows])) >= FOLDS and len(np.unique(train.groups[held])) >= _LEAST
        if enough and min(np.ptp(values[rows]), np.ptp(values[held])) > 0:
            found.append((rows, held))
    return found if len(found) >= _FAMILIES else []


def _copy(template: StructurePropertyModel) -> StructurePropertyModel:
    """A clone that shares cache and encoder: scikit-learn would copy both."""
    parameters: dict[str, Any] = template.get_params(deep=False)
    return StructurePropertyModel(parameters.pop("encoder"), **parameters)


def _contenders(train: StructureSet, held: StructureSet) -> list[str]:
    """The model and the baselines; two-point maps belong to one size, and are too long for large volumes."""
    maps = train.shape == held.shape and (len(train.shape) == 2 or prod(train.shape) <= _LARGEST)
    return [MODEL, *(name for name in BASELINES if maps or not name.startswith("two-point"))]
