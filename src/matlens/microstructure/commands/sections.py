"""Parts of the reports on micrographs; each reads its tables from the run and is left out where they are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.numbers import percent, shown
from matlens.core.user_text import listed
from matlens.microstructure import figures
from matlens.microstructure.commands.inputs import Inputs, numbered, stored_inputs
from matlens.microstructure.reconstruction import option_names
from matlens.microstructure.segmentation import Understood, read_microstructure
from matlens.microstructure.statistics import display_of
from matlens.microstructure.structure import Microstructure
from matlens.report.parts import Drawing, Folded, Section, Tile, table
from matlens.runs.codecs import ARRAYS, JSON, read_file
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = [
    "cleaning",
    "curves",
    "engine_facts",
    "fraction_tiles",
    "grey_of",
    "input_names",
    "micrographs_subtitle",
    "optimisation",
    "pictures",
    "results_in",
    "results_of",
    "threshold_warnings",
]

_MOST_SHOWN = 6
_MOVES = 1.1  # a fraction that moves by more with the threshold is worth a warning


def input_names(run: RunDirectory) -> list[str]:
    """List the short names of the run's inputs.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        A name for each input.
    """
    return Inputs.from_settings(run.settings["inputs"]).names if "inputs" in run.settings else []


def micrographs_subtitle(run: RunDirectory) -> str:
    """Describe the run's micrographs in a line.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    str
        Subtitle of the report.
    """
    exemplars = stored_inputs(run)
    if not exemplars:
        return ""
    first = exemplars[0]
    size = " × ".join(str(side) for side in first.shape)
    fractions = ", ".join(f"{name} {percent(share)}" for name, share in zip(first.phase_names, first.volume_fractions))
    several = f"{len(exemplars)} micrographs, the first of" if len(exemplars) > 1 else "Micrograph of"
    masked = "" if first.mask is None else f", {percent(first.masked_share)} masked"
    coarse = f" Lengths count pixels of the file, of which one here is {first.spacing[-1]:g} wide."
    scaled = coarse if first.unit == "px" and first.spacing[-1] != 1 else ""
    return f"{several} {size} px{masked}, {first.n_phases} phases: {fractions}.{scaled}"


def engine_facts(run: RunDirectory) -> dict[str, Any]:
    """Return size, method and settings of the reconstruction for the header.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    dict
        Name and value of each fact.
    """
    options, resolved = run.settings["options"], run.provenance.get("resolved", {})
    shape = resolved.get("shape") or options.get("shape") or ()
    method = options.get("method", "matching")
    unused = {"encoder", "preset"} - set(option_names(method))
    return {
        "size": " × ".join(str(side) for side in shape) + " px" if shape else "",
        "method": options.get("method", ""),
        "encoder": "" if "encoder" in unused else resolved.get("encoder", options.get("encoder", "")),
        "preset": "" if "preset" in unused else options.get("preset", ""),
        "realisations": options.get("n", ""),
    }


def pictures(run: RunDirectory) -> Drawing | None:
    """Show micrographs and results side by side.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Drawing or None
        The figure; None before the micrographs are stored.
    """
    exemplars, results = stored_inputs(run) or [], results_of(run)
    if not (exemplars or results):
        return None
    panels = [(name, exemplar) for name, exemplar in zip(input_names(run), exemplars)][:_MOST_SHOWN]
    caption = "The micrographs as phases" if exemplars else "What was made"
    if exemplars and results:
        caption = "Micrograph and results as phases"
        sides = [min(pair) for pair in zip(exemplars[0].shape, results[0].shape)]
        if any(side > 1.2 * other for side, other in zip(exemplars[0].shape, sides)):
            windows = [*exemplars[0].tiles(sides), *exemplars[0].tiles(sides, masked=True)]
            panels.append(("part of the micrograph", windows[0]))
            caption += "; the part of the micrograph is at the scale of the results"
    panels += [(f"realisation {index}", result) for index, result in enumerate(results[:_MOST_SHOWN])]
    rows = [
        {"panel": title, "phase": name, "volume_fraction": share}
        for title, structure in panels
        for name, share in zip(structure.phase_names, structure.volume_fractions)
    ]
    if len(results) > _MOST_SHOWN:
        caption += f"; the first {_MOST_SHOWN} of {len(results)} results are shown"
    one_scale = not results and len({(m.unit, m.ndim) for m in exemplars}) == 1
    figure = figures.micrographs(panels, columns=3 if len(panels) in (3, 5, 6, 9) else None, one_scale=one_scale)
    alt = " ".join(f"{title}: {_described(structure)}." for title, structure in panels)
    return Drawing("structures", figure, pd.DataFrame(rows), f"{caption}.", alt)


def _described(structure: Microstructure) -> str:
    """Size and phases of a picture, for those who cannot see it."""
    size = " × ".join(str(side) for side in structure.shape)
    shares = zip(structure.phase_names, structure.volume_fractions)
    return f"{size} px, {', '.join(f'{percent(share)} {name}' for name, share in shares)}"


def fraction_tiles(structure: Microstructure, beside: Microstructure | None = None) -> list[Tile]:
    """Show the volume fraction of each phase but the first, of three phases or fewer.

    Parameters
    ----------
    structure : Microstructure
        The structure.
    beside : Microstructure, optional
        A micrograph whose fractions stand below.

    Returns
    -------
    list of Tile
        One or two tiles.
    """
    named = list(zip(structure.phase_names, structure.volume_fractions))[1:3]
    others = [""] * 2 if beside is None else [f"micrograph: {percent(share)}" for share in beside.volume_fractions[1:3]]
    return [Tile(f"volume fraction of {name}", shown(100 * float(share)), "%", other)
            for (name, share), other in zip(named, others)]  # fmt: skip


def threshold_warnings(run: RunDirectory) -> list[str]:
    """Warn where the volume fraction moves with the threshold, which was chosen between nearly equal ones.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        A sentence for each file.
    """
    found = read_table(run, "sensitivity")
    if found is None or not len(found):
        return []
    said = []
    for name, rows in found.groupby("input", sort=False):
        spans = rows.groupby("phase", sort=False)["volume_fraction"].agg(["min", "max"])
        phase = str((spans["max"] / spans["min"].clip(lower=1e-9)).idxmax())
        low, high = (float(end) for end in spans.loc[phase].to_numpy())
        if high > _MOVES * low:
            said.append(
                f"With thresholds that separate the phases nearly as well, the volume fraction of {phase} in {name} "
                f"lies between {percent(low)} and {percent(high)}."
            )
    return said


def curves(run: RunDirectory) -> Section | None:
    """Show statistics against distance.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "curves")
    exemplars = stored_inputs(run)
    if found is None or not exemplars:
        return None
    figure = figures.statistic_curves(found, unit=exemplars[0].unit)
    windows = (found["source"] == "windows").any()
    band = " The band holds nine tenths of the exemplar's windows of the result's size." if windows else ""
    if found.loc[found["source"] != "windows", "low"].notna().any():
        band += " The band around a curve is its range when the thresholds move over their plateau."
    named = listed([display_of(name).title for name in dict.fromkeys(found["statistic"])])
    caption = f"{named.capitalize()} of each phase.{band}"
    return Section("Curves", [Drawing("curves", figure, found, caption)])


def optimisation(run: RunDirectory) -> Section | None:
    """Show loss curves, and volume fractions before and after decoding.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    history, fractions = read_table(run, "history"), read_table(run, "fractions")
    items: list[Any] = []
    if history is not None and len(history):
        caption = "Loss against evaluations; thin lines mark where a finer level starts."
        items.append(Drawing("loss", figures.loss_curves(history), history, caption))
    if fractions is not None:
        names = {"realisation": "realisation", "phase": "phase", "before_decoding": "before decoding",
                 "after_decoding": "after decoding"}  # fmt: skip
        items.append(table(fractions, "Volume fractions", names, ["before_decoding", "after_decoding"]))
    facts = run.provenance
    stopped = [f"Realisation {index}: {text}" for index, text in enumerate(facts.get("stopped", []))]
    return Section("Optimisation", items, points=stopped) if items else None


def cleaning(run: RunDirectory) -> Section | None:
    """Show how the files were segmented into phases.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    file = run.path / "cleaning.json"
    exemplars = stored_inputs(run)
    if not file.is_file() or not exemplars:
        return None
    items: list[Any] = []
    points: list[str] = []
    for index, note in enumerate(read_file(file, JSON)):
        known = note.get("understood")  # runs of earlier versions have none
        points += [str(Understood.from_settings(known))] if known else []
        points += [f"{input_names(run)[index]}: {step}" for step in note["steps"]]
        grey = grey_of(run, index)
        if grey is not None and exemplars[index].ndim == 2:
            source = pd.DataFrame({"threshold": note["thresholds"]})
            figure = figures.cleaning_overlay(grey, exemplars[index])
            items.append(Drawing(f"cleaning_{index}", figure, source, f"{input_names(run)[index]} after cleaning."))
    sensitivity = read_table(run, "sensitivity")
    if sensitivity is not None and len(sensitivity):
        caption = (
            "What moves when the thresholds move over their plateau, from -1, its lower end, to 1, its upper end: "
            "volume fractions, and the two-point correlation. Within the plateau the variance between the phases stays "
            "within 1 % of its value at the thresholds in use, which are at 0."
        )
        figure = figures.threshold_sensitivity(sensitivity)
        items.append(Drawing("threshold_sensitivity", figure, sensitivity, caption))
        known = {(exemplar.spacing, exemplar.unit) for exemplar in exemplars}
        step, unit = next(iter(known)) if len(known) == 1 else ((1.0,), "px")
        length = f"correlation length ({unit if len(set(step)) == 1 else 'px'})"
        lengths = ["correlation_length", "correlation_length_change"]
        sensitivity[lengths] *= step[0] if len(set(step)) == 1 else 1.0
        changed = f"change of the {length}"
        columns = {**_SENSITIVITY_COLUMNS, "correlation_length": length, "correlation_length_change": changed}
        items.append(Folded("Thresholds moved", [table(sensitivity, "", columns, _SHARES)]))
    return Section("From picture to phases", items, points=points) if items or points else None


_SENSITIVITY_COLUMNS = {
    "input": "file",
    "threshold_shift": "place in the plateau",
    "phase": "phase",
    "volume_fraction": "fraction",
    "fraction_change": "change of the fraction",
    "correlation_length": "correlation length",
    "correlation_length_change": "change of the correlation length",
    "s2_error": "two-point error (relative)",
    "lineal_path_error": "lineal path error (relative)",
}
_SHARES = ("volume_fraction", "fraction_change")


def results_of(run: RunDirectory) -> list[Microstructure]:
    """Read the realisations of a run, or the results it compared.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of Microstructure
        The structures.
    """
    return results_in(run.path)


def results_in(folder: Path) -> list[Microstructure]:
    """Read the realisations in a run's folder, or the results it compared.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    list of Microstructure
        The structures.
    """
    files = numbered(folder, "realisation", ".tif") or numbered(folder, "result", ".npz")
    return [read_microstructure(file) for file in files]


def grey_of(run: RunDirectory, index: int) -> NDArray[np.float32] | None:
    """Read the cleaned grey values of an input.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    index : int
        Number of the input.

    Returns
    -------
    ndarray of float32 or None
        Grey values of the exemplar's pixels; None where the file held labels.
    """
    file = run.path / ".state" / f"grey_{index}.npz"
    if not file.is_file():
        return None
    return read_file(file, ARRAYS)["grey"].astype(np.float32)
