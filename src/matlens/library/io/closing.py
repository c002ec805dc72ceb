"""Fractions that sum to 1: what rounding explains, the balance, limits of detection, and renormalising on demand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.components import MOST_ROUNDING, TOLERANCE, Components, last_place
from matlens.library.io.names import FRACTION_UNITS, split_unit
from matlens.library.io.options import LibraryOptions
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["close"]

_CLOSED = 1e-9  # rows whose sums are this close to 1 are not renormalised, so that their digits stay as in the file

Floats = NDArray[np.float64]


def close(
    table: TextTable,
    components: Components,
    options: LibraryOptions,
    below: Mapping[int, NDArray[np.bool_]] | None = None,
) -> tuple[Floats, tuple[str, ...]]:
    """Read the fractions, and renormalise rows whose sums deviate by 0.5 % or by what rounding explains.

    Parameters
    ----------
    table : TextTable
        The table.
    components : Components
        Columns of the fractions, and the name of the balance.
    options : LibraryOptions
        Whether blanks are zero, and whether all rows are renormalised.
    below : mapping of int to ndarray of bool, optional
        By column, the rows in which a fraction is below a limit of detection.

    Returns
    -------
    fractions : ndarray of float, shape (n, D)
        Fractions, the balance last; each row sums to 1.
    notes : tuple of str
        A sentence about each change.

    Raises
    ------
    InputError
        If a fraction is missing, not a number or negative, or a row's sum deviates more; the message names lines.

    Examples
    --------
    >>> table = TextTable("t.csv", (), ["Fe", "Ga"], [2, 3], [["50", "50.1"], ["40", "60"]])
    >>> close(table, Components((0, 1), 100.0), LibraryOptions())[1]
    ('1 of 2 rows were renormalised (their sums were 100.1 to 100.1)',)
    """
    found, limits, notes = _fractions(table, components, options, below or {})
    negative = found < 0
    if negative.any():
        where = table.places(components.columns, negative)
        raise InputError(
            f"{table.name}: {where}; fractions cannot be negative, correct it, or name "
            "the figure of merit if it is one (--merits)."
        )
    sums = found.sum(axis=1)
    if components.balance is not None:
        return _with_balance(table, found, components), (*notes, f"{components.balance} is the balance")
    if options.renormalise:
        return _renormalised(table, found, sums), (*notes, f"all rows were renormalised ({_range(sums)})")
    allowed = np.maximum(TOLERANCE, _rounding(table, components) + limits / components.total)
    off = np.abs(sums / components.total - 1)
    if (off > allowed + _CLOSED).any():
        # The fractions of a site are all there: no component completes them.
        more = "" if options.sites else " or completed by a further component (--balance NAME)"
        raise InputError(_open_rows(table, components, sums, off > allowed + _CLOSED, float(allowed.max()), more))
    fractions, moved = found / components.total, off > _CLOSED
    fractions[moved] /= fractions[moved].sum(axis=1, keepdims=True)
    if not moved.any():
        return fractions, tuple(notes)
    cause = "limits of detection explain" if limits.any() else "the rounding of the fractions explains"
    why = f", which {cause}" if (off > TOLERANCE + _CLOSED).any() else ""
    said = f"{moved.sum()} of {len(sums)} rows were renormalised ({_range(sums[moved])}{why})"
    return fractions, (*notes, said)


def _fractions(
    table: TextTable, components: Components, options: LibraryOptions, below: Mapping[int, NDArray[np.bool_]]
) -> tuple[Floats, Floats, list[str]]:
    """Read the numbers; zero replaces what is below a limit of detection, and blanks where that is asked."""
    columns, notes = components.columns, []
    if options.blanks == "zero":
        found = table.numbers(columns, missing=True)
        blank = ~np.isfinite(found)
        found[blank] = 0
        if blank.any():
            notes.append(f"{blank.sum()} blank fractions were read as 0")
    else:
        found = _complete(table, columns, below)
    limits = np.zeros(len(table))
    for j, k in enumerate(columns):
        if k in below:
            limits += np.where(below[k], found[:, j], 0)
            notes.append(
                f"{below[k].sum()} fractions in {table.columns[k]!r} lie below a limit of detection and were read as 0"
            )
            found[below[k], j] = 0
    return found, limits, notes


def _complete(table: TextTable, columns: tuple[int, ...], below: Mapping[int, NDArray[np.bool_]]) -> Floats:
    guessed = table.guessed(columns)
    for j, k in enumerate(columns):
        if k in below:
            guessed[below[k] & ~np.isfinite(guessed[:, j]), j] = 0  # "<LOD", whose limit is unknown
    bad = ~np.isfinite(guessed)
    if bad.any():
        blank = all(not table.rows[row][columns[j]].strip() for row, j in np.argwhere(bad))
        hint = ", or let blanks be zero by --blanks zero" if blank else ""
        raise InputError(
            f"{table.name}: {table.places(columns, bad)}; finite numbers are expected there, correct it{hint}."
        )
    return guessed


def _rounding(table: TextTable, components: Components) -> Floats:
    """By how much the sum of each row may deviate because its numbers were rounded to the decimals that it shows."""
    places = np.array([[last_place(row[k]) for k in components.columns] for row in table.rows])
    finest = np.where(places > 0, places, np.inf).min(
        axis=1
    )  # spreadsheets leave out zeros at the end: 0.3 may be 0.30
    half = 0.5 * np.where(np.isfinite(finest), finest, 0) * len(components.columns)
    return np.asarray(np.minimum(half / components.total, MOST_ROUNDING))


def _with_balance(table: TextTable, found: Floats, components: Components) -> Floats:
    fractions = found / components.total
    rest = 1 - fractions.sum(axis=1)
    over = [f"line {table.lines[k]} ({found[k].sum():.6g})" for k in np.flatnonzero(rest < -TOLERANCE)]
    if over:
        raise InputError(
            f"{table.name}: the components other than {components.balance} sum to more than {components.total:g} in "
            f"{named(over)}; correct these rows, or give the unit by --fraction-unit."
        )
    fractions = np.column_stack([fractions, np.clip(rest, 0, None)])
    return np.asarray(fractions / fractions.sum(axis=1, keepdims=True))


def _renormalised(table: TextTable, found: Floats, sums: Floats) -> Floats:
    empty = [f"line {table.lines[k]}" for k in np.flatnonzero(sums <= 0)]
    if empty:
        raise InputError(f"{table.name} has no fraction above zero in {named(empty)}; complete or remove these rows.")
    return np.asarray(found / sums[:, None])


def _open_rows(
    table: TextTable, components: Components, sums: Floats, wrong: NDArray[np.bool_], allowed: float, more: str
) -> str:
    rows = [f"line {table.lines[k]} ({sums[k]:.6g})" for k in np.flatnonzero(wrong)]
    names = "+".join(table.columns[k] for k in components.columns)
    lacking = _closing_column(table, components, sums)
    if lacking:
        return (
            f"{table.name}: the fractions {names} do not sum to {components.total:g} in {named(rows)}, but do with "
            f"{lacking}, which is not among the components that are known or asked for; leave such rows out, or "
            "name it among the components."
        )
    return (
        f"{table.name}: the fractions {names} do not sum to {components.total:g} within {allowed:.1%} in "
        f"{named(rows)}; correct these rows, name the components, or let them be divided by their sum (--renormalise)"
        f"{more}."
    )


def _closing_column(table: TextTable, components: Components, sums: Floats) -> str:
    """The name of a column with which all rows close."""
    for k, name in enumerate(table.columns):
        if k not in components.columns and split_unit(name)[1] in FRACTION_UNITS:
            more = np.nan_to_num(table.guessed([k])[:, 0])
            if more.any() and (np.abs((sums + more) / components.total - 1) <= TOLERANCE).all():
                return name
    return ""


def _range(sums: Floats) -> str:
    return f"their sums were {sums.min():.7g} to {sums.max():.7g}"
