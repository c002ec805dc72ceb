"""Tables of labels: reading, checks, and matching with structures by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.guard import reading
from matlens.errors import InputError

__all__ = ["listed", "matched", "read_label_table"]

_MOST = 5  # names shown in a message


def read_label_table(path: str | os.PathLike[str], targets: Sequence[str]) -> pd.DataFrame:
    """Read a table of labels from a CSV file.

    Parameters
    ----------
    path : path-like
        CSV file with a line of column names and one row per structure. The column ``structure`` or ``file``, or else
        the first, holds the structures' names.
    targets : sequence of str
        Columns that must be present and hold finite numbers.

    Returns
    -------
    DataFrame
        Column ``structure`` (text), the targets (float), all other columns as text.

    Raises
    ------
    InputError
        If the file cannot be read, a target is missing, a label is not a number, or a structure is named twice.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("file,k_eff\\na.tif,1.5\\n")
    >>> read_label_table(path, ["k_eff"]).to_dict("records")
    [{'structure': 'a.tif', 'k_eff': 1.5}]
    """
    with reading(path, "a CSV table", "check path and content"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True)
    if table.shape[1] < 2 or not len(table):
        raise InputError(
            f"{path} has {table.shape[1]} columns and {len(table)} rows where names and labels are expected; separate "
            "columns by commas, and write decimals with a point."
        )
    name = next((column for column in ("structure", "file") if column in table), str(table.columns[0]))
    table = table.rename(columns={name: "structure"})
    missing = [target for target in targets if target not in table or target == "structure"]
    if missing:
        there = [str(column) for column in table if column != "structure" and _is_numeric(table[column])]
        raise InputError(
            f"{path} has no column {listed(missing)}; its columns of numbers are {', '.join(there) or 'none'}."
        )
    for target in targets:
        numbers = pd.to_numeric(table[target], errors="coerce")
        bad = table["structure"][~np.isfinite(numbers)].tolist()
        if bad:
            raise InputError(
                f"the label {target} is missing or no finite number for {len(bad)} of {len(table)} structures in "
                f"{path}: {listed(bad)}; fill in or remove these rows."
            )
        table[target] = numbers.astype(np.float64)
    twice = table["structure"][table["structure"].duplicated()].unique().tolist()
    if twice:
        raise InputError(f"{path} names {listed(twice)} more than once; keep one row for each structure.")
    return table


def matched(table: pd.DataFrame, names: Sequence[str], place: str | os.PathLike[str]) -> NDArray[np.int64]:
    """Find the row of each structure by name, with or without the extension of its file.

    Parameters
    ----------
    table : DataFrame
        Result of `read_label_table`.
    names : sequence of str
        Names of the structures.
    place : path-like
        Location of the structures, for messages.

    Returns
    -------
    ndarray of int, shape (n,)
        Row of each structure; -1 where the table has none.

    Raises
    ------
    InputError
        If the name of a row belongs to no structure, or to several.

    Examples
    --------
    >>> matched(pd.DataFrame({"structure": ["b", "a.tif"]}), ["a.tif", "b.png", "c.png"], "folder").tolist()
    [1, 0, -1]
    """
    exact = {name: [index] for index, name in enumerate(names)}
    stems: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        stems.setdefault(PurePath(name).stem, []).append(index)
    places = {**stems, **exact}
    rows = np.full(len(names), -1, dtype=np.int64)
    unknown = [name for name in table["structure"] if name not in places]
    if unknown:
        raise InputError(
            f"{len(unknown)} of {len(table)} labels have no structure in {place}: {listed(unknown)}; add the "
            "structures, or remove these rows."
        )
    for row, name in enumerate(table["structure"]):
        meant = places[name]
        if len(meant) > 1 or rows[meant[0]] >= 0:
            several = listed([names[index] for index in meant])
            raise InputError(
                f"the label of {name} could mean {several} or stands twice; name the file with its suffix."
            )
        rows[meant[0]] = row
    return rows


def listed(names: Sequence[str]) -> str:
    """Join names for a message; of many, only the first five are shown.

    Parameters
    ----------
    names : sequence of str
        Names.

    Returns
    -------
    str
        Names, separated by commas.

    Examples
    --------
    >>> listed(["a", "b"]), listed([str(k) for k in range(9)])
    ('a, b', '0, 1, 2, 3, 4 and 4 more')
    """
    shown = ", ".join(names[:_MOST])
    return shown + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _is_numeric(column: pd.Series[str]) -> bool:
    return bool(pd.to_numeric(column, errors="coerce").notna().any())
