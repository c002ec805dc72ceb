"""The console script: the declared commands, errors as one sentence, and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import typer

from matlens._version import __version__
from matlens.cli.adapt import command_function, with_example, with_signature
from matlens.cli.fetch import FetchSpec, fetch
from matlens.cli.inspect import InspectSpec
from matlens.cli.inspect import inspect as inspect_files
from matlens.cli.options import Destination, Spreading, Verbosity
from matlens.cli.plain_help import PlainCommand, PlainGroup
from matlens.cli.registry import commands
from matlens.cli.report import ReportSpec, report
from matlens.cli.resume import ResumeSpec, resume
from matlens.cli.run import RunSpec, run
from matlens.cli.status import StatusSpec, status
from matlens.cli.studio import StudioSpec, studio
from matlens.cli.surroundings import (
    EXIT_CODES,
    INTERRUPTED,
    REFUSED,
    SOME_FAILED,
    check_names,
    discard_output,
    not_text,
    open_streams,
    say_error,
)
from matlens.cli.task import TaskSpec, work
from matlens.cli.terminal import echo
from matlens.cli.work import carry_out
from matlens.core.settings import read_options
from matlens.errors import Interrupted, MatlensError, SomeFailed
from matlens.runs.signals import stoppable

__all__ = ["OTHERS", "Other", "application", "main"]

# Typer carries its own copy of click in new versions: this is that one's UsageError, which typer does not name.
_UsageError: Any = typer.BadParameter.__mro__[1]
_HELP = "Learn from small materials data: microstructures from one micrograph, and what drives a combinatorial library."
_GROUPS = {
    "batch": "Many files, each worked on by itself: one table of all, with means of groups.",
    "library": "Combinatorial libraries: tables of compositions, spectra and figures of merit.",
}
# Panels of the help, in the order in which they are met; a command of a plug-in stands in a panel of its own.
_PANELS = {
    "Start": ("demo", "studio", "inspect", "segment", "fetch"),
    "Microstructures": ("reconstruct", "compare", "characterize"),
    "Properties": ("homogenize", "generate", "learn", "predict", "explain", "prune"),
    "Batches": ("batch",),
    "Libraries": ("library",),
    "Runs": ("run", "resume", "report", "status", "work"),
}
_PLUGGED = "Commands of plug-ins"


class Other(NamedTuple):
    """A command that fills no run directory of its own: its options, its function, and a line that works."""

    spec: type[Any]
    function: Callable[..., None]
    example: str
    more: tuple[type[Any], ...] = (Verbosity,)


OTHERS = (
    Other(InspectSpec, inspect_files, "matlens inspect micrograph.tif"),
    Other(
        RunSpec,
        run,
        "matlens run runs/2026-01-31-reconstruct/settings.toml -o again",
        (Destination, Verbosity, Spreading),
    ),
    Other(ReportSpec, report, "matlens report runs/2026-01-31-reconstruct --open"),
    Other(ResumeSpec, resume, "matlens resume runs/2026-01-31-reconstruct", (Verbosity, Spreading)),
    Other(StatusSpec, status, "matlens status runs/2026-01-31-reconstruct", ()),
    Other(TaskSpec, work, "matlens work runs/2026-01-31-reconstruct --task realisation/0", ()),
    Other(FetchSpec, fetch, "matlens fetch li2018"),
    Other(StudioSpec, studio, "matlens studio my-material"),
)


def _typer(help: str, **options: Any) -> typer.Typer:
    return typer.Typer(
        cls=PlainGroup,
        help=help,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **options,
    )


def application() -> typer.Typer:
    """Make the command line of the commands that the registry lists now.

    Returns
    -------
    typer.Typer
        Every command under its name; ``library learn`` is the command ``learn`` of the group ``library``.

    Examples
    --------
    >>> application().info.name
    'matlens'
    """
    made = _typer(_HELP, name="matlens", epilog=EXIT_CODES)
    groups = {name: _typer(help, add_completion=False) for name, help in _GROUPS.items()}
    functions: dict[str, Callable[..., None]] = {}
    for command in commands():
        group, _, name = command.name.rpartition(" ")
        function = command_function(command, carry_out)
        if group:
            groups[group].command(name, cls=PlainCommand)(function)
        else:
            functions[name] = function
    for other in OTHERS:
        functions[other.function.__name__] = _other(other)
    panels = {name: panel for panel, names in _PANELS.items() for name in names}
    ordered = [*(name for name in panels if name in functions), *(name for name in functions if name not in panels)]
    for name in ordered:
        made.command(name, cls=PlainCommand, rich_help_panel=panels.get(name, _PLUGGED))(functions[name])
    for name, members in groups.items():
        made.add_typer(members, name=name, rich_help_panel=panels[name])
    made.callback(invoke_without_command=True, help=_HELP)(_version)
    return made


def _other(other: Other) -> Callable[..., None]:
    def action(values: dict[str, Any], *more: Any) -> None:
        other.function(read_options(other.spec, values), *more)

    return with_signature(action, [other.spec, *other.more], help=with_example(other.spec.__doc__, other.example))


def _version(
    show: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """Print the version if it is asked for.

    Parameters
    ----------
    show : bool
        Whether it is asked for.

    Raises
    ------
    typer.Exit
        After the version is printed.
    """
    if show:
        echo(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code (`EXIT_CODES`).

    Parameters
    ----------
    arguments : sequence of str, optional
        Words of the command line; by default those of the process.
    """
    # Threads of torch that wait for each other should sleep: where other work keeps the cores busy, spinning ones make
    # a reconstruction nine times slower (docs/results.md). It is read when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    open_streams()
    words = sys.argv[1:] if arguments is None else arguments
    with stoppable(last=True):
        try:
            code = _run(words)
        except KeyboardInterrupt:  # while a sentence was printed
            code = INTERRUPTED
    sys.exit(code)


def _run(words: Sequence[str]) -> int:
    try:
        check_names(words)
        # Without a word the help is what is looked for.
        code = application()(list(words) or ["--help"], standalone_mode=False)
        if code == INTERRUPTED:
            say_error("interrupted before anything was written.")
        return code if isinstance(code, int) else 0
    except _UsageError as error:
        if not error.format_message():  # a group without a command, whose help was printed
            return 0
        grouped = {command.name.rpartition(" ")[2]: command.name for command in commands() if " " in command.name}
        if error.message.startswith("No such command") and words[0] in grouped:  # its name before there were groups
            return _failed(f"there is no command {words[0]!r}; use 'matlens {grouped[words[0]]}'.")
        command = error.ctx.command_path if error.ctx else "matlens"
        return _failed(f"{error.format_message().rstrip('.')}; see {command} --help.")
    except Interrupted as error:
        say_error(str(error))
        return INTERRUPTED
    except (KeyboardInterrupt, typer.Abort):
        say_error("interrupted before anything was written.")
        return INTERRUPTED
    except SomeFailed as error:
        say_error(str(error))
        return SOME_FAILED
    except MatlensError as error:
        return _failed(str(error))
    except (BrokenPipeError, SystemExit) as ended:
        if isinstance(ended, SystemExit) and not ended.code:  # the shell's completion was shown or installed
            return 0
        # click turns the one into the other, with a code that means something else here
        discard_output()
        return _failed(
            "what reads the output has ended, and so has the command; go on with 'matlens resume', or with the output "
            "sent to a file."
        )
    except OSError as error:
        return _failed(
            f"{error.filename or 'a file'} cannot be used ({error.strerror or error}); check path and rights."
        )
    except UnicodeEncodeError as error:
        return _failed(not_text(error.object))
    except MemoryError:
        return _failed("the memory is not enough for this size; ask for a smaller --shape or use --downsample.")


def _failed(sentence: str) -> int:
    say_error(sentence)
    return REFUSED
