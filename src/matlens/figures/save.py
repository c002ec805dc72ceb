"""Saving of a figure as PNG or PDF, and as a CSV file of the numbers it shows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from matlens.core.atomic import Writing, atomic_write
from matlens.core.csv_text import csv_text
from matlens.figures.style import RC

__all__ = ["save_figure"]

_HOW: dict[str, dict[str, Any]] = {
    "png": {"dpi": 220, "metadata": {"Software": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": "MatLens", "Producer": None}},
}


def save_figure(
    figure: Figure,
    stem: str | os.PathLike[str],
    source: pd.DataFrame,
    writing: Writing = atomic_write,
    suffixes: Sequence[str] = ("png", "pdf"),
) -> tuple[Path, ...]:
    """Save a figure as PNG and PDF, and its source data as CSV.

    The same figure gives the same bytes, because no dates are written.

    Parameters
    ----------
    figure : Figure
        Figure to save.
    stem : path-like
        Path without suffix; its folder must exist.
    source : DataFrame
        The numbers in the figure.
    writing : callable
        Opens a file for writing, from its path; by default, `matlens.core.atomic.atomic_write`.
    suffixes : sequence of {"png", "pdf"}
        Kinds of picture to write.

    Returns
    -------
    tuple of Path
        The pictures in this order, then the CSV file.

    Raises
    ------
    RunError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> figure = Figure(figsize=(1, 1))
    >>> files = save_figure(figure, Path(tempfile.mkdtemp()) / "empty", pd.DataFrame({"r": [0, 1]}))
    >>> [file.name for file in files]
    ['empty.png', 'empty.pdf', 'empty.csv']
    """
    files = [Path(f"{os.fspath(stem)}.{suffix}") for suffix in (*suffixes, "csv")]
    FigureCanvasAgg(figure)
    with matplotlib.rc_context(RC):
        for suffix, path in zip(suffixes, files):
            with writing(path.as_posix()) as file:
                figure.savefig(file, format=suffix, **_HOW[suffix])
    with writing(files[-1].as_posix()) as file:
        file.write(csv_text(source).encode())
    return tuple(files)
