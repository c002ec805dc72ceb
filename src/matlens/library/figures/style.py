"""Common style of the figures of a materials library: colours of increase and decrease, marks of support."""

from __future__ import annotations

import textwrap

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from matlens.figures.style import CYCLE

__all__ = [
    "GAIN",
    "LOSS",
    "MAP",
    "SUPPORT",
    "UNKNOWN",
    "diverging",
    "gain_colour",
    "grey_out",
    "line_map",
    "support_keys",
    "wrapped",
]

GAIN, LOSS, UNKNOWN = CYCLE[1], CYCLE[0], "#9aa2ac"  # vermillion raises the figure of merit, blue lowers it
MAP = matplotlib.colormaps["RdBu_r"]  # for filled areas; both ends differ for every kind of colour vision
SUPPORT = {2: "supported", 1: "weak support", 0: "unsupported"}


def line_map() -> Colormap:
    """Return the colour map of a line on white, from decrease over grey to increase; a white middle would be invisible.

    Returns
    -------
    Colormap
        The colour map.

    Examples
    --------
    >>> [round(float(part), 2) for part in line_map()(0.5)[:3]]
    [0.65, 0.67, 0.7]
    """
    return LinearSegmentedColormap.from_list("loss to gain", [LOSS, "#7fa9c6", "#a6acb3", "#dc9a66", GAIN])


# docs/decisions/0037-marks-of-support.md
def diverging(values: ArrayLike, percentile: float = 98) -> Normalize:
    """Return a colour scale with zero in the middle, whose ends are set by a percentile of the magnitudes.

    Parameters
    ----------
    values : array_like
        Values to be coloured; NaN is ignored.
    percentile : float
        Percentile of the magnitudes at the ends of the scale.

    Returns
    -------
    Normalize
        The scale.

    Examples
    --------
    >>> diverging([-1.0, 0.5, np.nan], 100)([0.0]).tolist()
    [0.5]
    """
    numbers: NDArray[np.float64] = np.abs(np.asarray(values, dtype=np.float64))
    known = numbers[np.isfinite(numbers)]
    limit = float(np.percentile(known, percentile)) if known.size else 0.0
    limit = limit or (float(known.max()) if known.size else 0.0) or 1.0
    return Normalize(-limit, limit)


def gain_colour(value: float) -> str:
    """Return the colour of a gradient by its sign.

    Parameters
    ----------
    value : float
        The gradient.

    Returns
    -------
    str
        `GAIN` for a positive value, else `LOSS`.

    Examples
    --------
    >>> gain_colour(1.0) == GAIN, gain_colour(-1.0) == LOSS
    (True, True)
    """
    return GAIN if value > 0 else LOSS


def wrapped(label: str, width: int) -> str:
    """Break a label that is longer than its axis, between words.

    Parameters
    ----------
    label : str
        The label.
    width : int
        Largest number of characters of a line.

    Returns
    -------
    str
        The label with line breaks.

    Examples
    --------
    >>> wrapped("Conductivity (log10(S/cm)), expected", 20)
    'Conductivity\\n(log10(S/cm)),\\nexpected'
    """
    return "\n".join(textwrap.wrap(label, width, break_long_words=False, break_on_hyphens=False))


def grey_out(axes: Axes, positions: ArrayLike, unsupported: ArrayLike, colour: str = "#e3e6ea") -> None:
    """Hatch the parts of an axis without support.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    positions : array_like, shape (C,)
        Positions of the channels, ascending.
    unsupported : array_like of bool, shape (C,)
        Whether each channel is without support.
    colour : str
        Colour of the hatching.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> grey_out(axes, [1.0, 2.0, 3.0], [False, True, True])
    >>> len(axes.patches)
    1
    """
    places: NDArray[np.float64] = np.asarray(positions, dtype=np.float64)
    bad = np.asarray(unsupported, dtype=bool)
    edges = np.concatenate([places[:1], (places[1:] + places[:-1]) / 2, places[-1:]])
    changes = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(int)))
    for start, stop in changes.reshape(-1, 2):
        axes.axvspan(
            edges[start], edges[stop], facecolor="#f4f5f7", edgecolor=colour, hatch="/////", linewidth=0, zorder=0
        )


def support_keys(kinds: list[int] | tuple[int, ...] = (2, 1, 0)) -> list[Line2D]:
    """Return the legend entries of the marks of support: filled, open for weak support, a grey cross for none.

    Parameters
    ----------
    kinds : sequence of int
        Levels of support to include: 2, 1, 0.

    Returns
    -------
    list of Line2D
        Legend entries.

    Examples
    --------
    >>> [key.get_label() for key in support_keys()]
    ['supported', 'weak support', 'unsupported']
    """
    style = {
        2: {"marker": "o", "color": "#1a1a1a"},
        1: {"marker": "o", "color": "#1a1a1a", "markerfacecolor": "white"},
        0: {"marker": "x", "color": UNKNOWN},
    }
    return [Line2D([], [], linestyle="", markersize=3.5, label=SUPPORT[kind], **style[kind]) for kind in kinds]  # type: ignore[arg-type]
