"""``matlens compare``: are these microstructures the same material?"""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import complete, machine_settings, start_talking

__all__ = ["compare"]


def compare(
    result: Annotated[str, Argument(metavar="RESULT", help="A labelled file, or a run directory with realisations.")],
    exemplars: Annotated[list[str], Argument(metavar="EXEMPLAR...", help="Micrographs of one material.")],
    chance: Seed,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
    stiffness: Annotated[
        bool, Option("--stiffness", help="Judge by the effective stiffness too; takes longer.")
    ] = False,
) -> None:
    """Compare a result with one or more exemplars: errors, R with its interval, verdicts, controls, copy test.

    The cleaning options are for the exemplars; the result must hold labels.
    """
    from matlens.microstructure.commands.compare.run import compare_files_in
    from matlens.microstructure.commands.inputs import Inputs, read_inputs, read_results
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    inputs = Inputs(tuple(exemplars), cleaning.dataset, cleaning.options().settings())
    found = read_inputs(inputs)
    inputs = inputs.hashed()
    results, _ = read_results(result, found[0].microstructure)
    environment = machine_settings(machine)
    settings = {
        "seed": chance.seed,
        "inputs": inputs.settings(),
        "results": results.settings(),
        "compare": {"properties": ["conductivity", "stiffness"] if stiffness else ["conductivity"]},
        "environment": environment,
    }
    run = RunDirectory.create(place.output, "compare", settings, force=place.force)
    complete(run, talk, step=lambda run, progress: compare_files_in(run, progress, found))
