"""Conversion of a library's table to numbers: fractions that sum to 1, figures of merit with limits, covariates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.components import TOLERANCE, Components
from matlens.library.io.names import ELEMENTS, axis_number, split_unit
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["close", "covariates", "fraction_name", "merit_names", "sample_ids", "without_signs"]

_CLOSED = 1e-9  # rows whose sums are this close to 1 are not renormalised, so that their digits stay as in the file


def close(table: TextTable, components: Components) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Read the fractions, and renormalise rows whose sums deviate by up to 0.5 %.

    Parameters
    ----------
    table : TextTable
        The table.
    components : Components
        Columns of the fractions.

    Returns
    -------
    fractions : ndarray of float, shape (n, D)
        Fractions; each row sums to 1.
    notes : tuple of str
        A sentence about renormalised rows, if there are any.

    Raises
    ------
    InputError
        If a fraction is missing, not a number or negative, or a row's sum deviates more; the message names lines.

    Examples
    --------
    >>> table = TextTable("t.csv", (), ["Fe", "Ga"], [2, 3], [["50", "50.1"], ["40", "60"]])
    >>> close(table, Components((0, 1), 100.0))[1]
    ('1 of 2 rows were renormalised (their sums were 100.1 to 100.1)',)
    """
    found = table.numbers(components.columns)
    negative = found < 0
    if negative.any():
        where = table.places(components.columns, negative)
        raise InputError(f"{table.name}: {where}; fractions cannot be negative, correct it.")
    sums = found.sum(axis=1)
    off = np.abs(sums / components.total - 1)
    wrong = [f"line {table.lines[k]} ({sums[k]:.6g})" for k in np.flatnonzero(off > TOLERANCE + _CLOSED)]
    if wrong:
        names = "+".join(table.columns[k] for k in components.columns)
        raise InputError(
            f"{table.name}: the fractions {names} do not sum to {components.total:g} within {TOLERANCE:.1%} in "
            f"{named(wrong)}; correct these rows, or name the components."
        )
    fractions, moved = found / components.total, off > _CLOSED
    fractions[moved] /= fractions[moved].sum(axis=1, keepdims=True)
    if not moved.any():
        return fractions, ()
    low, high = sums[moved].min(), sums[moved].max()
    return fractions, (
        f"{moved.sum()} of {len(sums)} rows were renormalised (their sums were {low:.7g} to {high:.7g})",
    )


def sample_ids(table: TextTable, column: int | None) -> tuple[str, ...]:
    """Read the sample ids.

    Parameters
    ----------
    table : TextTable
        The table.
    column : int or None
        Column of the ids.

    Returns
    -------
    tuple of str
        An id for each row; empty where there is no such column.

    Raises
    ------
    InputError
        If an id is missing or occurs twice.

    Examples
    --------
    >>> sample_ids(TextTable("t.csv", (), ["id", "Fe"], [2, 3], [["a", "1"], ["b", "1"]]), 0)
    ('a', 'b')
    """
    if column is None:
        return ()
    samples = table.texts(column)
    empty = [f"line {line}" for line, sample in zip(table.lines, samples, strict=True) if not sample]
    if empty:
        raise InputError(
            f"{table.name} has no sample id in {named(empty)}, column {table.columns[column]!r}; fill it in."
        )
    count = Counter(samples)
    twice = [f"{sample} (line {line})" for line, sample in zip(table.lines, samples, strict=True) if count[sample] > 1]
    if twice:
        raise InputError(
            f"{table.name} has the same sample id more than once: {named(twice)}; give every row an id of its own "
            "(replicates are known by their composition)."
        )
    return tuple(samples)


def without_signs(table: TextTable) -> tuple[TextTable, dict[int, NDArray[np.int8]]]:
    """Remove ``>`` and ``<`` from cells such as ">10".

    Parameters
    ----------
    table : TextTable
        The table.

    Returns
    -------
    table : TextTable
        The table without the signs.
    signs : dict of int to ndarray of int8
        For each column that had signs: 1 for ``>``, -1 for ``<``, 0 for none.

    Examples
    --------
    >>> table, signs = without_signs(TextTable("t.csv", (), ["P"], [2, 3], [[">10"], ["3"]]))
    >>> table.rows, signs[0].tolist()
    ([['10'], ['3']], [1, 0])
    """
    signs = {}
    for k, name in enumerate(table.columns):
        if axis_number(name) is None and any(row[k].lstrip()[:1] in ("<", ">") for row in table.rows):
            table, signs[k] = table.limits(k)
    return table, signs


def merit_names(columns: Sequence[str]) -> dict[str, str]:
    """Split the column names of figures of merit into names and units.

    Parameters
    ----------
    columns : sequence of str
        Column names.

    Returns
    -------
    dict of str to str
        Unit of each name. A name keeps its unit where it would otherwise occur twice.

    Examples
    --------
    >>> merit_names(["P_mW_cm2", "J (mA/cm2)", "J (A/m2)"])
    {'P': 'mW/cm2', 'J (mA/cm2)': 'mA/cm2', 'J (A/m2)': 'A/m2'}
    """
    split = [split_unit(column) for column in columns]
    count = Counter(name for name, _ in split)
    return {name if count[name] == 1 else column: unit for column, (name, unit) in zip(columns, split, strict=True)}


def covariates(table: TextTable, columns: Sequence[int]) -> pd.DataFrame:
    """Read columns as numbers where all cells that are not empty are numbers, else as text.

    Parameters
    ----------
    table : TextTable
        The table.
    columns : sequence of int
        Indices of the columns.

    Returns
    -------
    DataFrame
        The columns under their names.

    Examples
    --------
    >>> covariates(TextTable("t.csv", (), ["x", "batch"], [2, 3], [["1.5", "A"], ["2", "B"]]), [0, 1]).to_dict("list")
    {'x': [1.5, 2.0], 'batch': ['A', 'B']}
    """
    found: dict[str, NDArray[np.generic]] = {}
    for k in columns:
        texts, numbers = table.texts(k), table.guessed([k])[:, 0]
        plain = any(texts) and all(np.isfinite(n) or not t for t, n in zip(texts, numbers, strict=True))
        found[table.columns[k]] = numbers if plain else np.array(texts, dtype=object)
    return pd.DataFrame(found, index=range(len(table)))


def fraction_name(names: Sequence[str], rest: str) -> str:
    """Determine the name of a hundredth of a fraction.

    Parameters
    ----------
    names : sequence of str
        Names of the components.
    rest : str
        Text that their column names shared, from `component_names`.

    Returns
    -------
    str
        A unit found in the text; else "at%" for elements and "%" for other components.

    Examples
    --------
    >>> fraction_name(["Fe", "Ga"], ""), fraction_name(["Fe", "Ga"], "(wt%)"), fraction_name(["P3HT", "D1"], "(%)")
    ('at%', 'wt%', '%')
    """
    for word, unit in (
        ("wt", "wt%"),
        ("weight", "wt%"),
        ("mass", "wt%"),
        ("mol", "mol%"),
        ("vol", "vol%"),
        ("at", "at%"),
    ):
        if word in rest.lower().replace("concentration", "").replace("fraction", ""):
            return unit
    return "at%" if set(names) <= ELEMENTS else "%"
