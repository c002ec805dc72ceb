"""Figures of components with similar effects: gradients of each pair over the samples, and their correlations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from matlens.figures.style import COLOURS, CYCLE, DOUBLE, SINGLE, styled
from matlens.library.figures.style import MAP

__all__ = ["correlation_matrix", "gradient_pairs"]

_MOST = 9  # largest number of components whose panels are still readable


@styled
def gradient_pairs(gradients: pd.DataFrame, correlations: pd.DataFrame, *, label: str) -> Figure:
    """Draw the gradients of each pair of components against each other, with Pearson's r.

    Parameters
    ----------
    gradients : DataFrame
        One column for each component (at most nine are drawn; `correlation_matrix` shows more), one row for each
        sample; NaN where the direction has no support.
    correlations : DataFrame
        Columns ``first``, ``second``, ``r`` and, where known, ``low``, ``high`` (interval) and ``beyond`` (whether r
        exceeds what chance and closure give; if not, r is grey).
    label : str
        Name and unit of the gradient.

    Returns
    -------
    Figure
        89 mm wide with up to three components, else 183 mm.

    Examples
    --------
    >>> gradients = pd.DataFrame({"W": [0.1, 0.2, 0.4], "Mo": [0.1, 0.3, 0.3]})
    >>> figure = gradient_pairs(gradients, pd.DataFrame({"first": ["W"], "second": ["Mo"], "r": [0.75]}), label="g")
    >>> [text.get_text() for axes in figure.axes for text in axes.texts]
    ['0.75']
    """
    names = list(gradients.columns)[:_MOST]
    rows = correlations.to_dict("records")
    known = {frozenset((row["first"], row["second"])): row for row in rows}
    width = SINGLE if len(names) <= 3 else DOUBLE
    figure = Figure(figsize=(width, width + 0.05))
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.015, h_pad=0.015, wspace=0.0, hspace=0.0))
    panels = figure.subplots(len(names), len(names), squeeze=False)
    limits = {name: _limits(gradients[name]) for name in names}
    for row, below in enumerate(names):
        for column, across in enumerate(names):
            axes = panels[row, column]
            if row == column:
                _histogram(axes, gradients[below], below, limits[below])
            elif row > column:
                _dots(axes, gradients, across, below, limits)
            else:
                _number(axes, known.get(frozenset((across, below))), 8.5 if len(names) > 5 else 10)
            _quiet(axes, left=column == 0 and row > 0, bottom=row == len(names) - 1, many=len(names) > 4)
    figure.supxlabel(label, fontsize=7.5)
    return figure


def _limits(values: pd.Series) -> tuple[float, float]:
    """Limits from the 0.5 to the 99.5 percentile, with a margin."""
    known = values.dropna()
    if not len(known):
        return -1.0, 1.0
    low, high = (float(end) for end in np.percentile(known, [0.5, 99.5]))
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _histogram(axes: Axes, values: pd.Series, name: str, limits: tuple[float, float]) -> None:
    known = values.dropna()
    axes.hist(known.clip(*limits), bins=24, range=limits, color=COLOURS["band"])
    axes.set_title(name, loc="center", pad=2)
    axes.set_xlim(*limits)
    if not len(known):
        axes.annotate("no support", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", fontsize=6)


def _dots(axes: Axes, gradients: pd.DataFrame, across: str, below: str, limits: dict[str, tuple[float, float]]) -> None:
    axes.axhline(0, color="#c3c8ce", linewidth=0.4)
    axes.axvline(0, color="#c3c8ce", linewidth=0.4)
    size, alpha = (1.0, 0.35) if len(gradients) > 300 else (2.2, 0.7)
    axes.plot(
        gradients[across], gradients[below], "o", color=CYCLE[0], markersize=size, alpha=alpha, markeredgewidth=0,
        rasterized=len(gradients) > 300,
    )  # fmt: skip
    axes.set_xlim(*limits[across])
    axes.set_ylim(*limits[below])


def _number(axes: Axes, found: dict[Any, Any] | None, size: float) -> None:
    """Write r with its interval below, on the colour of the correlation map."""
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    r = float("nan") if found is None else found["r"]
    if not np.isfinite(r):
        axes.text(0.5, 0.5, "–", ha="center", va="center", color=COLOURS["muted"])
        return
    beyond = bool(found.get("beyond", True)) if found else True
    if beyond:
        axes.set_facecolor((*MAP((r + 1) / 2)[:3], 0.35))
    ink = COLOURS["exemplar"] if beyond else COLOURS["muted"]
    interval = found is not None and np.isfinite(found.get("low", np.nan))
    axes.text(0.5, 0.58 if interval else 0.5, _signed(r), ha="center", va="center", fontsize=size, color=ink,
              weight="bold" if beyond else "normal")  # fmt: skip
    if interval and found is not None:
        text = f"{_signed(found['low'])} to {_signed(found['high'])}"
        axes.text(0.5, 0.24, text, ha="center", va="center", fontsize=5.5, color=ink)


def _signed(r: float) -> str:
    return f"{r:.2f}".replace("-", "−")


def _quiet(axes: Axes, *, left: bool, bottom: bool, many: bool) -> None:
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#c3c8ce")
    axes.locator_params(nbins=2 if many else 3)
    axes.tick_params(labelleft=left, labelbottom=bottom, length=1.5, labelsize=5.5 if many else 6.5, pad=1)
    if not left:
        axes.tick_params(left=False)
    if not bottom:
        axes.tick_params(bottom=False)
    if bottom and many:
        axes.tick_params(axis="x", labelrotation=90)


@styled
def correlation_matrix(
    correlations: pd.DataFrame, order: Sequence[str], groups: Sequence[Sequence[str]] = (), *, label: str
) -> Figure:
    """Draw the correlations of gradients as a matrix of colours, with a frame around each group.

    Parameters
    ----------
    correlations : DataFrame
        Columns ``first``, ``second``, ``r`` and optionally ``beyond``; pairs that chance explains have no number.
    order : sequence of str
        Components along both sides, with groups together.
    groups : sequence of sequence of str
        Neighbours in ``order`` to be framed.
    label : str
        Label of the colour scale.

    Returns
    -------
    Figure
        89 mm wide.

    Examples
    --------
    >>> rows = pd.DataFrame({"first": ["W"], "second": ["Mo"], "r": [0.85]})
    >>> len(correlation_matrix(rows, ["W", "Mo"], [["W", "Mo"]], label="r").axes[0].patches)
    1
    """
    order = list(order)
    values = pd.DataFrame(np.nan, index=order, columns=order, dtype=float)
    shown = pd.DataFrame(True, index=order, columns=order)
    for row in correlations.to_dict("records"):
        for pair in ((row["first"], row["second"]), (row["second"], row["first"])):
            values.loc[pair], shown.loc[pair] = row["r"], bool(row.get("beyond", True))
    figure = Figure(figsize=(SINGLE, SINGLE * 0.86), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("#f4f5f7")
    image = axes.imshow(np.ma.masked_invalid(values.to_numpy()), cmap=MAP, vmin=-1, vmax=1, interpolation="nearest")
    if len(order) <= 10:
        numbers = values.to_numpy(dtype=float)
        for row, column in np.argwhere(np.isfinite(numbers) & shown.to_numpy(dtype=bool)):
            r = float(numbers[row, column])
            ink = "white" if abs(r) > 0.72 else COLOURS["exemplar"]
            axes.text(column, row, _signed(r), ha="center", va="center", fontsize=6, color=ink)
    for group in groups:
        places = [order.index(name) for name in group]
        corner, side = min(places) - 0.5, max(places) - min(places) + 1
        axes.add_patch(
            Rectangle((corner, corner), side, side, fill=False, edgecolor="#1a1a1a", linewidth=1.3, clip_on=False)
        )
    axes.set_xticks(range(len(order)), order, rotation=0 if len(order) <= 8 else 90)
    axes.set_yticks(range(len(order)), order)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, label=label, ticks=[-1, -0.5, 0, 0.5, 1], aspect=24, pad=0.02)
    return figure
