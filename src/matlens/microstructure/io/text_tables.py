"""Text tables of labels or grey values: one row of the picture a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.io.image import Image

__all__ = ["read_text"]


def read_text(path: Path, dataset: str | None = None) -> Image:
    """Read numbers between commas, semicolons, tabs or blanks.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because a table holds one picture.

    Returns
    -------
    Image
        The values, without a spacing.

    Raises
    ------
    InputError
        If the rows are no numbers, or differ in length.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.csv"
    >>> _ = path.write_text("0,1\\n1,1\\n")
    >>> read_text(path).values.tolist()
    [[0, 1], [1, 1]]
    """
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path.name} holds no numbers; save one row of the picture a line.")
    separator = next((mark for mark in (";", "\t", ",") if mark in lines[0]), None)
    try:
        rows = [[float(word) for word in line.strip().split(separator)] for line in lines]
    except ValueError:
        raise InputError(
            f"{path.name} holds words where numbers are expected; save one row of the picture a line, no heading."
        ) from None
    if len({len(row) for row in rows}) > 1:
        raise InputError(f"{path.name} has rows of different lengths; save one row of the picture a line.")
    values = np.array(rows)
    exact = np.abs(values) < 2**53  # beyond that, and for nan and inf, an integer would be another number
    return Image(values.astype(np.int64) if np.all(exact & (values == np.round(values))) else values)
