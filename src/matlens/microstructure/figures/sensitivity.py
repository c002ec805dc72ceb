"""Figures of sensitivity: maps of a model beside those of the solver, and how well the two agree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from matlens.core.numbers import shown
from matlens.figures.style import COLOURS, CYCLE, DOUBLE, styled
from matlens.microstructure.figures.pictures import draw_phases, scale_bar
from matlens.microstructure.structure import Microstructure

__all__ = ["sensitivity_maps", "sensitivity_scatter"]

_GAP, _TITLE, _BAR, _SCALE = 0.14, 0.2, 0.26, 0.5  # inches: between panels, above, for the bar, for the colour scale
_SHOWN = 98  # percentile of the magnitude where the colours end; single corners would leave the rest white
_MOVES = {"0 to 1": CYCLE[0], "1 to 0": CYCLE[1], "swap": CYCLE[2]}


@styled
def sensitivity_maps(structure: Microstructure, maps: Mapping[str, NDArray[np.floating]], *, label: str) -> Figure:
    """Draw a structure and maps of sensitivity, each with its own symmetric colour scale.

    Parameters
    ----------
    structure : Microstructure
        A structure in 2-D.
    maps : mapping of str to ndarray, shape (rows, columns)
        Map for each title; NaN is drawn in grey.
    label : str
        Quantity and unit of the maps.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> structure = Microstructure(np.eye(8, dtype=int))
    >>> figure = sensitivity_maps(structure, {"model": np.eye(8)}, label="change of k")
    >>> figure.axes[1].get_title(loc="left")
    'model'
    """
    panels = 1 + len(maps)
    side = (DOUBLE - _GAP * (panels - 1)) / panels
    rows, columns = structure.shape
    tall = side * min(rows * structure.spacing[0] / (columns * structure.spacing[1]), 3.0)
    height = _TITLE + tall + _BAR + _SCALE
    figure = Figure(figsize=(DOUBLE, height))
    for number, title in enumerate(["structure", *maps]):
        left = number * (side + _GAP) / DOUBLE
        axes = figure.add_axes((left, (_BAR + _SCALE) / height, side / DOUBLE, tall / height))
        axes.set_title(title, pad=3)
        if title in maps:
            scale = figure.add_axes((left, (_SCALE - 0.02) / height, side / DOUBLE, 0.07 / height))
            _draw(axes, scale, maps[title], structure, label)
        else:
            draw_phases(axes, structure)
            scale_bar(axes, structure.spacing[1], structure.unit)
    return figure


def _draw(axes: Axes, scale: Axes, values: NDArray[np.floating], structure: Microstructure, label: str) -> None:
    known = np.abs(values[np.isfinite(values)])
    limit = float(np.percentile(known, _SHOWN)) if known.size else 1.0
    image = axes.imshow(
        np.ma.masked_invalid(values), cmap="RdBu_r", vmin=-(limit or 1.0), vmax=limit or 1.0, interpolation="nearest",
        aspect=structure.spacing[0] / structure.spacing[1],
    )  # fmt: skip
    axes.set_facecolor("#c9c9c9")  # visible where values are NaN
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    bar = scale.figure.colorbar(image, cax=scale, orientation="horizontal", extend="both")
    bar.set_ticks([-limit, 0, limit], labels=[shown(-limit, 2), "0", shown(limit, 2)])
    labels = bar.ax.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    bar.set_label(label, labelpad=1)


@styled
def sensitivity_scatter(flips: pd.DataFrame, maps: Mapping[str, str], *, label: str) -> Figure:
    """Draw the changes that maps predict against the solved changes, one dot for each flip or pixel swap.

    Parameters
    ----------
    flips : DataFrame
        Columns ``move`` ("0 to 1", "1 to 0", "swap"), ``truth``, and one for each map.
    maps : mapping of str to str
        Title of each map, by its column.
    label : str
        Property that changes, with its unit.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> flips = pd.DataFrame({"move": ["0 to 1", "1 to 0"], "truth": [1.0, -2.0], "gradient": [0.5, -1.0]})
    >>> figure = sensitivity_scatter(flips, {"gradient": "model, gradient"}, label="change of k")
    >>> figure.axes[0].get_xlabel()
    'change of k, solved'
    """
    figure = Figure(figsize=(DOUBLE, DOUBLE / max(len(maps), 2) + 0.1), layout="constrained")
    for number, (axes, (name, title)) in enumerate(zip(figure.subplots(1, len(maps), squeeze=False)[0], maps.items())):
        for move, colour in _MOVES.items():
            part = flips[flips["move"] == move]
            if len(part):
                axes.plot(
                    part["truth"], part[name], ".", color=colour, markersize=2.5, alpha=0.5, markeredgewidth=0,
                    label={"0 to 1": "becomes phase 1", "1 to 0": "becomes phase 0"}.get(move, move),
                )  # fmt: skip
        ends = np.percentile(np.abs(flips["truth"]), 99.5), np.percentile(np.abs(flips[name]), 99.5)
        least = min(ends)
        axes.plot([-least, least], [-least, least], color=COLOURS["muted"], linewidth=0.6)
        for limit, end in zip((axes.set_xlim, axes.set_ylim), ends):
            limit(-1.05 * (end or 1.0), 1.05 * (end or 1.0))
        axes.set_title(title)
        axes.set_xlabel(f"{label}, solved")
        axes.set_ylabel("as expected" if number == 0 else "")
        axes.ticklabel_format(style="sci", scilimits=(-2, 2))
        if number == 0:
            axes.legend(markerscale=3, loc="upper left", borderaxespad=0, handletextpad=0.2)
    return figure
