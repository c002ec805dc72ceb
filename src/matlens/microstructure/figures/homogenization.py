"""Figures of a homogenisation: fields inside a microstructure, and effective properties between their bounds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import NDArray

from matlens.figures.style import COLOURS, DOUBLE, styled
from matlens.microstructure.figures.pictures import scale_bar

__all__ = ["Plane", "bounds_chart", "field_planes"]

_GAP, _TITLE, _BAR, _SCALE = 0.12, 0.2, 0.3, 0.75  # inches: between panels, above, below, for the colour scale
_TALLEST = 4.0
_NEAR_ZERO = 0.4  # share of the largest value from which down an axis starts at zero
_LETTERS = 15  # of a label that fit an inch
_SHOWN = 98  # percentile where the colours end; the flux through the narrowest throats would leave the rest black


class Plane(NamedTuple):
    """A field on a plane.

    Parameters
    ----------
    title : str
        Title of the panel.
    values : ndarray, shape (rows, columns)
        Values of the field.
    spacing : tuple of (float, float)
        Distance of rows and of columns.
    vectors : ndarray, shape (2, rows, columns), optional
        Components along rows and columns, for streamlines.

    Examples
    --------
    >>> Plane("along x", np.eye(2), (1.0, 1.0)).title
    'along x'
    """

    title: str
    values: NDArray[np.floating]
    spacing: tuple[float, float]
    vectors: NDArray[np.floating] | None = None


@styled
def field_planes(planes: Sequence[Plane], *, unit: str, label: str, columns: int | None = None) -> Figure:
    """Draw fields on planes with one colour scale, and streamlines where vectors are given.

    The colour scale ends at the 98th percentile.

    Parameters
    ----------
    planes : sequence of Plane
        The fields.
    unit : str
        Unit of the spacings.
    label : str
        Label of the colour scale.
    columns : int, optional
        Panels in a row; two or three by default.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> figure = field_planes([Plane("along x", np.eye(8), (1.0, 1.0))], unit="um", label="flux")
    >>> len(figure.axes)
    2
    """
    columns = columns or min(max(len(planes), 2), 3)
    rows = math.ceil(len(planes) / columns)
    side = (DOUBLE - _SCALE - _GAP * columns) / columns
    tall = min(max(_proportion(plane) for plane in planes), _TALLEST) * side
    height = rows * (tall + _TITLE + _BAR)
    figure = Figure(figsize=(DOUBLE, height))
    greatest = max(float(np.nanpercentile(plane.values, _SHOWN)) for plane in planes) or 1.0
    image = None
    for index, plane in enumerate(planes):
        row, column = divmod(index, columns)
        bottom = height - (row + 1) * (tall + _TITLE + _BAR) + _BAR
        axes = figure.add_axes((column * (side + _GAP) / DOUBLE, bottom / height, side / DOUBLE, tall / height))
        rows_, columns_ = plane.spacing
        image = axes.imshow(
            plane.values, cmap="magma", vmin=0, vmax=greatest, interpolation="nearest", aspect=rows_ / columns_
        )
        if plane.vectors is not None:
            _streamlines(axes, plane.vectors, plane.spacing)
        axes.set_title(plane.title, pad=3)
        axes.set_axis_off()
        scale_bar(axes, columns_, unit)
    first = height - _TITLE - tall
    scale = figure.add_axes(((DOUBLE - _SCALE) / DOUBLE, first / height, 0.09 / DOUBLE, tall / height))
    # The label is no longer than its bar, or its ends would be cut off.
    label = textwrap.fill(label, max(8, int(_LETTERS * tall)), break_long_words=False)
    figure.colorbar(image, cax=scale, extend="max", label=label)  # type: ignore[arg-type]
    return figure


def _proportion(plane: Plane) -> float:
    rows, columns = plane.values.shape
    return float(rows * plane.spacing[0] / (columns * plane.spacing[1]))


def _streamlines(axes: Axes, vectors: NDArray[np.floating], spacing: tuple[float, float]) -> None:
    down, right = vectors / np.reshape(spacing, (2, 1, 1))  # in pixels, as the axes are
    rows, columns = down.shape
    if min(rows, columns) < 4 or not np.hypot(down, right).max() > 0:
        return
    axes.streamplot(
        np.arange(columns), np.arange(rows), right, down,
        color="#ffffff", linewidth=0.4, density=0.7, arrowsize=0.5, broken_streamlines=False,
    )  # fmt: skip
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)


@styled
def bounds_chart(bounds: pd.DataFrame, values: pd.DataFrame, *, label: str) -> Figure:
    """Draw an effective property between its bounds: one bar for each pair of bounds, one dot for each value.

    Parameters
    ----------
    bounds : DataFrame
        Columns ``bound``, ``lower`` and ``upper``.
    values : DataFrame
        Columns ``name`` (the same in all rows) and ``value``; at least one row.
    label : str
        Name and unit of the property.

    Returns
    -------
    Figure
        137 mm wide.

    Examples
    --------
    >>> bounds = pd.DataFrame({"bound": ["Wiener"], "lower": [1.5], "upper": [2.0]})
    >>> figure = bounds_chart(bounds, pd.DataFrame({"name": ["this sample"], "value": [1.9]}), label="conductivity")
    >>> figure.axes[0].get_xlabel()
    'conductivity'
    """
    figure = Figure(figsize=(DOUBLE * 0.75, 0.75 + 0.3 * (len(bounds) + 1)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(bounds.to_dict("records"), start=1):
        axes.barh(place, row["upper"] - row["lower"], left=row["lower"], height=0.5, color=COLOURS["band"])
    for value in values["value"]:
        axes.axvline(value, color=COLOURS["result"], linewidth=0.6)
        axes.plot(value, 0, "o", color=COLOURS["result"], markersize=4)
    known = values["value"]
    axes.set_yticks(range(len(bounds) + 1), [str(values["name"].iloc[0]), *bounds["bound"]])
    axes.set_ylim(len(bounds) + 0.6, -0.6)
    if bounds["lower"].min() > 0 and bounds["upper"].max() > 8 * bounds["lower"].min():
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        low, high = min(bounds["lower"].min(), known.min()), max(bounds["upper"].max(), known.max())
        margin = 0.08 * (high - low) or 0.1 * high or 1.0
        axes.set_xlim(0 if low < _NEAR_ZERO * high else low - margin, high + margin)
    axes.set_xlabel(label)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure
