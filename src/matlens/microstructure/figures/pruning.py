"""Figures of a pruning study: reconstructions at each depth or width of a network, and R against it and distance.

R is the distance of a result from windows of the exemplar over the distance between windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, CYCLE, DOUBLE, legend_below, styled
from matlens.microstructure.figures.pictures import draw_phases, height_over_width, scale_bar
from matlens.microstructure.structure import Microstructure

__all__ = ["pruned_pictures", "pruned_ratios", "pruned_scales", "removal_orders"]

_GAP, _TITLE, _BAR, _NAME = 0.06, 0.2, 0.24, 0.22  # inches
_MARKS = ("o", "s", "^", "D", "v", "P", "X")


@styled
def pruned_pictures(
    rows: Mapping[str, Sequence[tuple[str, Microstructure]]], *, chosen: Mapping[str, str] | None = None
) -> Figure:
    """Draw one row for each material: a window of the micrograph, then the reconstruction at each depth or width.

    Parameters
    ----------
    rows : mapping of str to sequence of (str, Microstructure)
        Titles and structures of each material; the same titles in every row.
    chosen : mapping of str to str, optional
        Title of the panel to frame, for each material.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> board = checkerboard((8, 8), cell=2)
    >>> len(pruned_pictures({"board": [("exemplar", board), ("pool1", board)]}, chosen={"board": "pool1"}).axes)
    2
    """
    columns = max(max(len(panels) for panels in rows.values()), 4)
    side = (DOUBLE - _NAME - _GAP * columns) / columns
    heights = [max(height_over_width(structure) for _, structure in panels) * side for panels in rows.values()]
    height = sum(heights) + len(rows) * _BAR + _TITLE
    figure = Figure(figsize=(DOUBLE, height))
    top = height - _TITLE
    for row, (name, panels) in enumerate(rows.items()):
        figure.text(0.004, (top - heights[row] / 2) / height, name, rotation=90, va="center", weight="bold")
        for column, (title, structure) in enumerate(panels):
            tall, left = height_over_width(structure) * side, _NAME + column * (side + _GAP)
            axes = figure.add_axes((left / DOUBLE, (top - tall) / height, side / DOUBLE, tall / height))
            draw_phases(axes, structure)
            if row == 0:
                axes.set_title(title, pad=3)
            if column == 0:
                scale_bar(axes, structure.spacing[-1], structure.unit)
            if chosen and chosen.get(name) == title:
                _framed(axes)
        top -= heights[row] + _BAR
    return figure


@styled
def pruned_ratios(
    ratios: pd.DataFrame,
    *,
    sizes: Mapping[str, str],
    chosen: Mapping[str, str],
    axis: str = "depth",
    margin: float = 1.25,
) -> Figure:
    """Draw R of every statistic against depth or width with 90 % intervals, one panel for each material.

    Parameters
    ----------
    ratios : DataFrame
        Columns ``material``, the name of the axis, ``statistic``, ``R``, ``low``, ``high``; depths from shallow
        to deep, widths from narrow to wide.
    sizes : mapping of str to str
        Receptive field of each depth, or channels of each width, in words.
    chosen : mapping of str to str
        Recommended depth or width of each material.
    axis : {"depth", "width"}
        What was varied.
    margin : float
        Largest R of an equivalent structure.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"material": "foam", "depth": ["none", "pool1"], "statistic": "chord length",
    ...                       "R": [2.0, 1.1], "low": [1.5, 0.9], "high": [3.0, 1.2]})
    >>> len(pruned_ratios(table, sizes={"none": "", "pool1": "6 px"}, chosen={"foam": "pool1"}).axes)
    1
    """
    materials, statistics = (list(dict.fromkeys(ratios[name])) for name in ("material", "statistic"))
    columns = min(len(materials), 3)
    rows = -(-len(materials) // columns)
    figure = Figure(figsize=(DOUBLE, 0.65 + 2.0 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes in grid.flat[len(materials) :]:
        axes.set_visible(False)
    for axes, material in zip(grid.flat, materials):
        own = ratios[ratios["material"] == material]
        names = list(dict.fromkeys(own[axis]))
        axes.axhspan(1e-3, margin, color="#e6f3ee", zorder=0, linewidth=0)
        axes.axhline(1, color=COLOURS["muted"], linewidth=0.5, dashes=(2, 2))
        for number, statistic in enumerate(statistics):
            line = own[own["statistic"] == statistic].set_index(axis).loc[names]
            places = np.arange(len(names)) + 0.07 * (number - (len(statistics) - 1) / 2)
            colour, mark = CYCLE[number % len(CYCLE)], _MARKS[number % len(_MARKS)]
            axes.vlines(places, line["low"], line["high"], color=colour, linewidth=0.5, alpha=0.6)
            axes.plot(places, line["R"], color=colour, marker=mark, markersize=2.6, linewidth=0.8, label=statistic)
        if material in chosen and chosen[material] in names:
            axes.axvline(names.index(chosen[material]), color=COLOURS["equivalent"], linewidth=6, alpha=0.15, zorder=0)
        _name_ticks(axes, names, sizes)
        axes.set_title(str(material))
    _log_scale(grid[0, 0], ratios)
    for axes in grid[:, 0]:
        axes.set_ylabel("R")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    legend_below(figure, handles, labels, most=4)
    return figure


@styled
def pruned_scales(scales: pd.DataFrame, *, sizes: Mapping[str, str], axis: str = "depth") -> Figure:
    """Draw R of each curve by distance and depth or width as heat maps: a row a material, a column a curve.

    Parameters
    ----------
    scales : DataFrame
        Columns ``material``, the name of the axis, ``curve``, ``from_px``, ``to_px``, ``R``; depths from shallow
        to deep, widths from narrow to wide.
    sizes : mapping of str to str
        Receptive field of each depth, or channels of each width, in words.
    axis : {"depth", "width"}
        What was varied.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"material": "foam", "depth": ["none", "pool1"], "curve": "cluster", "from_px": 1,
    ...                       "to_px": 2, "R": [2.0, 1.1]})
    >>> len(pruned_scales(table, sizes={"none": "", "pool1": "6 px"}).axes)
    1
    """
    materials, curves = (list(dict.fromkeys(scales[name])) for name in ("material", "curve"))
    bands = list(dict.fromkeys(zip(scales["from_px"], scales["to_px"])))
    figure = Figure(figsize=(DOUBLE, 0.5 + len(materials) * (0.3 + 0.2 * len(bands))), layout="constrained")
    grid = figure.subplots(len(materials), len(curves), sharex=True, sharey=True, squeeze=False)
    for row, material in enumerate(materials):
        for column, curve in enumerate(curves):
            own = scales[(scales["material"] == material) & (scales["curve"] == curve)]
            _coloured(grid[row, column], own, bands, sizes, axis)
            grid[row, column].set_title(f"{material}: {curve}")
        grid[row, 0].set_ylabel("distance (px)")
    return figure


@styled
def removal_orders(table: pd.DataFrame) -> Figure:
    """Draw the geometric mean of R against the share of channels kept, one line for each order of removal.

    Parameters
    ----------
    table : DataFrame
        Columns ``material``, ``share``, ``removed`` and ``R_mean``; rows without ``removed`` are left out.

    Returns
    -------
    Figure
        183 mm wide, one panel for each material.

    Examples
    --------
    >>> orders = ["least important", "random"]
    >>> table = pd.DataFrame({"material": "foam", "share": 0.5, "removed": orders, "R_mean": [1.1, 1.6]})
    >>> [line.get_label() for line in removal_orders(table).axes[0].lines]
    ['least important', 'random']
    """
    rows = table[table["removed"].notna() & (table["share"] > 0)]
    materials, orders = list(dict.fromkeys(rows["material"])), list(dict.fromkeys(rows["removed"]))
    columns = min(len(materials), 4)
    figure = Figure(figsize=(DOUBLE, 0.4 + 1.8 * -(-len(materials) // columns)), layout="constrained")
    grid = figure.subplots(-(-len(materials) // columns), columns, sharey=True, squeeze=False)
    whole = rows[rows["share"] == 1]  # the end that all orders have in common
    for axes, material in zip(grid.flat, materials):
        for number, order in enumerate(orders):
            own = pd.concat([rows[rows["removed"] == order], whole]).drop_duplicates(["material", "share"])
            own = own[own["material"] == material].sort_values("share")
            colour, mark = CYCLE[number], _MARKS[number]
            axes.plot(own["share"], own["R_mean"], color=colour, marker=mark, markersize=3, linewidth=0.9, label=order)
        shares = sorted(set(rows.loc[rows["material"] == material, "share"]))
        axes.set_xscale("log", base=2)
        axes.set_xticks(shares, [str(Fraction(share).limit_denominator(1000)) for share in shares])
        axes.set_xticks([], minor=True)
        axes.set_title(str(material))
        axes.set_xlabel("share of channels kept")
    for axes in grid.flat[len(materials) :]:
        axes.set_visible(False)
    grid[0, 0].set_ylim(0.95, max(1.5, 1.05 * float(rows["R_mean"].max())))
    for axes in grid[:, 0]:
        axes.set_ylabel("geometric mean of R")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    legend_below(figure, handles, labels, most=3, title="channels removed first")
    return figure


def _coloured(
    axes: Axes, table: pd.DataFrame, bands: Sequence[tuple[int, int]], sizes: Mapping[str, str], axis: str
) -> None:
    names = list(dict.fromkeys(table[axis]))
    values = table.pivot(index="from_px", columns=axis, values="R").reindex([first for first, _ in bands])[names]
    shown = values.to_numpy(dtype=float)
    axes.imshow(np.clip(shown, 0.5, 8), cmap="RdYlBu_r", norm=LogNorm(0.4, 4), aspect="auto")
    for (i, j), value in np.ndenumerate(shown):
        if not np.isnan(value):
            dark = value > 3 or value < 0.5
            axes.text(j, i, f"{value:.2g}", ha="center", va="center", fontsize=6, color="white" if dark else "#1a1a1a")
    axes.set_yticks(range(len(bands)), [f"{first}–{last}" for first, last in bands])
    _name_ticks(axes, names, sizes)
    axes.tick_params(length=0)


def _name_ticks(axes: Axes, names: Sequence[str], sizes: Mapping[str, str]) -> None:
    """Label each tick with name and size; on one line, upright, where there are more than six."""
    many = len(names) > 6
    shown = [" ".join([name, sizes.get(name, "")]).strip() for name in names]
    if not many:  # the size below the name, or two words below each other
        shown = [f"{name}\n{sizes[name]}" if name in sizes else name.replace(" ", "\n") for name in names]
    axes.set_xticks(range(len(names)), shown, fontsize=6, rotation=90 if many else 0)


def _log_scale(axes: Axes, ratios: pd.DataFrame) -> None:
    """Set a logarithmic scale that shows all R from 0.1 to 100; values beyond are cut off at the border."""
    low = float(ratios["R"][ratios["R"] > 0].min())
    high = float(ratios["R"].max())
    axes.set_yscale("log")
    axes.set_ylim(max(min(low, 0.5) / 1.2, 0.1), min(max(high, 3) * 1.4, 100))
    ticks = [tick for tick in (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50) if axes.get_ylim()[0] <= tick <= axes.get_ylim()[1]]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)


def _framed(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(COLOURS["equivalent"])
        spine.set_linewidth(2.2)
