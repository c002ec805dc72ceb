"""Figures of held-out predictions of a library's model, and of its scores relative to the baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matlens.figures.style import COLOURS, DOUBLE, SINGLE, legend_below, styled
from matlens.library.figures.style import GAIN, LOSS, wrapped

__all__ = ["held_out_parity", "paired_differences"]

_DENSE = 300  # number of dots above which single intervals are drawn pale


@styled
def held_out_parity(table: pd.DataFrame, *, label: str, coverage: float = 0.9) -> Figure:
    """Draw held-out predictions with their intervals against the measured values, one panel for each partition.

    Parameters
    ----------
    table : DataFrame
        One row for each prediction: ``partition`` (title of the panel), ``value``, ``predicted``, ``low``, ``high``
        (NaN where there is no interval), and optionally ``censored`` (-1 the true value is below, 1 above, 0 measured).
    label : str
        Name and unit of the figure of merit.
    coverage : float
        Nominal coverage of the intervals.

    Returns
    -------
    Figure
        89 mm wide with one partition, else 183 mm.

    Examples
    --------
    >>> rows = {"partition": "composition", "value": [1.0, 2.0], "predicted": [1.1, 1.9], "low": [0.8, 1.95]}
    >>> figure = held_out_parity(pd.DataFrame({**rows, "high": [1.4, 2.2]}), label="P")
    >>> figure.axes[0].texts[0].get_text()
    '100 % in their 90 % intervals'
    """
    partitions = list(dict.fromkeys(table["partition"]))
    width = SINGLE if len(partitions) == 1 else DOUBLE
    figure = Figure(figsize=(width, width / max(len(partitions), 1.15) + 0.75), layout="constrained")
    limits = _limits(table)
    for axes, partition in zip(figure.subplots(1, len(partitions), squeeze=False, sharey=True)[0], partitions):
        own = table[table["partition"] == partition]
        _panel(axes, own, limits, coverage)
        axes.set_title(str(partition))
        axes.set_xlabel(wrapped(f"{label}, measured", 50 if len(partitions) == 1 else 34))
    figure.axes[0].set_ylabel(wrapped(f"{label}, predicted", 30))
    found = {name: mark for axes in figure.axes for mark, name in zip(*axes.get_legend_handles_labels())}
    found = dict(sorted(found.items(), key=lambda pair: pair[0].startswith("censored")))
    legend_below(figure, list(found.values()), list(found), markerscale=1.5)
    return figure


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    both = table[["value", "predicted"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    margin = 0.04 * ((high - low) or 1.0)
    return low - margin, high + margin


def _panel(axes: Axes, own: pd.DataFrame, limits: tuple[float, float], coverage: float) -> None:
    censored = own["censored"] if "censored" in own else pd.Series(0, index=own.index)
    measured = own[censored == 0]
    bounded = measured["low"].notna()
    inside = (measured["low"] <= measured["value"]) & (measured["value"] <= measured["high"])
    dense = len(own) > _DENSE
    kinds = (
        ("inside its interval", bounded & inside, COLOURS["result"]),
        ("outside its interval", bounded & ~inside, COLOURS["different"]),
        ("no interval", ~bounded, COLOURS["muted"]),
    )
    for name, chosen, colour in kinds:
        part = measured[chosen]
        if not len(part):
            continue
        axes.vlines(
            part["value"], part["low"], part["high"], color=colour, linewidth=0.35 if dense else 0.6,
            alpha=0.12 if dense else 0.35, rasterized=dense,
        )  # fmt: skip
        axes.plot(part["value"], part["predicted"], "o", markersize=1.5 if dense else 2.6, color=colour,
                  markeredgewidth=0, alpha=0.8, label=name, rasterized=dense)  # fmt: skip
    for side, mark, word in ((1, ">", "above"), (-1, "<", "below")):
        part = own[censored == side]
        if len(part):
            axes.plot(part["value"], part["predicted"], mark, markersize=3.2, color="#1a1a1a", markerfacecolor="white",
                      markeredgewidth=0.7, label=f"censored: true value {word}")  # fmt: skip
    axes.plot(limits, limits, color=COLOURS["exemplar"], linewidth=0.6, zorder=0)
    axes.set_xlim(*limits)
    axes.set_ylim(*limits)
    axes.set_box_aspect(1)
    if bounded.any():
        share = 100 * float(inside[bounded].mean())
        text = f"{share:.0f} % in their {100 * coverage:.0f} % intervals"
        axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=6.5)


@styled
def paired_differences(table: pd.DataFrame, *, label: str = "R² of the model less that of the baseline") -> Figure:
    """Draw the difference of scores between the model and each baseline on the same held-out samples, with intervals.

    Parameters
    ----------
    table : DataFrame
        Columns ``partition`` (the panel), ``baseline``, ``difference``, ``low``, ``high``.
    label : str
        Label of the difference; positive means that the model is better.

    Returns
    -------
    Figure
        89 mm wide with one partition, else 183 mm.

    Examples
    --------
    >>> rows = {"partition": "composition", "baseline": ["ridge"], "difference": [0.1], "low": [0.02], "high": [0.2]}
    >>> len(paired_differences(pd.DataFrame(rows)).axes)
    1
    """
    partitions, baselines = list(dict.fromkeys(table["partition"])), list(dict.fromkeys(table["baseline"]))
    width = SINGLE if len(partitions) == 1 else DOUBLE
    figure = Figure(figsize=(width, 0.75 + 0.2 * len(baselines)), layout="constrained")
    for axes, partition in zip(figure.subplots(1, len(partitions), squeeze=False, sharey=True)[0], partitions):
        own = table[table["partition"] == partition].set_index("baseline").reindex(baselines)
        _forest(axes, own, _ahead(own))
        axes.set_title(str(partition))
    figure.axes[0].set_yticks(range(len(baselines)), baselines)
    figure.axes[0].set_ylim(len(baselines) - 0.5, -0.5)
    figure.supxlabel(label, fontsize=7.5)
    return figure


def _ahead(own: pd.DataFrame) -> Sequence[str]:
    """Colours: the model is better by more than its interval, the baseline is better, or neither."""
    return [
        GAIN if low > 0 else LOSS if high < 0 else COLOURS["muted"]
        for low, high in zip(own["low"].fillna(-np.inf), own["high"].fillna(np.inf))
    ]


def _forest(axes: Axes, own: pd.DataFrame, colours: Sequence[str]) -> None:
    places = np.arange(len(own))
    axes.axvline(0, color="#4a525c", linewidth=0.6)
    axes.hlines(places, own["low"], own["high"], color=list(colours), linewidth=1.4)
    axes.scatter(own["difference"], places, color=list(colours), s=16, zorder=3)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
