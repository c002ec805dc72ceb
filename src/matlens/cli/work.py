"""What every command that fills a run directory does: check, read, plan, work, report, and print where results are."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from matlens.cli.options import Destination, Spreading, Verbosity
from matlens.cli.pools import with_pool
from matlens.cli.surroundings import SOME_FAILED, say_error
from matlens.cli.terminal import echo
from matlens.core.guard import reading
from matlens.core.memory import size_text
from matlens.core.settings import check_paths
from matlens.core.user_text import printable
from matlens.errors import RunError
from matlens.runs.command import Command

if TYPE_CHECKING:
    from matlens.runs.directory import RunDirectory
    from matlens.runs.pool import Pool

__all__ = [
    "carry_out",
    "complete",
    "machine_settings",
    "open_in_browser",
    "reading_run",
    "say",
    "set_up_logging",
]

_LARGE = 4e6  # bytes of files


def set_up_logging(verbosity: Verbosity) -> None:
    """Send the messages of the package to the terminal, as many as are asked for.

    Parameters
    ----------
    verbosity : Verbosity
        How much is printed.
    """
    level = logging.DEBUG if verbosity.verbose else logging.ERROR if verbosity.quiet else logging.WARNING
    # What libraries log is worded for programmers; readers of files turn what matters of it into notes.
    logging.basicConfig(level=logging.WARNING if verbosity.verbose else logging.CRITICAL, handlers=[_handler()])
    logging.getLogger("matlens").setLevel(level)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Printable("note: %(message)s"))
    return handler


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def say(verbosity: Verbosity, text: str) -> None:
    """Print a line unless the user asked for silence.

    Parameters
    ----------
    verbosity : Verbosity
        How much is printed.
    text : str
        The line; nothing is printed if it is empty.
    """
    if text and not verbosity.quiet:
        echo(text)


def machine_settings(command: Command, options: Any) -> dict[str, Any]:
    """Choose device and threads, and describe the machine as far as results depend on it.

    Parameters
    ----------
    command : Command
        The command; one that does without PyTorch has no threads, and runs on the processor.
    options : Any
        May have ``device`` and ``threads``; a command without them runs on the processor.

    Returns
    -------
    dict
        Device, threads and versions.
    """
    from matlens.core.device import chosen_device, set_threads
    from matlens.runs.provenance import environment

    if not command.torch:
        return environment(device="cpu")
    device = str(chosen_device(getattr(options, "device", "cpu")))
    return environment(device=device, threads=set_threads(getattr(options, "threads", None)))


def carry_out(
    command: Command,
    options: Any,
    destination: Destination,
    verbosity: Verbosity,
    spreading: Spreading | None = None,
) -> None:
    """Start a run of a command and do its work.

    Paths are checked first: nothing heavy is loaded to find out that a file is not there.

    Parameters
    ----------
    command : Command
        The command.
    options : Any
        An instance of ``command.spec``.
    destination : Destination
        Where results go.
    verbosity : Verbosity
        How much is printed.
    spreading : Spreading, optional
        Who shares the work.

    Raises
    ------
    InputError
        If a file is missing or the options do not fit it.
    """
    from matlens.runs.directory import RunDirectory

    set_up_logging(verbosity)
    _say_large(verbosity, check_paths(options))
    options, pool = with_pool(command, options, spreading)
    environment = machine_settings(command, options)
    prepared = command.prepare(options, environment)
    for line in prepared.understood:
        say(verbosity, line)
    plan = command.forecast(prepared)
    if plan is not None:
        plan.check(destination.output or Path("runs"))
    settings = command.settings(options, prepared, environment)
    force = destination.force or _updates(command, options, destination.output)
    run = RunDirectory.create(destination.output, command.name, settings, force=force)
    say(verbosity, prepared.said)
    if plan is not None:
        say(verbosity, f"plan: {plan}")
    complete(run, command, verbosity, found=prepared.found, show=destination.open, pool=pool)


def _updates(command: Command, options: Any, output: Path | None) -> bool:
    """Whether a run goes on in the folder of an earlier one of its kind, which must not be of another command."""
    from matlens.runs.directory import SETTINGS, read_settings

    if not getattr(options, "update", False) or output is None or not (output / SETTINGS).is_file():
        return False
    earlier = read_settings(output)["command"]
    if earlier != command.name:
        raise RunError(f"{output} holds a run of 'matlens {earlier}'; --update goes on with one of {command.name!r}.")
    return True


def _say_large(verbosity: Verbosity, paths: Sequence[str]) -> None:
    """Say that large files are read, which with the loading of libraries may take seconds."""
    sizes = {path: os.path.getsize(path) for path in paths if os.path.isfile(path)}
    if sum(sizes.values()) > _LARGE:
        names = ", ".join(f"{os.path.basename(path)} ({size_text(size)})" for path, size in sizes.items())
        say(verbosity, f"reading {names}")


def complete(
    run: RunDirectory,
    command: Command,
    verbosity: Verbosity,
    *,
    fresh: bool = True,
    found: Any = None,
    show: bool = False,
    pool: Pool | None = None,
) -> None:
    """Do what the run's settings say, write its report, and print where it is.

    Parameters
    ----------
    run : RunDirectory
        Open; is closed at the end.
    command : Command
        The run's command.
    verbosity : Verbosity
        How much is printed.
    fresh : bool
        Whether the run was made just now: then bad input leaves nothing behind.
    found : Any
        Inputs that have been read already.
    show : bool
        Whether the report is opened in the web browser.
    pool : Pool, optional
        Who makes the results of many items; by default this process.

    Raises
    ------
    typer.Exit
        With exit code 1, if items of the run failed.
    """
    from matlens.runs.lifecycle import working
    from matlens.runs.log import logged
    from matlens.runs.progress import Both, progress_for
    from matlens.runs.progress_file import ProgressFile

    if pool is not None:
        run.pool = pool
    shown = Both(progress_for(quiet=verbosity.quiet), ProgressFile(run.path))
    with working(run, fresh=fresh), logged(run, shown) as progress:
        from matlens.report.build import build_report  # takes a while, and the run is there to go on with

        # The files of a run that was made just now are ours: what goes wrong with them is no damage, but a fault.
        with nullcontext() if fresh else reading_run(run):
            command.work(run, progress, found)
            page = command.page(run)
            progress.begin(1, "writing the report")
            progress.update(0)
            try:
                report = build_report(run, page)
            finally:
                progress.end()
            lines = [*page.headlines(run), *map(str, run.provenance.get("warnings", ()))]
        failed = run.failed
    if verbosity.quiet:
        echo(str(run.path))
    else:
        for line in (*_unsaid(lines, progress.said), f"results: {run.path}", f"report:  {report}"):
            echo(line)
    if show:
        open_in_browser(report)
    for name, reason in failed.items():
        say_error(f"{name} failed: {reason}")
    if failed:
        raise typer.Exit(SOME_FAILED)


def _unsaid(lines: Sequence[str], said: Collection[str]) -> list[str]:
    """Leave out what stands on the terminal already, where findings and results go to the same one."""
    one_screen = sys.stdout.isatty() and sys.stderr.isatty()
    return [line for line in lines if not (one_screen and line in said)]


def reading_run(run: RunDirectory) -> AbstractContextManager[None]:
    """Guard the use of a run's files, which may have been damaged or edited since (see `matlens.core.guard.reading`).

    Parameters
    ----------
    run : RunDirectory
        Open.

    Returns
    -------
    context manager
        Raises RunError in place of exceptions that are not of MatLens.
    """
    remedy = f"restore its files, or make it again with 'matlens {run.settings['command']}'"
    return reading(run.path, f"a run of 'matlens {run.settings['command']}'", remedy, RunError)


def open_in_browser(report: Path) -> None:
    """Open a report in the web browser, or say that there is none.

    Parameters
    ----------
    report : Path
        The file.
    """
    import webbrowser

    if not webbrowser.open(report.absolute().as_uri()):
        echo(f"note: no web browser was found; open {report} yourself.", error=True)
