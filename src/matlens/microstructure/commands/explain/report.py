"""The report of what a model of a property of structures has learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from matlens.microstructure import figures
from matlens.microstructure.commands import cites
from matlens.microstructure.commands.inputs import numbered
from matlens.microstructure.structure import Microstructure
from matlens.report.parts import Page, Section, picture, table
from matlens.report.standard import unfinished
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
    said = [str(sentence) for sentence in run.provenance.get("sentences", ())]
    said += [str(note)[0].upper() + str(note)[1:] for note in run.provenance.get("notes", ())]
    if summary is None or flips is None:
        return Section("Agreement with physics", (), said) if said else None
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
    items: list[Any] = [picture(run, "agreement", figure, flips, caption)]
    names = {"moves": "flips", "map": "map", "structures": "structures", "r": "correlation", "rank": "of ranks",
             "right_way": "share with the right sign", "ratio": "solved over expected"}  # fmt: skip
    items.append(table(_shown(summary), "Mean correlation within structures, with 90 % intervals", names))
    return Section(
        "Agreement with physics",
        items,
        [
            "The derivative with respect to a pixel is not the effect of its flip: a single pixel that conducts better "
            "than its surroundings shields itself. So maps are scored against structures solved anew with the pixel "
            "flipped, within each phase, where knowing the phase does not help.",
        ],
        said,
    )


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
        items.append(picture(run, f"map_{index}", figure, source, caption))
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


PAGE = Page(
    "Where a property comes from",
    unfinished,
    (agreement, maps),
    lambda run: ("li2018transfer", *cites.CONDUCTION),
    facts=_facts,
)
