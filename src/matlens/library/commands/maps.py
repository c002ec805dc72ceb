"""The sections of a library's reports that are maps: over the wafer, and over compositions."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from matlens.figures.units import name_with_unit
from matlens.library import figures
from matlens.library.commands.words import gradients_in, interval_text, read_samples, target_of
from matlens.report.parts import Drawing, Section
from matlens.runs.directory import RunDirectory

__all__ = ["gradients_on_the_wafer", "on_the_triangle", "wafer"]

_LEFT = "what is left"


def _places(folder: str | os.PathLike[str]) -> pd.DataFrame | None:
    """Where samples lie, of the plate with most of them."""
    found = read_samples(folder, "positions")
    if found is None:
        return None
    found = found.dropna(subset=["x", "y"])
    if "plate" in found and found["plate"].nunique() > 1:
        found = found[found["plate"] == found["plate"].mode().iloc[0]]
    return found


def wafer(run: RunDirectory) -> Section | None:
    """Show measured values, predictions and residuals at the positions of the samples on the plate.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    places, found = _places(run.path), read_samples(run.path, "held_out")
    if places is None or found is None:
        return None
    own = found[(found["model"] == found["model"].iloc[0]) & (found["partition"] == found["partition"].iloc[0])]
    own = own[own["repeat"] == own["repeat"].min()]
    merged = places.merge(own[["sample", "value", "predicted"]], on="sample")
    if len(merged) < 3:
        return None
    panels = {"measured": merged["value"], "predicted, held out": merged["predicted"]}
    panels[_LEFT] = merged["value"] - merged["predicted"]
    source = _rows(merged, panels, signed=(_LEFT,))
    figure = figures.wafer_map(source, labels=dict.fromkeys(panels, name_with_unit(*target_of(run))))
    r = float(np.corrcoef(merged["value"], merged["predicted"])[0, 1])
    caption = (
        f"Where the samples lie: measured, predicted without them (r = {interval_text(r, np.nan, np.nan)}), and the "
        "difference; a pattern in what is left speaks of preparation, not of composition."
    )
    return Section("On the wafer", [Drawing("wafer", figure, source, caption)])


def gradients_on_the_wafer(run: RunDirectory) -> Section | None:
    """Show the gradients that vary most over the samples, at their positions on the plate.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    insight, folder = gradients_in(run), run.settings["options"].get("model")
    places = None if folder is None else _places(folder)
    if insight is None or places is None:
        return None
    gradients = figures.pair_frame(insight).assign(sample=insight["sample"].values.astype(str))
    merged = places.merge(gradients, on="sample")
    names = [str(name) for name in insight["component"].values if merged[str(name)].notna().sum() >= 3]
    names = sorted(names, key=lambda name: -float(np.nanstd(merged[name].to_numpy())))[:3]
    if not names:
        return None
    panels = {f"adding {name}": merged[name] for name in names}
    source = _rows(merged, panels, signed=tuple(panels))
    label = name_with_unit("gradient", str(insight["composition_gradient"].attrs.get("units", "")))
    figure = figures.wafer_map(source, labels=dict.fromkeys(panels, label))
    caption = (
        "Total gradients (dilution) of the components that vary most, where the samples lie; red: adding the component "
        "raises the figure of merit. Crosses have no support."
    )
    return Section("On the wafer", [Drawing("wafer", figure, source, caption)])


def _rows(merged: pd.DataFrame, panels: dict[str, Any], *, signed: tuple[str, ...]) -> pd.DataFrame:
    parts = [
        merged[["sample", "x", "y"]].assign(panel=panel, value=values, signed=panel in signed)
        for panel, values in panels.items()
    ]
    return pd.concat(parts, ignore_index=True)


def on_the_triangle(run: RunDirectory) -> Section | None:
    """Show measured values and predictions over the compositions of three components.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    insight = gradients_in(run)
    if insight is None:
        return None
    frame, names = figures.ternary_frame(insight, "predicted")
    if not len(frame):
        return None
    target = str(insight.attrs.get("target", "figure of merit"))
    label = name_with_unit(f"{target}, predicted", str(insight.attrs.get("unit", "")))
    figure = figures.ternary_map(
        frame, names, label=label, fraction_name=str(insight.attrs.get("fraction_name", "at%"))
    )
    caption = (
        f"{target} as predicted for the samples of {'-'.join(names)} and of its parts; arrows point where the total "
        "gradient rises most on the simplex, their length goes with its root. Crosses have no support."
    )
    return Section("Over the compositions", [Drawing("ternary", figure, frame, caption)])
