"""Around a command: the streams, folder and names that its process is started with, and the codes it ends with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from matlens.cli.terminal import echo
from matlens.errors import InputError

__all__ = [
    "EXIT_CODES",
    "INTERRUPTED",
    "REFUSED",
    "SOME_FAILED",
    "check_names",
    "discard_output",
    "not_text",
    "open_streams",
    "say_error",
]

SOME_FAILED, REFUSED, INTERRUPTED = 1, 2, 130
EXIT_CODES = (
    "Exit codes: 0, all was done; 1, finished, but some items failed, which are listed; 2, refused or failed, with one "
    "sentence on what to change; 130, interrupted, with what was done so far kept for 'matlens resume'."
)


def open_streams() -> None:
    """Give the process the standard streams that it was started without, and let output in any encoding be printed.

    The first files that it opens would otherwise take their places, and messages would be written into them.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without "µ" shows its code


def discard_output() -> None:
    """Send further output nowhere, as what reads it has ended: printing would fail again while the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def check_names(words: Sequence[str]) -> None:
    """Check that the current folder is there, and that its name and the words of the command line are text.

    Parameters
    ----------
    words : sequence of str
        Words of the command line.

    Raises
    ------
    InputError
        If the folder is gone, or a name cannot be written as text.

    Examples
    --------
    >>> check_names(["bad\\udcff.png"])
    Traceback (most recent call last):
    matlens.errors.InputError: 'bad\\xff.png' is not text in UTF-8, which names of files have to be; rename it.
    """
    try:
        here = os.getcwd()
    except OSError:
        raise InputError("the current folder no longer exists; change to another one and start again.") from None
    for text in (*words, here):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(not_text(text)) from None


def not_text(name: str) -> str:
    """Say in a sentence why a name cannot be used, and what to do.

    Parameters
    ----------
    name : str
        A name with characters that stand for bytes.

    Returns
    -------
    str
        The sentence; it tells a name that is no text from one that only this system cannot show.

    Examples
    --------
    >>> print(not_text("bad\\udcff.png"))
    'bad\\xff.png' is not text in UTF-8, which names of files have to be; rename it.
    """
    content = name.encode("utf-8", "surrogateescape")
    try:
        shown = content.decode()
    except UnicodeDecodeError:
        shown = content.decode("utf-8", "backslashreplace")
        return f"'{shown}' is not text in UTF-8, which names of files have to be; rename it."
    return (
        f"'{shown}' has letters that this system's encoding, {sys.getfilesystemencoding()}, does not have; set "
        "PYTHONUTF8=1 or a locale of UTF-8, or rename it."
    )


def say_error(sentence: str) -> None:
    """Print a sentence as a line of standard error.

    Parameters
    ----------
    sentence : str
        The sentence.
    """
    echo(f"matlens: {' '.join(sentence.split())}", error=True)
