"""Volumes: the box in space, and its three middle planes with the names of their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.figures.style import DOUBLE, styled
from matlens.microstructure.axes import AXES, AXES_OF_PLANES
from matlens.microstructure.figures.pictures import draw_phases, length_text, scale_bar
from matlens.microstructure.figures.ray_casting import Camera, cast_rays
from matlens.microstructure.phase_choice import phase_index
from matlens.microstructure.structure import Microstructure

__all__ = ["boxes", "draw_box", "volume_views"]

_BETWEEN, _TITLE, _BELOW = 0.14, 0.22, 0.26  # inches
_BOX, _TALLEST, _SLOT = 2.6, 2.6, 0.95  # inches: the box, a tall box or plane, and the title of a plane
_BESIDE, _ROWS, _COLUMNS = 0.17, 0.13, 0.26  # inches left of the box, left of a plane, and right of it, for names
_EDGE, _SHORT, _LONG_NAME = (
    0.04,
    0.55,
    0.62,
)  # inches: around the box, an edge too short for its name, and a name
_DPI = 220  # of saved figures, for which the picture is cast
_GREY = "#4a525c"
_MOST = 4  # boxes in a row
_TEXT: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7, "annotation_clip": False}


@styled
def volume_views(panels: Sequence[tuple[str, Microstructure]], *, hidden: int | str | None = None) -> Figure:
    """Draw volumes, each as a box in space beside its three middle planes, which have one scale.

    Parameters
    ----------
    panels : sequence of (str, Microstructure)
        Title and volume.
    hidden : int or str, optional
        A phase that is not shown in the box, by number or name, so that the surface of the others is seen.

    Returns
    -------
    Figure
        183 mm wide, a row for each volume. The first slice is on top of the box, and x and y are those of the plane xy.

    Raises
    ------
    InputError
        If a structure is a plane, or has no such phase.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> figure = volume_views([("simulated", bicontinuous((16, 16, 16), seed=0))])
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['simulated', 'xy, z = 8 px', 'xz, y = 8 px', 'yz, x = 8 px']
    """
    sizes = [_plane_scale(volume) for _, volume in panels]
    heights = [max(_box_size(volume)[1], max(_lengths(volume)[:2]) * size) for (_, volume), size in zip(panels, sizes)]
    height = sum(heights) + len(panels) * (_TITLE + _BELOW)
    figure = Figure(figsize=(DOUBLE, height))
    top = height
    for (title, volume), size, tall in zip(panels, sizes, heights):
        top -= _TITLE
        width, high = _box_size(volume)
        left = (_BOX - width) / 2
        axes = figure.add_axes((left / DOUBLE, (top - (tall + high) / 2) / height, width / DOUBLE, high / height))
        draw_box(axes, volume, hidden)
        axes.set_title(title, pad=3)
        _planes(figure, volume, size, top, tall)
        top -= tall + _BELOW
    return figure


@styled
def boxes(
    panels: Sequence[tuple[str, Microstructure]], *, columns: int | None = None, hidden: int | str | None = None
) -> Figure:
    """Draw volumes as boxes in space, side by side.

    Parameters
    ----------
    panels : sequence of (str, Microstructure)
        Title and volume.
    columns : int, optional
        Boxes in a row; by default as many as there are, from two to four.
    hidden : int or str, optional
        A phase that is not shown, by number or name, so that the surface of the others is seen.

    Returns
    -------
    Figure
        183 mm wide.

    Raises
    ------
    InputError
        If a structure is a plane, or has no such phase.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> volumes = [(name, bicontinuous((16, 16, 16), seed=0)) for name in ("real", "reconstructed")]
    >>> len(boxes(volumes).axes)
    2
    """
    columns = columns or min(max(len(panels), 2), _MOST)
    rows = -(-len(panels) // columns)
    across = (DOUBLE - _BETWEEN * (columns - 1)) / columns
    sizes = [_box_size(volume, across) for _, volume in panels]
    heights = [max(tall for _, tall in sizes[row * columns : (row + 1) * columns]) for row in range(rows)]
    height = sum(heights) + rows * _TITLE
    figure = Figure(figsize=(DOUBLE, height))
    top = height
    for row, tall in enumerate(heights):
        top -= _TITLE
        for column, (title, volume) in enumerate(panels[row * columns : (row + 1) * columns]):
            width, high = sizes[row * columns + column]
            left, bottom = column * (across + _BETWEEN) + (across - width) / 2, top - (tall + high) / 2
            axes = figure.add_axes((left / DOUBLE, bottom / height, width / DOUBLE, high / height))
            draw_box(axes, volume, hidden)
            axes.set_title(title, pad=3)
        top -= tall
    return figure


def draw_box(axes: Axes, volume: Microstructure, hidden: int | str | None = None) -> None:
    """Draw a volume as a box in space, with the names and lengths of its edges.

    Parameters
    ----------
    axes : Axes
        Where to draw; its size decides how many rays are cast.
    volume : Microstructure
        The volume.
    hidden : int or str, optional
        A phase that is not shown, by number or name.

    Raises
    ------
    InputError
        If the structure is a plane, or has no such phase.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> draw_box(axes, Microstructure([[[0, 1], [1, 1]], [[1, 0], [0, 0]]], spacing=2, unit="um"))
    >>> [text.get_text() for text in axes.texts]
    ['z 4 µm', 'x 4 µm', 'y 4 µm']
    """
    lengths, skipped = _lengths(volume), () if hidden is None else (phase_index(volume, hidden),)
    camera = Camera(lengths)
    right, up = camera.extent
    inches = axes.get_position().width * axes.figure.get_figwidth()  # type: ignore[union-attr]
    each = 2 * right / (inches - _beside(volume, inches) - _EDGE)  # length for an inch
    axes.imshow(
        cast_rays(volume, camera, max(round(2 * right / each * _DPI), 1), skipped),
        extent=(-right, right, -up, up),
        interpolation="antialiased",
    )
    left, edge = _beside(volume, inches) * each, _EDGE * each
    axes.set(xlim=(-right - left, right + edge), ylim=(-up - edge, up + edge))
    axes.axis("off")
    z, y, x = lengths
    near, around = (0.0, y, x), [(0, 0, 0), (0, 0, x), (z, 0, x), (z, y, x), (z, y, 0), (0, y, 0), (0, 0, 0)]
    paths: list[Sequence[Sequence[float]]] = [around, *([near, end] for end in ((0, 0, x), (z, y, x), (0, y, 0)))]
    for path in paths:
        axes.plot(*camera.project(path).T, color=_GREY, linewidth=0.5, solid_joinstyle="round", clip_on=False)
    edges: list[Sequence[Sequence[float]]] = [[(z, y, 0), (0, y, 0)], [(z, y, 0), (z, y, x)], [(z, y, x), (z, 0, x)]]
    for ends, axis in zip(edges, (0, 2, 1)):
        name = f"{AXES[axis]} {length_text(lengths[axis], volume.unit)}"
        _name_edge(axes, camera.project(ends), name, each)


def _name_edge(axes: Axes, ends: NDArray[np.float64], text: str, each: float) -> None:
    """Write outside the box: along the edge, or beside an edge that is too short for that."""
    along, middle = ends[1] - ends[0], ends.mean(axis=0)
    outwards = np.array([along[1], -along[0]]) / np.hypot(*along)
    outwards *= np.sign(outwards @ middle)
    if np.hypot(*along) < _SHORT * each:
        place: dict[str, Any] = {"xytext": 4 * outwards, "ha": "right" if outwards[0] < 0 else "left"}
    else:
        angle = np.degrees(np.arctan2(along[1], along[0]))
        place = {"xytext": 7 * outwards, "ha": "center", "rotation": angle, "rotation_mode": "anchor"}
    axes.annotate(text, middle, va="center", **place, **_TEXT)


def _planes(figure: Figure, volume: Microstructure, size: float, top: float, tall: float) -> None:
    """Draw the middle planes right of the box, ``size`` inches for each length."""
    width, height = figure.get_size_inches()
    left = _BOX
    for name, normal in AXES_OF_PLANES.items():
        middle = volume.shape[normal] // 2
        plane = volume[tuple(middle if axis == normal else slice(None) for axis in range(3))]
        high, wide = (length * size for length in _lengths(plane))
        left += _ROWS
        axes = figure.add_axes((left / width, (top - (tall + high) / 2) / height, wide / width, high / height))
        draw_phases(axes, plane)
        at = length_text(middle * volume.spacing[normal], volume.unit)
        axes.set_title(f"{name}, {AXES[normal]} = {at}", pad=3, fontweight="normal")
        columns, rows = name[0], name[1]
        corners: dict[str, Any] = {"xycoords": "axes fraction"} | _TEXT
        axes.annotate(f"{columns} →", (1, 0), xytext=(3, 0), ha="left", va="bottom", **corners)
        axes.annotate(f"← {rows}", (0, 1), xytext=(-6, 0), ha="center", va="top", rotation=90, **corners)
        if normal == 0:  # the other planes have the same scale
            scale_bar(axes, plane.spacing[-1], plane.unit)
        left += max(wide, _SLOT) + _COLUMNS


def _beside(volume: Microstructure, inches: float) -> float:
    """Inches left of the box, for the name of its edge along z."""
    camera = Camera(_lengths(volume))
    upright = camera.lengths[0] * np.hypot(*camera.basis[:2, 0]) / (2 * camera.extent[0]) * inches
    return _BESIDE if upright > 1.3 * _SHORT else _LONG_NAME


def _lengths(structure: Microstructure) -> tuple[float, ...]:
    return tuple(side * step for side, step in zip(structure.shape, structure.spacing))


def _box_size(volume: Microstructure, most: float = _BOX) -> tuple[float, float]:
    """Width and height of the box with its names, in inches."""
    if volume.ndim != 3:
        raise InputError(
            f"found a structure of {volume.ndim} axes where a volume was expected; m.plot() draws a plane, in which no "
            "phase is hidden."
        )
    right, up = Camera(_lengths(volume)).extent
    width = most - _beside(volume, most) - _EDGE
    width = min(width, (_TALLEST - 2 * _EDGE) * right / up)
    return width + _beside(volume, width) + _EDGE, width * up / right + 2 * _EDGE


def _plane_scale(volume: Microstructure) -> float:
    """Inches for each length, so that the three planes or their titles fit beside the box."""
    z, y, x = _lengths(volume)
    room = DOUBLE - _BOX - 3 * (_ROWS + _COLUMNS)
    return min(room / (2 * x + y), (room - _SLOT) / (2 * x), (room - 2 * _SLOT) / y, _TALLEST / max(z, y))
