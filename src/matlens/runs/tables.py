"""Tables that a run keeps as CSV: the same numbers give the same bytes."""

from __future__ import annotations

import pandas as pd

from matlens.core.atomic import atomic_write
from matlens.runs.directory import RunDirectory

__all__ = ["read_table", "write_table"]


def write_table(run: RunDirectory, name: str, table: pd.DataFrame) -> None:
    """Write ``name.csv`` with every digit needed to read the same numbers back."""
    with atomic_write(run.claim(f"{name}.csv")) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_table(run: RunDirectory, name: str) -> pd.DataFrame | None:
    """Read ``name.csv`` of a run; None when the run has no such table, or an empty one."""
    file = run.path / f"{name}.csv"
    if not file.is_file() or not file.read_text(encoding="utf-8").strip():
        return None
    return pd.read_csv(file)
