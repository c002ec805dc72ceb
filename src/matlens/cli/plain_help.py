"""Help that names values and choices, without the types of Python that typer prints beside flags and arguments."""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

__all__ = ["PlainCommand", "PlainGroup"]


def _no_type(ctx: Any) -> str:
    return ""


def _plain(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        # Options with a value have a word of their own there, such as ROWSxCOLUMNS or default|fast.
        if isinstance(parameter, TyperArgument) or parameter.is_flag:
            parameter.display_type_rich = _no_type
    return parameters


class PlainCommand(TyperCommand):
    """A command with such a help.

    Examples
    --------
    >>> PlainCommand("make", params=[]).name
    'make'
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return arguments and options, with nothing to show as the type of those without a value.

        Parameters
        ----------
        ctx : Context
            What typer knows of the call.

        Returns
        -------
        list of Parameter
            Arguments and options.
        """
        return _plain(list(super().get_params(ctx)))


class PlainGroup(TyperGroup):
    """A group of commands with such a help.

    Examples
    --------
    >>> PlainGroup(name="library").name
    'library'
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return arguments and options, with nothing to show as the type of those without a value.

        Parameters
        ----------
        ctx : Context
            What typer knows of the call.

        Returns
        -------
        list of Parameter
            Arguments and options.
        """
        return _plain(list(super().get_params(ctx)))
