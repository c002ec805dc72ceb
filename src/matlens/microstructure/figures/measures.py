"""Figure of scalar statistics of each phase as bars."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, CYCLE, DOUBLE, styled
from matlens.figures.units import typeset_unit

__all__ = ["measure_bars"]

_COLUMNS = 4


@styled
def measure_bars(table: pd.DataFrame) -> Figure:
    """Draw scalar statistics as bars, grouped by phase and axis, one colour for each file; an unknown value is a dash.

    Parameters
    ----------
    table : DataFrame
        Columns ``statistic``, ``phase``, ``axis``, ``source``, ``value``, ``unit``; and ``low`` and ``high`` where
        the variation between windows is known.

    Returns
    -------
    Figure
        183 mm wide, one panel for each statistic.

    Examples
    --------
    >>> rows = {"statistic": "specific_surface", "phase": ["pore", "solid"], "axis": "", "source": "a.tif"}
    >>> figure = measure_bars(pd.DataFrame({**rows, "value": [0.2, 0.2], "unit": "um^-1"}))
    >>> figure.axes[0].get_ylabel()
    'µm⁻¹'
    """
    statistics, files = list(dict.fromkeys(table["statistic"])), list(dict.fromkeys(table["source"]))
    rows = math.ceil(len(statistics) / _COLUMNS)
    figure = Figure(figsize=(DOUBLE, (0.3 if len(files) > 1 else 0) + 1.55 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, statistic in zip(panels, statistics):
        _draw(axes, table[table["statistic"] == statistic], files)
        axes.set_title(statistic.replace("_", " ").capitalize().replace("euler", "Euler"), fontsize=7)
    for axes in panels[len(statistics) :]:
        axes.set_axis_off()
    if len(files) > 1:
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(files)))
    return figure


def _draw(axes: Axes, table: pd.DataFrame, files: list[str]) -> None:
    groups = list(dict.fromkeys(zip(table["phase"], table["axis"])))
    wide = min(0.8, 0.25 * len(groups)) / len(files)
    for number, file in enumerate(files):
        rows = table[table["source"] == file].set_index(["phase", "axis"]).reindex(groups)
        places = np.arange(len(groups)) + (number - (len(files) - 1) / 2) * wide
        values = rows["value"].to_numpy(dtype=float)
        axes.bar(places, np.nan_to_num(values), 0.9 * wide, color=CYCLE[number % len(CYCLE)], label=file)
        if "low" in rows and "high" in rows:
            axes.vlines(places, rows["low"], rows["high"], color=COLOURS["exemplar"], linewidth=0.8)
        for place in places[np.isnan(values)]:
            axes.text(place, 0, "–", ha="center", va="bottom", color=COLOURS["muted"])
    names = [", ".join(word for word in (phase, axis) if word) for phase, axis in groups]
    turned = len(names) > 2 or max(map(len, names)) > 9
    axes.set_xticks(range(len(names)), names, rotation=35 if turned else 0, ha="right" if turned else "center")
    axes.axhline(0, color="#4a525c", linewidth=0.5)
    if not table["value"].any():
        axes.set_ylim(0, 1)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.set_ylabel(typeset_unit(str(table["unit"].iloc[0])))
