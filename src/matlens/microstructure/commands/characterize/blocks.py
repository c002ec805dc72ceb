"""The steps of ``characterize`` for a volume that does not fit into the memory: block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from matlens.core.memory import check_disk, free_memory, parse_size
from matlens.errors import InputError
from matlens.hooks import Arrays, Progress
from matlens.microstructure.commands.characterize.spec import CharacterizeSpec
from matlens.microstructure.commands.inputs import Inputs
from matlens.microstructure.commands.opened import kept_volume, open_asked
from matlens.microstructure.io import open_image
from matlens.microstructure.segmentation import Opened
from matlens.microstructure.statistics import BlockPlan, cost, plan_blocks
from matlens.microstructure.statistics.tables import (
    curves_of_files,
    distributions_of_files,
    measures_of_files,
    scalars_of_files,
)
from matlens.runs.codecs import ARRAYS
from matlens.runs.command import LIBRARIES, Plan, Prepared
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each
from matlens.runs.sources import PROBLEM
from matlens.runs.tables import write_table

__all__ = ["forecast_blocks", "prepare_blocks", "wanted_in_blocks", "work_blocks"]

_SMALL = 1e7  # bytes of a file that fits whatever it holds
_COPIES = 4  # of the values, while a file is read whole
_FREE = 0.8  # share of the free memory


def wanted_in_blocks(spec: CharacterizeSpec) -> bool:
    """Decide whether a volume is measured in blocks.

    Parameters
    ----------
    spec : CharacterizeSpec
        Options of the command.

    Returns
    -------
    bool
        Whether that is asked for, or one of the files does not fit into the memory whole.

    Raises
    ------
    InputError
        If it is one of several files.
    """
    large = [source for source in spec.files if not source.startswith(PROBLEM) and _exceeds(source, spec)]
    if not (spec.blocks or large):
        return False
    if len(spec.files) > 1:
        raise InputError(
            f"{Path((large or spec.files)[0]).name} is measured in blocks, and a run of blocks has one file; give each "
            "such file a run of its own."
        )
    return True


def _exceeds(source: str, spec: CharacterizeSpec) -> bool:
    """Whether reading a file whole and measuring it takes more memory than there is."""
    path = Path(source)
    if path.is_file() and path.stat().st_size < _SMALL and spec.memory is None:
        return False
    try:
        values = open_image(path, dataset=spec.dataset).values
    except InputError:  # of a format that is read whole only, whose reader says what is wrong
        return False
    size = cost(spec.statistics, values.shape, 2)[1] + _COPIES * values.dtype.itemsize * prod(values.shape)
    return LIBRARIES + size > _memory(spec)


def _memory(spec: CharacterizeSpec) -> float:
    return _FREE * free_memory() if spec.memory is None else parse_size(spec.memory)


def prepare_blocks(spec: CharacterizeSpec, inputs: Inputs, environment: Mapping[str, Any]) -> Prepared:
    """Open the volume and look through it once.

    Parameters
    ----------
    spec : CharacterizeSpec
        Options of the command.
    inputs : Inputs
        The one file.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with the memory resolved, on which the blocks depend.

    Raises
    ------
    InputError
        If the file cannot be opened, or no block fits.
    """
    found = open_asked(inputs, "--blocks")
    memory = f"{_memory(spec) / 1e9:.3f}GB"
    spec = replace(spec, device=environment["device"], memory=memory, blocks=True)
    plan = _plan(spec, found)
    shape = " x ".join(map(str, plan.blocks[0].shape))
    notes = [f"  The volume is measured in {len(plan.blocks)} blocks of at most {shape} pixels."]
    if plan.left_out:
        names = ", ".join(name.replace("_", " ") for name in plan.left_out)
        notes.append(f"  Left out, because they cannot be taken in blocks: {names}.")
    settings = {"inputs": inputs.hashed().settings()}
    return Prepared(spec, "", settings, found, (*found.understood.lines(), *notes))


def _plan(spec: CharacterizeSpec, found: Opened) -> BlockPlan:
    memory = parse_size(spec.memory or "")
    return plan_blocks(found.microstructure, statistics=spec.statistics, reach=spec.reach, memory=memory)


def forecast_blocks(prepared: Prepared) -> Plan:
    """Estimate time and memory.

    Parameters
    ----------
    prepared : Prepared
        Result of `prepare_blocks`.

    Returns
    -------
    Plan
        Number of blocks, seconds and bytes.
    """
    plan = _plan(prepared.options, prepared.found)
    advice = "give less --memory, a shorter --reach or fewer --statistics"
    return Plan(f"{len(plan.blocks)} blocks", plan.seconds(), plan.bytes, advice=advice)


def work_blocks(
    run: RunDirectory, spec: CharacterizeSpec, inputs: Inputs, progress: Progress, found: Opened | None = None
) -> None:
    """Measure the blocks that are missing, merge all of them, and write what `work` writes of files that fit.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    spec : CharacterizeSpec
        Options of the run.
    inputs : Inputs
        The one file.
    progress : Progress
        Called after each block.
    found : Opened, optional
        The volume, where it has been opened already.

    Raises
    ------
    InputError
        If the file has changed since the run began, or states of the blocks do not fit on the disk.
    """
    found = kept_volume(run, inputs, found)
    plan = _plan(spec, found)
    check_disk(
        plan.state_bytes() * len(plan.blocks),
        f"what is kept of {len(plan.blocks)} blocks until they are merged",
        run.path,
        "give more --memory, which makes fewer blocks, a shorter --reach, or another folder (-o)",
    )
    blocks = {f"block_{number}": block for number, block in enumerate(plan.blocks)}
    states = each(run, "blocks", blocks, plan.count, ARRAYS, progress=progress, label="blocks")
    state: Arrays | None = None
    for key in blocks:
        state = plan.merge(state, states[key])
    assert state is not None
    dataset = plan.compute(state, progress)
    with run.writing("statistics.nc") as file:
        dataset.to_netcdf(file, engine="h5netcdf")
    names = inputs.names
    write_table(run, "statistics", scalars_of_files(dataset, names))
    for name, table in (
        ("measures", measures_of_files(dataset, names)),
        ("curves", curves_of_files(dataset, names)),
        ("distributions", distributions_of_files(dataset, names)),
    ):
        if len(table):
            write_table(run, name, table)
    run.spend("blocks")
