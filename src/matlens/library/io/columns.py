"""Recognition of the columns of a library's table: sample ids, components, channels, figures of merit, covariates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.components import Components
from matlens.library.io.composition_columns import find_column, find_composition, fitting_columns
from matlens.library.io.names import axis_number, is_sample_name, map_positions, split_unit
from matlens.library.io.options import LibraryOptions
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["Columns", "find_columns"]

_COVARIATE = re.compile(
    r"(?:plate|wafer|[xyz]|row|col|column|pos|position|coordinate|thickness|batch|date|time|day|run|spot|site|index|"
    r"group|fold|set|library|anneal\w*|temperature|operator|label|phase|region|cluster|replicate|(?:total )?reps?|"
    r"unnamed: ?|reference|sum|total)"
    r"(?:[\s_]*(?:\d+|id|no\.?|nr\.?|#|number|index|date|pos|name|position|coordinate))?"
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
    formula : int or None
        Column of formulas, where the components are the elements in it.
    """

    sample: int | None
    components: Components
    axis: tuple[int, ...]
    positions: NDArray[np.float64]
    axis_unit: str
    merits: tuple[int, ...]
    covariates: tuple[int, ...]
    formula: int | None = None


def find_columns(table: TextTable, options: LibraryOptions, target: str | None = None) -> Columns:
    """Determine the role of each column of a table; options have priority over names and numbers.

    Parameters
    ----------
    table : TextTable
        The table.
    options : LibraryOptions
        Roles that the user names.
    target : str, optional
        Figure of merit that is going to be learned, which is never a component.

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
    learned = [] if target is None else fitting_columns(table, target)[:1]
    claimed = {what: _asked(table, getattr(options, what)) for what in ("merits", "covariates")}
    taken = {*learned, *(k for columns in claimed.values() for k in columns)}
    fractions = [k for name in options.components for k in fitting_columns(table, name)[:1]]
    if options.sample is not None:
        sample: int | None = _asked(table, [options.sample])[0]
        taken.add(sample)  # type: ignore[arg-type]
    axis, positions, unit = _axis(table, options.axis_columns, taken | set(fractions))
    rest = [k for k in range(len(table.columns)) if k not in set(axis)]
    if options.sample is None:
        sample = _sample(table, [k for k in rest if k not in taken and k not in fractions])
    numeric = _numeric(table, [k for k in rest if k != sample])
    on_map = {rest[j] for j in map_positions([table.columns[k] for k in rest])} - set(fractions)
    chosen = find_composition(table, options, [k for k in rest if k not in taken | on_map], numeric)
    left = [k for k in rest if k not in chosen.components.columns and k not in (sample, chosen.balance)]
    merits = [*claimed["merits"], *(k for k in learned if claimed["merits"] and k not in claimed["merits"])]
    if not merits:
        spare = {k for columns in chosen.components.others for k in columns} | set(claimed["covariates"])
        merits = [
            k
            for k in left
            if k in learned or (k in numeric and k not in spare | on_map and not _is_covariate(table.columns[k]))
        ]
    others = tuple(k for k in left if k not in set(merits))
    return Columns(sample, chosen.components, axis, positions, unit, tuple(merits), others, chosen.formula)


def _asked(table: TextTable, names: Sequence[str]) -> list[int]:
    return [find_column(table, name) for name in names]


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


def _is_covariate(name: str) -> bool:
    return _COVARIATE.fullmatch(split_unit(name)[0].strip().lower()) is not None
