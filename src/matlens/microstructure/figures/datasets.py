"""Figures of a labelled data set: examples of its structures, and properties against the volume fraction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from matlens.figures.style import COLOURS, CYCLE, DOUBLE, legend_below, styled
from matlens.microstructure.figures.pictures import draw_phases, height_over_width, scale_bar
from matlens.microstructure.structure import Microstructure

__all__ = ["property_scatter", "structure_families"]

_GAP = 0.07  # inches between panels
_LEFT = 0.85  # for the names
_BELOW = 0.3  # for the scale bar


@styled
def structure_families(examples: Mapping[str, Sequence[Microstructure]]) -> Figure:
    """Draw examples of each family in a row, with one scale bar for all.

    Parameters
    ----------
    examples : mapping of str to sequence of Microstructure
        Examples of each family, all of one size.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> figure = structure_families({"boards": [checkerboard((8, 8), cell=2)] * 3})
    >>> len(figure.axes)
    3
    """
    columns = max(len(row) for row in examples.values())
    side = (DOUBLE - _LEFT - _GAP * (columns - 1)) / columns
    tall = side * height_over_width(next(iter(examples.values()))[0])
    height = len(examples) * (tall + _GAP) + _BELOW
    figure = Figure(figsize=(DOUBLE, height))
    axes = None
    for row, (name, structures) in enumerate(examples.items()):
        bottom = height - (row + 1) * tall - row * _GAP
        figure.text((_LEFT - 0.1) / DOUBLE, (bottom + tall / 2) / height, name, ha="right", va="center", weight="bold")
        for column, structure in enumerate(structures):
            left = _LEFT + column * (side + _GAP)
            axes = figure.add_axes((left / DOUBLE, bottom / height, side / DOUBLE, tall / height))
            draw_phases(axes, structure)
            if row == len(examples) - 1 and column == 0:
                scale_bar(axes, structure.spacing[-1], structure.unit)
    return figure


@styled
def property_scatter(points: pd.DataFrame, bounds: pd.DataFrame) -> Figure:
    """Draw properties against the volume fraction of phase 1 with their bounds, one panel for each property.

    Parameters
    ----------
    points : DataFrame
        Columns ``property``, ``family``, ``fraction`` and ``value``.
    bounds : DataFrame
        Columns ``property``, ``fraction``, ``lower`` and ``upper``, in ascending order of the fraction.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> points = pd.DataFrame({"property": ["k"], "family": ["sheets"], "fraction": [0.5], "value": [1.7]})
    >>> bounds = pd.DataFrame({"property": "k", "fraction": [0.4, 0.6], "lower": [1.2, 1.6], "upper": [1.8, 2.1]})
    >>> len(property_scatter(points, bounds).axes)
    1
    """
    properties = list(dict.fromkeys(points["property"]))
    columns = min(len(properties), 3)
    rows = math.ceil(len(properties) / columns)
    figure = Figure(figsize=(DOUBLE, 2.1 * rows + 0.45), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(grid, properties):
        _panel(axes, points[points["property"] == name], bounds[bounds["property"] == name])
        axes.set_title(name)
    for axes in grid[len(properties) :]:
        axes.remove()
    handles, names = grid[0].get_legend_handles_labels()
    legend_below(figure, handles, names, markerscale=1.6)
    return figure


def _panel(axes: Axes, points: pd.DataFrame, bounds: pd.DataFrame) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.fill_between(
        bounds["fraction"], bounds["lower"], bounds["upper"], color=COLOURS["band"], alpha=0.45, linewidth=0,
        label="bounds",
    )  # fmt: skip
    for index, (family, found) in enumerate(points.groupby("family", sort=False)):
        # Small dots, so that those of a large set do not hide each other.
        axes.plot(
            found["fraction"], found["value"], "o", markersize=1.4 if len(points) > 400 else 2.2,
            color=CYCLE[index % len(CYCLE)], markeredgewidth=0, alpha=0.75, label=str(family).replace("_", " "),
        )  # fmt: skip
    axes.set_xlabel("volume fraction of phase 1")
