"""``matlens characterize``: the statistics of micrographs."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import complete, machine_settings, start_talking, words
from matlens.microstructure.statistics import STATISTIC_NAMES

__all__ = ["characterize"]


def characterize(
    files: Annotated[list[str], Argument(metavar="FILE...", help="Micrographs.")],
    chance: Seed,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
    statistics: Annotated[
        str | None, Option(metavar="NAME,...", help=f"Which statistics: {', '.join(STATISTIC_NAMES)}; default all.")
    ] = None,
) -> None:
    """Measure the statistics of micrographs: fractions, correlations, lineal path, clusters, surface, topology."""
    from matlens.microstructure.commands.characterize.run import characterize_in
    from matlens.microstructure.commands.inputs import Inputs, read_inputs
    from matlens.microstructure.statistics import find_statistics
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    chosen = words(statistics)
    asked = {"characterize": {"statistics": [found.name for found in find_statistics(chosen)]}} if chosen else {}
    inputs = Inputs(tuple(files), cleaning.dataset, cleaning.options().settings())
    found = read_inputs(inputs)
    inputs = inputs.hashed()
    settings = {"seed": chance.seed, "inputs": inputs.settings(), "environment": machine_settings(machine), **asked}
    run = RunDirectory.create(place.output, "characterize", settings, force=place.force)
    complete(run, talk, step=lambda run, progress: characterize_in(run, progress, found))
