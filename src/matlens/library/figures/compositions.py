"""Figures of composition gradients: an arrow for each gradient of a sample, and ranges over the whole library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D

from matlens.figures.style import COLOURS, DOUBLE, SINGLE, legend_below, styled
from matlens.library.figures.style import GAIN, LOSS, SUPPORT, UNKNOWN, gain_colour, support_keys

__all__ = ["component_gradients", "composition_arrows", "support_shares"]

_LONGEST = 0.42  # length of the longest arrow, relative to the tallest bar
_MARKERS = "sD^vP*<>"


@styled
def composition_arrows(table: pd.DataFrame, *, unit: str, fraction_name: str = "at%") -> Figure:
    """Draw compositions as bars, and on each bar an arrow for the effect of adding this component.

    Supported arrows are filled and weakly supported ones open, with their errors as caps. A dot with caps is a gradient
    that does not differ from zero by more than its error. A grey cross is a gradient without support by data, whatever
    its value. The arrows of all panels have one scale.

    Parameters
    ----------
    table : DataFrame
        One row for each bar: ``sample`` (title of the panel), ``component``, ``fraction`` (in hundredths), ``gradient``
        (NaN where it is undefined, as for the host of an exchange), ``error``, ``support`` (2, 1, 0) and optionally
        ``undefined``: the text where the gradient is undefined ("host").
    unit : str
        Typeset unit of the gradient.
    fraction_name : str
        Name of a hundredth of a fraction.

    Returns
    -------
    Figure
        89 or 183 mm wide, one panel for each sample.

    Examples
    --------
    >>> rows = {"sample": "12", "component": ["Bi", "V"], "fraction": [52.0, 48.0], "gradient": [0.3, -0.3]}
    >>> figure = composition_arrows(pd.DataFrame({**rows, "error": 0.1, "support": [2, 0]}), unit="mW per at%")
    >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
    ['Bi\\n52', 'V\\n48']
    """
    samples = list(dict.fromkeys(table["sample"]))
    components = table["component"].nunique()
    columns = 2 if len(samples) == 4 else min(len(samples), 3)
    columns = min(columns, 3 if components <= 8 else 2 if components <= 12 else 1)
    rows = math.ceil(len(samples) / columns)
    width = SINGLE if columns == 1 and components <= 8 else DOUBLE
    figure = Figure(figsize=(width, 1.5 * rows + 0.55), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    shown = table[table["support"] > 0]
    longest = float((shown["gradient"].abs() + shown["error"]).max()) if len(shown) else np.nan
    tallest = float(table["fraction"].max())
    unit_length = _LONGEST * tallest / longest if longest > 0 else 0.0
    for axes, sample in zip(panels, samples):
        own = table[table["sample"] == sample].reset_index(drop=True)
        _bars_with_arrows(axes, own, unit_length)
        axes.set_title(str(sample))
    for axes in panels[len(samples) :]:
        axes.set_axis_off()
    tops, bottoms = zip(*(_reach(part, unit_length) for _, part in table.groupby("sample")))
    first = table[table["sample"] == samples[0]]["fraction"].to_numpy()
    crowded = (
        first[math.ceil(0.6 * components) :].max(initial=0.0) > (0.9 - _LONGEST) * tallest
    )  # bars where the scale is drawn
    top = max(tops) + (0.1 + (_LONGEST if crowded else 0.0)) * tallest
    panels[0].set_ylim(min(0.0, *bottoms) - 0.04 * tallest, top)
    panels[0].locator_params(axis="y", nbins=6)
    panels[0].set_yticks([tick for tick in panels[0].get_yticks() if 0 <= tick <= tallest + 1e-9])
    for axes in panels[: len(samples) : columns]:
        axes.set_ylabel(f"composition ({fraction_name})")
    if unit_length:
        _scale_bar(panels[0], unit_length, longest, unit)
    _legend(figure, set(table["support"]))
    return figure


def _bars_with_arrows(axes: Axes, own: pd.DataFrame, unit_length: float) -> None:
    places = np.arange(len(own))
    axes.bar(places, own["fraction"], 0.72, color=COLOURS["band"])
    axes.axhline(0, color="#4a525c", linewidth=0.5)
    for place, row in zip(places, own.to_dict("records")):
        _arrow(axes, float(place), row, unit_length)
    names = [f"{row['component']}\n{row['fraction']:.3g}" for row in own.to_dict("records")]
    axes.set_xticks(places, names, fontsize=6.5)
    axes.tick_params(axis="x", length=0)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-0.6, max(len(own), 3) - 0.4)


def _arrow(axes: Axes, place: float, row: dict[Any, Any], unit_length: float) -> None:
    start, value, support = row["fraction"], row["gradient"], int(row["support"])
    if not np.isfinite(value):
        axes.annotate(
            row.get("undefined", "host"),
            (place, start),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=6,
            color="#4a525c",
        )
        return
    if support == 0:
        axes.plot(place, start, "x", color="#6b737d", markersize=4, markeredgewidth=0.9, clip_on=False, zorder=4)
        return
    tip, error = start + value * unit_length, row["error"] * unit_length
    colour = gain_colour(value)
    axes.errorbar(place, tip, error, color="#1a1a1a", elinewidth=0.6, capsize=2, capthick=0.6, zorder=4)
    face = colour if support == 2 else "white"
    if abs(value) <= row["error"]:
        mark, colour, face = "o", "#1a1a1a", "#1a1a1a" if support == 2 else "white"
    else:
        mark = "^" if value > 0 else "v"
        axes.vlines(place, start, tip, color=colour, linewidth=1.8 if support == 2 else 1.0, zorder=3)
    axes.plot(place, tip, mark, color=colour, markerfacecolor=face, markersize=4.2 if mark != "o" else 3, zorder=5)


def _reach(own: pd.DataFrame, unit_length: float) -> tuple[float, float]:
    """Top and bottom of the bars and arrows of one sample."""
    shown = own[(own["support"] > 0) & own["gradient"].notna()]
    tips, error = shown["fraction"] + shown["gradient"] * unit_length, shown["error"] * unit_length
    return (
        float(max(own["fraction"].max(), (tips + error).max() if len(shown) else 0.0)),
        float((tips - error).min()) if len(shown) else 0.0,
    )


def _scale_bar(axes: Axes, unit_length: float, longest: float, unit: str) -> None:
    """Draw the scale of the arrows in the upper right corner of the first panel, where bars are low."""
    nice = 10 ** math.floor(math.log10(longest))
    nice *= max(step for step in (1, 2, 5) if step * nice <= longest)
    low, high = axes.get_ylim()
    place, top = axes.get_xlim()[1] - 0.2, high - 0.02 * (high - low)
    axes.vlines(place, top - nice * unit_length, top, color="#1a1a1a", linewidth=1.4)
    text = f"{nice:g} {unit}".replace(" per ", "\nper ")
    axes.text(place - 0.18, top, text, ha="right", va="top", fontsize=6.5, linespacing=1.1)


def _legend(figure: Figure, kinds: set[int]) -> None:
    def arrows(face: bool) -> tuple[Line2D, Line2D]:
        up = Line2D([], [], linestyle="", marker="^", color=GAIN, markersize=4.2, markerfacecolor=GAIN if face else "w")
        down = Line2D(
            [], [], linestyle="", marker="v", color=LOSS, markersize=4.2, markerfacecolor=LOSS if face else "w"
        )
        return up, down

    entries = [(arrows(True), "raises, lowers the merit")] if 2 in kinds else []
    entries += [(arrows(False), "the same, weak support")] if 1 in kinds else []
    dot = Line2D([], [], linestyle="", marker="o", color="#1a1a1a", markersize=3)
    cross = Line2D([], [], linestyle="", marker="x", color="#6b737d", markersize=4)
    handles: list[tuple[Any, str]] = [*entries, (dot, "zero within its error")] + (
        [(cross, "unsupported")] if 0 in kinds else []
    )
    legend_below(
        figure,
        [handle for handle, _ in handles],
        [text for _, text in handles],
        handler_map={tuple: HandlerTuple(None, 0.6)},
    )


@styled
def component_gradients(table: pd.DataFrame, *, label: str) -> Figure:
    """Draw the gradients of each component over the library, those of the ensemble beside those of the baselines.

    A dot is the median over samples with a supported direction; the thick line spans the quartiles, the thin line 90 %
    of the samples. A component without any support has a grey cross.

    Parameters
    ----------
    table : DataFrame
        Columns ``scheme`` (the panel), ``component``, ``model`` (the first is drawn large), ``median``, ``low``,
        ``high`` (5 and 95 %), ``lower``, ``upper`` (quartiles), ``share`` (of samples with support; NaN: the gradient
        is undefined, as for the host of an exchange).
    label : str
        Name and unit of the gradient.

    Returns
    -------
    Figure
        89 mm wide with one scheme, else 183 mm.

    Examples
    --------
    >>> numbers = {"median": [1.0, np.nan], "low": 0.0, "high": 2.0, "lower": 0.5, "upper": 1.5, "share": [1.0, 0.0]}
    >>> rows = {"scheme": "dilution", "component": ["W", "Mo"], "model": "model"}
    >>> len(component_gradients(pd.DataFrame({**rows, **numbers}), label="gradient").axes)
    1
    """
    schemes, models = list(dict.fromkeys(table["scheme"])), list(dict.fromkeys(table["model"]))
    components = list(dict.fromkeys(table["component"]))
    width = SINGLE if len(schemes) == 1 else DOUBLE
    height = 0.75 + len(components) * (0.17 + 0.06 * len(models))
    figure = Figure(figsize=(width, height), layout="constrained")
    for axes, scheme in zip(figure.subplots(1, len(schemes), squeeze=False, sharey=True)[0], schemes):
        axes.axvline(0, color="#4a525c", linewidth=0.5)
        for number, model in enumerate(models):
            own = table[(table["scheme"] == scheme) & (table["model"] == model)].set_index("component")
            _ranges(axes, own.reindex(components), number, len(models))
        axes.set_title(scheme)
        axes.set_xlabel(label)
    first = figure.axes[0]
    first.set_yticks(range(len(components)), components)
    first.set_ylim(len(components) - 0.5, -0.5)
    for axes in figure.axes:
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        for place in range(0, len(components), 2):
            axes.axhspan(place - 0.5, place + 0.5, color="#f6f7f8", zorder=0, linewidth=0)
    keys = [_key(number, model) for number, model in enumerate(models)] + support_keys([0])
    legend_below(figure, keys, [str(key.get_label()) for key in keys])
    return figure


def _look(number: int) -> tuple[str, str, float]:
    """Colour, marker and size of a model: the first stands out, the others differ by shape."""
    return (GAIN, "o", 4.5) if number == 0 else (COLOURS["undecided"], _MARKERS[(number - 1) % len(_MARKERS)], 3.2)


def _key(number: int, model: str) -> Line2D:
    colour, mark, size = _look(number)
    return Line2D([], [], linestyle="", marker=mark, color=colour, markersize=size, label=model)


def _ranges(axes: Axes, own: pd.DataFrame, number: int, count: int) -> None:
    colour, mark, size = _look(number)
    step = 0.72 / count
    places = np.arange(len(own)) + (number - (count - 1) / 2) * step
    known = own["median"].notna().to_numpy() & (own["share"].fillna(0) > 0).to_numpy()
    axes.hlines(places[known], own["low"][known], own["high"][known], color=colour, linewidth=0.6)
    axes.hlines(
        places[known], own["lower"][known], own["upper"][known], color=colour, linewidth=1.8 if number == 0 else 1.2
    )
    axes.plot(own["median"][known], places[known], mark, color=colour, markersize=size, markeredgewidth=0, linestyle="")
    if number == 0:
        hosts = own["share"].isna().to_numpy()
        without = np.flatnonzero(~known & ~hosts)
        axes.plot(np.zeros(len(without)), without, "x", color=UNKNOWN, markersize=4)
        for place in np.flatnonzero(hosts):
            axes.annotate("host", (0, float(place)), (3, 0), textcoords="offset points", va="center", color="#4a525c")


@styled
def support_shares(table: pd.DataFrame) -> Figure:
    """Draw for each component the share of the samples at which data support its direction.

    Parameters
    ----------
    table : DataFrame
        Columns ``component``, and the shares ``supported``, ``weak`` and ``unsupported``, which sum to 1.

    Returns
    -------
    Figure
        89 mm wide.

    Examples
    --------
    >>> rows = {"component": ["W"], "supported": [0.5], "weak": [0.2], "unsupported": [0.3]}
    >>> len(support_shares(pd.DataFrame(rows)).axes[0].patches)
    3
    """
    figure = Figure(figsize=(SINGLE, 0.75 + 0.19 * len(table)), layout="constrained")
    axes = figure.subplots()
    places, left = np.arange(len(table)), np.zeros(len(table))
    looks = {"supported": (COLOURS["equivalent"], None), "weak": ("#a6d8c6", None), "unsupported": ("#f4f5f7", "/////")}
    for kind, (colour, hatch) in looks.items():
        axes.barh(places, table[kind], 0.7, left=left, color=colour, hatch=hatch, edgecolor="#b9bfc7", linewidth=0.3,
                  label=SUPPORT[1] if kind == "weak" else kind)  # fmt: skip
        left += table[kind].to_numpy(dtype=float)
    axes.set_yticks(places, table["component"])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of samples")
    figure.legend(loc="outside lower center", ncols=3)
    return figure
