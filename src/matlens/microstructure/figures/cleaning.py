"""Figures of a segmentation: the effect of its steps, and the sensitivity of the phases to the thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from matlens.figures.style import CYCLE, DOUBLE, SINGLE, styled
from matlens.microstructure.figures.pictures import draw_phases, height_over_width, scale_bar
from matlens.microstructure.structure import Microstructure

__all__ = ["cleaning_overlay", "threshold_sensitivity", "ways_to_segment"]

_GAP, _TITLE, _BAR = 0.12, 0.2, 0.26  # inches
_OUTLINE = "#e8590c"
_SHOWN = 600  # pixels along the longer side of a panel, which is 44 mm wide
_TINT = 0.35  # opacity of the phases over the picture


@styled
def cleaning_overlay(grey: NDArray[np.number], structure: Microstructure) -> Figure:
    """Draw the cleaned grey image, the image with phase outlines, and the labels.

    Parameters
    ----------
    grey : ndarray, shape (Y, X)
        Grey image after cropping and cleaning.
    structure : Microstructure, shape (Y, X)
        Labels segmented from it.

    Returns
    -------
    Figure
        Three panels in a row, 183 mm wide.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> board = checkerboard((8, 8), cell=4)
    >>> len(cleaning_overlay(board.labels * 100, board).axes)
    3
    """
    aspect, mask = structure.spacing[0] / structure.spacing[1], structure.mask
    side = (DOUBLE - 2 * _GAP) / 3
    tall = side * height_over_width(structure)
    height = tall + _TITLE + _BAR
    figure = Figure(figsize=(DOUBLE, height))
    titles = ("Grey image", "Phase outlines", "Phases")
    for index, title in enumerate(titles):
        axes = figure.add_axes((index * (side + _GAP) / DOUBLE, _BAR / height, side / DOUBLE, tall / height))
        axes.set_title(title, pad=3)
        if index == 2:
            draw_phases(axes, structure)
        else:
            axes.imshow(grey if mask is None else np.ma.masked_array(grey, ~mask), cmap="gray", aspect=aspect)
            axes.set_axis_off()
            if index == 1 and min(structure.shape) > 1:  # a single row has no outline
                levels = np.arange(structure.n_phases - 1) + 0.5
                axes.contour(
                    structure.labels if mask is None else np.ma.masked_array(structure.labels, ~mask),
                    levels=levels,
                    colors=_OUTLINE,
                    linewidths=0.5 if max(structure.shape) < 400 else 0.25,
                )
        scale_bar(axes, structure.spacing[1], structure.unit)
    return figure


@styled
def ways_to_segment(grey: NDArray[np.number], ways: Sequence[tuple[str, Microstructure]]) -> Figure:
    """Draw the phases that each way to segment a picture gives, and beside them as a tint over its grey values.

    Parameters
    ----------
    grey : ndarray, shape (Y, X) or (Z, Y, X)
        Grey image after cropping and cleaning; of a volume the middle slice is shown.
    ways : sequence of (str, Microstructure)
        Name of the way and its phases, of the shape of the image.

    Returns
    -------
    Figure
        Two panels for each way, two ways in a row, 183 mm wide.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> board = checkerboard((8, 8), cell=4)
    >>> len(ways_to_segment(board.labels * 100, [("Otsu", board), ("three phases", board)]).axes)
    4
    """
    side = (DOUBLE - 3 * _GAP) / 4
    tall = side * height_over_width(ways[0][1])
    rows = -(-len(ways) // 2)
    height = rows * (tall + _TITLE + _BAR)
    figure = Figure(figsize=(DOUBLE, height))
    plane = grey[grey.shape[0] // 2] if grey.ndim == 3 else grey
    step = max(1, max(plane.shape) // _SHOWN)  # drawing all pixels of a micrograph takes much longer
    for index, (name, structure) in enumerate(ways):
        row, column = divmod(index, 2)
        bottom = height - (row + 1) * (tall + _TITLE + _BAR) + _BAR
        left, right = (
            figure.add_axes(((2 * column + k) * (side + _GAP) / DOUBLE, bottom / height, side / DOUBLE, tall / height))
            for k in (0, 1)
        )
        shown = _thinned(structure, step)
        draw_phases(left, shown)
        left.set_title(name, pad=3)
        scale_bar(left, shown.spacing[-1], shown.unit)
        right.imshow(plane[::step, ::step], cmap="gray", aspect=shown.spacing[-2] / shown.spacing[-1])
        draw_phases(right, shown)
        right.images[-1].set_alpha(_TINT)
        right.set_title("over the picture", pad=3)
    return figure


@styled
def threshold_sensitivity(table: pd.DataFrame) -> Figure:
    """Draw volume fractions and two-point error against a shift of the thresholds.

    Parameters
    ----------
    table : DataFrame
        Columns ``input``, ``threshold_shift`` (from -1 to 1), ``phase``, ``volume_fraction``, ``s2_error``.

    Returns
    -------
    Figure
        Two panels, 89 mm wide.

    Examples
    --------
    >>> table = pd.DataFrame({"input": "a", "threshold_shift": [-1.0, 0.0, 1.0], "phase": "pore",
    ...                       "volume_fraction": [0.28, 0.3, 0.33], "s2_error": [0.02, 0.0, 0.03]})
    >>> len(threshold_sensitivity(table).axes)
    2
    """
    figure = Figure(figsize=(SINGLE, 1.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    several = table["input"].nunique() > 1
    for index, ((name, phase), rows) in enumerate(table.groupby(["input", "phase"], sort=False)):
        label = f"{name}, {phase}" if several else str(phase)
        left.plot(
            rows["threshold_shift"],
            rows["volume_fraction"],
            "o-",
            markersize=3,
            color=CYCLE[index % len(CYCLE)],
            label=label,
        )
    for index, (name, rows) in enumerate(
        table.drop_duplicates(["input", "threshold_shift"]).groupby("input", sort=False)
    ):
        right.plot(
            rows["threshold_shift"],
            rows["s2_error"],
            "o-",
            markersize=3,
            color=CYCLE[index % len(CYCLE)],
            label=str(name),
        )
    left.set_ylabel("volume fraction")
    right.set_ylabel("two-point error")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.set_xlabel("place in the plateau")
        axes.set_xticks(sorted(table["threshold_shift"].unique()))
    if table.groupby(["input", "phase"]).ngroups <= len(CYCLE):
        left.legend()
    return figure


def _thinned(structure: Microstructure, step: int) -> Microstructure:
    """Every so many pixels of a plane, or of the middle slice of a volume."""
    labels = structure.labels[structure.shape[0] // 2] if structure.ndim == 3 else structure.labels
    spacing = tuple(step * size for size in structure.spacing[-2:])
    return Microstructure(labels[::step, ::step], spacing, structure.unit, structure.phase_names)
