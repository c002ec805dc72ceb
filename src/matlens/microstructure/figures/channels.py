"""What the most important channels of each layer of a network answer to, beside the micrograph."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import DOUBLE, styled
from matlens.microstructure.figures.pictures import draw_phases, height_over_width, scale_bar
from matlens.microstructure.structure import Microstructure

__all__ = ["channel_maps"]

_GAP, _TITLE, _NUMBER, _BAR = 0.05, 0.2, 0.13, 0.16  # inches: between panels, above all, above each, for the bar


@styled
def channel_maps(window: Microstructure, maps: xr.Dataset) -> Figure:
    """Draw the activations of some channels of each layer at their places in the micrograph.

    Parameters
    ----------
    window : Microstructure
        The part of the micrograph that the channels saw.
    maps : Dataset
        Result of `matlens.microstructure.pruning.activation_maps`; one column a layer, one row a channel.

    Returns
    -------
    Figure
        183 mm wide.

    Examples
    --------
    >>> names = ("conv1_1_channel", "conv1_1_y", "conv1_1_x")
    >>> places = {"conv1_1_channel": [5], "conv1_1_y": np.arange(1, 7), "conv1_1_x": np.arange(1, 7)}
    >>> maps = xr.Dataset({"conv1_1": (names, np.ones((1, 6, 6)))}, places)
    >>> figure = channel_maps(Microstructure(np.eye(8, dtype=int)), maps)
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['micrograph', 'channel 5']
    """
    layers = [str(layer) for layer in maps.data_vars]
    columns = max(1 + len(layers), 4)
    side = (DOUBLE - _GAP * (columns - 1)) / columns
    tall = side * height_over_width(window)
    rows = max(maps[layer].shape[0] for layer in layers)
    height = _TITLE + rows * (tall + _NUMBER) + _BAR
    figure = Figure(figsize=(DOUBLE, height))

    def panel(row: int, column: int) -> Axes:
        low = height - _TITLE - row * (tall + _NUMBER) - _NUMBER - tall
        return figure.add_axes((column * (side + _GAP) / DOUBLE, low / height, side / DOUBLE, tall / height))

    micrograph = panel(0, 0)
    draw_phases(micrograph, window)
    micrograph.set_title("micrograph", pad=2, fontsize=6)
    scale_bar(micrograph, window.spacing[-1], window.unit)
    for column, layer in enumerate(layers, start=1):
        left = column * (side + _GAP) / DOUBLE
        figure.text(left, 1 - 0.12 / height, layer, fontsize=7, weight="bold", va="center")
        for row, channel in enumerate(maps[f"{layer}_channel"].values):
            axes = panel(row, column)
            _draw(axes, maps[layer][row], window, layer)
            axes.set_title(f"channel {channel}", pad=2, fontsize=6, weight="normal")
    return figure


def _draw(axes: Axes, values: xr.DataArray, window: Microstructure, layer: str) -> None:
    """Draw one map where the centres of its receptive fields are, and the boundaries of the phases over it."""
    (top, bottom), (left, right) = (_ends(values[f"{layer}_{name}"].to_numpy()) for name in ("y", "x"))
    axes.imshow(values.to_numpy(), cmap="cividis", vmin=0, extent=(left, right, bottom, top), interpolation="nearest")
    axes.contour(window.labels, levels=np.arange(window.n_phases - 1) + 0.5, colors="white", linewidths=0.25)
    axes.set_xlim(-0.5, window.shape[1] - 0.5)
    axes.set_ylim(window.shape[0] - 0.5, -0.5)
    axes.set_aspect(window.spacing[-2] / window.spacing[-1])
    axes.set_facecolor("#c9c9c9")  # the rim, where a receptive field would reach beyond the micrograph
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _ends(centres: np.ndarray) -> tuple[float, float]:
    half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
    return float(centres[0] - half), float(centres[-1] + half)
