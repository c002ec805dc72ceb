"""The steps of ``explain`` for a model of a property of structures: its maps, and whether physics agrees with them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.explain.spec import ExplainSpec
from matlens.microstructure.commands.inputs import by_number
from matlens.microstructure.commands.samples import (
    Sample,
    check_model,
    digest_of,
    model_of,
    notes_of,
    read_samples,
    understood_of,
)
from matlens.microstructure.physics import phase_values
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
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import STATE, RunDirectory
from matlens.runs.resumable import each
from matlens.runs.tables import write_table

__all__ = ["MAPS", "prepare", "work"]

_log = logging.getLogger(__name__)
MAPS = "map_{}.nc"
WHOLE = 4000  # interface pixels of the first structure that are all flipped, to be looked at
_CELLS = 2**26  # of all these flipped structures together, at most: under a minute to solve


def prepare(spec: ExplainSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the structures and the model.

    Parameters
    ----------
    spec : ExplainSpec
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
        If the model is one of a library or cannot be read, a structure cannot be read, or ``conductivity`` does not
        give a value for each phase.
    """
    check_model(spec, "explain")
    found = read_samples(spec)
    spec = replace(spec, device=environment["device"], conductivity=_by_number(spec, found))
    target = model_of(spec, spec.device).target_
    _conductivities(spec, found)
    said = f"{target} of {min(spec.n, len(found))} structures"
    return Prepared(
        spec,
        said,
        {"inputs": {"digest": digest_of(found)}},
        found,
        understood_of([sample.understood for sample in found]),
    )


def work(run: RunDirectory, progress: Progress, found: Sequence[Sample] | None = None) -> None:
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
    spec = options_of(run, ExplainSpec)
    found = read_samples(spec, run.settings["inputs"]["digest"]) if found is None else found
    samples, values = _chosen(found, spec.n), _conductivities(spec, found)
    model = model_of(spec, spec.device)
    solved, why = _solvable(model, values)
    notes = [*notes_of(samples, model), *(_borders(samples, model) if solved else [])]
    asked = {"phase_values": values, "flips_per_structure": spec.flips}

    def make(numbered: tuple[int, Sample]) -> xr.Dataset:
        index, sample = numbered
        return _explained(run, model, index, sample, {**asked, "seed": spec.seed + index} if solved else None)

    each(
        run,
        "maps",
        {str(index): (index, sample) for index, sample in enumerate(samples)},
        make,
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
        run.spend(name)


def _chosen(found: Sequence[Sample], n: int) -> list[Sample]:
    """Structures to explain, spread evenly over those found."""
    rows = np.unique(np.linspace(0, len(found) - 1, min(n, len(found))).round().astype(int))
    return [found[row] for row in rows]


def _by_number(spec: ExplainSpec, found: Sequence[Sample]) -> dict[int | str, float] | None:
    """Conductivities by numbers of phases, which must be the same ones in every structure."""
    numbered = [by_number(spec.conductivity, sample.structure, sample.meanings) for sample in found]
    for sample, values in zip(found, numbered):
        if values != numbered[0]:
            raise InputError(
                f"--conductivity names other phases in {sample.name} than in {found[0].name}, whose values differ; "
                "name the phases by their numbers."
            )
    return numbered[0]


def _conductivities(spec: ExplainSpec, found: Sequence[Sample]) -> tuple[float, ...] | None:
    """Conductivity of each phase of the first structure; None where it is left to the model."""
    if spec.conductivity is None:
        return None
    return tuple(float(value) for value in phase_values(found[0].structure, spec.conductivity, "conductivity"))


def _solvable(model: StructurePropertyModel, values: tuple[float, ...] | None) -> tuple[bool, str]:
    """Whether the truth can be solved for; if not, why."""
    try:
        conduction_of(model, values)
    except InputError as error:
        if values is not None:
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
    run: RunDirectory, model: StructurePropertyModel, index: int, sample: Sample, asked: Mapping[str, Any] | None
) -> xr.Dataset:
    """Maps of one structure; its flips are written before, so that the file of the maps says that all is there.

    Without ``asked`` (options of `matlens.microstructure.properties.study_sensitivity`) nothing is solved.
    """
    labels = sample.structure.labels
    data = StructureSet.from_arrays(labels[None], names=np.array([sample.name]), periodic=model.periodic_)
    maps: dict[str, NDArray[np.float64]] = {}
    if asked is not None:
        study = study_sensitivity(model, data, **asked)
        maps |= {"gradient": study.gradient[0], "linearised": study.linearised[0]}
        if index == 0 and _whole(labels, model.periodic_):
            maps["flip"] = flip_map(labels, conduction_of(model, asked["phase_values"]))
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
        f"for comparison, a map of the phases alone reaches {said('both', 'phase')}.",
    ]


def _state(name: str, index: int) -> str:
    return f"{STATE}/{name}/{index}.csv"
