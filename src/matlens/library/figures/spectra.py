"""Figures of spectral gradients: along the axis, as a map over components, and beside reference analyses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from matlens.figures.style import COLOURS, CYCLE, DOUBLE, SINGLE, legend_below, styled
from matlens.library.figures.style import GAIN, LOSS, MAP, SUPPORT, UNKNOWN, diverging, grey_out, line_map

__all__ = ["before_and_after", "component_axis_map", "reference_analyses", "spectrum_gradient"]

_BAND = "#bcc5d0"
_HATCH = {"facecolor": "#f4f5f7", "edgecolor": "#c9ced5", "hatch": "/////", "linewidth": 0}


@styled
def before_and_after(table: pd.DataFrame, *, axis: str, intensity: str, width: float = DOUBLE) -> Figure:
    """Draw spectra as they were, and below them as they were prepared.

    Parameters
    ----------
    table : DataFrame
        One row for each channel of each spectrum: ``panel`` (in the order to draw), ``sample``, ``axis``,
        ``intensity``.
    axis, intensity : str
        Labels with units.
    width : float
        Width in inches: one or two columns.

    Returns
    -------
    Figure
        A panel for each value of ``panel``, with one line for each sample.

    Examples
    --------
    >>> rows = pd.DataFrame({"panel": ["file"] * 2, "sample": "a", "axis": [1.0, 2.0], "intensity": [3.0, 4.0]})
    >>> len(before_and_after(rows, axis="x", intensity="I").axes)
    1
    """
    panels = list(table["panel"].unique())
    figure = Figure(figsize=(width, 1.6 * len(panels) + 0.4), layout="constrained")
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(every, panels, strict=True):
        for colour, (sample, part) in zip(CYCLE, table[table["panel"] == panel].groupby("sample", sort=False)):
            axes.plot(part["axis"], part["intensity"], color=colour, linewidth=0.8, label=str(sample))
        axes.set_ylabel(intensity)
        axes.set_title(panel, loc="left")
    every[-1].set_xlabel(axis)
    every[0].legend(loc="best")
    return figure


@styled
def spectrum_gradient(
    table: pd.DataFrame,
    windows: pd.DataFrame | None = None,
    *,
    axis: str,
    intensity: str,
    gradient: str,
    width: float = DOUBLE,
) -> Figure:
    """Draw a spectrum as a line coloured by the gradient, and below it the gradient with its band.

    Parameters
    ----------
    table : DataFrame
        One row for each channel: ``axis`` (ascending), ``intensity``, ``gradient``, ``low``, ``high``, ``support``
        (2, 1, 0); channels without support are grey above and hatched below.
    windows : DataFrame, optional
        Windows that pass the family-wise test: ``low``, ``high`` (ends on the axis), ``sign`` (1, -1).
    axis, intensity, gradient : str
        Labels with units.
    width : float
        Width in inches: one or two columns.

    Returns
    -------
    Figure
        Two panels with a colour scale.

    Examples
    --------
    >>> rows = pd.DataFrame({"axis": [1.0, 2.0, 3.0], "intensity": [0.0, 1.0, 0.0], "gradient": [0.1, 0.2, -0.3]})
    >>> rows = rows.assign(low=rows["gradient"] - 0.1, high=rows["gradient"] + 0.1, support=2)
    >>> len(spectrum_gradient(rows, axis="x", intensity="I", gradient="dP/dI").axes)
    3
    """
    figure = Figure(figsize=(width, 3.3), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.15, 1))
    _coloured_line(figure, above, table, gradient)
    above.set_ylabel(intensity)
    below.axhline(0, color="#4a525c", linewidth=0.5)
    bad = (table["support"] == 0).to_numpy()
    grey_out(below, table["axis"], bad)
    known = table.mask(pd.Series(bad, index=table.index), other=np.nan)
    below.fill_between(table["axis"], known["low"], known["high"], color=_BAND, linewidth=0)
    below.plot(table["axis"], known["gradient"].where(table["support"] == 2), color=COLOURS["exemplar"], linewidth=0.8)
    weak = known["gradient"].where(table["support"] == 1)
    below.plot(table["axis"], weak, color=COLOURS["exemplar"], linewidth=0.8, linestyle=(0, (1, 1)))
    below.set_xlabel(axis)
    below.set_ylabel(_broken(gradient))
    below.set_xlim(table["axis"].min(), table["axis"].max())
    keys: list[Any] = [Patch(color=_BAND, label="spread over the members")]
    if weak.notna().any():
        keys.append(Line2D([], [], color=COLOURS["exemplar"], linewidth=0.8, linestyle=(0, (1, 1)), label=SUPPORT[1]))
    if bad.any():
        keys.append(Patch(**_HATCH, label="unsupported"))  # type: ignore[arg-type]
    if windows is not None and len(windows):
        keys += _mark_windows(below, windows)
    legend_below(figure, keys, [str(key.get_label()) for key in keys])
    return figure


def _broken(label: str) -> str:
    """Break a long label before its unit."""
    return label.replace(" (", "\n(", 1) if len(label) > 22 else label


def _coloured_line(figure: Figure, axes: Axes, table: pd.DataFrame, label: str) -> None:
    places, heights = table["axis"].to_numpy(dtype=float), table["intensity"].to_numpy(dtype=float)
    points = np.stack([places, heights], axis=1)
    segments = np.stack([points[:-1], points[1:]], axis=1)
    gradient = table["gradient"].where(table["support"] > 0).to_numpy(dtype=float)
    colours = (gradient[:-1] + gradient[1:]) / 2
    scale = diverging(colours)
    known = np.isfinite(colours)
    axes.add_collection(LineCollection(list(segments[~known]), color="#d3d7dc", linewidth=0.9))
    line = LineCollection(list(segments[known]), cmap=line_map(), norm=scale, linewidth=1.6, capstyle="round")
    line.set_array(colours[known])
    axes.add_collection(line)
    low, high = float(heights.min()), float(heights.max())
    margin = 0.06 * ((high - low) or 1.0)
    axes.set_ylim(low - margin, high + margin)
    bar = figure.colorbar(line, ax=axes, extend="both", pad=0.012, aspect=16)
    bar.set_label(_broken(label))
    bar.ax.locator_params(nbins=5)


def _mark_windows(axes: Axes, windows: pd.DataFrame) -> list[Patch]:
    """Mark windows along the top of the panel and, in a pale colour, over its whole height."""
    keys = {}
    for low, high, sign in zip(windows["low"], windows["high"], windows["sign"]):
        colour = GAIN if sign > 0 else LOSS
        axes.axvspan(low, high, color=colour, alpha=0.10, linewidth=0, zorder=0)
        axes.axvspan(low, high, ymin=0.97, ymax=1.0, color=colour, linewidth=0)
        word = "raises" if sign > 0 else "lowers"
        keys[word] = Patch(color=colour, label=f"window that {word} the merit")
    return list(keys.values())


@styled
def component_axis_map(
    table: pd.DataFrame, spectrum: pd.DataFrame | None = None, *, axis: str, label: str, null: float | None = None
) -> Figure:
    """Draw the correlations between gradients of components and of channels as a map, below the spectrum.

    Parameters
    ----------
    table : DataFrame
        Long: ``component``, ``axis``, ``r``; NaN where there is no support (hatched).
    spectrum : DataFrame, optional
        Columns ``axis`` and ``intensity``, for orientation.
    axis, label : str
        Labels of the axis and of the colour scale.
    null : float, optional
        Largest magnitude of r that chance reaches; cells that do not exceed it are pale.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> rows = pd.DataFrame({"component": "W", "axis": [1.0, 2.0, 4.0], "r": [0.1, 0.9, np.nan]})
    >>> len(component_axis_map(rows, axis="x", label="r").axes)
    2
    """
    components = list(dict.fromkeys(table["component"]))
    wide = table.pivot(index="component", columns="axis", values="r").reindex(components).sort_index(axis=1)
    places, values = wide.columns.to_numpy(dtype=float), wide.to_numpy(dtype=float)
    tall = max(1.1, 0.2 * len(components))
    heights = [0.7, tall] if spectrum is not None else [tall]
    figure = Figure(figsize=(DOUBLE, sum(heights) + 0.75), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    if spectrum is not None:
        panels[0].plot(spectrum["axis"], spectrum["intensity"], color=COLOURS["muted"], linewidth=0.8)
        panels[0].set_yticks([])
        panels[0].set_ylabel("spectrum")
    axes = panels[-1]
    axes.set_facecolor("#f4f5f7")
    axes.patch.set_hatch("/////")
    axes.patch.set_edgecolor("#d5d9df")
    mesh = axes.pcolormesh(
        _edges(places), np.arange(len(components) + 1) - 0.5, _faded(values, null), rasterized=True, linewidth=0
    )
    axes.set_yticks(range(len(components)), components)
    axes.set_ylim(len(components) - 0.5, -0.5)
    axes.hlines(np.arange(1, len(components)) - 0.5, *_edges(places)[[0, -1]], color="white", linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(axis)
    axes.set_xlim(*_edges(places)[[0, -1]])
    mesh.set_cmap(MAP)
    mesh.set_clim(-1, 1)
    bar = figure.colorbar(mesh, ax=axes, pad=0.012, aspect=14, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.set_label(label)
    return figure


def _edges(places: np.ndarray) -> np.ndarray:
    """Edges of channels of any spacing."""
    if len(places) == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middle = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])


def _faded(values: np.ndarray, null: float | None) -> np.ndarray:
    """Colour of each cell: pale if chance reaches its value, transparent if it is NaN."""
    colours = MAP((np.nan_to_num(values) + 1) / 2)
    if null is not None:
        pale = np.abs(values) <= null
        colours[pale, :3] = 0.25 * colours[pale, :3] + 0.75
    colours[~np.isfinite(values), 3] = 0.0
    return np.asarray(colours)


@styled
def reference_analyses(table: pd.DataFrame, *, axis: str) -> Figure:
    """Draw gradients beside reference analyses of the same data, one panel with its own scale for each.

    Reference analyses are PLS coefficients, random-forest importances or NMF factors.

    Parameters
    ----------
    table : DataFrame
        Columns ``way`` (title of the panel), ``line`` ("" or the name of one of several lines, such as NMF factors),
        ``place`` (a position on the axis, or the name of a component), ``value``, and optionally ``low``, ``high``.
    axis : str
        Label of the positions; "" for components.

    Returns
    -------
    Figure
        89 mm wide with one panel over components, else 183 mm.

    Examples
    --------
    >>> rows = {"way": ["gradient"] * 2 + ["PLS coefficients"] * 2, "line": "", "place": [1.0, 2.0] * 2}
    >>> len(reference_analyses(pd.DataFrame({**rows, "value": [0.1, -0.2, 3.0, -1.0]}), axis="Raman shift").axes)
    2
    """
    ways = list(dict.fromkeys(table["way"]))
    spectral = pd.api.types.is_numeric_dtype(table["place"])
    if spectral:
        figure = Figure(figsize=(DOUBLE, 0.45 + 0.92 * len(ways)), layout="constrained")
        panels = figure.subplots(len(ways), 1, sharex=True, squeeze=False)[:, 0]
    else:
        width = SINGLE if len(ways) == 1 else DOUBLE
        height = 0.6 + 0.17 * table["place"].nunique()
        figure = Figure(figsize=(width, height), layout="constrained")
        panels = figure.subplots(1, len(ways), sharey=True, squeeze=False)[0]
    for number, (axes, way) in enumerate(zip(panels, ways)):
        own = table[table["way"] == way]
        axes.set_title(way, pad=3)
        if spectral:
            _lines(axes, own, GAIN if number == 0 else COLOURS["exemplar"])
        else:
            _component_bars(axes, own, first=number == 0)
    if spectral:
        panels[-1].set_xlabel(axis)
        panels[-1].set_xlim(table["place"].min(), table["place"].max())
    return figure


def _lines(axes: Axes, own: pd.DataFrame, colour: str) -> None:
    lines = list(dict.fromkeys(own["line"]))
    if own["value"].min() < 0:
        axes.axhline(0, color="#4a525c", linewidth=0.5)
    for number, name in enumerate(lines):
        part = own[own["line"] == name]
        shade = colour if len(lines) == 1 else CYCLE[number % len(CYCLE)]
        if {"low", "high"} <= set(part) and part["low"].notna().any():
            axes.fill_between(part["place"], part["low"], part["high"], color=shade, alpha=0.2, linewidth=0)
        axes.plot(part["place"], part["value"], color=shade, linewidth=0.8, label=str(name))
    if len(lines) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.05), fontsize=6, handlelength=1.0, borderaxespad=0)
    axes.locator_params(axis="y", nbins=4)


def _component_bars(axes: Axes, own: pd.DataFrame, *, first: bool) -> None:
    names, values = list(own["place"]), own["value"].to_numpy(dtype=float)
    places = np.arange(len(names))
    axes.axvline(0, color="#4a525c", linewidth=0.5)
    axes.barh(places, np.nan_to_num(values), 0.65, color=GAIN if first else COLOURS["muted"])
    if {"low", "high"} <= set(own):
        axes.hlines(places, own["low"], own["high"], color=COLOURS["exemplar"], linewidth=0.7)
    unknown = ~np.isfinite(values)
    axes.plot(np.zeros(unknown.sum()), places[unknown], "x", color=UNKNOWN, markersize=4)
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.locator_params(axis="x", nbins=4)
