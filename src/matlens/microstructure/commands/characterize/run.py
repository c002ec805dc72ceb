"""The steps of ``characterize`` in a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import xarray as xr

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.characterize.blocks import (
    forecast_blocks,
    prepare_blocks,
    wanted_in_blocks,
    work_blocks,
)
from matlens.microstructure.commands.characterize.spec import CharacterizeSpec
from matlens.microstructure.commands.inputs import Inputs, exemplars_of, read_inputs, understood
from matlens.microstructure.commands.thresholds import extent, kept_variants
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.statistics import (
    STUDIED,
    characterize,
    cost,
    find_statistics,
    rectangle_of,
    rectangle_said,
    representative_size,
    threshold_ranges,
)
from matlens.microstructure.statistics.tables import (
    curves_of_files,
    distributions_of_files,
    measures_of_files,
    scalars_of_files,
)
from matlens.microstructure.structure import Microstructure
from matlens.runs.command import LIBRARIES, Plan, Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["forecast", "prepare", "work"]


def prepare(spec: CharacterizeSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the micrographs.

    Parameters
    ----------
    spec : CharacterizeSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.
    """
    inputs = Inputs.asked(spec.files, spec)
    if wanted_in_blocks(spec):
        return prepare_blocks(spec, inputs, environment)
    found = [_noted(one, spec) for one in read_inputs(inputs)]
    spec = replace(spec, device=environment["device"])
    return Prepared(spec, "", {"inputs": inputs.hashed().settings()}, found, understood(found))


def _noted(found: Segmentation, spec: CharacterizeSpec) -> Segmentation:
    """Say where statistics are measured that a mask has no meaning for."""
    structure = found.microstructure
    chosen = find_statistics(spec.statistics)
    whole = [statistic.long_name for statistic in chosen if any(variable.whole for variable in statistic.variables)]
    if structure.mask is None or not whole:
        return found
    names = " and ".join(whole)
    if rectangle_of(structure) is None:
        return found.noted(f"No {names}: {rectangle_said(structure)}.")
    return found.noted(f"{names.capitalize()}: measured in {rectangle_said(structure)}.")


def forecast(prepared: Prepared) -> Plan:
    """Estimate the time of all statistics of all inputs, and the memory of the one that needs most.

    Parameters
    ----------
    prepared : Prepared
        What `prepare` returned.

    Returns
    -------
    Plan
        Number of files, seconds and bytes.
    """
    if prepared.options.blocks:
        return forecast_blocks(prepared)
    structures = [segmentation.microstructure for segmentation in prepared.found]
    costs = [cost(prepared.options.statistics, m.shape, m.n_phases) for m in structures]
    files = "1 file" if len(structures) == 1 else f"{len(structures)} files"
    size, largest = max((size, m.shape) for (_, size), m in zip(costs, structures))
    seconds = sum(seconds for seconds, _ in costs)
    return Plan(files, seconds, LIBRARIES + size, largest, "use --downsample {factor}, --crop, or fewer --statistics")


def work(run: RunDirectory, progress: Progress, found: Any = None) -> None:
    """Measure the statistics of the run's inputs: ``statistics.nc`` and its tables.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Called after each statistic of each input.
    found : sequence of Segmentation, or Opened, optional
        The inputs, where they have been read already; in blocks, the volume that has been opened.
    """
    inputs, spec = Inputs.from_settings(run.settings["inputs"]), options_of(run, CharacterizeSpec)
    if spec.blocks:
        work_blocks(run, spec, inputs, progress, found)
        return
    structures = exemplars_of(run, inputs, found, thresholds=True)
    names = inputs.names
    statistics = spec.statistics
    said: list[str] = []
    several = len(structures) > 1
    dataset = characterize(
        structures if several else structures[0],
        names=names if several else None,
        statistics=statistics,
        progress=progress,
    )
    with run.writing("statistics.nc") as file:
        dataset.to_netcdf(file, engine="h5netcdf")
    ranges: dict[str, xr.Dataset] = {}
    for index, (name, variants) in enumerate(zip(names, kept_variants(run, structures))):
        if variants:
            known = dataset.isel(file=index) if several else dataset
            ranges[name] = threshold_ranges(variants, statistics=statistics, known=known, progress=progress)
            said.append(_uncertainty(name if several else "", extent(variants), ranges[name]))
    if said:
        run.mark("running", warnings=said)
    write_table(run, "statistics", scalars_of_files(dataset, names))
    for name, table in (
        ("measures", measures_of_files(dataset, names, ranges)),
        ("curves", curves_of_files(dataset, names, ranges)),
        ("distributions", distributions_of_files(dataset, names)),
    ):
        if len(table):  # a report leaves out the section of a table that is not there
            write_table(run, name, table)
    studied = [name for name, statistic in STUDIED.items() if statistics is None or statistic in statistics]
    if studied:
        _write_representative(run, structures, names, studied)


def _uncertainty(name: str, thresholds: str, ranges: xr.Dataset) -> str:
    """Say how far fractions move with the thresholds, and where the ranges of the other statistics stand."""
    said = f"{name}: t" if name else "T"
    said += f"hresholds between grey {thresholds} separate the phases nearly as well as those in use"
    if "volume_fraction" in ranges:
        shares = ", ".join(
            f"{phase} {100 * low:.3g} to {100 * high:.3g} %"
            for phase, (low, high) in zip(ranges["phase_name"].values, ranges["volume_fraction"].values)
        )
        said += f"; volume fractions then are {shares}"
    said += "; measures.csv and the report give the range of every statistic"
    left_out = ranges.attrs["left_out"].replace("_", " ").replace(",", ", ")
    return f"{said}, but of {left_out}, which would take too long." if left_out else f"{said}."


def _write_representative(
    run: RunDirectory, structures: Sequence[Microstructure], names: Sequence[str], studied: Sequence[str]
) -> None:
    """Write how windows scatter; files too small to be cut into windows are left out."""
    found: dict[str, list[pd.DataFrame]] = {}
    for name, structure in zip(names, structures):
        try:
            study = representative_size(structure, statistics=studied)
        except InputError:
            continue
        for kind, table in (("", study.spread), ("_laws", study.laws), ("_windows", study.windows)):
            if len(table):
                found.setdefault(f"representative{kind}", []).append(table.assign(file=name))
    for kind, tables in found.items():
        write_table(run, kind, pd.concat(tables, ignore_index=True))
