"""Figure of the variation of statistics between windows against the size of the windows."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from matlens.figures.style import DOUBLE, legend, line_style, styled
from matlens.figures.units import typeset_unit

__all__ = ["window_scatter"]

_NAMES = {
    "volume_fraction": "Volume fraction",
    "specific_surface": "Specific surface",
    "s2_error": "Two-point error",
    "conductivity": "Apparent conductivity",
}
_MOST_PHASES = 4


@styled
def window_scatter(spread: pd.DataFrame, *, unit: str) -> Figure:
    """Draw the variation between windows against their size, one panel for each statistic.

    Both axes are logarithmic. Points are measured, solid lines are the fitted law, dashed lines are computed from the
    covariance.

    Parameters
    ----------
    spread : DataFrame
        Table `matlens.microstructure.statistics.Representative.spread`. At most four phases are shown.
    unit : str
        Unit of the windows' sides.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> rows = {"statistic": "volume_fraction", "phase": "pore", "side": [8.0, 16.0], "relative": [0.4, 0.2],
    ...         "fitted": [0.4, 0.2], "predicted": [0.38, 0.2]}
    >>> window_scatter(pd.DataFrame(rows), unit="um").axes[0].get_xlabel()
    'side of the window (µm)'
    """
    statistics = list(dict.fromkeys(spread["statistic"]))
    figure = Figure(figsize=(DOUBLE, 2.3), layout="constrained")
    grid = figure.subplots(1, len(statistics), squeeze=False, sharex=True)[0]
    for axes, statistic in zip(grid, statistics):
        rows = spread[spread["statistic"] == statistic]
        for index, (phase, points) in enumerate(list(rows.groupby("phase", sort=False))[:_MOST_PHASES]):
            colour = line_style(index)["color"]
            label = "all phases" if phase == "all" else str(phase)
            axes.plot(points["side"], points["relative"], "o", markersize=3, color=colour, label=label)
            axes.plot(points["side"], points["fitted"], color=colour, linewidth=0.9)
            if points["predicted"].notna().any():
                axes.plot(points["side"], points["predicted"], color=colour, linewidth=0.9, linestyle="--")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=2))
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
        axes.set_title(_NAMES.get(statistic, statistic.replace("_", " ")))
        axes.set_xlabel(f"side of the window ({typeset_unit(unit)})")
        legend(axes, loc="lower left")
    grid[0].set_ylabel("scatter between windows, relative")
    return figure
