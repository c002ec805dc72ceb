"""The common style of all figures: journal widths, plain axes, colours that colour-blind readers can distinguish."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatterSciNotation

from matlens.core.numbers import RAISED
from matlens.core.user_text import printable

__all__ = ["COLOURS", "DOUBLE", "RC", "SINGLE", "legend", "legend_below", "line_style", "phase_colours", "styled"]

SINGLE = 89 / 25.4  # one journal column, in inches
DOUBLE = 183 / 25.4  # two columns
_LETTERS = 19.0  # of a legend, to an inch
_MARK = 6  # letters that are as wide as the mark of an entry and the gap behind it

# The palette of Okabe and Ito (2008, Color Universal Design), and greys for what stays in the background.
COLOURS = {
    "exemplar": "#1a1a1a",
    "target": "#1a1a1a",
    "result": "#0072b2",
    "band": "#d5dae1",
    "white noise": "#cc79a7",
    "blurred noise": "#e69f00",
    "equivalent": "#009e73",
    "different": "#d55e00",
    "undecided": "#7a828c",
    "muted": "#7a828c",
}
CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1a1a1a", "#7a828c")

# Ordered from dark to light, so that the phases differ in a grey print too.
_PHASES = {
    1: ("#22303f",),
    2: ("#22303f", "#ece6d9"),
    3: ("#22303f", "#c4793f", "#ece6d9"),
    4: ("#22303f", "#3d7f8f", "#d9964a", "#f2ede2"),
}

RC: Any = {  # matplotlib's stubs know a closed list of keys, which differs between its versions
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.5,
    "axes.edgecolor": "#4a525c",
    "axes.labelcolor": "#1a1a1a",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=CYCLE),
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.color": "#4a525c",
    "ytick.color": "#4a525c",
    "lines.linewidth": 1.1,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.05,
    "figure.constrained_layout.w_pad": 0.05,
    "text.parse_math": False,  # a dollar in a name is a dollar; powers are written with raised digits
    "pdf.fonttype": 42,  # TrueType: journals and editors can read the text
    "svg.hashsalt": "matlens",
}

P = ParamSpec("P")


def styled(function: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a function that draws a figure, so that it uses the common style whatever the user's settings are.

    Parameters
    ----------
    function : callable
        Function that returns a figure.

    Returns
    -------
    callable
        The same function, run with the settings of `RC`; matplotlib's own settings are restored afterwards.

    Examples
    --------
    >>> @styled
    ... def empty() -> Figure:
    ...     return Figure(figsize=(matplotlib.rcParams["font.size"], 1))
    >>> float(empty().get_figwidth())
    7.5
    """

    @wraps(function)
    def draw(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(RC)
            return _as_written(function(*args, **kwargs))

    return draw


def _as_written(figure: Figure) -> Figure:
    """Write powers of logarithmic axes as texts, and show control characters of names as escapes."""
    for text in figure.findobj(Text):
        text.set_text(printable(text.get_text().expandtabs(4)))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            scale: Any = axis.get_transform()  # of a logarithmic axis, with a base
            minor: Any = axis.get_minor_formatter()
            if isinstance(axis.get_major_formatter(), LogFormatterSciNotation):
                axis.set_major_formatter(_Powers(scale.base))
            if isinstance(minor, LogFormatterSciNotation):
                axis.set_minor_formatter(_Powers(scale.base, labelOnlyBase=minor.labelOnlyBase))
    return figure


class _Powers(LogFormatterSciNotation):
    """Labels such as 10⁻² and 2×10³, which need no mathtext."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        plain = super().__call__(x, pos).removeprefix("$\\mathdefault{").removesuffix("}$").replace("\\times", "×")
        return re.sub(r"\^\{(.*)\}", lambda match: match[1].translate(RAISED), plain)


def phase_colours(count: int) -> Sequence[str]:
    """Return one colour for each phase, from dark to light.

    Parameters
    ----------
    count : int
        Number of phases.

    Returns
    -------
    sequence of str
        Colours as hexadecimal codes.

    Examples
    --------
    >>> phase_colours(2)
    ('#22303f', '#ece6d9')
    >>> len(phase_colours(9))
    9
    """
    if count in _PHASES:
        return _PHASES[count]
    scale = matplotlib.colormaps["cividis"]
    return tuple(matplotlib.colors.to_hex(scale(k / (count - 1))) for k in range(count))


def line_style(index: int) -> dict[str, Any]:
    """Return the colour and line style of a line by its number.

    Parameters
    ----------
    index : int
        Number of the line, from 0. After the last colour of the palette the colours repeat with dashed lines.

    Returns
    -------
    dict
        Keywords for ``Axes.plot``.

    Examples
    --------
    >>> line_style(0) == line_style(8), line_style(8)["linestyle"]
    (False, '--')
    """
    return {"color": CYCLE[index % len(CYCLE)], "linestyle": "-" if index < len(CYCLE) else "--"}


def legend_below(figure: Figure, handles: Sequence[Any], names: Sequence[str], *, most: int = 6, **kwargs: Any) -> None:
    """Draw a legend below the panels, in as many columns as the width of the figure holds.

    Parameters
    ----------
    figure : Figure
        Where to draw.
    handles : sequence of Artist
        Line or mark of each entry.
    names : sequence of str
        Text of each entry.
    most : int
        Most columns.
    **kwargs
        Keywords for ``Figure.legend``.

    Examples
    --------
    >>> figure = Figure(figsize=(1.5, 2.0))
    >>> legend_below(figure, figure.subplots().plot([0, 1], [[0, 1], [1, 0]]), ["a", "a name that fills a line"])
    >>> figure.legends[0]._ncols
    1
    """
    # A legend that is too wide is drawn all the same, and cut off at both sides of the figure.
    columns = 1
    for wanted in range(2, min(most, len(names)) + 1):
        letters = [max(len(name) for name in column) + _MARK for column in np.array_split(np.array(names), wanted)]
        columns = wanted if sum(letters) <= _LETTERS * figure.get_figwidth() else columns
    figure.legend(handles, names, loc="outside lower center", ncols=columns, **kwargs)


def legend(axes: Axes, **kwargs: Any) -> None:
    """Draw a legend if any artist has a label.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    **kwargs
        Keywords for ``Axes.legend``.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> legend(axes)
    >>> axes.get_legend() is None
    True
    """
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**kwargs)
