"""The steps of ``explain`` for a model of a property of structures: its maps, and whether physics agrees with them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.predict.run import PredictOrder, Sample, notes_of
from matlens.microstructure.physics.summary import axis_names
from matlens.microstructure.properties import (
    StructurePropertyModel,
    StructureSet,
    conduction_of,
    difference_map,
    flip_map,
    interface,
    score_flips,
    sensitivity_map,
    study_sensitivity,
    summarise_scores,
)
from matlens.runs.codecs import DATASET, TABLE, read_value, write_value
from matlens.runs.directory import STATE, RunDirectory
from matlens.runs.resumable import each
from matlens.runs.tables import write_table

__all__ = ["MAPS", "ExplainOrder", "sensitivity_in"]

_log = logging.getLogger(__name__)
MAPS = "map_{}.nc"
WHOLE = 4000  # interface pixels of the first structure that are all flipped, to be looked at
_CELLS = 2**26  # of all these flipped structures together, at most: under a minute to solve


@dataclass(frozen=True)
class ExplainOrder:
    """What is asked, as a settings file holds it.

    Parameters
    ----------
    source : PredictOrder
        The model and the structures.
    n : int
        Structures taken at most, spread evenly over those given.
    flips : int
        Interface pixels flipped in each.
    phase_values : tuple of float, optional
        Conductivity of each phase, where the model does not know.
    seed : int
        Of the pixels.

    Examples
    --------
    >>> order = ExplainOrder(PredictOrder("/model", ("/a.tif",)), phase_values=(1.0, 50.0))
    >>> ExplainOrder.of(order.settings()) == order
    True
    """

    source: PredictOrder
    n: int = 24
    flips: int = 40
    phase_values: tuple[float, ...] | None = None
    seed: int = 0

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        content = self.source.settings()
        asked = {"n": self.n, "flips": self.flips}
        if self.phase_values is not None:
            asked["phase_values"] = list(self.phase_values)  # type: ignore[assignment]
        return {"seed": self.seed, "device": content["device"], "explain": {**content["predict"], **asked}}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ExplainOrder:
        """Read it back."""
        asked = dict(settings["explain"])
        n, flips = asked.pop("n"), asked.pop("flips")
        values = asked.pop("phase_values", None)
        source = PredictOrder.of({"device": settings["device"], "predict": asked})
        return cls(source, n, flips, None if values is None else tuple(values), settings["seed"])

    def resolved(self, found: Sequence[Sample]) -> ExplainOrder:
        """Note what the structures are."""
        return replace(self, source=self.source.resolved(found))

    def chosen(self, found: Sequence[Sample]) -> list[Sample]:
        """Structures to explain, spread evenly over those found."""
        rows = np.unique(np.linspace(0, len(found) - 1, min(self.n, len(found))).round().astype(int))
        return [found[row] for row in rows]


def sensitivity_in(run: RunDirectory, progress: Progress, found: Sequence[Sample] | None = None) -> None:
    """Explain as the run's settings say, and write everything but the report.

    Writes ``map_I.nc`` of each structure; and, where the model predicts a component of conductivity, ``flips.csv``,
    ``properties.csv``, ``agreement.csv`` (one row a structure, way of flipping and map) and ``summary.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Called with structures done and total.
    found : sequence of Sample, optional
        The structures, where they have been read already.

    Raises
    ------
    InputError
        If the model has no gradient, or the structures are none that it takes.
    KeyboardInterrupt
        On an interrupt; structures that are finished are kept.
    """
    order = ExplainOrder.of(run.settings)
    samples = order.chosen(order.source.read() if found is None else found)
    model = order.source.read_model()
    solved, why = _solvable(model, order)
    notes = [*notes_of(samples, model), *(_borders(samples, model) if solved else [])]
    each(
        run,
        "maps",
        {str(index): (index, sample) for index, sample in enumerate(samples)},
        lambda numbered: _explained(run, order, model, *numbered, solved),
        DATASET,
        file=MAPS,
        progress=progress,
        label="structures explained",
    )
    sentences = [why]
    if solved:
        sentences = _write_agreement(run, len(samples))
    run.mark(
        "running",
        resolved={**model.chosen_, "target": model.target_, "structures": len(samples)},
        notes=notes,
        sentences=sentences,
    )
    for name in ("flips", "values"):
        run.drop(name)


def _solvable(model: StructurePropertyModel, order: ExplainOrder) -> tuple[bool, str]:
    """Whether the truth can be solved for; if not, why."""
    try:
        conduction_of(model, order.phase_values)
    except InputError as error:
        if order.phase_values is not None:
            raise
        return False, str(error)
    return True, ""


def _borders(samples: Sequence[Sample], model: StructurePropertyModel) -> list[str]:
    """Warn where the truth is solved for borders of another kind than a structure's own."""
    odd = sum(sample.structure.periodic != model.periodic_ for sample in samples)
    if not odd:
        return []
    kinds = (
        "are periodic and yet solved, as the model was trained, with the potential fixed on two faces.",
        "do not say that they are periodic and are solved as a periodic cell, as the model was trained: interfaces "
        "made where opposite borders meet are part of their truth.",
    )
    note = f"{odd} of {len(samples)} structures {kinds[model.periodic_]}"
    _log.warning(note)
    return [note]


def _whole(labels: NDArray[np.uint8], periodic: bool) -> bool:
    """Whether every interface pixel is flipped: where they are few enough, and the structure is small enough."""
    count = int(interface(labels, periodic=periodic).sum())
    return count <= WHOLE and count * labels.size <= _CELLS


def _explained(
    run: RunDirectory, order: ExplainOrder, model: StructurePropertyModel, index: int, sample: Sample, solved: bool
) -> xr.Dataset:
    """Maps of one structure; its flips are written before, so that the file of the maps says that all is there."""
    labels = sample.structure.labels
    data = StructureSet.from_arrays(labels[None], names=np.array([sample.name]), periodic=model.periodic_)
    maps: dict[str, NDArray[np.float64]] = {}
    if solved:
        study = study_sensitivity(
            model, data, phase_values=order.phase_values, flips_per_structure=order.flips, seed=order.seed + index
        )
        maps |= {"gradient": study.gradient[0], "linearised": study.linearised[0]}
        if index == 0 and _whole(labels, model.periodic_):
            maps["flip"] = flip_map(labels, conduction_of(model, order.phase_values))
            maps["difference"] = difference_map(model, labels)
        for name, table in (("flips", study.flips), ("values", study.values)):
            write_value(run, _state(name, index), table, TABLE)
    else:
        maps["gradient"] = sensitivity_map(model, data)[0]
    return _labelled(maps, model, sample)


def _labelled(maps: Mapping[str, Any], model: StructurePropertyModel, sample: Sample) -> xr.Dataset:
    structure = sample.structure
    axes = axis_names(structure.ndim)
    words = {
        "gradient": "change of the prediction, to first order, for each pixel that becomes phase 1",
        "linearised": "change of the solved property, to first order, for each pixel that becomes phase 1",
        "difference": "change of the prediction when the interface pixel is flipped, towards phase 1",
        "flip": "change of the solved property when the interface pixel is flipped, towards phase 1",
    }
    dataset = xr.Dataset({"phase": (axes, structure.labels, {"long_name": "label of the phase", "units": "1"})})
    for name, values in maps.items():
        dataset[name] = (axes, values, {"long_name": words[name], "units": f"unit of {model.target_}"})
    for axis, step, size in zip(axes, structure.spacing, structure.shape):
        dataset[axis] = (axis, (np.arange(size) + 0.5) * step, {"units": structure.unit})
    dataset.attrs = {"title": f"Sensitivity of {model.target_}", "structure": sample.name}
    return dataset


def _write_agreement(run: RunDirectory, count: int) -> list[str]:
    """Tables of all structures, and what they say."""
    flips, values = (
        pd.concat([read_value(run, _state(name, index), TABLE) for index in range(count)], ignore_index=True)
        for name in ("flips", "values")
    )
    scores = score_flips(flips.astype({"structure": str}))
    summary = summarise_scores(scores)
    for name, table in (("flips", flips), ("properties", values), ("agreement", scores), ("summary", summary)):
        write_table(run, name, table)
    return _sentences(summary, count)


def _sentences(summary: pd.DataFrame, count: int) -> list[str]:
    rows = {(row["moves"], row["map"]): row for row in summary.to_dict("records")}

    def said(moves: str, name: str) -> str:
        row = rows[moves, name]
        if not row["structures"]:
            return "unknown (it does not vary)"
        return f"{row['pearson']:.2f} ({row['pearson_low']:.2f} to {row['pearson_high']:.2f})"

    return [
        f"Within phase 0 the model's gradient correlates {said('0 to 1', 'gradient')} with the solved effect of flips, "
        f"its predictions of flipped structures {said('0 to 1', 'difference')}, linearised physics "
        f"{said('0 to 1', 'linearised')}; mean over {count} structures, 90 % interval.",
        f"Within phase 1: {said('1 to 0', 'gradient')}, {said('1 to 0', 'difference')} and "
        f"{said('1 to 0', 'linearised')}.",
        f"At equal volume fraction (swaps): {said('swap', 'gradient')}, {said('swap', 'difference')} and "
        f"{said('swap', 'linearised')}.",
        f"Over both phases {said('both', 'gradient')}, {said('both', 'difference')} and {said('both', 'linearised')}, "
        f"where a map that knows nothing but the phase reaches {said('both', 'phase')}.",
    ]


def _state(name: str, index: int) -> str:
    return f"{STATE}/{name}/{index}.csv"
