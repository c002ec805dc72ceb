"""The steps of ``characterize`` in a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import xarray as xr

from matlens.core.atomic import atomic_write
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.characterize.spec import CharacterizeSpec
from matlens.microstructure.commands.characterize.tables import distributions_of_files, measures_of_files
from matlens.microstructure.commands.inputs import Inputs, exemplars_of, read_inputs
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.statistics import characterize, representative_size
from matlens.microstructure.structure import Microstructure
from matlens.runs.command import Prepared
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import curves_of_files, write_table

__all__ = ["prepare", "work"]


def prepare(spec: CharacterizeSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the micrographs."""
    inputs = Inputs.asked(spec.files, spec)
    found = read_inputs(inputs)
    spec = replace(spec, device=environment["device"])
    return Prepared(spec, "", {"inputs": inputs.hashed().settings()}, found)


def work(run: RunDirectory, progress: Progress, found: Sequence[Segmentation] | None = None) -> None:
    """Measure the statistics of the run's inputs: ``statistics.nc`` and its tables.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Not told anything: this takes seconds.
    found : sequence of Segmentation, optional
        The inputs, where they have been read already.
    """
    inputs = Inputs.from_settings(run.settings["inputs"])
    structures = exemplars_of(run, inputs, found)
    names = inputs.names
    dataset = characterize(structures, names=names) if len(structures) > 1 else characterize(structures[0])
    with atomic_write(run.claim("statistics.nc")) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf")
    write_table(run, "statistics", _scalars(dataset, names))
    write_table(run, "measures", measures_of_files(dataset, names))
    write_table(run, "curves", curves_of_files(dataset, names))
    write_table(run, "distributions", distributions_of_files(dataset, names))
    _write_representative(run, structures, names)


def _write_representative(run: RunDirectory, structures: Sequence[Microstructure], names: Sequence[str]) -> None:
    """Write how windows scatter; files too small to be cut into windows are left out."""
    found: dict[str, list[pd.DataFrame]] = {}
    for name, structure in zip(names, structures):
        try:
            study = representative_size(structure)
        except InputError:
            continue
        for kind, table in (("", study.spread), ("_laws", study.laws), ("_windows", study.windows)):
            if len(table):
                found.setdefault(f"representative{kind}", []).append(table.assign(file=name))
    for kind, tables in found.items():
        write_table(run, kind, pd.concat(tables, ignore_index=True))


def _scalars(dataset: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """One row a file and phase; what is known by axis gets a column an axis."""
    files = dataset if "file" in dataset.dims else dataset.expand_dims("file").assign_coords(file=list(names))
    rows = []
    for name in names:
        for phase, phase_name in enumerate(dataset["phase_name"].values):
            row: dict[str, object] = {"file": name, "phase": str(phase_name)}
            part = files.sel(file=name).isel(phase=phase)
            for variable, values in part.data_vars.items():
                if values.dims == ():
                    row[str(variable)] = values.item()
                elif values.dims == ("axis",):
                    row |= {f"{variable}_{axis}": values.sel(axis=axis).item() for axis in dataset["axis"].values}
            rows.append(row)
    return pd.DataFrame(rows)
