"""The console script: one command a file, errors as one sentence, exit codes 0, 2 and 130."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from matlens._version import __version__
from matlens.cli.characterize import characterize
from matlens.cli.compare import compare
from matlens.cli.demo import demo
from matlens.cli.explain import explain
from matlens.cli.fetch import fetch
from matlens.cli.flatten import flattened
from matlens.cli.generate import generate
from matlens.cli.homogenize import homogenize
from matlens.cli.learn import learn
from matlens.cli.predict import predict
from matlens.cli.prune import prune
from matlens.cli.reconstruct import reconstruct
from matlens.cli.report import report
from matlens.cli.resume import resume
from matlens.cli.suggest import suggest
from matlens.errors import Interrupted, MatlensError
from matlens.runs.signals import stoppable

__all__ = ["app", "main"]

# Typer carries its own copy of click in new versions: this is that one's UsageError, which typer does not name.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="matlens",
    help="Learn from small materials data: equivalent microstructures from one micrograph, with the evidence.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo,
    characterize,
    reconstruct,
    compare,
    prune,
    homogenize,
    generate,
    learn,
    predict,
    explain,
    suggest,
    report,
    resume,
    fetch,
):
    app.command()(flattened(command))


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """Learn from small materials data: equivalent microstructures from one micrograph, with the evidence."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: Sequence[str]) -> int:
    try:
        with stoppable():
            code = app(list(arguments), standalone_mode=False)
        if code == 130:
            _say("interrupted before anything was written.")
        return code if isinstance(code, int) else 0
    except _UsageError as error:
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
