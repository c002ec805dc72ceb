"""Bar charts of the scores of a model and its baselines, with intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, CYCLE, DOUBLE, styled

__all__ = ["bar_panel", "score_bars"]


@styled
def score_bars(scores: pd.DataFrame) -> Figure:
    """Draw R² of a model and its baselines with 90 % intervals, one panel for each set of samples.

    Parameters
    ----------
    scores : DataFrame
        Columns ``set``, ``model``, ``r2``, ``r2_low``, ``r2_high``. Bars whose set or model is named ``"model"`` are
        coloured, all others are grey.

    Returns
    -------
    Figure
        The figure.

    Examples
    --------
    >>> table = pd.DataFrame({"set": "test", "model": ["model", "volume fraction, gp"], "r2": [0.9, 0.6],
    ...                       "r2_low": [0.85, 0.5], "r2_high": [0.93, 0.7]})
    >>> len(score_bars(table).axes)
    1
    """
    sets = list(dict.fromkeys(scores["set"]))
    most = int(scores.groupby("set").size().max())
    figure = Figure(figsize=(DOUBLE, 0.55 + 0.24 * most), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets):
        own = scores[scores["set"] == name].reset_index(drop=True)
        values = pd.DataFrame({"name": own["model"], "value": own["r2"], "low": own["r2_low"], "high": own["r2_high"]})
        colours = [CYCLE[0] if "model" in (name, bar) else COLOURS["muted"] for bar in own["model"]]
        bar_panel(axes, values, colours.__getitem__)
        axes.set_xlim(min(0.0, max(float(own["r2_low"].min()), -0.2)), 1.12)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.set_xlabel("R²")
        axes.set_title(name)
    return figure


def bar_panel(axes: Axes, table: pd.DataFrame, colour: Callable[[int], str]) -> None:
    """Draw horizontal bars with whiskers and numbers, the first row on top.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    table : DataFrame
        Columns ``name``, ``value``, ``low`` and ``high``.
    colour : callable
        Maps the index of a row to its colour.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> table = pd.DataFrame({"name": ["a", "b"], "value": [0.9, 0.5], "low": [0.8, 0.4], "high": [0.95, 0.6]})
    >>> bar_panel(axes, table, lambda index: "grey")
    >>> [text.get_text() for text in axes.get_yticklabels()]
    ['a', 'b']
    """
    places = np.arange(len(table))[::-1]
    colours = [colour(index) for index in range(len(table))]
    axes.barh(places, table["value"].clip(lower=0), color=colours, height=0.65)
    axes.hlines(places, table["low"].clip(lower=-0.2), table["high"], color=COLOURS["exemplar"], linewidth=0.9)
    axes.set_yticks(places, table["name"])
    axes.tick_params(axis="y", length=0)
    ends = table[["value", "high"]].max(axis=1).clip(lower=0) + 0.02 * float(table["value"].max())
    for place, end, value in zip(places, ends, table["value"]):
        text = f"{value:.3g}".replace("-", "−")
        # Below zero there is no bar: an arrow says on which side of the axis the number belongs.
        axes.text(end, place, text if value >= 0 else f"◂ {text}", va="center", fontsize=6.5)
