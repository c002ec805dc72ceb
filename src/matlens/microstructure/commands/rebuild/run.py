"""The steps of ``reconstruct --target`` in a run directory: microstructures from statistics alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from matlens.errors import InputError, Interrupted
from matlens.hooks import Progress
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.commands.reconstruct.run import write_outcome
from matlens.microstructure.problems import white_noise
from matlens.microstructure.reconstruction import CurveTargets, Plan, Prepared, plan_from_statistics
from matlens.microstructure.statistics import read_statistics
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import DATASET
from matlens.runs.directory import RunDirectory
from matlens.runs.provenance import sha256
from matlens.runs.resumable import once
from matlens.runs.tables import write_table

__all__ = ["RebuildOrder", "rebuild_in"]

TARGET = "target.nc"


@dataclass(frozen=True)
class RebuildOrder:
    """What is asked, as a settings file holds it; see `matlens.reconstruct_from_statistics` for the meaning.

    Examples
    --------
    >>> RebuildOrder.of(RebuildOrder("statistics.nc", (64, 64)).settings()).shape
    (64, 64)
    """

    target: str
    shape: tuple[int, ...] | None = None
    n: int = 1
    fraction: str | tuple[float, ...] = "exact"
    moves: str = "100"
    seed: int = 0
    sha256: str = ""

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        return {
            "seed": self.seed,
            "rebuild": {
                "target": self.target,
                "sha256": self.sha256,
                "shape": None if self.shape is None else list(self.shape),
                "n": self.n,
                "fraction": self.fraction if isinstance(self.fraction, str) else list(self.fraction),
                "moves": self.moves,
            },
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> RebuildOrder:
        """Read it back."""
        asked = settings["rebuild"]
        shape, fraction = asked.get("shape"), asked["fraction"]
        return cls(
            asked["target"],
            None if shape is None else tuple(shape),
            asked["n"],
            fraction if isinstance(fraction, str) else tuple(fraction),
            asked["moves"],
            settings["seed"],
            asked["sha256"],
        )

    def plan(self, statistics: xr.Dataset) -> Plan[Prepared]:
        """Check everything and resolve every choice."""
        if not self.moves.isdecimal() or int(self.moves) < 1:
            raise InputError(f"moves={self.moves!r} is no number of swaps a pixel; give 1 or more, e.g. 100.")
        return plan_from_statistics(
            statistics, self.shape, n=self.n, fraction=self.fraction, moves=int(self.moves), seed=self.seed
        )

    def resolved(self) -> tuple[RebuildOrder, dict[str, Any]]:
        """Check the order, and fill in the shape and the file's hash; the second value holds every choice in words.

        Raises
        ------
        InputError
            If the file or something asked for cannot be used.
        """
        choices = self.plan(read_statistics(self.target)).settings
        return replace(self, shape=tuple(choices["shape"]), sha256=sha256(self.target)), choices


def rebuild_in(run: RunDirectory, progress: Progress) -> None:
    """Rebuild as the run's settings say; writes realisations, ``errors.csv`` and ``curves.csv``, white noise beside.

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
    """
    order = RebuildOrder.of(run.settings)
    statistics = _kept(run, order)
    work, targets = order.plan(statistics), CurveTargets.from_dataset(statistics)
    store = RealisationStore(run, work.exemplars[0])
    try:
        result = work.run(progress, store)
    except Interrupted as stop:
        store.write_partial(stop.result)
        raise
    write_outcome(run, result)
    first = result.microstructure
    noise = first.with_labels(white_noise(first.shape, first.volume_fractions, order.seed).labels)
    sources = {f"result {index}": m for index, m in enumerate(result.microstructures)} | {"white noise": noise}
    rows = [{"source": source, **targets.errors(m)} for source, m in sources.items()]
    write_table(run, "errors", pd.DataFrame(rows))
    write_table(run, "curves", _curves(targets, sources))
    run.mark("running", sentences=[_sentence(row, rows[-1]) for row in rows[:-1]])


def _kept(run: RunDirectory, order: RebuildOrder) -> xr.Dataset:
    """The statistics as the run keeps them, so that it no longer needs the file."""

    def unchanged() -> xr.Dataset:
        if sha256(order.target) != order.sha256:
            raise InputError(f"{order.target} has changed since the run started; start a new run.")
        return read_statistics(order.target)

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
