"""Figure of gradients with respect to bands of the spectrum."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, SINGLE, legend_below, styled
from matlens.library.figures.style import gain_colour, support_keys

__all__ = ["peak_effects"]

_ROW = 0.19  # height of a row in inches


@styled
def peak_effects(table: pd.DataFrame, *, label: str, width: float = 1.5 * SINGLE) -> Figure:
    """Draw what a usual change of each band makes of the figure of merit.

    Parameters
    ----------
    table : DataFrame
        One row per change: ``peak`` (its name), ``effect`` of one standard deviation of the samples, ``low`` and
        ``high`` (90 % interval), ``support`` (2 or 1).
    label : str
        Label of the axis with its unit.
    width : float
        Width in inches.

    Returns
    -------
    Figure
        A row for each change.

    Examples
    --------
    >>> row = {"peak": ["splitting 325/365"], "effect": [-0.1], "low": [-0.12], "high": [-0.08], "support": [2]}
    >>> len(peak_effects(pd.DataFrame(row), label="change of P").axes)
    1
    """
    figure = Figure(figsize=(width, 0.95 + _ROW * len(table)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=COLOURS["muted"], linewidth=0.6)
    for place, row in enumerate(table.to_dict("records")):
        colour = gain_colour(float(row["effect"]))
        if np.isfinite(row["low"]):
            axes.hlines(place, row["low"], row["high"], color=colour, linewidth=1.3)
        face = colour if row["support"] == 2 else "white"
        axes.plot(row["effect"], place, "o", color=colour, markerfacecolor=face, markersize=4)
    axes.set_yticks(range(len(table)), table["peak"])
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(label)
    keys = support_keys(sorted(set(table["support"]), reverse=True))
    legend_below(figure, keys, [str(key.get_label()) for key in keys])
    return figure
