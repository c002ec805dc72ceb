"""The figure of each public result of this side, as ``plot()`` and notebooks show it (`matlens.core.display`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.errors import InputError
from matlens.figures.style import COLOURS, CYCLE, DOUBLE, styled
from matlens.figures.units import name_with_unit
from matlens.library.figures.compositions import component_gradients
from matlens.library.figures.frames import gradient_frame
from matlens.library.figures.suggestions import suggestion_chart

if TYPE_CHECKING:
    from matlens.library.gradients import LibraryGradients
    from matlens.library.suggestions import Suggestions
    from matlens.library.table import MaterialsLibrary

__all__ = ["draw_gradients", "draw_library", "draw_suggestions"]


def draw_gradients(result: LibraryGradients, *, kind: str = "total") -> Figure:
    """Draw the gradient of each component over the samples where data support it.

    Parameters
    ----------
    result : LibraryGradients
        The gradients.
    kind : {"total", "partial"}
        Whether the spectrum follows the composition, or is held.

    Returns
    -------
    Figure
        A panel for each compensation scheme.

    Raises
    ------
    InputError
        If this is a part of the gradients that lacks a scheme, kind, sample or component.
    """
    if "composition_gradient" not in result or set(result["composition_gradient"].dims) < {
        "scheme",
        "kind",
        "sample",
        "component",
    }:
        raise InputError("the gradients of all components and samples are needed for a figure; draw the whole result.")
    schemes = [str(name) for name in result["scheme"].values]
    unit = str(result["composition_gradient"].attrs.get("units", ""))
    return component_gradients(
        gradient_frame(result, schemes, kind=kind), label=name_with_unit(f"{kind} gradient", unit)
    )


def draw_suggestions(result: Suggestions) -> Figure:
    """Draw the suggestions in their order, each with its composition and what is expected of it.

    Parameters
    ----------
    result : Suggestions
        The suggestions.

    Returns
    -------
    Figure
        A row for each suggestion.

    Raises
    ------
    InputError
        If nothing is suggested.
    """
    if not len(result):
        raise InputError("nothing is suggested; there is nothing to draw.")
    label = name_with_unit(result.target, result.unit)
    shares = result[list(result.components)] / 100
    return suggestion_chart(result, shares, label=label, best=result.attrs.get("measured"))


@styled
def draw_library(result: MaterialsLibrary) -> Figure:
    """Draw the range of each component, the figures of merit in ascending order, and the spectra where there are any.

    Parameters
    ----------
    result : MaterialsLibrary
        The library.

    Returns
    -------
    Figure
        Two or three panels, 183 mm wide.
    """
    panels = [
        _draw_components,
        *[_draw_merits] * bool(len(result.merits.columns)),
        *[_draw_spectra] * result.has_spectra,
    ]
    height = max(1.9, 0.7 + 0.14 * len(result.components))
    figure = Figure(figsize=(DOUBLE, height), layout="constrained")
    for axes, draw in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        draw(axes, result)
    return figure


def _draw_components(axes: Axes, library: MaterialsLibrary) -> None:
    """Line: least to greatest fraction of a component; dot: its median over the samples that hold it."""
    fractions = 100 * library.compositions
    places = np.arange(len(library.components))
    axes.hlines(places, fractions.min(0), fractions.max(0), color=CYCLE[0], linewidth=1.6)
    medians = [np.median(column[column > 0]) if (column > 0).any() else 0.0 for column in fractions.T]
    axes.plot(medians, places, "o", color=CYCLE[0], markersize=4)
    axes.set_yticks(places, library.components)
    axes.invert_yaxis()
    axes.set_xlabel(f"range and median where present ({library.fraction_name})")


def _draw_merits(axes: Axes, library: MaterialsLibrary) -> None:
    """Only the first figure of merit has the axis to itself where their units differ."""
    name = str(library.merits.columns[0])
    values = np.sort(library.merit(name))
    known = values[np.isfinite(values)]
    axes.plot(np.arange(1, len(known) + 1), known, ".", color=CYCLE[0], markersize=3)
    axes.set_xlabel("samples, in ascending order")
    axes.set_ylabel(name_with_unit(name, library.unit(name)))


def _draw_spectra(axes: Axes, library: MaterialsLibrary) -> None:
    """Median over the samples, and the band that holds nine tenths of them."""
    assert library.spectra is not None
    assert library.axis is not None
    low, middle, high = np.quantile(library.spectra, [0.05, 0.5, 0.95], axis=0)
    axes.fill_between(library.axis, low, high, color=COLOURS["band"], linewidth=0, label="nine tenths of the samples")
    axes.plot(library.axis, middle, color=CYCLE[0], linewidth=0.9, label="median")
    axes.set_xlabel(name_with_unit(library.axis_name, library.axis_unit))
    axes.set_ylabel(name_with_unit(library.spectrum_name, library.spectrum_unit))
    axes.legend(fontsize=6)
