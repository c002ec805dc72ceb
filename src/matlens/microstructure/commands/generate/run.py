"""The steps of ``generate`` in a run directory; finished chunks are never made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from matlens.errors import InputError, SomeFailed
from matlens.hooks import Progress
from matlens.microstructure.commands.generate.spec import GenerateSpec
from matlens.microstructure.properties import (
    CHUNK,
    Recipe,
    StructureSet,
    join_structures,
    make_samples,
    read_structures,
)
from matlens.runs.codecs import Codec, read_value, write_value
from matlens.runs.command import LIBRARIES, Plan, Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each
from matlens.runs.tables import write_table

__all__ = ["FILES", "forecast", "prepare", "recipe_of", "work"]

SECONDS_PER_PIXEL = 1e-6  # of a property, one thread: 1000 structures of 128 x 128 px took 41 s on two

FILES = {"train": ("structures.h5", "labels"), "test": ("test.h5", "test_labels")}
"""File of each split, and name of its table."""


def prepare(spec: GenerateSpec, environment: Mapping[str, Any]) -> Prepared:
    """Check the options.

    Parameters
    ----------
    spec : GenerateSpec
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
        If a family is not known, a contrast cannot be used, or there would be no property to learn.
    """
    recipe = recipe_of(spec)
    if not (recipe.conductivity_contrasts or recipe.stiffness_contrasts):
        raise InputError(
            "found no contrasts, neither of conductivity nor of stiffness, so there would be no property to learn; "
            "give --conductivity-contrast or --stiffness-contrast numbers, e.g. 10,50."
        )
    size = "x".join(str(side) for side in recipe.shape)
    said = f"{spec.n} + {spec.test} structures of {size} px: {', '.join(recipe.families)}, seed {recipe.seed}"
    return Prepared(spec, said)


def forecast(prepared: Prepared) -> Plan:
    """Estimate the cost of all structures with their properties, on one process.

    Parameters
    ----------
    prepared : Prepared
        What `prepare` returned.

    Returns
    -------
    Plan
        Size, seconds and bytes.
    """
    spec = prepared.options
    properties = len(spec.conductivity_contrasts) + len(spec.stiffness_contrasts)
    count, pixels = spec.n + spec.test, float(np.prod(spec.shape))
    seconds = count * pixels * properties * SECONDS_PER_PIXEL
    return Plan(
        f"{count} structures of {'x'.join(map(str, spec.shape))} px", seconds, 2 * LIBRARIES, disk=2 * count * pixels
    )


def recipe_of(spec: GenerateSpec) -> Recipe:
    """Make the recipe of the structures to learn from.

    Parameters
    ----------
    spec : GenerateSpec
        Options of the command.

    Returns
    -------
    Recipe
        Recipe of the training split.

    Examples
    --------
    >>> recipe_of(GenerateSpec(families="sheets", shape="64x96")).shape
    (64, 96)
    """
    return Recipe(
        families=spec.families,
        shape=spec.shape,
        conductivity_contrasts=spec.conductivity_contrasts,
        stiffness_contrasts=spec.stiffness_contrasts,
        seed=spec.seed,
    )


_SET: Codec[StructureSet] = Codec(".h5", lambda file, found: found.put(file), read_structures)


def work(run: RunDirectory, progress: Progress, found: None = None) -> None:
    """Make the data set that the run's settings ask for: ``structures.h5``, ``test.h5`` and a table of each as CSV.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Called with structures done and total.
    found : None
        There is no input.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt; finished chunks are kept.
    SomeFailed
        If no chunk of a split could be made; chunks that fail beside others are named in the provenance.
    """
    spec = options_of(run, GenerateSpec)
    said = []
    for split, number in (("train", spec.n), ("test", spec.test)):
        if number:
            made = _split(run, replace(recipe_of(spec), split=split), number, progress)
            said.append(_sentence(split, made, len(spec.families)))
    run.mark("running", sentences=said)


def _split(run: RunDirectory, recipe: Recipe, number: int, progress: Progress) -> StructureSet:
    """Make a split in chunks, or take it as it stands; its file comes before its chunks go."""
    file, table = FILES[recipe.split]
    chunks = {f"{start:07d}": (start, min(start + CHUNK, number)) for start in range(0, number, CHUNK)}
    if (run.path / file).is_file() and len(found := read_value(run, file, _SET)) == number:
        failed: Mapping[str, str] = {}
    else:
        label = f"chunks of {CHUNK} {recipe.split} structures"
        make = partial(_chunk, recipe)
        parts = each(run, recipe.split, chunks, make, _SET, progress=progress, label=label, independent=True)
        failed = parts.failed
        if not parts:
            raise SomeFailed(f"none of {number} structures could be made; the first: {next(iter(failed.values()))}")
        write_value(run, file, join_structures(list(parts.values())), _SET)
        found = read_value(run, file, _SET)
    write_table(run, table, found.table())
    if failed:  # a resumed run makes the others
        named = {f"{recipe.split} structures {chunks[key][0]} to {chunks[key][1] - 1}": failed[key] for key in failed}
        run.mark("running", failed=run.failed | named)
    else:
        run.drop(recipe.split)
    return found


def _chunk(recipe: Recipe, ends: tuple[int, int]) -> StructureSet:
    return make_samples(recipe, *ends)


def _sentence(split: str, found: StructureSet, families: int) -> str:
    size = " x ".join(str(side) for side in found.shape)
    kinds = "family" if families == 1 else "families"
    role = {"train": "to learn from", "test": "to test on, the same for every seed"}[split]
    return f"{len(found)} structures of {size} px {role}: {families} {kinds}, {found.targets.shape[1]} properties each."
