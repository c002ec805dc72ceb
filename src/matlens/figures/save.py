"""Saving of a figure as PNG, as PDF, and as a CSV file of the numbers it shows."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from matlens.core.atomic import Writing, atomic_write
from matlens.core.csv_text import csv_text
from matlens.figures.style import RC

__all__ = ["save_figure"]

_DPI = 220


def save_figure(
    figure: Figure, stem: str | os.PathLike[str], source: pd.DataFrame, writing: Writing = atomic_write
) -> tuple[Path, Path, Path]:
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

    Returns
    -------
    png, pdf, csv : Path
        The three files.

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
    png, pdf, csv = (Path(f"{os.fspath(stem)}.{suffix}") for suffix in ("png", "pdf", "csv"))
    FigureCanvasAgg(figure)
    with matplotlib.rc_context(RC):
        with writing(png.as_posix()) as file:
            figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
        with writing(pdf.as_posix()) as file:
            described = {"CreationDate": None, "Creator": "MatLens", "Producer": None}
            figure.savefig(file, format="pdf", metadata=described)
    with writing(csv.as_posix()) as file:
        file.write(csv_text(source).encode())
    return png, pdf, csv
