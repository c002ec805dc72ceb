"""Figures as PDF: drawn by a process of its own, since the server loads no library that draws."""

from __future__ import annotations

import re
import subprocess
import sys

from matlens.errors import InputError, RunError
from matlens.studio.folder import Folder

__all__ = ["pdf_of"]

_PATIENCE = 600  # seconds
_NAME = re.compile(r"[\w.-]+")


def pdf_of(folder: Folder, run: str, figure: str) -> str:
    """Have the figures of a run drawn as PDF, unless they are there.

    Parameters
    ----------
    folder : Folder
        The studio's folder.
    run : str
        Path of the run relative to the folder; nothing works on it.
    figure : str
        Name of one of its figures, without suffix.

    Returns
    -------
    str
        Path of the figure's PDF relative to the folder.

    Raises
    ------
    InputError
        If the run has no such figure.
    RunError
        If it cannot be drawn.

    Examples
    --------
    >>> import tempfile
    >>> pdf_of(Folder(tempfile.mkdtemp()), "run", "curves")
    Traceback (most recent call last):
    matlens.errors.InputError: run has no figure 'curves'; choose one that its report shows.
    """
    stem = f"{run}/figures/{figure}"
    missing = InputError(f"{run} has no figure {figure[:60]!r}; choose one that its report shows.")
    if not _NAME.fullmatch(figure):
        raise missing
    picture, print_ = folder.path(f"{stem}.png"), folder.path(f"{stem}.pdf")
    if not picture.is_file():
        raise missing
    if print_.is_file() and print_.stat().st_mtime_ns >= picture.stat().st_mtime_ns:
        return folder.name(print_)
    line = [sys.executable, "-m", "matlens", "report", run, "--pdf", "--quiet"]
    try:
        done = subprocess.run(
            line,
            cwd=folder.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(f"the figures of {run} took longer than {_PATIENCE} s to draw; try again.") from error
    if done.returncode or not print_.is_file():
        said = [text.removeprefix("matlens: ") for text in done.stderr.splitlines() if text.startswith("matlens: ")]
        raise RunError(
            said[-1] if said else f"the figures of {run} could not be drawn; try 'matlens report {run} --pdf'."
        )
    return folder.name(print_)
