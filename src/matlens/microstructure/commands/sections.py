"""The sections of a report; each reads its tables from the run and is left out where they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.microstructure import figures
from matlens.microstructure.commands.inputs import Inputs, numbered, stored_inputs
from matlens.microstructure.reconstruction import option_names
from matlens.microstructure.segmentation import Understood, read_microstructure
from matlens.microstructure.statistics import display_of
from matlens.microstructure.statistics.equivalence.sentences import CRITERION, SHOWN
from matlens.microstructure.statistics.equivalence.sentences import NAMES as STATISTICS
from matlens.microstructure.statistics.equivalence.variability import MARGIN
from matlens.microstructure.structure import Microstructure
from matlens.report.parts import Section, picture, table
from matlens.report.standard import unfinished
from matlens.runs.codecs import ARRAYS, JSON, read_file
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = [
    "cleaning",
    "copying",
    "curves",
    "engine_facts",
    "evidence",
    "grey_of",
    "input_names",
    "joint_verdict",
    "micrographs_subtitle",
    "optimisation",
    "results_in",
    "results_of",
    "statistics",
    "structures",
    "verdict_headlines",
    "verdict_in",
]

NAMES = {**STATISTICS, "fraction_error": "volume fraction"}
_MOST_SHOWN = 6


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
        return unfinished(run)
    first = exemplars[0]
    size = " × ".join(str(side) for side in first.shape)
    fractions = ", ".join(f"{name} {share:.3f}" for name, share in zip(first.phase_names, first.volume_fractions))
    several = f"{len(exemplars)} micrographs, the first of" if len(exemplars) > 1 else "Micrograph of"
    masked = "" if first.mask is None else f", {first.masked_share:.1%} masked"
    return f"{several} {size} px{masked}, {first.n_phases} phases: {fractions}."


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


def joint_verdict(run: RunDirectory) -> dict[str, str] | None:
    """Return the joint verdict of a comparison.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    dict of str to str or None
        ``kind``, ``word`` and ``sentence``; None if nothing was compared.
    """
    words = verdict_in(run.path)
    if not words:
        return None
    word = words.get("word", words["joint"].capitalize())  # runs of earlier versions have none
    return {"kind": words["joint"], "word": word, "sentence": words["sentences"][0]}


def verdict_headlines(run: RunDirectory) -> list[str]:
    """Return the conclusions of the run: its own sentences, or the first of the verdict.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        Sentences for the terminal.
    """
    own = [str(sentence) for sentence in run.provenance.get("sentences", ())]
    return own or [str(sentence) for sentence in verdict_in(run.path).get("sentences", [])[:1]]


def structures(run: RunDirectory) -> Section | None:
    """Show exemplars and results side by side.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    exemplars, results = stored_inputs(run), results_of(run)
    if not exemplars:
        return None
    panels = [(name, exemplar) for name, exemplar in zip(input_names(run), exemplars)][:_MOST_SHOWN]
    if results and any(side > 1.2 * other for side, other in zip(exemplars[0].shape, results[0].shape)):
        sides = [min(pair) for pair in zip(exemplars[0].shape, results[0].shape)]
        windows = [*exemplars[0].tiles(sides), *exemplars[0].tiles(sides, masked=True)]
        panels.append(("its window of the same size", windows[0]))
    panels += [(f"realisation {index}", result) for index, result in enumerate(results[:_MOST_SHOWN])]
    rows = [
        {"panel": title, "phase": name, "volume_fraction": share}
        for title, structure in panels
        for name, share in zip(structure.phase_names, structure.volume_fractions)
    ]
    caption = "Exemplar and realisations." if results else "The micrographs as phases."
    if len(results) > _MOST_SHOWN:
        caption += f" The first {_MOST_SHOWN} of {len(results)} realisations are shown."
    figure = figures.micrographs(panels, columns=3 if len(panels) in (3, 5, 6, 9) else None)
    return Section("Structures", [picture(run, "structures", figure, pd.DataFrame(rows), caption)])


def evidence(run: RunDirectory) -> Section | None:
    """Show verdicts in words, R with intervals, controls and errors.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    ratios, errors = read_table(run, "ratios"), read_table(run, "errors")
    items: list[Any] = []
    paragraphs: list[str] = []
    # Sentences on single statistics repeat the tables below, so only the others are shown.
    points = [text for text in verdict_in(run.path).get("sentences", [])[1:] if ": R = " not in text]
    if ratios is not None:
        paragraphs.append(
            "R compares two distances: that of the result from windows of the material, and that between such windows. "
            f"{CRITERION} The checks, white noise and blurred noise of the same volume fraction, show how much the "
            "statistics can recognise."
        )
        ratios = ratios.assign(statistic=ratios["statistic"].map(lambda name: NAMES.get(name, name)))
        ratios = ratios.sort_values("n_windows", ascending=False, kind="stable")  # what can decide comes first
        for window, rows in ratios.groupby("window", sort=False):
            caption = f"R of each statistic with its 90 % interval; {rows['n_windows'].iloc[0]} windows of {window} px."
            name = f"verdicts_{str(window).replace(' ', '')}"
            items.append(picture(run, name, figures.verdict_forest(rows, margin=MARGIN), rows, caption))
            items.append(table(_side_by_side(rows), f"R by windows of {window} px"))
    if errors is not None:
        caption = "Errors against the exemplar itself; white noise scores about 1 in the two-point correlation"
        items.append(table(_with_thresholds(errors, read_table(run, "sensitivity")).rename(columns=NAMES), caption))
    return Section("Evidence", items, paragraphs, points) if items or points else None


def _with_thresholds(errors: pd.DataFrame, sensitivity: pd.DataFrame | None) -> pd.DataFrame:
    """Add a row with what moved thresholds alone make of the exemplar, the most that each error then is."""
    if sensitivity is None or "lineal_path_error" not in sensitivity:
        return errors
    most = sensitivity.groupby("input")[["s2_error", "lineal_path_error"]].max().mean()
    most["fraction_error"] = sensitivity["fraction_change"].abs().max()
    row = {name: most.get(name, "") for name in errors.columns} | {errors.columns[0]: "exemplar, thresholds moved"}
    return pd.concat([errors.astype(object), pd.DataFrame([row])], ignore_index=True)


def _side_by_side(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a statistic: R of the result with interval and verdict, then R of each control."""
    result = rows[rows["source"] == "result"].set_index("statistic")
    interval = [f"{low:.2f} to {high:.2f}" for low, high in zip(result["low"], result["high"])]
    ratio = result["R"].map("{:.2f}".format)
    table = pd.DataFrame({"R": ratio, "90 % interval": interval, "verdict": result["verdict"].map(SHOWN)})
    for source in dict.fromkeys(rows["source"]):
        if source != "result":
            table[str(source)] = rows[rows["source"] == source].set_index("statistic")["R"].map("{:.2f}".format)
    return table.reset_index()


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
    *titles, last = [display_of(name).title for name in dict.fromkeys(found["statistic"])]
    named = f"{', '.join(titles)} and {last}" if titles else last
    caption = f"{named.capitalize()} of each phase.{band}"
    return Section("Curves", [picture(run, "curves", figure, found, caption)])


def copying(run: RunDirectory) -> Section | None:
    """Show whether results repeat parts of the exemplar.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "copy_test")
    if found is None or not len(found):
        return None
    results = found[found["source"].str.startswith("result")]
    copies = bool(results["copies"].any())
    conclusive = bool(found.loc[found["source"] == "pasted blocks", "copies"].any())
    said = (
        "No verdict: in this material the test does not even notice an image pasted from blocks of the exemplar."
        if not conclusive
        else "The result repeats pieces of the exemplar: the copy test failed."
        if copies
        else "No realisation repeats more of the exemplar than windows of the material share by chance: the copy test "
        "is passed."
    )
    control = "An image pasted from blocks of the exemplar is shown as the control; it should fail."
    figure = figures.copy_shares(found)
    caption = (
        "Share of patches whose best match in the exemplar, over all shifts and symmetries, is closer than chance."
    )
    columns = {
        "source": "of",
        "patch": "patch (px)",
        "copy_share": "copy share",
        "limit": "limit",
        "median_match": "median match",
        "threshold": "threshold",
        "largest_block": "largest block (px)",
        "largest_block_expected": "by chance (px)",
        "copies": "copies",
    }
    items: list[Any] = [picture(run, "copy_test", figure, found, caption), table(found, "The copy test", columns)]
    return Section("Copy test", items, [said, control])


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
        items.append(picture(run, "loss", figures.loss_curves(history), history, caption))
    if fractions is not None:
        names = {"realisation": "realisation", "phase": "phase", "before_decoding": "before decoding",
                 "after_decoding": "after decoding"}  # fmt: skip
        items.append(table(fractions, "Volume fractions", names))
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
            items.append(
                picture(run, f"cleaning_{index}", figure, source, f"{input_names(run)[index]} after cleaning.")
            )
    sensitivity = read_table(run, "sensitivity")
    if sensitivity is not None and len(sensitivity):
        caption = (
            "What moves when the thresholds move over their plateau, from -1, its lower end, to 1, its upper end: "
            "volume fractions, and the two-point correlation. Within the plateau the variance between the phases stays "
            "within 1 % of its value at the thresholds in use, which are at 0."
        )
        figure = figures.threshold_sensitivity(sensitivity)
        items.append(picture(run, "threshold_sensitivity", figure, sensitivity, caption))
        known = {(exemplar.spacing, exemplar.unit) for exemplar in exemplars}
        step, unit = next(iter(known)) if len(known) == 1 else ((1.0,), "px")
        length = f"correlation length ({unit if len(set(step)) == 1 else 'px'})"
        lengths = ["correlation_length", "correlation_length_change"]
        sensitivity[lengths] *= step[0] if len(set(step)) == 1 else 1.0
        columns = {**_SENSITIVITY_COLUMNS, "correlation_length": length}
        items.append(table(sensitivity, "Thresholds moved", columns))
    return Section("From picture to phases", items, points=points) if items or points else None


_SENSITIVITY_COLUMNS = {
    "input": "file",
    "threshold_shift": "shift",
    "phase": "phase",
    "volume_fraction": "fraction",
    "fraction_change": "its change",
    "correlation_length": "correlation length",
    "correlation_length_change": "its change",
    "s2_error": "two-point error",
    "lineal_path_error": "lineal path error",
}


def statistics(run: RunDirectory) -> Section | None:
    """List the scalar statistics of each file.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found, exemplars = read_table(run, "statistics"), stored_inputs(run)
    if found is None or not exemplars:
        return None
    several = found["file"].nunique() > 1
    names = [f"{file}, {phase}" if several else str(phase) for file, phase in zip(found["file"], found["phase"])]
    values = found.drop(columns=["file", "phase"]).set_axis(names, axis=0).T
    if not len(values):
        return None
    moved = _moved(read_table(run, "measures"), found["file"].tolist(), found["phase"].tolist())
    if moved is not None:
        for place, (name, column) in enumerate(zip(names, moved)):
            values.insert(
                2 * place + 1, f"{name}, thresholds moved", [column.get(str(row), "") for row in values.index]
            )
    values.insert(0, "statistic", [_spelled(str(name)) for name in values.index])
    caption = f"Lengths are in {exemplars[0].unit}; every curve is in statistics.nc"
    return Section("Statistics", [table(values, caption)], points=run.provenance.get("sentences", ()))


def _moved(measures: pd.DataFrame | None, files: Sequence[str], phases: Sequence[str]) -> list[dict[str, str]] | None:
    """Ranges of the statistics of each file and phase, when its thresholds move; None where none were grey."""
    if measures is None or "threshold_low" not in measures:
        return None
    known = measures.dropna(subset="threshold_low")
    axes = known["axis"].astype(object)  # a column without words is read as numbers
    names = known["statistic"] + axes.map(lambda axis: f"_{axis}" if isinstance(axis, str) else "")
    spans = [f"{low:.4g} to {high:.4g}" for low, high in zip(known["threshold_low"], known["threshold_high"])]
    known = known.assign(name=names, span=spans).astype({"phase": str, "source": str})
    return [
        dict(known.loc[(known["source"] == str(file)) & (known["phase"] == str(phase)), ["name", "span"]].to_numpy())
        for file, phase in zip(files, phases)
    ]


def _spelled(name: str) -> str:
    name, _, axis = name.rpartition("_") if name[-2:] in ("_x", "_y", "_z") else (name, "", "")
    words = name.removesuffix("_full").removesuffix("_radial").replace("_", " ").replace("euler", "Euler")
    return words + (f" along {axis}" if axis else "") + (", full connectivity" if name.endswith("_full") else "")


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


def verdict_in(folder: Path) -> dict[str, Any]:
    """Read the verdict of a comparison.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict
        Content of verdict.json; empty if nothing was compared.
    """
    file = folder / "verdict.json"
    return dict(read_file(file, JSON)) if file.is_file() else {}


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
