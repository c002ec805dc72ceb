"""Test of gradients beyond the data: the effect of adding B to A, by models that never saw A and B together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.bootstrap import drawn_counts
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.gradients import fit_composition_response
from matlens.library.model import Response
from matlens.library.model.targets import learned_target
from matlens.library.table import PRESENT, MaterialsLibrary
from matlens.library.validation.partitions import systems

__all__ = ["additions_left_out", "summarise_additions"]

Array = NDArray[np.float64]
_BESIDE = 0.5  # other differences of the two compositions may be up to this share of the addition
_RESAMPLES = 1000
_ENDS = (0.05, 0.95)


def additions_left_out(
    make: Callable[[], Any],
    library: MaterialsLibrary,
    *,
    name: str = "model",
    target: str | None = None,
    truth: Array | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict the effect of adding a component to an alloy by models that never saw the resulting co-alloy system.

    Each co-alloy system is left out in turn, with all larger systems that contain it. An addition leads from a measured
    composition without component B to a left-out composition with B; it starts at the composition that is nearest to
    the left-out one with B removed in proportion. Spectra follow the composition as in the training samples.

    Parameters
    ----------
    make : callable
        Function without arguments that returns a new `LibraryModel` or `BaselineModel`, or whatever has a method
        ``fit`` that returns one.
    library : MaterialsLibrary
        Library with co-alloy systems.
    name : str
        Name of the model in the table.
    target : str, optional
        Name of the figure of merit; needed only if there are several.
    truth : ndarray, shape (n,), optional
        Noise-free figure of merit, if it is known; used instead of measured values.
    progress : Progress, optional
        Called with systems done and total.

    Returns
    -------
    DataFrame
        One row per addition: ``model``, ``system``, ``component`` (B), ``start`` and ``end`` (id of a sample of each
        composition), ``step`` (change of B in hundredths), ``measured`` (difference of the figure of merit),
        ``error`` (standard error of it, from the scatter of replicates; NaN without replicates), ``predicted``
        (difference of predictions), ``gradient`` (total gradient at the start times the change of composition),
        ``predicted_spread`` and ``gradient_spread`` (standard deviations over members).

    Raises
    ------
    InputError
        If no system can be left out, or no composition without one of its components was measured next to it.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> w = np.linspace(0, 0.1, 6)
    >>> x = np.concatenate([np.stack([1 - w, w, 0 * w], 1), np.stack([1 - w, 0 * w, w], 1), [[0.9, 0.05, 0.05]]])
    >>> library = MaterialsLibrary(x, ("Bi", "W", "Mo"), {"P": x @ [0.0, 1.0, 2.0]})
    >>> additions_left_out(BASELINES["ridge"], library)[["component", "measured", "predicted"]].round(3).values.tolist()
    [['W', 0.03, 0.03], ['Mo', 0.09, 0.09]]
    """
    report = progress or Silent()
    folds = systems(library)
    pairs = [_additions(library, fold.train, fold.held) for fold in folds]
    if not any(len(each) for each in pairs):
        raise InputError("no co-alloy system has a measured composition next to it without one of its components.")
    report.begin(len(folds), f"additions by {name}")
    tables = []
    for done, (fold, added) in enumerate(zip(folds, pairs, strict=True), start=1):
        if len(added):
            seen = library.select(fold.train)
            model = make().fit(seen, target)
            goal = learned_target(model)
            predicted = _predicted(model, seen, library.compositions[added[:, 0]], library.compositions[added[:, 1]])
            values = np.where(library.censoring(goal.name) == 0, goal.values(library), np.nan)
            measured = _differences(library.replicates(), values, added)
            if truth is not None:
                measured = _differences(library.replicates(), truth, added) | {"error": np.zeros(len(added))}
            about = {"model": name, "system": fold.name, "component": [library.components[k] for k in added[:, 2]]}
            about["start"] = [library.samples[row] for row in added[:, 0]]
            about["end"] = [library.samples[row] for row in added[:, 1]]
            about["step"] = list(100 * library.compositions[added[:, 1], added[:, 2]])
            tables.append(pd.DataFrame(about | measured | predicted))
        report.update(done, fold.name)
    report.end()
    return pd.concat(tables, ignore_index=True).dropna(subset="measured").reset_index(drop=True)


def summarise_additions(
    table: pd.DataFrame, *, least: float = 0.2, longest: float = np.inf, seed: int = 0
) -> pd.DataFrame:
    """Score the signs and sizes of predicted effects of additions.

    Parameters
    ----------
    table : DataFrame
        Additions as returned by `additions_left_out`; tables of several models can be concatenated.
    least : float
        Additions are left out if their measured effect is below this share of the standard deviation of all measured
        effects, or below twice its own standard error; its sign is then uncertain.
    longest : float
        Longest addition that counts, in hundredths; a gradient does not extrapolate far.
    seed : int
        Seed of the bootstrap over pairs of system and component, within which errors are correlated.

    Returns
    -------
    DataFrame
        One row per model and way of prediction: ``model``, ``way`` ("difference" of predictions, or "gradient" times
        the change of composition), ``n`` (additions), ``additions`` (pairs of system and component), ``sign`` (share of
        correct signs, with the ends ``sign_low`` and ``sign_high`` of a 90 % bootstrap interval), ``size`` (correlation
        of measured and predicted effects), ``slope`` (of measured on predicted effects) and ``error`` (root mean square
        error divided by the root mean square effect; predicting no effect gives 1).

    Examples
    --------
    >>> table = pd.DataFrame({"model": "m", "system": "A-B", "component": ["A", "B"] * 4, "step": 1.0, "error": np.nan,
    ...     "measured": [1.0, -1, 2, -2, 1, -1, 3, -3]})
    >>> table = table.assign(predicted=table["measured"], gradient=-table["measured"])
    >>> summarise_additions(table)[["way", "sign", "error"]].values.tolist()
    [['difference', 1.0, 0.0], ['gradient', 0.0, 2.0]]
    """
    rows = []
    random = np.random.default_rng(seed)
    for model, part in table[table["step"] <= longest].groupby("model", sort=False):
        clear = np.abs(part["measured"]) > np.maximum(least * part["measured"].std(), 2 * part["error"].fillna(0))
        asked = part[clear]
        group = asked.groupby(["system", "component"], sort=False).ngroup().to_numpy()
        count = int(group.max()) + 1 if len(group) else 0
        draws = drawn_counts(group, _RESAMPLES, random) if count else None
        for way, column in (("difference", "predicted"), ("gradient", "gradient")):
            right = (np.sign(asked[column]) == np.sign(asked["measured"])).to_numpy(np.float64)
            low = high = np.nan
            if draws is not None:
                low, high = np.quantile(draws @ right / np.maximum(draws.sum(1), 1), _ENDS)
            predicted, true = asked[column].to_numpy(np.float64), asked["measured"].to_numpy(np.float64)
            row = {"model": model, "way": way, "n": len(asked), "additions": count}
            row |= {"sign": float(right.mean()) if len(asked) else np.nan, "sign_low": low, "sign_high": high}
            rows.append(row | _sizes(predicted, true))
    return pd.DataFrame(rows)


def _sizes(predicted: Array, true: Array) -> dict[str, float]:
    if len(true) < 3 or predicted.std() < 1e-12 or true.std() < 1e-12:
        size, slope = np.nan, np.nan
    else:
        size = float(np.corrcoef(predicted, true)[0, 1])
        slope = float((predicted @ true) / (predicted @ predicted))
    scale = float(np.sqrt(np.mean(true**2))) if len(true) else np.nan
    error = float(np.sqrt(np.mean((predicted - true) ** 2))) / scale if len(true) and scale > 0 else np.nan
    return {"size": size, "slope": slope, "error": error}


def _additions(library: MaterialsLibrary, train: NDArray[np.intp], held: NDArray[np.intp]) -> NDArray[np.intp]:
    """Find (row of the start, row of the end, component), shape (k, 3), one for each composition that was left out."""
    x, group = library.compositions, library.replicates()
    there = x > PRESENT
    _, first = np.unique(group[held], return_index=True)
    found = []
    for end in held[np.sort(first)]:
        for k in np.flatnonzero(there[end]):
            wanted = there[end].copy()
            wanted[k] = False
            base = train[(there[train] == wanted).all(1)]
            if not len(base) or not wanted.any():
                continue
            diluted = np.where(wanted, x[end], 0) / (1 - x[end, k])
            beside = 0.5 * np.abs(x[base] - diluted).sum(1)
            if beside.min() <= _BESIDE * x[end, k]:
                found.append((base[beside.argmin()], end, k))
    return np.array(found, dtype=np.intp).reshape(-1, 3)


def _differences(group: NDArray[np.intp], values: Array, added: NDArray[np.intp]) -> dict[str, Any]:
    """Mean over replicates at the end minus that at the start, with its standard error; NaN if not measured."""
    known = np.isfinite(values)
    count = np.bincount(group[known], minlength=group.max() + 1)
    sums = np.bincount(group[known], values[known], minlength=group.max() + 1)
    mean = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    within = ((values - mean[group])[known] ** 2).sum()
    free = int(known.sum() - (count > 0).sum())
    noise = np.sqrt(within / free) if free > 0 else np.nan
    start, end = group[added[:, 0]], group[added[:, 1]]
    error = noise * np.sqrt(1 / np.maximum(count[start], 1) + 1 / np.maximum(count[end], 1))
    return {"measured": mean[end] - mean[start], "error": error}


def _predicted(model: Response, seen: MaterialsLibrary, start: Array, end: Array) -> dict[str, Array]:
    """Effect of the change from start to end: by the difference of predictions and by the gradient at the start."""
    way = end - start
    if not model.uses_spectrum_:
        before, after = model.respond(start, None), model.respond(end, None)
        gradient = np.asarray(model.gradients(start, None).composition, np.float64)
    else:
        following = fit_composition_response(seen)
        here, there = following.predict(start), following.predict(end)
        before, after = model.respond(start, here), model.respond(end, there)
        found = model.gradients(start, here)
        gradient = np.asarray(found.composition, np.float64)
        if found.spectrum is not None:
            gradient = gradient + following.carried(found.spectrum, start)
    along = np.einsum("mnk,nk->mn", gradient, way)
    difference = after - before
    return {
        "predicted": difference.mean(0),
        "predicted_spread": difference.std(0),
        "gradient": along.mean(0),
        "gradient_spread": along.std(0),
    }
