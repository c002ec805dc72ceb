"""``matlens characterize``: the statistics of micrographs."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import complete, machine_settings, start_talking

__all__ = ["characterize"]


def characterize(
    files: Annotated[list[str], Argument(metavar="FILE...", help="Micrographs.")],
    chance: Seed,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
) -> None:
    """Measure the statistics of micrographs: fractions, correlations, lineal path, clusters, surface, topology."""
    from matlens.microstructure.commands.characterize.run import characterize_in
    from matlens.microstructure.commands.inputs import Inputs, read_inputs
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    inputs = Inputs(tuple(files), cleaning.dataset, cleaning.options().settings())
    found = read_inputs(inputs)
    inputs = inputs.hashed()
    settings = {"seed": chance.seed, "inputs": inputs.settings(), "environment": machine_settings(machine)}
    run = RunDirectory.create(place.output, "characterize", settings, force=place.force)
    complete(run, talk, step=lambda run, progress: characterize_in(run, progress, found))
