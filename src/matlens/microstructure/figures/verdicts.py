"""Figure of a verdict of equivalence: R of every statistic with its interval, beside the negative controls."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from matlens.figures.style import COLOURS, DOUBLE, styled

__all__ = ["verdict_forest"]

_OFFSETS = {"result": 0.0, "white noise": 0.22, "blurred noise": 0.38}


@styled
def verdict_forest(ratios: pd.DataFrame, *, margin: float = 1.25) -> Figure:
    """Draw R with its interval for each statistic, with the margin, for the result and for the negative controls.

    Parameters
    ----------
    ratios : DataFrame
        Columns ``statistic``, ``source`` (``result``, ``white noise``, ``blurred noise``), ``R``, ``low``, ``high``,
        ``verdict`` (``equivalent``, ``different``, ``undecided``).
    margin : float
        Largest R of an equivalent structure.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"statistic": ["two-point"], "source": ["result"], "R": [1.0], "low": [0.9],
    ...                       "high": [1.1], "verdict": ["equivalent"]})
    >>> len(verdict_forest(table).axes)
    1
    """
    statistics = list(dict.fromkeys(ratios["statistic"]))
    figure = Figure(figsize=(DOUBLE, 0.75 + 0.36 * len(statistics)), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    low, high = _limits(ratios, margin)
    axes.axvspan(1e-6, margin, color="#e6f3ee", zorder=0, linewidth=0)
    axes.axvline(margin, color=COLOURS["equivalent"], linewidth=0.8)
    axes.axvline(1.0, color=COLOURS["muted"], linewidth=0.5, dashes=(2, 2))
    for row in ratios.to_dict("records"):
        source = str(row["source"])
        y = statistics.index(row["statistic"]) + _OFFSETS.get(source, 0.5)
        result = source == "result"
        colour = COLOURS.get(str(row["verdict"]) if result else source, COLOURS["muted"])
        if row["R"] > high:  # far off: an arrow at the border and the number, so that the rest keeps its scale
            axes.annotate(f"{row['R']:.3g}", (high, y), (-12, 0), textcoords="offset points", ha="right", va="center",
                          fontsize=6.5, color=colour)  # fmt: skip
            axes.plot(high / 1.03, y, ">", color=colour, markersize=3.5)
            continue
        axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.6 if result else 0.8)
        axes.plot(row["R"], y, "o" if result else "D", color=colour, markersize=4 if result else 2.5)
    axes.set_yticks(range(len(statistics)), statistics)
    axes.set_ylim(len(statistics) - 0.45, -0.5)
    axes.set_xlim(low, high)
    axes.set_xlabel(f"R = distance from the windows / distance between windows (equivalent up to {margin:g})")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    ticks = [tick for tick in (0.25, 0.5, 1, 2, 5, 10, 20, 50) if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.legend(handles=_handles(ratios), loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _limits(ratios: pd.DataFrame, margin: float) -> tuple[float, float]:
    """Limits that show all results, and those controls that are not far away."""
    results = ratios[ratios["source"] == "result"]
    low = pd.concat([ratios["low"], ratios["R"]])
    low = low[low > 0]
    high = pd.concat([results["high"], results["R"]]).dropna()
    return min(low.min() if len(low) else 0.5, 0.5) / 1.2, max(high.max() if len(high) else margin, 5 * margin) * 1.2


def _handles(ratios: pd.DataFrame) -> list[Line2D]:
    results = ratios[ratios["source"] == "result"]
    handles = [
        Line2D([], [], color=COLOURS[verdict], marker="o", markersize=4, linewidth=1.6, label=shown)
        for verdict, shown in (("equivalent", "equivalent"), ("undecided", "open"), ("different", "different"))
        if (results["verdict"] == verdict).any()
    ]
    return handles + [
        Line2D([], [], color=COLOURS[name], marker="D", markersize=2.5, linewidth=0.8, label=f"control: {name}")
        for name in ("white noise", "blurred noise")
        if (ratios["source"] == name).any()
    ]
