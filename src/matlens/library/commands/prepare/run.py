"""The steps of ``library prepare``: a library to one table, with what each step of preprocessing changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.library.commands.options import reading
from matlens.library.commands.prepare.spec import PrepareSpec
from matlens.library.commands.source import library_digest, read_table
from matlens.library.io import lines_of_truth, put_library
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["prepare", "work"]

Floats = NDArray[np.float64]

TABLE = "library.csv"


def prepare(spec: PrepareSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the library, and check that the steps fit its spectra.

    Parameters
    ----------
    spec : PrepareSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options, what is kept in settings.toml besides, and the library.

    Raises
    ------
    InputError
        If the library cannot be read, has no spectra for the steps, or a step does not fit.
    """
    library = read_table(spec.library, reading(spec, None), command="inspect", learned=False)
    _checked(Preprocessing.parse(spec.preprocessing), library)
    settings = {"inputs": {"hashes": {"library": library_digest(library)}}}
    name = Path(spec.library).name
    return Prepared(spec, f"{name}: {library!r}", settings, library, tuple(lines_of_truth(library, name)))


def work(run: RunDirectory, progress: Progress, found: MaterialsLibrary | None = None) -> None:
    """Prepare as the run's settings say: ``steps.csv``, and ``library.csv`` last.

    Parameters
    ----------
    run : RunDirectory
        Open.
    progress : Progress
        Called with steps done and total.
    found : MaterialsLibrary, optional
        The library, where it has been read already.

    Raises
    ------
    InputError
        If the library has changed since the run started.
    """
    spec = options_of(run, PrepareSpec)
    library = found
    if library is None:
        known = run.settings["inputs"]["hashes"]["library"]
        library = read_table(spec.library, reading(spec, None), known=known, learned=False)
    chain = Preprocessing.parse(spec.preprocessing)
    progress.begin(max(len(chain.steps), 1), "preparing spectra")
    rows = []
    prepared = library
    for number, (step, text) in enumerate(zip(chain.steps, spec.preprocessing, strict=True), 1):
        before = prepared
        prepared = _checked(Preprocessing([step]), before)
        rows.append(_change(number, text, before, prepared))
        progress.update(number, "steps")
    progress.end()
    steps = pd.DataFrame(rows, columns=["number", "step", "channels", "low", "high", "points", "spectra", "change"])
    names = ("axis_name", "spectrum_name", "spectrum_unit")
    facts = {"samples": len(library), "unit": library.axis_unit} | {name: getattr(library, name) for name in names}
    run.mark("running", resolved=facts, notes=list(library.notes), sentences=_sentences(library, steps))
    write_table(run, "steps", steps)
    if chain.steps:
        write_table(run, "effect", _effect(library, prepared))
    done = (f"the spectra were prepared: {', '.join(spec.preprocessing)}",) if chain.steps else ()
    with run.writing(TABLE) as file:
        put_library(replace(prepared, notes=(*library.notes, *done)), file)


def _arrays(library: MaterialsLibrary) -> tuple[Floats, Floats]:
    if library.spectra is None or library.axis is None:
        raise InputError("the library has no spectra to prepare; name them by --spectra, or leave out --prepare.")
    return library.spectra, library.axis


def _checked(chain: Preprocessing, library: MaterialsLibrary) -> MaterialsLibrary:
    """The library with the steps done."""
    return library.with_spectra(*chain.transform(*_arrays(library))) if chain.steps else library


def _change(number: int, text: str, before: MaterialsLibrary, after: MaterialsLibrary) -> dict[str, object]:
    """What a step did: channels left, and where it kept them, points and spectra that it changed and by how much."""
    (old, old_axis), (new, axis) = _arrays(before), _arrays(after)
    row = {"number": number, "step": text, "channels": axis.size, "low": float(axis.min()), "high": float(axis.max())}
    if not np.array_equal(np.sort(old_axis), axis):
        return row | {"points": -1, "spectra": len(new), "change": np.nan}
    old = old[:, np.argsort(old_axis)]
    changed = old != new
    spread = np.ptp(old, axis=1)
    largest = np.abs(new - old).max(axis=1) / np.where(spread > 0, spread, 1)
    touched = changed.any(axis=1)
    share = float(np.median(largest[touched])) if touched.any() else 0.0
    return row | {"points": int(changed.sum()), "spectra": int(touched.sum()), "change": share}


def _effect(library: MaterialsLibrary, prepared: MaterialsLibrary) -> pd.DataFrame:
    """Spectra before and after, of the samples that were changed least, as most others, and most."""
    pairs = {"as in the file": _arrays(library), "prepared": _arrays(prepared)}
    (old, old_axis), (new, axis) = pairs.values()
    order = np.argsort(old_axis)
    shapes = [(np.array([np.interp(axis, old_axis[order], row[order]) for row in old])), new]
    # Steps that scale all intensities alike change no shape.
    scaled = [shape / np.maximum(np.ptp(shape, axis=1, keepdims=True), 1e-300) for shape in shapes]
    ranks = np.argsort(np.abs(scaled[1] - scaled[0]).max(axis=1), kind="stable")
    rows = dict.fromkeys(int(ranks[k]) for k in (0, len(ranks) // 2, -1))
    return pd.concat(
        [
            pd.DataFrame({"panel": panel, "sample": library.samples[k], "axis": places, "intensity": values[k]})
            for panel, (values, places) in pairs.items()
            for k in rows
        ],
        ignore_index=True,
    )


def _sentences(library: MaterialsLibrary, steps: pd.DataFrame) -> list[str]:
    said = [f"{len(library)} samples were written to {TABLE}, which all commands read."]
    for _, row in steps.iterrows():
        if row["points"] < 0:
            said.append(
                f"{row['step']}: the axis has {row['channels']} channels from {row['low']:g} to {row['high']:g}."
            )
        else:
            said.append(
                f"{row['step']}: {row['points']} points of {row['spectra']} spectra changed, the largest change by "
                f"{100 * row['change']:.3g} % of a spectrum's range (median over these spectra)."
            )
    return said
