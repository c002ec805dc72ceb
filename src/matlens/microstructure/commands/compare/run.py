"""The steps of ``compare`` in a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory

__all__ = ["prepare", "work"]


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
    return Prepared(replace(spec, device=environment["device"]), "", settings, found, understood([*found, *judged]))


def work(run: RunDirectory, progress: Progress, found: Sequence[Segmentation] | None = None) -> None:
    """Compare the files that the run's settings name.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows that the comparison is under way.
    found : sequence of Segmentation, optional
        The exemplars, where they have been read already.
    """
    exemplars = exemplars_of(run, Inputs.from_settings(run.settings["inputs"]), found)
    results = stored_inputs(run, "result")
    if results is None:
        again = read_inputs(Inputs.from_settings(run.settings["results"]), whole=RESULT)
        results = [segmentation.microstructure for segmentation in again]
        store_structures(run, "result", results)
    spec = options_of(run, CompareSpec)
    properties = ("conductivity", "stiffness") if spec.stiffness else ("conductivity",)
    compare_in(run, results, exemplars, progress, seed=spec.seed, properties=properties)
