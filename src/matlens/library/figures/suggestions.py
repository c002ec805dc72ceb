"""Figure of suggested compositions in their order, with expected gain, interval and support."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, DOUBLE, legend_below, styled
from matlens.library.figures.style import UNKNOWN, gain_colour, support_keys, wrapped

__all__ = ["suggestion_chart"]

_HOSTS = ("#c6ccd4", "#e0e4e9")  # the two most frequent components stay in the background
_ADDED = ("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1a1a1a", "#8c6d31", "#4b4b8f", "#b5651d", "#5f9ea0", "#9b59b6")
_ROW, _LINE = 0.235, 0.1  # height of a row in inches, and of each further line of its text
_LETTERS = 40  # of a line of text
_MOST = 40


@styled
def suggestion_chart(table: pd.DataFrame, shares: pd.DataFrame, *, label: str, best: float | None = None) -> Figure:
    """Draw suggestions as rows: the change in words, the composition as a bar, the expected merit with its interval.

    Parameters
    ----------
    table : DataFrame
        One row for each suggestion, the best first (at most 40 are drawn): ``rank``, ``move`` (in words), ``start`` and
        ``expected`` merit, ``low`` and ``high`` of the expected merit, ``support`` (2, 1, 0).
    shares : DataFrame
        Fractions of the suggested compositions: one row for each suggestion, one column for each component.
    label : str
        Name and unit of the figure of merit.
    best : float, optional
        Best measured value, drawn as a line.

    Returns
    -------
    Figure
        Two panels, 183 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"rank": [1], "move": ["+1 at% W from Bi-V"], "start": [2.0], "expected": [2.5]})
    >>> table = table.assign(low=2.1, high=2.9, support=2)
    >>> len(suggestion_chart(table, pd.DataFrame({"Bi": [0.5], "V": [0.49], "W": [0.01]}), label="P").axes)
    2
    """
    table, shares = table.head(_MOST), shares.head(_MOST)
    shares = shares.loc[:, (shares > 0).any()]
    names = [wrapped(f"{rank}.  {move}", _LETTERS) for rank, move in zip(table["rank"], table["move"])]
    lines = max(name.count("\n") + 1 for name in names)
    figure = Figure(figsize=(DOUBLE, 1.05 + (_ROW + _LINE * (lines - 1)) * len(table)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.0, 1.1))
    _compositions(left, shares)
    _expected(right, table, best, label)
    left.set_yticks(range(len(table)), names)
    left.set_ylim(len(table) - 0.4, -0.6)
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    bars, components = left.get_legend_handles_labels()
    left.legend(bars, components, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(len(components), 7),
                columnspacing=0.8, handlelength=0.8, handletextpad=0.3, borderaxespad=0.2, fontsize=6.5)  # fmt: skip
    keys = [*right.get_legend_handles_labels()[0], *support_keys(sorted(set(table["support"]), reverse=True))]
    legend_below(figure, keys, [str(key.get_label()) for key in keys])
    return figure


def _compositions(axes: Axes, shares: pd.DataFrame) -> None:
    places, left = np.arange(len(shares)), np.zeros(len(shares))
    hosts = shares.mean().nlargest(len(_HOSTS)).index
    added = [name for name in shares.columns if name not in hosts]
    for name in [*hosts, *added]:
        colour = _HOSTS[list(hosts).index(name)] if name in hosts else _ADDED[added.index(name) % len(_ADDED)]
        values = 100 * shares[name].to_numpy(dtype=float)
        axes.barh(places, values, 0.66, left=left, color=colour, label=str(name),
                  edgecolor="white", linewidth=0.4)  # fmt: skip
        for place in np.flatnonzero(values > 9):
            axes.text(left[place] + values[place] / 2, float(place), f"{values[place]:.1f}", ha="center", va="center",
                      fontsize=5.5, color=COLOURS["exemplar"])  # fmt: skip
        left += values
    whole = 100 * max(1, round(float(shares.sum(axis=1).max())))  # the fractions of each of several sites sum to 100 %
    for number, row in enumerate(100 * shares[added].to_numpy(dtype=float)):
        text = ", ".join(f"{name} {share:.3g}" for name, share in zip(added, row) if share > 0)
        axes.text(1.015 * whole, number, text, va="center", fontsize=5.5, color=COLOURS["exemplar"])
    axes.set_xlim(0, whole)
    axes.set_xlabel("suggested composition (%)")


def _expected(axes: Axes, table: pd.DataFrame, best: float | None, label: str) -> None:
    if best is not None:
        axes.axvline(best, color=COLOURS["exemplar"], linewidth=0.7, linestyle=(0, (4, 3)), label="best measured")
    axes.plot(
        table["start"], range(len(table)), "|", color=COLOURS["muted"], markersize=7, label="where it starts from"
    )
    for place, row in enumerate(table.to_dict("records")):
        colour = gain_colour(row["expected"] - (row["start"] if best is None else best)) if row["support"] else UNKNOWN
        axes.hlines(
            place, row["low"], row["high"], color=colour, linewidth=1.3, linestyle="-" if row["support"] else ":"
        )
        mark = "o" if row["support"] else "x"
        face = colour if row["support"] == 2 else "white"
        axes.plot(row["expected"], place, mark, color=colour, markerfacecolor=face, markersize=4)
    axes.set_xlabel(wrapped(f"{label}, expected with interval", 30))
    axes.tick_params(axis="y", labelleft=False)
