"""The console script: the declared commands, errors as one sentence, exit codes 0, 2 and 130."""

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
    made = _typer(_HELP, name="matlens")
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
        typer.echo(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words of the command line; by default those of the process.
    """
    # Threads of torch that wait for each other should sleep: where other work keeps the cores busy, spinning ones make
    # a reconstruction nine times slower (docs/results.md). It is read when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: Sequence[str]) -> int:
    try:
        with stoppable():
            code = application()(list(arguments), standalone_mode=False)
        if code == 130:
            _say("interrupted before anything was written.")
        return code if isinstance(code, int) else 0
    except _UsageError as error:
        grouped = {command.name.rpartition(" ")[2]: command.name for command in commands() if " " in command.name}
        if error.message.startswith("No such command") and arguments[0] in grouped:  # its name before there were groups
            return _failed(f"there is no command {arguments[0]!r}; use 'matlens {grouped[arguments[0]]}'.")
        command = error.ctx.command_path if error.ctx else "matlens"
        return _failed(f"{error.format_message().rstrip('.')}; see {command} --help.")
    except Interrupted as error:
        _say(str(error))
        return 130
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted before anything was written.")
        return 130
    except MatlensError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(
            f"{error.filename or 'a file'} cannot be used ({error.strerror or error}); check path and rights."
        )
    except MemoryError:
        return _failed("the memory is not enough for this size; ask for a smaller --shape or use --downsample.")


def _failed(sentence: str) -> int:
    _say(sentence)
    return 2


def _say(sentence: str) -> None:
    typer.echo(f"matlens: {' '.join(sentence.split())}", err=True)
