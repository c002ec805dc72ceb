"""Lines on the terminal, which names from files do not command."""

from __future__ import annotations

import typer

from matlens.core.user_text import printable

__all__ = ["echo"]


def echo(text: str, *, error: bool = False) -> None:
    """Print a line.

    Parameters
    ----------
    text : str
        The line.
    error : bool
        Whether it goes to standard error.

    Examples
    --------
    >>> echo("phases: pore\\x1b[2J (0.5)")
    phases: pore\\x1b[2J (0.5)
    """
    typer.echo(printable(text), err=error)
