"""The steps of ``compare`` in a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from matlens.hooks import Progress
from matlens.microstructure.commands.compare.spec import CompareSpec
from matlens.microstructure.commands.inputs import (
    RESULT,
    Inputs,
    exemplars_of,
    read_inputs,
    read_results,
    store_structures,
    stored_inputs,
    understood,
)
from matlens.microstructure.commands.judging import compare_in
from matlens.microstructure.segmentation import Segmentation
from matlens.runs.command import LIBRARIES, Plan, Prepared, options_of
from matlens.runs.directory import RunDirectory

__all__ = ["forecast", "prepare", "work"]

_BYTES = 80.0  # for each pixel of two phases: measured, 1.1 GB for two pictures of 2048 x 2048 px


def prepare(spec: CompareSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read exemplars and results, which must have the same phases.

    Parameters
    ----------
    spec : CompareSpec
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
        If a file cannot be read, or phases or dimension differ.
    """
    inputs = Inputs.asked(spec.exemplars, spec)
    found = read_inputs(inputs)
    results, judged = read_results(spec.result, found[0].microstructure)
    settings = {"inputs": inputs.hashed().settings(), "results": results.settings()}
    used = replace(spec, device=environment["device"])
    return Prepared(used, "", settings, (found, judged), understood([*found, *judged]))


def forecast(prepared: Prepared) -> Plan:
    """Estimate the memory, most of which the search for copied parts takes.

    Parameters
    ----------
    prepared : Prepared
        What `prepare` returned.

    Returns
    -------
    Plan
        Number of files and bytes.
    """
    structures = [segmentation.microstructure for part in prepared.found for segmentation in part]
    pixels = sum(structure.labels.size for structure in structures)
    largest = max((structure.shape for structure in structures), key=prod)
    size = LIBRARIES + _BYTES * pixels * max(1, structures[0].n_phases / 2)
    return Plan(f"{len(structures)} files", None, size, largest, "use --downsample {factor} or --crop")


def work(
    run: RunDirectory,
    progress: Progress,
    found: tuple[Sequence[Segmentation], Sequence[Segmentation]] | None = None,
) -> None:
    """Compare the files that the run's settings name.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows that the comparison is under way.
    found : pair of sequences of Segmentation, optional
        The exemplars and the results, where they have been read already.
    """
    read = found[0] if found else None
    exemplars = exemplars_of(run, Inputs.from_settings(run.settings["inputs"]), read)
    results = stored_inputs(run, "result")
    if results is None:
        judged = found[1] if found else read_inputs(Inputs.from_settings(run.settings["results"]), whole=RESULT)
        results = [segmentation.microstructure for segmentation in judged]
        store_structures(run, "result", results)
    spec = options_of(run, CompareSpec)
    properties = ("conductivity", "stiffness") if spec.stiffness else ("conductivity",)
    compare_in(run, results, exemplars, progress, seed=spec.seed, properties=properties)
