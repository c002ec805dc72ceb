"""Lines on the terminal: names from files command it nothing, and letters that it cannot show become escapes."""

from __future__ import annotations

import sys

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
    stream = sys.stderr if error else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    typer.echo(printable(text).encode(encoding, "backslashreplace").decode(encoding), err=error)
