"""``matlens resume``: go on with a run that was stopped, to the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from matlens.cli.options import Machine, Talk
from matlens.cli.work import complete, machine_settings, say, start_talking
from matlens.errors import RunError

__all__ = ["resume"]


def resume(
    path: Annotated[Path, Argument(metavar="RUN", help="The run directory.")],
    machine: Machine,
    talk: Talk,
    force: Annotated[
        bool, Option("--force", help="Go on although versions, threads or device differ; the result is then inexact.")
    ] = False,
) -> None:
    """Go on with a run that was interrupted or killed; it ends as if it had never stopped."""
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    run = RunDirectory(path)
    try:
        if run.status == "finished":
            typer.echo(f"{path} is finished; there is nothing to resume.")
            run.close()
            return
        differences = _differences(run.settings["environment"], machine)
        if differences and not force:
            raise RunError(
                f"{path} would not end with the same bytes ({'; '.join(differences)}); restore that, or go on "
                "inexactly with --force."
            )
        if differences:
            say(talk, f"inexact: {'; '.join(differences)}.")
            run.mark("running", inexact=[*run.provenance.get("inexact", []), *differences])
    except BaseException:
        run.close()
        raise
    complete(run, talk, fresh=False)


def _differences(then: dict[str, object], machine: Machine) -> list[str]:
    """Take the run's threads and device where none are asked, and list what still differs."""
    from matlens.runs.provenance import mismatches

    threads = machine.threads or int(str(then["threads"]))
    device = str(then["device"]) if machine.device == "auto" else machine.device
    return mismatches(then, machine_settings(Machine(device=device, threads=threads)))
