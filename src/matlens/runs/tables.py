"""Tables of a run as CSV files; the same numbers give the same bytes."""

from __future__ import annotations

import pandas as pd

from matlens.runs.directory import RunDirectory

__all__ = ["read_table", "write_table"]


def write_table(run: RunDirectory, name: str, table: pd.DataFrame) -> None:
    """Write a table as ``NAME.csv``, with all digits of its numbers.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Name of the file without extension.
    table : DataFrame
        Table; its index is not written.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "compare", {})
    >>> write_table(run, "errors", pd.DataFrame({"error": [0.1]}))
    >>> (run.path / "errors.csv").read_text()
    'error\\n0.1\\n'
    """
    with run.writing(f"{name}.csv") as file:
        table.to_csv(file, index=False, lineterminator="\n")


def read_table(run: RunDirectory, name: str) -> pd.DataFrame | None:
    """Read a table of a run.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        Name of the file without extension.

    Returns
    -------
    DataFrame or None
        None if the run has no such table, or an empty one.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "compare", {})
    >>> write_table(run, "errors", pd.DataFrame({"error": [0.1]}))
    >>> read_table(run, "errors")["error"].tolist(), read_table(run, "verdicts")
    ([0.1], None)
    """
    file = run.path / f"{name}.csv"
    if not file.is_file() or not file.read_text(encoding="utf-8").strip():
        return None
    return pd.read_csv(file)
