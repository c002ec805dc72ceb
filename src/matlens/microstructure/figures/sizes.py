"""Figure of size distributions and other curves of each phase."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import CYCLE, DOUBLE, styled
from matlens.figures.units import typeset_unit
from matlens.microstructure.statistics import Display, display_of

__all__ = ["distributions"]

_LINES = ("-", "--", ":", "-.")
_COLUMNS = 2


@styled
def distributions(table: pd.DataFrame, *, unit: str) -> Figure:
    """Draw distributions against size, one panel for each statistic.

    The colour shows the phase, the line style the axis, or the file where there is only one axis.

    Parameters
    ----------
    table : DataFrame
        Columns ``statistic``, ``phase``, ``axis``, ``source``, ``distance``, ``value``.
    unit : str
        Unit of ``distance``.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> rows = {"statistic": "local_thickness", "phase": "pore", "axis": "radial", "source": "a.tif"}
    >>> figure = distributions(pd.DataFrame({**rows, "distance": [0.0, 1, 2], "value": [1.0, 0.5, 0]}), unit="um")
    >>> figure.axes[0].get_title(loc="left"), figure.axes[0].get_xlabel()
    ('Local thickness', 'size (µm)')
    """
    statistics = list(dict.fromkeys(table["statistic"]))
    rows = math.ceil(len(statistics) / _COLUMNS)
    figure = Figure(figsize=(DOUBLE, 0.35 + 1.75 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, statistic in zip(panels, statistics):
        display = display_of(statistic)
        _draw(axes, table[table["statistic"] == statistic], list(dict.fromkeys(table["phase"])), display)
        axes.set_title(display.title)
        axes.set_ylabel(display.label)
        axes.set_xlabel(f"{display.against} ({typeset_unit(unit)})")
    for axes in panels[len(statistics) :]:
        axes.set_axis_off()
    entries = {
        name: line for axes in panels for line, name in zip(*axes.get_legend_handles_labels())
    }  # one entry for a line that several panels have
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=min(6, len(entries)))
    return figure


def _draw(axes: Axes, table: pd.DataFrame, phases: list[str], display: Display) -> None:
    files, along = list(dict.fromkeys(table["source"])), list(dict.fromkeys(table["axis"]))
    reach = 0.0
    for key, rows in table.groupby(["phase", "source", "axis"], sort=False):
        phase, source, axis = map(str, key)
        number = along.index(axis) if len(along) > 1 else files.index(source)
        words = [phase] + [f"along {axis}"] * (len(along) > 1) + [source] * (len(files) > 1)
        colour, line = CYCLE[phases.index(phase) % len(CYCLE)], _LINES[number % len(_LINES)]
        if display.drawn_from > display.listed_from:
            rows = rows.iloc[display.drawn_from - display.listed_from :]
        axes.plot(rows["distance"], rows["value"], color=colour, linestyle=line, linewidth=0.9, label=", ".join(words))
        # end the axis where the curves have nearly reached zero
        kept = rows["distance"][rows["value"] > 1e-3 * rows["value"].max()]
        reach = max(reach, 1.1 * float(kept.max()) if len(kept) else 0.0)
    axes.set_xlim(0, reach or None)
    axes.set_ylim(bottom=0)
