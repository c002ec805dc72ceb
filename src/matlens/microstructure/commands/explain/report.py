"""The report of what a model of a property of structures has learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.numbers import shown
from matlens.microstructure import figures
from matlens.microstructure.commands import cites
from matlens.microstructure.commands.inputs import numbered
from matlens.microstructure.structure import Microstructure
from matlens.report.numbers import interval, sentence
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
from matlens.runs.codecs import DATASET, read_file
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]

_TITLES = {
    "gradient": "model: gradient",
    "difference": "model: flipped",
    "flip": "solved: flipped",
    "linearised": "solved: linearised",
}
_NAMES = {
    "gradient": "model: gradient",
    "difference": "model: prediction of the flipped structure",
    "linearised": "physics, linearised",
    "phase": "constant in each phase",
}
_MOVES = {
    "0 to 1": "within phase 0",
    "1 to 0": "within phase 1",
    "both": "both phases",
    "swap": "swaps, at equal volume fraction",
}


def agreement(run: RunDirectory) -> Section | None:
    """Show how well the model's maps agree with solved changes of single pixels.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    summary, flips = read_table(run, "summary"), read_table(run, "flips")
    notes = [sentence(str(note)) for note in run.provenance.get("notes", ())]
    if summary is None or flips is None:
        return Section("Agreement with physics", (), notes) if notes else None
    names = {"moves": "flips", "map": "map", "structures": "structures", "r": "correlation", "rank": "rank correlation",
             "right_way": "right sign", "ratio": "solved over expected"}  # fmt: skip
    means = table(_shown(summary), "Mean correlation within structures, with 90 % intervals", names, ["right_way"])
    return Section(
        "Agreement with physics",
        [means],
        [
            "The derivative with respect to a pixel is not the effect of its flip: a single pixel that conducts better "
            "than its surroundings shields itself. So maps are scored against structures solved anew with the pixel "
            "flipped, within each phase, where knowing the phase does not help.",
            *notes,
        ],
    )


def answer(run: RunDirectory) -> Answer | None:
    """Show how well the model's maps agree with solved changes of single pixels.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before the first structure was explained.
    """
    summary, flips = read_table(run, "summary"), read_table(run, "flips")
    if summary is None or flips is None:
        return Answer() if numbered(run.path, "map", ".nc") else None
    target = str(run.provenance.get("resolved", {}).get("target", "property"))
    figure = figures.sensitivity_scatter(
        flips,
        {"gradient": "model: gradient", "difference": "model: flipped", "linearised": "physics: linearised"},
        label=f"change of {target}",
    )
    caption = (
        f"Change of {target} by single flips of interface pixels, and by swaps of two: as expected against as solved. "
        "On the line, both agree."
    )
    tiles = [
        Tile(f"correlation with physics, {_MOVES[row['moves']]}", shown(row["pearson"]), "",
             interval(row["pearson_low"], row["pearson_high"]))
        for row in summary[(summary["map"] == "difference") & summary["pearson"].notna()].to_dict("records")
    ]  # fmt: skip
    alt = ", ".join(f"{tile.name} {tile.value}" for tile in tiles)
    return Answer(tiles[:4], Drawing("agreement", figure, flips, caption, f"Solved against expected changes: {alt}."))


def maps(run: RunDirectory) -> Section | None:
    """Show the maps of the first structures.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    items: list[Any] = []
    for index, file in enumerate(numbered(run.path, "map", ".nc")[:4]):
        found = read_file(file, DATASET)
        name = str(found.attrs["structure"])
        labels = found["phase"].to_numpy()
        if labels.ndim != 2:
            continue
        axes = [found[axis] for axis in found["phase"].dims]
        structure = Microstructure(
            labels.astype(np.uint8), [2 * float(axis[0]) for axis in axes], str(axes[0].attrs["units"])
        )
        shown = {title: found[key].to_numpy() for key, title in _TITLES.items() if key in found}
        source = pd.DataFrame({title: values.ravel() for title, values in shown.items()})
        target = str(found["gradient"].attrs["units"]).removeprefix("unit of ")
        caption = (
            f"{name}: change of {target} for each pixel that becomes phase 1 (or, lost, that no longer is). Each map "
            "has its own scale. Flips are of interface pixels; what the gradient says elsewhere is of structures that "
            "the model has never seen the like of."
        )
        figure = figures.sensitivity_maps(structure, shown, label=f"change of {target}")
        items.append(Drawing(f"map_{index}", figure, source, caption))
    return Section("Maps", items) if items else None


def _shown(summary: pd.DataFrame) -> pd.DataFrame:
    """Means with their intervals as text, maps and flips by their names."""

    def text(kind: str) -> list[str]:
        rows = zip(summary[kind], summary[f"{kind}_low"], summary[f"{kind}_high"])
        return ["–" if np.isnan(mean) else f"{mean:.2f} ({low:.2f} to {high:.2f})" for mean, low, high in rows]

    found = summary.assign(r=text("pearson"), rank=text("spearman"))
    found["moves"], found["map"] = found["moves"].map(_MOVES), found["map"].map(_NAMES)
    known = (summary["structures"] > 0) | summary["right_way"].notna()
    return found[known]


def _facts(run: RunDirectory) -> dict[str, Any]:
    resolved = run.provenance.get("resolved", {})
    return {"encoder": resolved.get("encoder", ""), "structures": resolved.get("structures", "")}


def _subtitle(run: RunDirectory) -> str:
    resolved = run.provenance.get("resolved", {})
    if "target" not in resolved:
        return ""
    return f"{resolved['target']} of {resolved.get('structures', '')} structures by the model in {_model(run)}."


def _model(run: RunDirectory) -> str:
    return Path(str(run.settings["options"].get("model", ""))).name


PAGE = Page(
    "Where a property comes from",
    _subtitle,
    (agreement, maps),
    lambda run: ("li2018transfer", *cites.CONDUCTION),
    answer=answer,
    facts=_facts,
)
