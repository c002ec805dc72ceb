"""Figure of the checks before any model: sampled systems, agreement of replicates, predictability from position."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, DOUBLE, styled
from matlens.library.figures.style import wrapped

__all__ = ["check_page"]


@styled
def check_page(pairs: pd.DataFrame, replicates: pd.DataFrame, reach: pd.DataFrame, *, label: str) -> Figure:
    """Draw the three checks that come before any model.

    Parameters
    ----------
    pairs : DataFrame
        Square, components by components: number of samples that contain both (on the diagonal: this one).
    replicates : DataFrame
        Columns ``mean`` (of the group of equal composition) and ``value``, one row for each replicate.
    reach : DataFrame
        Columns ``name``, ``r2``, ``low``, ``high``: the R² that a perfect model of composition could reach, and the
        held-out R² of position alone.
    label : str
        Name and unit of the figure of merit.

    Returns
    -------
    Figure
        Three panels, 183 mm wide.

    Examples
    --------
    >>> pairs = pd.DataFrame([[3, 1], [1, 1]], index=["Bi", "W"], columns=["Bi", "W"])
    >>> replicates = pd.DataFrame({"mean": [1.0, 1.0], "value": [0.9, 1.1]})
    >>> reach = pd.DataFrame({"name": ["noise ceiling"], "r2": [0.95], "low": [0.9], "high": [0.97]})
    >>> len(check_page(pairs, replicates, reach, label="P").axes)
    3
    """
    figure = Figure(figsize=(DOUBLE, 2.45), layout="constrained")
    first, second, third = figure.subplots(1, 3, width_ratios=(1.15, 1, 1))
    _counts(first, pairs)
    _replicates(second, replicates, label)
    _reach(third, reach)
    return figure


def _counts(axes: Axes, pairs: pd.DataFrame) -> None:
    counts = pairs.to_numpy(dtype=float)
    shade = np.log10(np.maximum(counts, 1)) / max(math.log10(max(float(counts.max()), 10)), 1)
    axes.set_facecolor("#f4f5f7")
    axes.imshow(np.ma.masked_where(counts <= 0, shade), cmap="Blues", vmin=-0.35, vmax=1.3)
    size = 5.5 if len(pairs) > 6 else 6.5
    if len(pairs) <= 12:
        for row, column in np.ndindex(counts.shape):
            ink = "white" if shade[row, column] > 0.62 else COLOURS["exemplar"]
            ink = ink if counts[row, column] else COLOURS["different"]
            axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=size, color=ink)
    axes.set_xticks(range(len(pairs)), pairs.columns, rotation=0 if len(pairs) <= 7 else 90)
    axes.set_yticks(range(len(pairs)), pairs.index)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("samples that hold both")


def _replicates(axes: Axes, table: pd.DataFrame, label: str) -> None:
    axes.set_title("replicates")
    axes.set_xlabel(wrapped(f"{label}, mean of replicates", 34))
    axes.set_ylabel("each of them")
    axes.set_box_aspect(1)
    if not len(table):
        axes.text(0.5, 0.5, "no composition\nwas made twice", transform=axes.transAxes, ha="center", va="center")
        axes.set_xticks([])
        axes.set_yticks([])
        return
    ends = [float(table.to_numpy(dtype=float).min()), float(table.to_numpy(dtype=float).max())]
    axes.plot(ends, ends, color=COLOURS["muted"], linewidth=0.6)
    axes.plot(table["mean"], table["value"], "o", markersize=1.8, color=COLOURS["result"], markeredgewidth=0, alpha=0.6)


def _reach(axes: Axes, table: pd.DataFrame) -> None:
    for place, row in enumerate(table.to_dict("records")):
        known = np.isfinite(row["r2"])
        axes.text(0, place - 0.32, row["name"], fontsize=6.5, va="bottom")
        if not known:
            axes.text(0, place, "not known", fontsize=6.5, va="center", color=COLOURS["muted"])
            continue
        axes.barh(place, max(row["r2"], 0.0), 0.5, color=COLOURS["band"])
        axes.hlines(place, max(row["low"], -0.05), row["high"], color=COLOURS["exemplar"], linewidth=0.9)
        # Below zero the dot becomes an arrow at the border, with its number beside the panel as all others.
        below = row["r2"] < 0
        axes.plot(max(row["r2"], -0.03), place, "<" if below else "o", color=COLOURS["result"], markersize=3.5)
        axes.text(1.04, place, f"{row['r2']:.2f}".replace("-", "−"), va="center", fontsize=6.5)
    axes.set_xlim(-0.06, 1.0)
    axes.set_ylim(len(table) - 0.5, -0.85)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xticks([0, 0.5, 1])
    axes.set_xlabel("R²")
    axes.set_title("what can be reached")
