"""What cleaning did to a grey image: the image beside the same image with the phases outlined."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from matlens.figures.micrographs import draw_phases, scale_bar
from matlens.figures.style import DOUBLE, styled
from matlens.microstructure import Microstructure

__all__ = ["cleaning_overlay"]

_GAP, _TITLE, _BAR = 0.12, 0.2, 0.26  # inches
_OUTLINE = "#e8590c"


@styled
def cleaning_overlay(grey: NDArray[np.number], structure: Microstructure) -> Figure:
    """Draw the cleaned grey image, the image with phase outlines, and the labels.

    Parameters
    ----------
    grey : ndarray, shape (Y, X)
        The grey image the labels were cut from, after cropping and cleaning.
    structure : Microstructure, shape (Y, X)
        The labels.

    Examples
    --------
    >>> from matlens.problems import checkerboard
    >>> board = checkerboard((8, 8), cell=4)
    >>> len(cleaning_overlay(board.labels * 100, board).axes)
    3
    """
    rows, columns = structure.shape
    aspect = structure.spacing[0] / structure.spacing[1]
    side = (DOUBLE - 2 * _GAP) / 3
    tall = side * rows * aspect / columns
    height = tall + _TITLE + _BAR
    figure = Figure(figsize=(DOUBLE, height))
    titles = ("Grey image", "Phase outlines", "Phases")
    for index, title in enumerate(titles):
        axes = figure.add_axes((index * (side + _GAP) / DOUBLE, _BAR / height, side / DOUBLE, tall / height))
        axes.set_title(title, pad=3)
        if index == 2:
            draw_phases(axes, structure)
        else:
            axes.imshow(grey, cmap="gray", aspect=aspect)
            axes.set_axis_off()
            if index == 1:
                levels = np.arange(structure.n_phases - 1) + 0.5
                axes.contour(structure.labels, levels=levels, colors=_OUTLINE, linewidths=0.4)
        scale_bar(axes, structure.spacing[1], structure.unit)
    return figure
