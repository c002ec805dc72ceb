"""Conversion of a library's table to numbers: fractions that sum to 1, figures of merit with limits, covariates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.elements import ELEMENTS
from matlens.library.io.names import FRACTION_UNITS, axis_number, split_unit
from matlens.library.io.numerals import UNKNOWN_LIMIT
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["covariates", "fraction_name", "merit_names", "sample_ids", "without_signs"]

_SAME = 1e-4  # difference of two fractions up to which rows under one id are replicates
_AMOUNTS = {"g": "wt%", "mol": "mol%", "L": "vol%"}
_SIGNS = ("<", ">", "\u2264", "\u2265")
_SUMMARY = re.compile(
    r"(?:mean|average|avg\.?|std\.?|stdev|st\.? ?dev\.?|sd|standard deviation|median|min(?:imum)?|max(?:imum)?"
    r"|sum|total|count):?",
    re.IGNORECASE,
)


def sample_ids(
    table: TextTable, column: int | None, fractions: NDArray[np.float64]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the sample ids; replicates of one composition under one id are numbered.

    Parameters
    ----------
    table : TextTable
        The table.
    column : int or None
        Column of the ids.
    fractions : ndarray of float, shape (n, D)
        Compositions of the samples.

    Returns
    -------
    samples : tuple of str
        An id for each row; empty where there is no such column.
    notes : tuple of str
        A sentence about numbered replicates, if there are any.

    Raises
    ------
    InputError
        If an id is missing, or occurs twice with different compositions.

    Examples
    --------
    >>> table = TextTable("t.csv", (), ["id", "Fe"], [2, 3], [["a", "1"], ["a", "1"]])
    >>> sample_ids(table, 0, np.ones((2, 1)))
    (('a', 'a#2'), ('1 rows have the id of another one and its composition; as replicates they were numbered',))
    """
    if column is None:
        return (), ()
    samples = table.texts(column)
    empty = [f"line {line}" for line, sample in zip(table.lines, samples, strict=True) if not sample]
    if empty:
        raise InputError(
            f"{table.name} has no sample id in {named(empty)}, column {table.columns[column]!r}; fill it in, "
            "also where a cell is merged over several rows, of which only the first one holds it."
        )
    count = Counter(samples)
    first = {sample: k for k, sample in reversed(list(enumerate(samples)))}
    apart = {
        sample for k, sample in enumerate(samples) if np.abs(fractions[k] - fractions[first[sample]]).max() > _SAME
    }
    if apart:
        twice = [
            f"{sample} (line {line})" for line, sample in zip(table.lines, samples, strict=True) if sample in apart
        ]
        raise InputError(
            f"{table.name} has the same sample id more than once, with different compositions: {named(twice)}; give "
            "every row an id of its own (rows of one composition are replicates and may share one)."
        )
    seen: Counter[str] = Counter()
    found = []
    for sample in samples:
        seen[sample] += 1
        found.append(sample if seen[sample] == 1 else f"{sample}#{seen[sample]}")
    more = len(samples) - len(count)
    said = f"{more} rows have the id of another one and its composition; as replicates they were numbered"
    return tuple(found), (said,) if more else ()


def without_summaries(table: TextTable) -> tuple[TextTable, tuple[str, ...]]:
    """Leave out rows at the end of a table that summarise the others, such as a mean.

    Parameters
    ----------
    table : TextTable
        The table.

    Returns
    -------
    table : TextTable
        The table of samples.
    notes : tuple of str
        A sentence about rows that were left out, if there are any.

    Examples
    --------
    >>> rows = [["a", "1"], ["b", "3"], ["mean", "2"]]
    >>> without_summaries(TextTable("t.csv", (), ["id", "P"], [2, 3, 4], rows))[1]
    ("the rows 'mean' at the end of the table are no samples and were left out",)
    """
    size = len(table)
    while size > 1 and _SUMMARY.fullmatch(next((cell for cell in table.rows[size - 1] if cell.strip()), "").strip()):
        size -= 1
    if size == len(table):
        return table, ()
    words = named(repr(next(cell for cell in row if cell.strip()).strip()) for row in table.rows[size:])
    return (
        replace(table, lines=table.lines[:size], rows=table.rows[:size]),
        (f"the rows {words} at the end of the table are no samples and were left out",),
    )


def without_signs(table: TextTable) -> tuple[TextTable, dict[int, NDArray[np.int8]], dict[int, NDArray[np.bool_]]]:
    """Remove ``>`` and ``<`` from cells such as ">10", and words such as "<LOD" from columns of numbers.

    Parameters
    ----------
    table : TextTable
        The table.

    Returns
    -------
    table : TextTable
        The table without the signs; cells below an unknown limit of detection are blank.
    signs : dict of int to ndarray of int8
        For each column that had signs: 1 for ``>``, -1 for ``<``, 0 for none.
    below : dict of int to ndarray of bool
        For each column that had such words: where.

    Examples
    --------
    >>> table, signs, below = without_signs(TextTable("t.csv", (), ["P"], [2, 3, 4], [[">10"], ["3"], ["<LOD"]]))
    >>> table.rows, signs[0].tolist(), below[0].tolist()
    ([['10'], ['3'], ['']], [1, 0, 0], [False, False, True])
    """
    signs, below = {}, {}
    for k, name in enumerate(table.columns):
        if axis_number(name) is not None:
            continue
        words = np.array([UNKNOWN_LIMIT.fullmatch(text) is not None for text in table.texts(k)])
        if words.any() and np.isfinite(table.guessed([k])).any():
            below[k] = words
            cells = zip(table.rows, words, strict=True)
            table = replace(table, rows=[[*row[:k], "", *row[k + 1 :]] if word else row for row, word in cells])
        if any(row[k].lstrip()[:1] in _SIGNS for row in table.rows):
            table, signs[k] = table.limits(k)
    return table, signs, below


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
        A unit found in the text, or the kind of what it measures, such as "wt%" for mg; else "at%" for elements and "%"
        for other components, and for thicknesses and other amounts.

    Examples
    --------
    >>> fraction_name(["Fe", "Ga"], ""), fraction_name(["Fe", "Ga"], "(wt%)"), fraction_name(["P3HT", "D1"], "(%)")
    ('at%', 'wt%', '%')
    >>> fraction_name(["Fe", "Ga"], "(mg)"), fraction_name(["Fe", "Ga"], "(nm)")
    ('wt%', '%')
    """
    amount = split_unit(f"amount {rest}")[1]
    if amount not in FRACTION_UNITS:  # amounts that are divided by their sum
        return next(
            (unit for base, unit in _AMOUNTS.items() if re.fullmatch(f"[kmnpu\u00b5\u03bc]?{base}", amount)), "%"
        )
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
