"""Maps of a library: over the compositions of three components, and over the wafer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from matlens.figures.style import COLOURS, DOUBLE, SINGLE, styled
from matlens.library.figures.style import MAP, UNKNOWN, diverging

__all__ = ["ternary_map", "wafer_map"]

_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(3) / 2]])  # of the first, second, third component
_WHOLE = 0.75  # side of a part of the triangle from which the whole triangle is drawn instead
_SEQUENTIAL = matplotlib.colormaps["viridis"]

Floats = NDArray[np.float64]


@styled
def ternary_map(
    table: pd.DataFrame,
    components: Sequence[str],
    *,
    label: str,
    fraction_name: str = "at%",
    signed: bool = False,
    width: float = SINGLE,
) -> Figure:
    """Draw values over the compositions of three components, with arrows in the direction of increase.

    Where the samples fill only a part of the triangle, this part is drawn, with its sides labelled in hundredths.
    Samples without support are grey crosses.

    Parameters
    ----------
    table : DataFrame
        A column of fractions for each of the three components (rows sum to 1), ``value``, and optionally ``support``
        and the tangent gradient in columns ``up_NAME``, which gives the arrows.
    components : sequence of str
        Three names: lower left, lower right, top.
    label : str
        Name and unit of the values.
    fraction_name : str
        Name of a hundredth of a fraction.
    signed : bool
        Whether the colours have zero in the middle, as for gradients.
    width : float
        Width in inches: one or two columns.

    Returns
    -------
    Figure
        The map with its colour scale.

    Examples
    --------
    >>> table = pd.DataFrame({"Fe": [0.8, 0.1, 0.1], "Ga": [0.1, 0.8, 0.1], "Pd": [0.1, 0.1, 0.8], "value": [1, 2, 3]})
    >>> len(ternary_map(table, ["Fe", "Ga", "Pd"], label="P").axes)
    2
    """
    fractions = table[list(components)].to_numpy(dtype=float)
    lowest, side = _part(fractions)
    places = ((fractions - lowest) / side) @ _CORNERS
    figure = Figure(figsize=(width, 0.76 * width), layout="constrained")
    axes = figure.subplots()
    _frame(axes, lowest, side, components, fraction_name)
    supported = table["support"].to_numpy() > 0 if "support" in table else np.ones(len(table), dtype=bool)
    values = table["value"].to_numpy(dtype=float)
    supported &= np.isfinite(values)
    size = float(np.clip(2600 * (width / SINGLE) / max(len(table), 1), 3.0, 30.0))
    axes.scatter(places[~supported, 0], places[~supported, 1], marker="x", s=0.6 * size, color=UNKNOWN, linewidth=0.6)
    if signed:
        scale: Normalize = diverging(values[supported])
    else:
        scale = Normalize(*_ends(values[supported]))
    colours: Colormap = MAP if signed else _SEQUENTIAL
    edge = "#8a919a" if signed else "none"
    image = axes.scatter(
        places[supported, 0], places[supported, 1], c=values[supported], cmap=colours, norm=scale, s=size,
        edgecolors=edge, linewidths=0.25,
    )  # fmt: skip
    ups = [f"up_{name}" for name in components]
    if set(ups) <= set(table):
        _arrows(axes, places[supported], table.loc[supported, ups].to_numpy(dtype=float) @ _CORNERS)
    bar = figure.colorbar(image, ax=axes, shrink=0.62, aspect=18, pad=0.0, extend="both")
    bar.set_label(label)
    bar.ax.locator_params(nbins=5)
    return figure


def _part(fractions: Floats) -> tuple[Floats, float]:
    """Smallest fraction of each component in the drawn triangle, and its side, with a small margin."""
    low = fractions.min(axis=0)
    side = 1 - float(low.sum())
    if side > _WHOLE:
        return np.zeros(3), 1.0
    low = np.clip(low - 0.03 * max(side, 0.01), 0.0, None)
    return low, max(1 - float(low.sum()), 1e-3)


def _ends(values: Floats) -> tuple[float, float]:
    return tuple(np.percentile(values, [1, 99])) if len(values) else (0.0, 1.0)


def _frame(axes: Axes, lowest: Floats, side: float, components: Sequence[str], unit: str) -> None:
    """Draw the triangle, its grid, and the numbers at the ends of the grid lines."""
    axes.plot(*np.vstack([_CORNERS, _CORNERS[:1]]).T, color="#4a525c", linewidth=0.6, zorder=1)
    step = _nice_step(100 * side)
    turns = (("right", "center", 4), ("center", "top", 1), ("left", "center", 2))
    for k in range(3):
        before, after = (k + 2) % 3, (k + 1) % 3  # numbers of k stand where the component after it is least
        marks = np.arange(math.ceil(100 * lowest[k] / step) * step, 100 * (lowest[k] + side) + 1e-6, step)
        for mark in marks:
            share = (mark / 100 - lowest[k]) / side
            if not 0.04 < share < 0.94:
                continue
            ends = np.zeros((2, 3))
            ends[:, k] = share
            ends[0, before], ends[1, after] = 1 - share, 1 - share
            line = ends @ _CORNERS
            axes.plot(*line.T, color="#e3e6ea", linewidth=0.5, zorder=0)
            offset = {0: (-3, 2), 1: (0, -3), 2: (3, 2)}[k]
            axes.annotate(
                f"{mark:g}", _label_place(line, k), offset, textcoords="offset points", fontsize=6, color="#4a525c",
                ha=turns[k][0], va=turns[k][1],
            )  # fmt: skip
    for k, (offset, ha, va) in enumerate(
        [((-2, -9), "center", "top"), ((2, -9), "center", "top"), ((0, 3), "center", "bottom")]
    ):
        axes.annotate(
            components[k], tuple(_CORNERS[k]), offset, textcoords="offset points", ha=ha, va=va, weight="bold"
        )
    axes.annotate(
        unit, (0.5, 0.0), (0, -13), textcoords="offset points", ha="center", va="top", fontsize=6.5, color="#4a525c"
    )
    axes.set_aspect("equal")
    axes.set_axis_off()


def _label_place(line: Floats, k: int) -> tuple[float, float]:
    """End of a grid line on the left (first component), lower (second) or right side (third)."""
    chosen = {0: line[:, 0].argmin(), 1: line[:, 1].argmin(), 2: line[:, 0].argmax()}[k]
    return float(line[chosen, 0]), float(line[chosen, 1])


def _nice_step(span: float) -> float:
    power = 10 ** math.floor(math.log10(span / 4))
    return float(min((step * power for step in (1, 2, 5, 10)), key=lambda step: abs(step - span / 5)))


def _arrows(axes: Axes, places: Floats, ups: Floats) -> None:
    """Draw directions of steepest ascent of at most 60 samples; lengths are square roots, so that all are visible."""
    known = np.flatnonzero(np.isfinite(ups).all(axis=1))
    if not len(known):
        return
    chosen = known[np.unique(np.linspace(0, len(known) - 1, 60).astype(int))]
    sizes = np.linalg.norm(ups[chosen], axis=1, keepdims=True)
    largest = float(np.percentile(sizes, 95)) or 1.0
    drawn = 0.075 * ups[chosen] / np.maximum(sizes, 1e-12) * np.sqrt(np.minimum(sizes / largest, 1.0))
    quiver = axes.quiver(
        *places[chosen].T, *drawn.T, angles="xy", scale_units="xy", scale=1, width=0.0036, headwidth=4.2,
        color=COLOURS["exemplar"], zorder=5, clip_on=False,
    )  # fmt: skip
    quiver.set_in_layout(False)


@styled
def wafer_map(table: pd.DataFrame, *, unit: str = "", labels: dict[str, str] | None = None) -> Figure:
    """Draw values at the positions of their samples on the wafer or plate, one panel for each quantity.

    Parameters
    ----------
    table : DataFrame
        Columns ``panel``, ``x``, ``y``, ``value``; optionally ``signed`` (zero in the middle of the colours) and
        ``support``. Samples with NaN or without support are grey crosses.
    unit : str
        Unit of x and y.
    labels : dict of str to str, optional
        Label of the colour scale of each panel.

    Returns
    -------
    Figure
        89 mm wide with one panel, else 183 mm.

    Examples
    --------
    >>> rows = pd.DataFrame({"panel": "P", "x": [0.0, 1.0, 0.0, 1.0], "y": [0.0, 0.0, 1.0, 1.0], "value": [1, 2, 3, 4]})
    >>> len(wafer_map(rows, unit="mm").axes)
    2
    """
    panels = list(dict.fromkeys(table["panel"]))
    columns = 2 if len(panels) == 4 else min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    extent = table[["x", "y"]].max() - table[["x", "y"]].min()
    width = SINGLE if len(panels) == 1 else DOUBLE
    side = width / columns
    tall = float(np.clip(extent["y"] / (extent["x"] or 1.0), 0.3, 1.6)) * 0.72 * side + 0.55
    figure = Figure(figsize=(width, rows * tall), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, panel in zip(grid, panels):
        own = table[table["panel"] == panel]
        _wafer(figure, axes, own, (labels or {}).get(panel, ""), side * 0.72 * 72)
        axes.set_title(panel)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for number, axes in enumerate(grid[: len(panels)]):
        if number + columns >= len(panels):
            axes.set_xlabel(f"x ({unit})" if unit else "x")
            axes.tick_params(labelbottom=True)
        if number % columns == 0:
            axes.set_ylabel(f"y ({unit})" if unit else "y")
    return figure


def _wafer(figure: Figure, axes: Axes, own: pd.DataFrame, label: str, points: float) -> None:
    values = own["value"].to_numpy(dtype=float)
    signed = bool(own["signed"].iloc[0]) if "signed" in own else False
    supported = own["support"].to_numpy() > 0 if "support" in own else np.ones(len(own), dtype=bool)
    known = np.isfinite(values) & supported
    dots = float(np.clip(0.62 * points / math.sqrt(max(len(own), 1)), 1.5, 14)) ** 2
    axes.scatter(own["x"][~known], own["y"][~known], marker="x", s=0.3 * dots, color=UNKNOWN, linewidth=0.6)
    scale = diverging(values[known]) if signed else Normalize(*_ends(values[known]))
    image = axes.scatter(
        own["x"][known], own["y"][known], c=values[known], cmap=MAP if signed else _SEQUENTIAL, norm=scale,
        s=dots, marker="s", linewidths=0.2, edgecolors="#b9bfc7" if signed else "none",
    )  # fmt: skip
    axes.set_aspect("equal")
    axes.margins(0.06)
    axes.locator_params(nbins=4)
    bar = figure.colorbar(image, ax=axes, extend="both", shrink=0.8, aspect=18, pad=0.02)
    bar.set_label(label)
    bar.ax.locator_params(nbins=4)
