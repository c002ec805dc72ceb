"""Recognition of the columns of a library's table: sample ids, components, channels, figures of merit, covariates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.components import Components, find_components
from matlens.library.io.names import FRACTION_UNITS, axis_number, component_names, is_sample_name, same_name, split_unit
from matlens.library.io.options import LibraryOptions
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["Columns", "find_columns"]

_COVARIATE = re.compile(
    r"(?:plate|wafer|[xyz]|row|col|column|pos|position|coordinate|thickness|batch|date|time|day|run|spot|site|index|"
    r"group|fold|set|library|anneal\w*|temperature|operator|label|phase|region|cluster|replicate)(?:[\s_]*(?:\d+|id|no|pos|name|position|coordinate))?"
)
_NUMBER_INSIDE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Columns:
    """Indices of a table's columns by their role.

    Parameters
    ----------
    sample : int or None
        Column of the sample ids.
    components : Components
        Columns of the fractions, and the sum of a row.
    axis : tuple of int
        Columns of the channels, in the order of the file.
    positions : ndarray of float, shape (C,)
        Positions of the channels on the axis.
    axis_unit : str
        Unit of the positions, where the column names have one.
    merits : tuple of int
        Columns of the figures of merit.
    covariates : tuple of int
        All other columns.
    """

    sample: int | None
    components: Components
    axis: tuple[int, ...]
    positions: NDArray[np.float64]
    axis_unit: str
    merits: tuple[int, ...]
    covariates: tuple[int, ...]


def find_columns(table: TextTable, options: LibraryOptions) -> Columns:
    """Determine the role of each column of a table; options have priority over names and numbers.

    Parameters
    ----------
    table : TextTable
        The table.
    options : LibraryOptions
        Roles that the user names.

    Returns
    -------
    Columns
        The columns by their role.

    Raises
    ------
    InputError
        If a column that an option names does not exist, no components are found, or a channel's name has no number.

    Examples
    --------
    >>> names, cells = ["Sample", "Fe", "Ga", "400", "401", "P"], ["1", ".5", ".5", "7", "8", "9"]
    >>> table = TextTable("t.csv", (), names, [2], [cells])
    >>> found = find_columns(table, LibraryOptions())
    >>> found.sample, found.components.columns, found.positions.tolist(), found.merits
    (0, (1, 2), [400.0, 401.0], (5,))
    """
    claimed = {what: _asked(table, getattr(options, what)) for what in ("components", "merits", "covariates")}
    taken = {k for columns in claimed.values() for k in columns}
    if options.sample is not None:
        sample: int | None = _asked(table, [options.sample])[0]
        taken.add(sample)  # type: ignore[arg-type]
    axis, positions, unit = _axis(table, options.axis_columns, taken)
    rest = [k for k in range(len(table.columns)) if k not in set(axis)]
    if options.sample is None:
        sample = _sample(table, [k for k in rest if k not in taken])
    rest = [k for k in rest if k != sample]
    numeric = _numeric(table, rest)
    components = _components(table, options, claimed["components"], [k for k in rest if k in numeric], taken)
    left = [k for k in rest if k not in components.columns]
    merits = claimed["merits"]
    if not merits:
        spare = {k for columns in components.others for k in columns} | set(claimed["covariates"])
        merits = [k for k in left if k in numeric and k not in spare and not _is_covariate(table.columns[k])]
    return Columns(
        sample, components, axis, positions, unit, tuple(merits), tuple(k for k in left if k not in set(merits))
    )


def _asked(table: TextTable, names: Sequence[str]) -> list[int]:
    return [_find(table, name) for name in names]


def _find(table: TextTable, name: str) -> int:
    if name in table.columns:
        return table.columns.index(name)
    fitting = [k for k, column in enumerate(table.columns) if same_name(name, column)]
    fitting = fitting or [
        k for k, column in enumerate(table.columns) if component_names([column])[0][0] == name.strip()
    ]
    if len(fitting) != 1:
        there = [column for column in table.columns if axis_number(column) is None]
        found = f"the columns {named(table.columns[k] for k in fitting)}" if fitting else "no column"
        raise InputError(f"{table.name} has {found} for the name {name!r}; its columns are {named(there, 40)}.")
    return fitting[0]


def _axis(table: TextTable, option: str | None, taken: set[int]) -> tuple[tuple[int, ...], NDArray[np.float64], str]:
    if option == "none":
        return (), np.empty(0), ""
    if option is not None:
        return _axis_between(table, option, taken)
    read = {k: found for k, name in enumerate(table.columns) if k not in taken and (found := axis_number(name))}
    columns = tuple(read)
    if columns:
        strange = [table.columns[k] for k in range(columns[0], columns[-1]) if k not in read and k not in taken]
        if strange:
            raise InputError(
                f"{table.name} has the column {named(strange)} among the channels of the spectrum, whose names must be "
                "numbers; correct it, or name the columns (axis columns, components, figures of merit)."
            )
    units = sorted({unit for _, unit in read.values()} - {""})
    if len(units) > 1:
        raise InputError(f"{table.name} has channels in {named(units)}, expected one unit; correct the column names.")
    return columns, np.array([number for number, _ in read.values()]), units[0] if units else ""


def _axis_between(table: TextTable, option: str, taken: set[int]) -> tuple[tuple[int, ...], NDArray[np.float64], str]:
    first, last = _asked(table, option.split(":", 1))
    columns = tuple(k for k in range(min(first, last), max(first, last) + 1) if k not in taken)
    numbers = [_NUMBER_INSIDE.search(table.columns[k]) for k in columns]
    strange = [table.columns[k] for k, number in zip(columns, numbers, strict=True) if number is None]
    if strange:
        raise InputError(
            f"{table.name} has the column {named(strange)} among the channels, whose names need numbers; correct it."
        )
    return columns, np.array([float(number[0]) for number in numbers if number is not None]), ""


def _sample(table: TextTable, columns: list[int]) -> int | None:
    for k in columns:
        if is_sample_name(table.columns[k]):
            return k
    if columns and columns[0] == 0:
        texts = table.texts(0)
        if 0 not in _numeric(table, [0]) and len(set(texts)) == len(texts):
            return 0
    return None


def _numeric(table: TextTable, columns: Sequence[int]) -> set[int]:
    """Return the columns in which at least half of the cells that are not empty are numbers."""
    known = np.isfinite(table.guessed(columns)).sum(axis=0)
    filled = [sum(1 for text in table.texts(k) if text) for k in columns]
    return {k for k, count, of in zip(columns, known, filled, strict=True) if count and 2 * count >= of}


def _components(
    table: TextTable, options: LibraryOptions, asked: list[int], numeric: list[int], taken: set[int]
) -> Components:
    if asked:
        sums = np.nansum(table.guessed(asked), axis=1)
        found: Components | None = Components(tuple(asked), 100.0 if np.median(sums) > 10 else 1.0)
    else:
        free = [k for k in numeric if k not in taken and split_unit(table.columns[k])[1] in FRACTION_UNITS]
        names = [table.columns[k] for k in free]
        found = find_components(names, table.guessed(free))
        if found is not None:
            others = tuple(tuple(free[j] for j in columns) for columns in found.others)
            found = Components(tuple(free[j] for j in found.columns), found.total, others)
    if found is None:
        raise InputError(
            f"{table.name} has no columns of numbers that close to 1 or 100 % in most rows (looked at "
            f"{named((table.columns[k] for k in numeric), 20) or 'none'}); name the components."
        )
    if options.fraction_unit is not None:
        found = Components(found.columns, 1.0 if options.fraction_unit == "fraction" else 100.0, found.others)
    return found


def _is_covariate(name: str) -> bool:
    return _COVARIATE.fullmatch(split_unit(name)[0].strip().lower()) is not None
