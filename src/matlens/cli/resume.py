"""``matlens resume``: go on with a run that was stopped, to the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from matlens.cli.options import Spreading, Verbosity
from matlens.cli.pools import with_pool
from matlens.cli.registry import commands
from matlens.cli.terminal import echo
from matlens.cli.work import complete, machine_settings, reading_run, say, set_up_logging
from matlens.core.settings import OnDevice, option, options
from matlens.errors import RunError
from matlens.runs.command import command_of
from matlens.runs.former import LAYOUT

if TYPE_CHECKING:
    from matlens.runs.command import Command
    from matlens.runs.directory import RunDirectory

__all__ = ["ResumeSpec", "resume"]


@options
class ResumeSpec(OnDevice):
    """Continue a run that was interrupted or killed; its results are those of a run that never stopped."""

    run: Annotated[Path, option("Folder of the run (run directory).", argument=True, metavar="RUN")]
    force: Annotated[
        bool,
        option(
            "Continue although versions, threads or device differ; the last digits of the results may then differ.",
            "--force",
        ),
    ] = False


def resume(spec: ResumeSpec, verbosity: Verbosity, spreading: Spreading) -> None:
    """Continue a run; without ``force`` only if it will end with the same bytes.

    Parameters
    ----------
    spec : ResumeSpec
        Options of the command.
    verbosity : Verbosity
        How much is printed.
    spreading : Spreading
        Who shares the work, which need not be who began it.

    Raises
    ------
    RunError
        If an earlier version began the run, or versions, threads or device differ and ``force`` is not set.
    """
    from matlens.runs.directory import RunDirectory
    from matlens.runs.tasks import forget_failures

    set_up_logging(verbosity)
    run = RunDirectory(spec.run)
    try:
        if run.status == "finished" and not run.failed:
            echo(f"{spec.run} is finished; there is nothing to resume.")
            run.close()
            return
        command = command_of(run, commands())
        if run.settings["layout"] != LAYOUT:
            raise RunError(
                f"{spec.run} was begun by an earlier MatLens ({run.settings['version']}), whose half-finished work "
                f"this one cannot continue; start it again with 'matlens {command.name}'."
            )
        _, pool = with_pool(command, None, spreading)
        with reading_run(run):
            _accept_differences(run, command, spec, verbosity)
    except BaseException:
        run.close()
        raise
    forget_failures(run.path)
    if run.failed:
        run.mark("running", failed={})
    complete(run, command, verbosity, fresh=False, pool=pool)


def _accept_differences(run: RunDirectory, command: Command, spec: ResumeSpec, verbosity: Verbosity) -> None:
    differences = _differences(run.settings["environment"], command, spec)
    if differences and not spec.force:
        raise RunError(
            f"{spec.run} would not end with the same bytes ({'; '.join(differences)}); restore that, or go on "
            "inexactly with --force."
        )
    if differences:
        say(verbosity, f"inexact: {'; '.join(differences)}.")
        run.mark("running", inexact=[*run.provenance.get("inexact", []), *differences])


def _differences(then: dict[str, object], command: Command, spec: ResumeSpec) -> list[str]:
    """Take the run's threads and device where none are asked for, and list what still differs."""
    from matlens.runs.provenance import mismatches

    threads = (spec.threads or int(str(then["threads"]))) if command.torch else None
    device = str(then["device"]) if spec.device == "auto" else spec.device
    here = OnDevice(device=device, threads=threads)  # type: ignore[arg-type]
    return mismatches(then, machine_settings(command, here))
