"""Names of a run's inputs as headings show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["PROBLEM", "short_names"]

PROBLEM = "problem:"  # "problem:gravel" is a structure that MatLens makes itself


def short_names(sources: Sequence[str]) -> list[str]:
    """Give a short name of each input, numbered where two files share one.

    Examples
    --------
    >>> short_names(["a/slice.tif", "b/slice.tif", "problem:gravel"])
    ['slice (1)', 'slice (2)', 'gravel']
    """
    short = [s.removeprefix(PROBLEM) if s.startswith(PROBLEM) else Path(s).stem for s in sources]
    return [name if short.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(short)]
