"""The steps of ``characterize`` in a run directory."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from matlens.core.atomic import atomic_write
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.characterize.tables import (
    curves_of_files,
    distributions_of_files,
    measures_of_files,
    scalars_of_files,
)
from matlens.microstructure.commands.inputs import Inputs, exemplars_of
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.statistics import STUDIED, characterize, representative_size
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["characterize_in"]


def characterize_in(run: RunDirectory, progress: Progress, found: Sequence[Segmentation] | None = None) -> None:
    """Measure the statistics of the run's inputs: ``statistics.nc`` and its tables.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Called after each statistic of each input.
    found : sequence of Segmentation, optional
        The inputs, where they have been read already.
    """
    inputs = Inputs.of(run.settings["inputs"])
    structures = exemplars_of(run, inputs, found)
    names = inputs.names
    statistics = run.settings.get("characterize", {}).get("statistics")
    several = len(structures) > 1
    dataset = characterize(
        structures if several else structures[0],
        names=names if several else None,
        statistics=statistics,
        progress=progress,
    )
    with atomic_write(run.claim("statistics.nc")) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf")
    write_table(run, "statistics", scalars_of_files(dataset, names))
    for name, table in (
        ("measures", measures_of_files(dataset, names)),
        ("curves", curves_of_files(dataset, names)),
        ("distributions", distributions_of_files(dataset, names)),
    ):
        if len(table):  # a report leaves out the section of a table that is not there
            write_table(run, name, table)
    studied = [name for name, statistic in STUDIED.items() if statistics is None or statistic in statistics]
    if studied:
        _write_representative(run, structures, names, studied)


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
