"""Figures of curves: the loss during optimisation, and the statistics of result and exemplar against distance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, CYCLE, DOUBLE, legend, legend_below, line_style, styled
from matlens.figures.units import typeset_unit
from matlens.microstructure.statistics import display_of

__all__ = ["loss_curves", "statistic_curves"]

_AXES = {"radial": "radial", "y": "along y", "x": "along x", "z": "along z"}
_MOST_PHASES = 4


@styled
def loss_curves(history: pd.DataFrame, *, realisation: int = 0) -> Figure:
    """Draw the total loss of every realisation, and the terms of one realisation, on a logarithmic scale.

    Parameters
    ----------
    history : DataFrame
        Columns ``realisation``, ``level``, ``evaluation`` (counted from the start of the realisation), ``total``, and
        one column for each term.
    realisation : int
        Realisation whose terms are shown.

    Returns
    -------
    Figure
        Two panels, 183 mm wide.

    Examples
    --------
    >>> rows = [(0, 0, 1, 2.0, 2.0), (0, 0, 2, 1.0, 1.0)]
    >>> figure = loss_curves(pd.DataFrame(rows, columns=["realisation", "level", "evaluation", "total", "gram"]))
    >>> len(figure.axes)
    2
    """
    figure = Figure(figsize=(DOUBLE, 2.1), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for number, rows in history.groupby("realisation"):
        shown = number == realisation
        left.plot(rows["evaluation"], rows["total"], color=COLOURS["result"], alpha=1 if shown else 0.35, linewidth=0.9)
    left.set_title("Total loss, each realisation")
    rows = history[history["realisation"] == realisation]
    for index, term in enumerate(_terms(history)):
        values = rows[["evaluation", term]].dropna()
        values = values[values[term] > 0]
        right.plot(values["evaluation"], values[term], **line_style(index), linewidth=0.9, label=term)
    right.set_title(f"Terms of realisation {realisation}")
    for axes in (left, right):
        axes.set_yscale("log")
        axes.set_xlabel("evaluation")
        _mark_levels(axes, rows)
    left.set_ylabel("loss")
    legend(right, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@styled
def statistic_curves(curves: pd.DataFrame, *, unit: str) -> Figure:
    """Draw statistics against distance: one row for each phase, one column for each statistic and axis.

    The grey band spans the windows of the exemplar; the exemplar is black, the realisations are blue.

    Parameters
    ----------
    curves : DataFrame
        Columns ``statistic``, ``phase``, ``axis``, ``source`` (``exemplar``, ``result I``), ``distance``, ``value``,
        and ``low`` and ``high`` in the rows of source ``windows`` and of curves that have a range. At most four phases
        are shown.
    unit : str
        Unit of ``distance``.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"statistic": "lineal_path", "phase": "pore", "axis": "x", "source": "exemplar",
    ...                       "distance": [0.0, 1.0], "value": [0.2, 0.1]})
    >>> figure = statistic_curves(table, unit="um")
    >>> figure.axes[0].get_xlabel()
    'distance (µm)'
    """
    phases = list(dict.fromkeys(curves["phase"]))[:_MOST_PHASES]
    columns = list(dict.fromkeys(zip(curves["statistic"], curves["axis"])))
    figure = Figure(figsize=(DOUBLE, 0.55 + 1.3 * len(phases)), layout="constrained")
    grid = figure.subplots(len(phases), len(columns), sharex="col", squeeze=False)
    for row, phase in enumerate(phases):
        for column, (statistic, axis) in enumerate(columns):
            axes = grid[row, column]
            chosen = (curves["phase"] == phase) & (curves["statistic"] == statistic) & (curves["axis"] == axis)
            _draw_sources(axes, curves[chosen])
            axes.set_ylim(bottom=0)
            if row == 0:
                axes.set_title(f"{display_of(statistic).title}\n{_AXES.get(axis, axis)}")
            if row == len(phases) - 1:
                axes.set_xlabel(f"distance ({typeset_unit(unit)})")
        grid[row, 0].set_ylabel(str(phase))
    handles, names = grid[0, 0].get_legend_handles_labels()
    legend_below(figure, handles, names)
    return figure


def _draw_sources(axes: Axes, table: pd.DataFrame) -> None:
    labelled: set[str] = set()
    for number, (source, rows) in enumerate(sorted(table.groupby("source", sort=False), key=_order)):
        kind = "result" if str(source).startswith("result ") else str(source)
        name = None if kind in labelled else {"windows": "exemplar's windows"}.get(kind, kind)
        labelled.add(kind)
        if kind == "windows":
            band = COLOURS["band"]
            axes.fill_between(rows["distance"], rows["low"], rows["high"], color=band, linewidth=0, label=name)
        else:
            colour, wide = COLOURS.get(kind, CYCLE[number % len(CYCLE)]), kind in ("exemplar", "target")
            axes.plot(rows["distance"], rows["value"], color=colour, linewidth=1.1 if wide else 0.8, label=name)
            if "low" in rows and rows["low"].notna().any():
                axes.fill_between(rows["distance"], rows["low"], rows["high"], color=colour, alpha=0.25, linewidth=0)
    axes.margins(x=0)


def _order(group: tuple[Hashable, pd.DataFrame]) -> int:
    """Draw the band first and the exemplar last."""
    return {"windows": 0, "exemplar": 2, "target": 2}.get(str(group[0]), 1)


def _terms(history: pd.DataFrame) -> Sequence[str]:
    return [str(name) for name in history.columns if name not in ("realisation", "level", "evaluation", "total")]


def _mark_levels(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw a thin line where a finer level starts."""
    starts = rows[rows["level"] != rows["level"].shift()]["evaluation"].iloc[1:]
    for start in starts:
        axes.axvline(start, color=COLOURS["band"], linewidth=0.6, zorder=0)
