"""From a declared command to one that typer runs: each field of its options becomes an option of the command line.

Values are handed on as texts: settings files, Python and the command line share one set of checks and sentences.
"""

from __future__ import annotations

import glob
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import MISSING
from typing import Annotated, Any

import typer
from rich.markup import escape

from matlens.cli.options import Destination, Spreading, Verbosity
from matlens.core.settings import Option, declared, read_options
from matlens.runs.command import Command

__all__ = ["command_function", "with_example", "with_signature"]

Action = Callable[..., None]


def command_function(
    command: Command, action: Callable[[Command, Any, Destination, Verbosity, Spreading | None], None]
) -> Action:
    """Make the function that typer registers for a command.

    Parameters
    ----------
    command : Command
        What is declared.
    action : callable
        Called with the command, its options, how to place and print results, and who shares the work; None for a
        command whose work is not shared.

    Returns
    -------
    Action
        The function, with the signature and the help that typer reads.

    Examples
    --------
    >>> from matlens.core.settings import Seeded
    >>> made = command_function(Command("demo", Seeded, "matlens.cli", "matlens demo"), print)
    >>> list(inspect.signature(made).parameters)
    ['seed', 'output', 'open', 'force', 'quiet', 'verbose']
    """

    def function(
        values: dict[str, Any], destination: Destination, verbosity: Verbosity, spreading: Spreading | None = None
    ) -> None:
        action(command, read_options(command.spec, values), destination, verbosity, spreading)

    text = with_example(command.spec.__doc__, command.example)
    shared = [] if command.workers is None else [Spreading]
    return with_signature(function, [command.spec, Destination, Verbosity, *shared], help=text)


def with_example(text: str | None, example: str) -> str:
    """Write the help of a command: what it does, and a line that works.

    Parameters
    ----------
    text : str or None
        What the command does, perhaps indented as a docstring is.
    example : str
        The line.

    Returns
    -------
    str
        The help.

    Examples
    --------
    >>> with_example("Make it.", "matlens make")
    'Make it.\\n\\nExample: matlens make'
    """
    return f"{inspect.cleandoc(text or '')}\n\nExample: {example}"


def with_signature(function: Callable[..., None], classes: list[type[Any]], *, help: str) -> Action:
    """Give a function the signature that typer reads: an option for each field of the options classes.

    Parameters
    ----------
    function : callable
        Called with the values given for the first class, as a dict of texts, then with an instance of each other one.
    classes : list of type
        Options classes.
    help : str
        The command's help.

    Returns
    -------
    Action
        The function, with the signature and the help that typer reads.

    Examples
    --------
    >>> with_signature(print, [Destination], help="Nothing.").__doc__
    'Nothing.'
    """
    groups = [(cls, declared(cls)) for cls in classes]
    parameters = [_parameter(made) for _, found in groups for made in found]
    # Arguments come first, and of them those that have to be given.
    parameters.sort(key=lambda one: (one.kind, one.kind is one.POSITIONAL_OR_KEYWORD and one.default is None))

    def command(**given: Any) -> None:
        first, *others = [
            {made.name: _value(made, given[made.name]) for made in found if _is_given(made, given[made.name])}
            for _, found in groups
        ]
        function(first, *(read_options(cls, values) for (cls, _), values in zip(groups[1:], others)))

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = help
    return command


def _parameter(made: Option) -> inspect.Parameter:
    required = made.default is MISSING
    listed = f" Choices: {', '.join(made.choices)}." if made.choices and "|" not in made.metavar else ""
    default_words = f"default: {made.shown_default}" if made.shown_default else ""
    facts = ", ".join(part for part in (made.unit, default_words) if part)
    text = escape(f"{made.help.rstrip('.')} ({facts})." if facts else made.help) + listed  # brackets are no markup
    panel = made.group or None
    shown: Any
    if not made.flags:
        kind: Any = list[str] if made.many else str
        shown = typer.Argument(help=text, metavar=made.metavar, show_default=False)
        default = inspect.Parameter.empty if required else None
        if not required:
            kind = kind | None
        annotation: Any = Annotated[kind, shown]
        return inspect.Parameter(
            made.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation
        )
    if made.kind == "flag":
        shown = typer.Option(*made.flags, help=text, rich_help_panel=panel, show_default=False)
        return inspect.Parameter(
            made.name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, shown]
        )
    shown = typer.Option(
        *made.flags,
        help=text,
        metavar=made.metavar,
        rich_help_panel=panel,
        show_default=False,
        autocompletion=_completion(made.choices) if made.choices else None,
    )
    annotation = Annotated[(list[str] if made.many else str) | None, shown]
    return inspect.Parameter(made.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _completion(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """Names that begin as what was typed does, for the completion of the shell."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def _is_given(made: Option, value: Any) -> bool:
    """Whether the user gave it; the default of what was not given stands in the class alone."""
    return value is not None and value != [] and not (made.kind == "flag" and value is False)


def _value(made: Option, value: Any) -> Any:
    if not made.many:
        return value
    if not made.exists:
        return tuple(value)
    return tuple(path for given in value for path in _paths(given))


def _paths(given: str) -> list[str]:
    """Files that a pattern such as ``*.png`` stands for: the shell of Windows hands it on as it is."""
    if os.path.exists(given) or not glob.has_magic(given):
        return [given]
    return sorted(glob.glob(given)) or [given]
