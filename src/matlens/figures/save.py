"""Saving of a figure as PNG, as PDF, and as a CSV file of the numbers it shows."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from matlens.core.atomic import atomic_write
from matlens.figures.style import RC

__all__ = ["save_figure"]

_DPI = 220


def save_figure(figure: Figure, stem: str | os.PathLike[str], source: pd.DataFrame) -> tuple[Path, Path, Path]:
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
        with atomic_write(png) as temporary:
            figure.savefig(temporary, dpi=_DPI, metadata={"Software": None})
        with atomic_write(pdf) as temporary:
            figure.savefig(temporary, metadata={"CreationDate": None, "Creator": "MatLens", "Producer": None})
    with atomic_write(csv) as temporary:
        source.to_csv(temporary, index=False, lineterminator="\n")
    return png, pdf, csv
