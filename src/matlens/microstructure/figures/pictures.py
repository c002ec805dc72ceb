"""Microstructures side by side, each with its scale bar."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from matlens.core.units import converted, is_length
from matlens.figures.style import DOUBLE, phase_colours, styled
from matlens.figures.units import typeset_unit
from matlens.microstructure.structure import Microstructure

__all__ = ["draw_phases", "height_over_width", "length_text", "micrographs", "nice_length", "scale_bar"]

_GAP = 0.12  # inches between panels
_TITLE = 0.2  # above a panel
_BAR = 0.26  # below a panel
_TALLEST = 4.0
_NARROWEST = 0.15  # of a column, so that a small picture among large ones is seen at all
_HATCH = "#b9bfc7"


@styled
def micrographs(
    panels: Sequence[tuple[str, Microstructure]], *, columns: int | None = None, one_scale: bool = False
) -> Figure:
    """Draw microstructures in a grid of panels, each with its own scale bar below.

    Parameters
    ----------
    panels : sequence of (str, Microstructure)
        Title and structure; of a volume the middle slice is shown.
    columns : int, optional
        Panels in a row; by default as many as there are, from two to four.
    one_scale : bool
        Whether a length has the same size in all panels, which then must have one unit; else all panels are as wide.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> figure = micrographs([("exemplar", checkerboard((8, 8), cell=2))])
    >>> round(figure.get_figwidth() * 25.4)
    183
    """
    columns = columns or min(max(len(panels), 2), 4)
    rows = math.ceil(len(panels) / columns)
    column_width = (DOUBLE - _GAP * (columns - 1)) / columns
    lengths = [structure.shape[-1] * structure.spacing[-1] if one_scale else 1.0 for _, structure in panels]
    sides = [column_width * max(length / max(lengths), _NARROWEST) for length in lengths]
    tall = [height_over_width(structure) * side for (_, structure), side in zip(panels, sides)]
    heights = [max(tall[row * columns : (row + 1) * columns]) for row in range(rows)]
    height = sum(heights) + rows * (_TITLE + _BAR)
    figure = Figure(figsize=(DOUBLE, height))
    top = height
    for row in range(rows):
        top -= _TITLE
        for column, (title, structure) in enumerate(panels[row * columns : (row + 1) * columns]):
            index = row * columns + column
            left, bottom = column * (column_width + _GAP), top - tall[index]
            axes = figure.add_axes((left / DOUBLE, bottom / height, sides[index] / DOUBLE, tall[index] / height))
            draw_phases(axes, structure)
            axes.set_title(title, pad=3)
            scale_bar(axes, structure.spacing[-1], structure.unit)
        top -= heights[row] + _BAR
    return figure


def draw_phases(axes: Axes, structure: Microstructure) -> None:
    """Draw the labels in the phase colours, with correct physical proportions.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    structure : Microstructure
        The structure; of a volume the middle slice is drawn. Masked pixels are hatched.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> draw_phases(axes, Microstructure([[0, 1], [1, 1]]))
    >>> len(axes.images)
    1
    """
    labels, mask = _plane(structure)
    if mask is not None:
        axes.patch.set(facecolor="white", edgecolor=_HATCH, hatch="//////", linewidth=0)
    axes.imshow(
        labels if mask is None else np.ma.masked_array(labels, ~mask),
        cmap=ListedColormap(list(phase_colours(structure.n_phases))),
        vmin=-0.5,
        vmax=structure.n_phases - 0.5,
        interpolation="nearest",
        aspect=structure.spacing[-2] / structure.spacing[-1],
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def scale_bar(axes: Axes, spacing: float, unit: str) -> None:
    """Draw a scale bar of a round length below a panel, about a quarter of its width.

    Parameters
    ----------
    axes : Axes
        The panel, whose x axis counts pixels.
    spacing : float
        Size of a pixel along the x axis.
    unit : str
        Unit of the spacing.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> _ = axes.set_xlim(0, 100)
    >>> scale_bar(axes, 0.5, "um")
    >>> axes.texts[0].get_text()
    '10 µm'
    """
    left, right = axes.get_xlim()
    width = abs(right - left)
    across, unit = _as_drawn(width * spacing / 4, unit)
    length = nice_length(across)
    share = length / across / 4
    # A distance in points, so that a low panel's bar does not run into the picture.
    below = axes.transAxes + ScaledTranslation(0, -7 / 72, axes.figure.dpi_scale_trans)
    axes.plot([0, share], [0, 0], transform=below, color="#1a1a1a", linewidth=1.6, clip_on=False, solid_capstyle="butt")
    axes.text(share + 0.025, 0, length_text(length, unit), transform=below, va="center", fontsize=7)


def length_text(length: float, unit: str) -> str:
    """Write a length with its unit, in the unit of length that gives a handy number.

    Parameters
    ----------
    length : float
        The length.
    unit : str
        Its unit.

    Returns
    -------
    str
        Number, to four digits, and unit.

    Examples
    --------
    >>> length_text(10000, "nm"), length_text(128, "px")
    ('10 µm', '128 px')
    """
    length, unit = _as_drawn(length, unit)
    return f"{length:.4g} {typeset_unit(unit)}"


def _as_drawn(length: float, unit: str) -> tuple[float, str]:
    """A length in the unit that people write on scale bars: 10 um and not 10000 nm."""
    if not is_length(unit) or 1 <= length < 1000:
        return length, unit
    for handy in ("nm", "um", "mm"):
        found = converted(length, unit, handy)
        if found < 1000:
            break
    return found, handy


def nice_length(length: float) -> float:
    """Round a length down to 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    length : float
        A positive length.

    Returns
    -------
    float
        The largest such number that is not larger than the length.

    Examples
    --------
    >>> [nice_length(length) for length in (0.7, 32, 99)]
    [0.5, 20.0, 50.0]
    """
    power = 10.0 ** math.floor(math.log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length * (1 + 1e-9))


def _plane(structure: Microstructure) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """Labels and mask of the middle slice."""
    middle = (structure.shape[0] // 2,) * (structure.ndim - 2)
    return structure.labels[middle], None if structure.mask is None else structure.mask[middle]


def height_over_width(structure: Microstructure) -> float:
    """Compute the ratio of height to width of a panel, at most 4, so that a long strip does not make an endless figure.

    Parameters
    ----------
    structure : Microstructure
        The structure; of a volume the last two axes count.

    Returns
    -------
    float
        Ratio of the physical lengths.

    Examples
    --------
    >>> height_over_width(Microstructure([[0, 1, 0, 1]] * 2)), height_over_width(Microstructure([[0], [1]] * 9))
    (0.5, 4.0)
    """
    rows, columns = structure.shape[-2:]
    return min(rows * structure.spacing[-2] / (columns * structure.spacing[-1]), _TALLEST)
