"""Figures of a property model: predictions against true values, learning curves, errors of depths, and intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from matlens.figures.scores import bar_panel
from matlens.figures.style import COLOURS, DOUBLE, SINGLE, legend_below, line_style, styled

__all__ = ["depth_errors", "learning_curves", "parity", "prediction_intervals"]

_WIDE = 4.0  # ratio of the largest to the smallest value above which an axis is logarithmic


@styled
def parity(panels: pd.DataFrame, *, label: str) -> Figure:
    """Draw predictions with their intervals against the true values, one panel for each set of structures.

    Parameters
    ----------
    panels : DataFrame
        Columns ``set``, ``value``, ``predicted``, ``low``, ``high``, ``inside``, ``in_domain``.
    label : str
        Name and unit of the property.

    Returns
    -------
    Figure
        89 mm wide with one set, else 183 mm.

    Examples
    --------
    >>> table = pd.DataFrame({"set": "test", "value": [1.0, 2.0], "predicted": [1.1, 1.8], "low": [0.9, 1.5],
    ...                       "high": [1.3, 1.9], "inside": [True, False], "in_domain": True})
    >>> len(parity(table, label="k").axes)
    1
    """
    sets = list(dict.fromkeys(panels["set"]))
    width = SINGLE if len(sets) == 1 else DOUBLE
    figure = Figure(figsize=(width, width / len(sets) + 0.4), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets):
        _parity_panel(axes, panels[panels["set"] == name])
        axes.set_title(f"{name} (n = {int((panels['set'] == name).sum())})")
        axes.set_xlabel(label)
    figure.axes[0].set_ylabel(f"{label}, predicted")
    handles, names = figure.axes[0].get_legend_handles_labels()
    legend_below(figure, handles, names, markerscale=1.4)
    return figure


def _parity_panel(axes: Axes, table: pd.DataFrame) -> None:
    kinds = {
        "inside its interval": (table["inside"] & table["in_domain"], COLOURS["result"]),
        "outside": (~table["inside"] & table["in_domain"], COLOURS["different"]),
        "unlike the training structures": (~table["in_domain"], COLOURS["muted"]),
    }
    low, high = (float(f(table[["value", "predicted"]].to_numpy())) for f in (np.min, np.max))
    log = low > 0 and high > _WIDE * low
    small = 1.6 if len(table) > 200 else 2.6
    for name, (chosen, colour) in kinds.items():
        part = table[chosen]
        axes.vlines(part["value"], part["low"], part["high"], color=colour, linewidth=0.5, alpha=0.35)
        axes.plot(part["value"], part["predicted"], "o", markersize=small, color=colour, markeredgewidth=0, label=name)
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    margin = (high / low) ** 0.05 if log else 0.05 * (high - low)
    ends = (low / margin, high * margin) if log else (low - margin, high + margin)
    axes.plot(ends, ends, color=COLOURS["exemplar"], linewidth=0.6, zorder=0)
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_box_aspect(1)
    if log:
        for axis in (axes.xaxis, axes.yaxis):
            _plain_log(axis)


def _plain_log(axis: XAxis | YAxis) -> None:
    """Set a logarithmic scale with plain numbers instead of powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


@styled
def learning_curves(rows: pd.DataFrame) -> Figure:
    """Draw the scores of models against the number of labelled structures: median and range over draws.

    Parameters
    ----------
    rows : DataFrame
        Columns ``model``, ``n``, ``draw``, and some of ``r2``, ``median_relative_error`` and ``skill``.

    Returns
    -------
    Figure
        One panel for each score.

    Examples
    --------
    >>> columns = {"n": [25, 25, 50, 50], "draw": [0, 1, 0, 1], "r2": [0.7, 0.8, 0.9, 0.91]}
    >>> rows = pd.DataFrame({"model": "ridge", **columns})
    >>> len(learning_curves(rows).axes)
    1
    """
    names = {
        "r2": "R²",
        "median_relative_error": "median relative error",
        "skill": "skill over the volume fraction",
    }
    shown = {key: name for key, name in names.items() if key in rows and rows[key].notna().any()}
    models = list(dict.fromkeys(rows["model"]))
    figure = Figure(figsize=(DOUBLE if len(shown) > 1 else SINGLE, 2.5), layout="constrained")
    for axes, (key, name) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items()):
        for index, model in enumerate(models):
            found = rows[rows["model"] == model].groupby("n")[key].agg(["median", "min", "max"]).dropna()
            style = line_style(index)
            axes.fill_between(found.index, found["min"], found["max"], color=style["color"], alpha=0.15, linewidth=0)
            axes.plot(found.index, found["median"], marker="o", markersize=2.6, label=model, **style)
        axes.set_xscale("log")
        sizes = sorted(rows["n"].unique())
        axes.set_xticks(sizes, [f"{n:g}" for n in sizes])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("labelled structures")
        axes.set_ylabel(name)
        _readable(axes, key, rows)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    legend_below(figure, handles, labels, most=4)
    return figure


def _readable(axes: Axes, key: str, rows: pd.DataFrame) -> None:
    """Set limits in which good models differ visibly, also when one model fails."""
    if key == "median_relative_error":
        axes.set_yscale("log")
        _plain_log(axes.yaxis)
    else:
        middle = rows.groupby(["model", "n"])[key].median()
        axes.set_ylim(max(float(middle.min()) - 0.05, -0.1), 1.005)


@styled
def depth_errors(selection: pd.DataFrame) -> Figure:
    """Draw the cross-validation error of each depth and head, with the chosen one in colour.

    Parameters
    ----------
    selection : DataFrame
        Columns ``depth``, ``head``, ``error``; the chosen one first.

    Returns
    -------
    Figure
        89 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"depth": ["conv2_2", "conv1_1"], "head": "ridge", "error": [0.1, 0.2]})
    >>> len(depth_errors(table).axes[0].patches)
    2
    """
    names = [" ".join(filter(None, map(str, pair))) for pair in zip(selection["depth"].fillna(""), selection["head"])]
    return _bars(
        pd.DataFrame({"name": names, "value": selection["error"], "low": np.nan, "high": np.nan}),
        "root mean square error, on the scale learned",
        lambda index: COLOURS["equivalent"] if index == 0 else COLOURS["muted"],
    )


@styled
def prediction_intervals(predictions: pd.DataFrame, *, label: str) -> Figure:
    """Draw predictions with their intervals in ascending order; those outside the training domain are grey.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``predicted``, ``low``, ``high``, ``in_domain``.
    label : str
        Name and unit of the property.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"predicted": [1.0, 2.0], "low": [0.9, 1.5], "high": [1.2, 2.5], "in_domain": True})
    >>> len(prediction_intervals(table, label="k").axes)
    1
    """
    table = predictions.sort_values("predicted", ignore_index=True)
    figure = Figure(figsize=(DOUBLE, 2.4), layout="constrained")
    axes = figure.subplots()
    for name, chosen, colour in (
        ("like the training structures", table["in_domain"], COLOURS["result"]),
        ("unlike them", ~table["in_domain"], COLOURS["muted"]),
    ):
        part = table[chosen]
        axes.vlines(part.index + 1, part["low"], part["high"], color=colour, linewidth=0.6, alpha=0.5)
        if len(part):
            axes.plot(part.index + 1, part["predicted"], "o", markersize=2, color=colour, label=name)
    if table["predicted"].min() > 0 and table["predicted"].max() > _WIDE * table["predicted"].min():
        axes.set_yscale("log")
        _plain_log(axes.yaxis)
    axes.set_xlim(0.5, len(table) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("structures, in ascending order")
    axes.set_ylabel(label)
    axes.legend(loc="upper left")
    return figure


def _bars(table: pd.DataFrame, label: str, colour: Callable[[int], str]) -> Figure:
    figure = Figure(figsize=(SINGLE, 0.55 + 0.22 * len(table)), layout="constrained")
    axes = figure.subplots()
    bar_panel(axes, table, colour)
    axes.set_xlabel(label)
    return figure
