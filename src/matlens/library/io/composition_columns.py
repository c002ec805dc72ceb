"""Where a table holds the compositions: columns of fractions, a column of formulas, or fractions with a balance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matlens.errors import InputError
from matlens.library.io.components import Components, find_components, last_place
from matlens.library.io.elements import ELEMENTS
from matlens.library.io.formulas import formula_amounts, looks_like_formulas
from matlens.library.io.names import (
    FRACTION_UNITS,
    axis_number,
    component_names,
    is_element,
    map_positions,
    same_name,
    split_unit,
)
from matlens.library.io.options import LibraryOptions
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["Composition", "find_column", "find_composition", "fitting_columns"]

_BALANCE = re.compile(r"(?:bal(?:ance)?\.?|rest|remainder|rem\.?)", re.IGNORECASE)
_FORMULA_NAME = re.compile(r"composition|formula", re.IGNORECASE)


@dataclass(frozen=True)
class Composition:
    """Where the compositions of a table stand.

    Parameters
    ----------
    components : Components
        Columns of fractions; none where formulas are used.
    formula : int or None
        Column of formulas.
    balance : int or None
        Column of words such as "bal.", which gives the name of the component that is the rest.
    """

    components: Components
    formula: int | None = None
    balance: int | None = None


def find_composition(table: TextTable, options: LibraryOptions, free: Sequence[int], numeric: set[int]) -> Composition:
    """Find the compositions of a table.

    Columns and a balance that options name come first, then columns named as elements that close, then formulas, then
    any columns that close.

    Parameters
    ----------
    table : TextTable
        The table.
    options : LibraryOptions
        Roles that the user names.
    free : sequence of int
        Columns that have no other role; the sample ids may be among them.
    numeric : set of int
        Columns of numbers.

    Returns
    -------
    Composition
        Columns of fractions, or a column of formulas.

    Raises
    ------
    InputError
        If there are no compositions, or several columns of formulas or sites of elements, and no option names one.

    Examples
    --------
    >>> table = TextTable("t.csv", (), ["alloy", "P"], [2, 3], [["Fe0.5Co0.5", "1"], ["Fe0.2Co0.8", "2"]])
    >>> find_composition(table, LibraryOptions(), [0, 1], {1}).formula
    0
    """
    texts = [k for k in free if k not in numeric]
    formula = _formula(table, options, texts)
    if options.sites:
        return _on_sites(table, options, texts, formula)
    words = _balance_column(table, texts)
    balance = options.balance or (None if words is None else component_names([table.columns[words]])[0][0])
    if options.components:
        unknown = [name for name in options.components if not fitting_columns(table, name)]
        if unknown and formula is not None:
            return Composition(Components((), 1.0), formula)
        asked = [find_column(table, name) for name in options.components if name != balance]
        return Composition(_asked_for(table, options, asked, balance), balance=words)
    if options.formula is not None:
        return Composition(Components((), 1.0), formula)
    places = [k for k in free if k in numeric and split_unit(table.columns[k])[1] in FRACTION_UNITS]
    if balance is not None:
        others = [k for k in places if is_element(table.columns[k])]
        return Composition(_balanced(table, options, others, balance), balance=words)
    names, values = [table.columns[k] for k in places], table.guessed(places)
    found = find_components(names, values, np.array([_half_place(table.texts(k)) for k in places]))
    closing = None if found is None else _placed(found, places)
    if formula is not None and (closing is None or not all(is_element(table.columns[k]) for k in closing.columns)):
        return Composition(Components((), 1.0), formula)
    if closing is None:
        raise InputError(_without(table, [k for k in free if k in numeric], texts))
    if options.renormalise:
        elements = tuple(k for k in places if is_element(table.columns[k]))
        closing = Components(elements, 1.0) if len(elements) > 1 else closing
    _check_sites(table, closing)
    return Composition(_in_unit(closing, options))


def _on_sites(table: TextTable, options: LibraryOptions, texts: Sequence[int], formula: int | None) -> Composition:
    """Take the columns of all components, or else a column of formulas that may hold names of molecules."""
    names = [name for members in options.members().values() for name in members]
    if options.formula is None and all(fitting_columns(table, name) for name in names):
        return Composition(Components(tuple(find_column(table, name) for name in names), 1.0))
    if formula is None:
        read = [k for k in texts if sum(formula_amounts(text, names) is not None for text in table.texts(k)) > 1]
        called = [k for k in read if _FORMULA_NAME.search(table.columns[k])] or read
        formula = called[0] if len(called) == 1 else None
    if formula is None:
        lacking = [name for name in names if not fitting_columns(table, name)]
        raise InputError(
            f"{table.name} has no columns {named(lacking)}, which --sites names, and no column of formulas with them; "
            "name the column of formulas by --formula, or correct the sites."
        )
    return Composition(Components((), 1.0), formula)


def find_column(table: TextTable, name: str) -> int:
    """Find the column that a user means.

    Parameters
    ----------
    table : TextTable
        The table.
    name : str
        The given name, with or without the unit.

    Returns
    -------
    int
        Index of the column.

    Raises
    ------
    InputError
        If no column or more than one fits; the message lists the columns.

    Examples
    --------
    >>> find_column(TextTable("t.csv", (), ["Fe", "P (T)"], [], []), "P")
    1
    """
    fitting = fitting_columns(table, name)
    if len(fitting) != 1:
        there = [column for column in table.columns if axis_number(column) is None]
        found = f"the columns {named(table.columns[k] for k in fitting)}" if fitting else "no column"
        raise InputError(f"{table.name} has {found} for the name {name!r}; its columns are {named(there, 40)}.")
    return fitting[0]


def fitting_columns(table: TextTable, name: str) -> list[int]:
    """List the columns that a name may mean: the same name, or it without a unit, or it as a component.

    Parameters
    ----------
    table : TextTable
        The table.
    name : str
        The given name.

    Returns
    -------
    list of int
        Indices of the columns.

    Examples
    --------
    >>> fitting_columns(TextTable("t.csv", (), ["Fe (at%)", "P (T)"], [], []), "Fe")
    [0]
    """
    if name in table.columns:
        return [table.columns.index(name)]
    alike = [k for k, column in enumerate(table.columns) if same_name(name, column)]
    return alike or [k for k, column in enumerate(table.columns) if component_names([column])[0][0] == name.strip()]


def _formula(table: TextTable, options: LibraryOptions, texts: Sequence[int]) -> int | None:
    if options.formula is not None:
        return find_column(table, options.formula)
    found = [k for k in texts if looks_like_formulas(table.columns[k], table.texts(k))]
    called = [k for k in found if _FORMULA_NAME.search(table.columns[k])] or found
    if len(called) > 1:
        raise InputError(
            f"{table.name} has formulas in the columns {named(table.columns[k] for k in called)}; name the one "
            "with the compositions by --formula, or columns of fractions by --components."
        )
    return called[0] if called else None


def _balance_column(table: TextTable, texts: Sequence[int]) -> int | None:
    """Return the column of a component whose cells all read "bal." or the like."""
    for k in texts:
        cells = [text for text in table.texts(k) if text]
        if cells and all(map(_BALANCE.fullmatch, cells)):
            return k
    return None


def _asked_for(table: TextTable, options: LibraryOptions, asked: list[int], balance: str | None) -> Components:
    if balance is not None and (options.balance is not None or balance in options.components):
        return _balanced(table, options, asked, balance)
    sums = np.nansum(table.guessed(asked), axis=1)
    return _in_unit(Components(tuple(asked), 100.0 if np.median(sums) > 10 else 1.0), options)


def _balanced(table: TextTable, options: LibraryOptions, others: list[int], balance: str) -> Components:
    """Complete columns of fractions by a component that is the rest."""
    own = fitting_columns(table, balance)
    if not others or set(own) & set(others):
        raise InputError(
            f"{table.name}: the balance {balance!r} completes other components, and "
            f"{'has numbers itself' if others else 'no columns are named as elements'}; name the others by "
            "--components."
        )
    sums = np.nansum(table.guessed(others), axis=1)
    units = {split_unit(table.columns[k])[1] for k in [*others, *own]} - {""}
    if options.fraction_unit is None and not units and sums.max() <= 1:
        raise InputError(
            f"{table.name}: {named(table.columns[k] for k in others)} sum to at most {sums.max():.3g}, which may be "
            "fractions or percent; say which by --fraction-unit fraction or --fraction-unit percent."
        )
    total = 100.0 if units or sums.max() > 1 else 1.0
    return _in_unit(Components(tuple(others), total, balance=balance), options)


def _in_unit(found: Components, options: LibraryOptions) -> Components:
    if options.fraction_unit is None:
        return found
    total = 1.0 if options.fraction_unit == "fraction" else 100.0
    return Components(found.columns, total, found.others, found.balance)


def _check_sites(table: TextTable, closing: Components) -> None:
    """Ask what is meant where other elements close, too, as those on another site of a material do."""
    chosen = component_names([table.columns[k] for k in closing.columns])[0]
    for other in closing.others:
        rival = component_names([table.columns[k] for k in other])[0]
        if set(rival) <= ELEMENTS and not set(rival) & set(chosen):
            raise InputError(
                f"{table.name} has two sets of components that close, {named(chosen, 12)} and {named(rival, 12)}; name "
                f"them by --sites A={'+'.join(chosen)},X={'+'.join(rival)} if they stand on two sites of a material, "
                "or those to use by --components."
            )


def _placed(found: Components, places: Sequence[int]) -> Components:
    """Express the indices among the looked-at columns as those of the table."""
    others = tuple(tuple(places[j] for j in columns) for columns in found.others)
    return Components(tuple(places[j] for j in found.columns), found.total, others)


def _half_place(texts: Sequence[str]) -> float:
    """The largest error of rounding in most cells of a column."""
    places = [place for text in texts if (place := last_place(text))]
    return 0.5 * float(np.median(places)) if places else 0.0


def _without(table: TextTable, looked_at: Sequence[int], texts: Sequence[int]) -> str:
    for k in texts:
        strange = [j for j, text in enumerate(table.texts(k)) if text and formula_amounts(text) is None]
        if strange and _FORMULA_NAME.search(table.columns[k]):
            return (
                f"{table.name} has no columns of numbers that close to 1 or 100 % in most rows, and "
                f"{table.texts(k)[strange[0]]!r} in line {table.lines[strange[0]]}, column {table.columns[k]!r}, "
                "is no formula of elements such as Fe0.5Co0.5; write the formulas in this way, or give the amounts in "
                "columns of numbers."
            )
    places = named(table.columns[k] for k in map_positions(table.columns))
    return (
        f"{table.name} has no columns of numbers that close to 1 or 100 % in most rows (looked at "
        f"{named((table.columns[k] for k in looked_at), 20) or 'none'}"
        f"{f'; {places} were taken for positions' if places else ''}), and no column of formulas. MatLens learns "
        "from compositions, and makes no model of process parameters alone; name the components if these columns hold "
        "amounts (--components, with --renormalise or --balance NAME where they do not sum to 1)."
    )
