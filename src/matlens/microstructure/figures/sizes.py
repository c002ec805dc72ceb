"""Figure of size distributions and other curves of each phase."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import CYCLE, DOUBLE, legend_below, styled
from matlens.figures.units import typeset_unit
from matlens.microstructure.statistics import Display, display_of

__all__ = ["distributions"]

_LINES = ("-", "--", ":", "-.")
_COLUMNS = 2


@styled
def distributions(table: pd.DataFrame, *, unit: str) -> Figure:
    """Draw distributions against size, one panel for each statistic.

    The colour shows the phase and the line style the axis. Of several files the colour shows the file and the line
    style the phase, and each axis has a panel of its own.

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
    several = table["source"].nunique() > 1
    parts = [part for _, part in table.groupby(["statistic", "axis"] if several else ["statistic"], sort=False)]
    rows = math.ceil(len(parts) / _COLUMNS)
    figure = Figure(figsize=(DOUBLE, 0.35 + 1.75 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    kinds = {name: list(dict.fromkeys(table[name])) for name in ("phase", "source")}
    for axes, part in zip(panels, parts):
        display, axis = display_of(part["statistic"].iloc[0]), part["axis"].iloc[0]
        _draw(axes, part, kinds, display)
        axes.set_title(f"{display.title} along {axis}" if several and axis != "radial" else display.title)
        axes.set_ylabel(display.label)
        axes.set_xlabel(f"{display.against} ({typeset_unit(unit)})")
    for axes in panels[len(parts) :]:
        axes.set_axis_off()
    entries = {
        name: line for axes in panels for line, name in zip(*axes.get_legend_handles_labels())
    }  # one entry for a line that several panels have
    legend_below(figure, list(entries.values()), list(entries))
    return figure


def _draw(axes: Axes, table: pd.DataFrame, kinds: dict[str, list[str]], display: Display) -> None:
    several, along = len(kinds["source"]) > 1, list(dict.fromkeys(table["axis"]))
    reach = 0.0
    for key, rows in table.groupby(["phase", "source", "axis"], sort=False):
        phase, source, axis = map(str, key)
        first, second = kinds["phase"].index(phase), along.index(axis)
        if several:
            first, second = kinds["source"].index(source), first
        words = [phase] + [f"along {axis}"] * (len(along) > 1) + [source] * several
        colour, line = CYCLE[first % len(CYCLE)], _LINES[second % len(_LINES)]
        if display.drawn_from > display.listed_from:
            rows = rows.iloc[display.drawn_from - display.listed_from :]
        axes.plot(rows["distance"], rows["value"], color=colour, linestyle=line, linewidth=0.9, label=", ".join(words))
        # end the axis where the curves have nearly reached zero
        kept = rows["distance"][rows["value"] > 1e-3 * rows["value"].max()]
        reach = max(reach, 1.1 * float(kept.max()) if len(kept) else 0.0)
    axes.set_xlim(0, reach or None)
    axes.set_ylim(bottom=0)
