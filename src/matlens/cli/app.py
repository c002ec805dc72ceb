"""The console script: the declared commands, errors as one sentence, and exit codes."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from matlens._version import __version__
from matlens.cli.adapt import command_function, with_signature
from matlens.cli.fetch import FetchSpec, fetch
from matlens.cli.inspect import InspectSpec
from matlens.cli.inspect import inspect as inspect_files
from matlens.cli.options import Verbosity
from matlens.cli.registry import commands
from matlens.cli.report import ReportSpec, report
from matlens.cli.resume import ResumeSpec, resume
from matlens.cli.surroundings import (
    EXIT_CODES,
    INTERRUPTED,
    REFUSED,
    check_names,
    discard_output,
    not_text,
    open_streams,
    say_error,
)
from matlens.cli.terminal import echo
from matlens.cli.work import carry_out
from matlens.core.settings import read_options
from matlens.errors import Interrupted, MatlensError
from matlens.runs.signals import stoppable

__all__ = ["ON_RUNS", "application", "main"]

# Typer carries its own copy of click in new versions: this is that one's UsageError, which typer does not name.
_UsageError: Any = typer.BadParameter.__mro__[1]
_HELP = "Learn from small materials data: microstructures from one micrograph, and what drives a combinatorial library."
_GROUPS = {"library": "Combinatorial libraries: tables of compositions, spectra and figures of merit."}
ON_RUNS = ((InspectSpec, inspect_files), (ReportSpec, report), (ResumeSpec, resume), (FetchSpec, fetch))


def _typer(help: str, **options: Any) -> typer.Typer:
    return typer.Typer(
        help=help,
        no_args_is_help=True,
        add_completion=False,
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
    groups = {name: _typer(help) for name, help in _GROUPS.items()}
    for command in commands():
        group, _, name = command.name.rpartition(" ")
        (groups[group] if group else made).command(name)(command_function(command, carry_out))
    for name, members in groups.items():
        made.add_typer(members, name=name)
    for spec, function in ON_RUNS:
        made.command(function.__name__)(_on_runs(spec, function))
    made.callback(invoke_without_command=True, help=_HELP)(_version)
    return made


def _on_runs(spec: type[Any], function: Callable[..., None]) -> Callable[..., None]:
    def action(values: dict[str, Any], verbosity: Verbosity) -> None:
        function(read_options(spec, values), verbosity)

    return with_signature(action, [spec, Verbosity], help=inspect.cleandoc(spec.__doc__ or ""))


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
        code = application()(list(words), standalone_mode=False)
        if code == INTERRUPTED:
            say_error("interrupted before anything was written.")
        return code if isinstance(code, int) else 0
    except _UsageError as error:
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
    except MatlensError as error:
        return _failed(str(error))
    except (
        BrokenPipeError,
        SystemExit,
    ):  # click turns the one into the other, with a code that means something else here
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
