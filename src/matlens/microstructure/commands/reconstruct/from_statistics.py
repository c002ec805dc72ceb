"""The steps of ``reconstruct --target`` in a run directory: microstructures from statistics alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from matlens.core.guard import reading
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.outcome import write_outcome
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.commands.reconstruct.spec import ReconstructSpec
from matlens.microstructure.problems import white_noise
from matlens.microstructure.reconstruction import CurveTargets, Plan, plan_from_statistics
from matlens.microstructure.statistics import read_statistics
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import DATASET
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.provenance import sha256
from matlens.runs.resumable import once
from matlens.runs.tables import write_table

__all__ = ["prepare", "work"]

TARGET = "target.nc"


def prepare(spec: ReconstructSpec, environment: Mapping[str, Any]) -> Prepared:
    """Check the options against the statistics, and fill in the shape.

    Parameters
    ----------
    spec : ReconstructSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.

    Raises
    ------
    InputError
        If the file or something asked for cannot be used.
    """
    if unknown := sorted(set(spec.set or {}) - {"moves"}):
        raise InputError(f"--target knows no option {unknown[0]!r} of --set; it has moves (swaps a pixel).")
    target = str(spec.target)
    with reading(target, "statistics of a microstructure", "name the statistics.nc of a characterize run"):
        choices = _plan(spec, read_statistics(target)).settings
    spec = replace(spec, shape=tuple(choices["shape"]), method="annealing", device=environment["device"])
    size = "x".join(str(side) for side in choices["shape"])
    said = f"{choices['n']} x {size} px from {Path(target).name} by annealing, seed {spec.seed}"
    return Prepared(spec, said, {"target": {"sha256": sha256(target)}, "resolved": choices})


def _plan(spec: ReconstructSpec, statistics: xr.Dataset) -> Plan[Any]:
    """Check everything and resolve every choice."""
    moves = (spec.set or {}).get("moves", "100")
    if not moves.isdecimal() or int(moves) < 1:
        raise InputError(f"moves={moves!r} is no number of swaps a pixel; give 1 or more, e.g. 100.")
    return plan_from_statistics(
        statistics,
        None if isinstance(spec.shape, str) else spec.shape,
        n=spec.n,
        fraction=spec.fraction,
        moves=int(moves),
        seed=spec.seed,
    )


def work(run: RunDirectory, progress: Progress) -> None:
    """Reconstruct from statistics as the run's settings say, and write everything but the report.

    Writes the realisations, and ``errors.csv`` and ``curves.csv`` with white noise beside them.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt; the best so far is written as ``partial_I.npy`` and ``.tif``.
    SomeFailed
        If all of several realisations failed; those that fail beside others are named in the provenance.
    """
    spec = options_of(run, ReconstructSpec)
    statistics = _kept(run, str(spec.target))
    planned, targets = _plan(spec, statistics), CurveTargets.from_dataset(statistics)
    store = RealisationStore(run, planned.exemplars[0], say=progress.say)
    result = store.make(planned, progress)
    write_outcome(run, result)
    first = result.microstructure
    noise = first.with_labels(white_noise(first.shape, first.volume_fractions, spec.seed).labels)
    results = zip(result.numbers, result.microstructures)
    sources = {f"result {number}": m for number, m in results} | {"white noise": noise}
    rows = [{"source": source, **targets.errors(m)} for source, m in sources.items()]
    write_table(run, "errors", pd.DataFrame(rows))
    write_table(run, "curves", _curves(targets, sources))
    run.mark("running", sentences=[_sentence(row, rows[-1]) for row in rows[:-1]])


def _kept(run: RunDirectory, target: str) -> xr.Dataset:
    """The statistics as the run keeps them, so that it no longer needs the file."""

    def unchanged() -> xr.Dataset:
        if sha256(target) != run.settings["target"]["sha256"]:
            raise InputError(f"{target} has changed since the run started; start a new run.")
        return read_statistics(target)

    return once(run, TARGET, unchanged, DATASET)


def _curves(targets: CurveTargets, sources: Mapping[str, Microstructure]) -> pd.DataFrame:
    """One point a row, distances in the unit of the target."""
    tables = [_rows(targets, "target", np.stack([targets.radial, *np.moveaxis(targets.axes, 1, 0)], 1), targets.lines)]
    tables += [_rows(targets, source, *targets.measured(m)) for source, m in sources.items()]
    most = min(table["offset"].max() for table in tables)
    table = pd.concat(tables, ignore_index=True)
    shown: pd.DataFrame = table[table["offset"] <= most].drop(columns="offset")
    return shown


def _rows(targets: CurveTargets, source: str, pairs: Any, lines: Any) -> pd.DataFrame:
    scale = float(np.prod(targets.spacing) ** (1 / len(targets.spacing)))
    curves: list[tuple[str, str, float, Sequence[Any]]] = [
        ("two_point", axis, step, pairs[:, i])
        for i, (axis, step) in enumerate(zip(("radial", "y", "x"), (scale, *targets.spacing)))
    ]
    if lines is not None and targets.lines is not None:
        curves += [("lineal_path", axis, targets.spacing[i], lines[:, i]) for i, axis in enumerate(("y", "x"))]
    return pd.concat(
        [
            pd.DataFrame({
                "statistic": statistic,
                "phase": phase,
                "axis": axis,
                "source": source,
                "offset": np.arange(len(values)),
                "distance": np.arange(len(values)) * step,
                "value": values,
            })
            for statistic, axis, step, curve in curves
            for phase, values in zip(targets.phase_names, curve)
        ],
        ignore_index=True,
    )  # fmt: skip


def _sentence(row: Mapping[str, Any], noise: Mapping[str, Any]) -> str:
    said = f"{row['source'].capitalize()}: two-point error {row['s2_error']:.3f} (white noise {noise['s2_error']:.2f})"
    if np.isnan(row["lineal_path_error"]):
        return f"{said}."
    return f"{said}, lineal-path error {row['lineal_path_error']:.3f} ({noise['lineal_path_error']:.2f})."
