"""Compositions on several sites of a material, such as A and X of ABX3: the fractions of each site sum to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.closing import close
from matlens.library.io.components import Components
from matlens.library.io.formulas import formula_amounts
from matlens.library.io.options import LibraryOptions
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["SITE_UNIT", "SiteFractions", "sites_from_columns", "sites_from_formulas"]

SITE_UNIT = "site%"  # name of a hundredth of a site
_MOST = 12  # largest number of a site's places in a formula, such as 3 for X in ABX3
_NEAR = 0.05  # relative deviation from such a number up to which it is meant
_SAME = 0.01  # ... up to which the amount of what belongs to no site is the same in all formulas

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SiteFractions:
    """Fractions on the sites of a material.

    Parameters
    ----------
    fractions : ndarray of float, shape (n, D)
        Fractions; those of each site sum to 1.
    sites : tuple of str
        Site of each component.
    notes : tuple of str
        A sentence about each change.
    """

    fractions: Floats
    sites: tuple[str, ...]
    notes: tuple[str, ...]


def sites_from_columns(
    table: TextTable,
    columns: Mapping[str, Sequence[int]],
    options: LibraryOptions,
    below: Mapping[int, NDArray[np.bool_]],
) -> SiteFractions:
    """Read fractions of which those of each site sum to 1, to 100 %, or to the number of its places, such as 3.

    Parameters
    ----------
    table : TextTable
        The table.
    columns : mapping of str to sequence of int
        Columns of the components of each site.
    options : LibraryOptions
        Whether blanks are zero, and whether all rows are renormalised.
    below : mapping of int to ndarray of bool
        By column, the rows in which a fraction is below a limit of detection.

    Returns
    -------
    SiteFractions
        The fractions, in the order of the sites.

    Raises
    ------
    InputError
        If the fractions of a site do not close; the message names lines.

    Examples
    --------
    >>> rows = [["0.8", "0.2", "2.4", "0.6"], ["0.5", "0.5", "3", "0"]]
    >>> table = TextTable("t.csv", (), ["FA", "Cs", "I", "Br"], [2, 3], rows)
    >>> found = sites_from_columns(table, {"A": [0, 1], "X": [2, 3]}, LibraryOptions(), {})
    >>> found.fractions.round(3).tolist(), found.sites
    ([[0.8, 0.2, 0.8, 0.2], [0.5, 0.5, 1.0, 0.0]], ('A', 'A', 'X', 'X'))
    """
    fractions, sites, notes, told = [], [], [], []
    for site, own in columns.items():
        total = _total(np.nansum(table.guessed(own), axis=1))
        found, said = close(table, Components(tuple(own), total), options, {k: below[k] for k in own if k in below})
        fractions.append(found)
        sites += [site] * len(own)
        notes += [f"site {site}: {sentence}" for sentence in said]
        told.append(f"{site} ({'rows of any sum' if options.renormalise else f'rows of {total:g}'})")
    about = f"the fractions of each site were closed to 1 by themselves: {', '.join(told)}"
    return SiteFractions(np.concatenate(fractions, axis=1), tuple(sites), (about, *notes))


def sites_from_formulas(table: TextTable, column: int, members: Mapping[str, Sequence[str]]) -> SiteFractions:
    """Read fractions on sites from formulas such as "FA0.8Cs0.2PbI2.4Br0.6", in which names may be molecules.

    Parameters
    ----------
    table : TextTable
        The table.
    column : int
        Column of the formulas.
    members : mapping of str to sequence of str
        Components of each site.

    Returns
    -------
    SiteFractions
        The fractions, in the order of the sites.

    Raises
    ------
    InputError
        If a text is no formula, has nothing on a site, or has a varying amount of what belongs to no site.

    Examples
    --------
    >>> table = TextTable("t.csv", (), ["formula"], [2, 3], [["MA0.25FA0.75PbI3"], ["FAPbI1.5Br1.5"]])
    >>> found = sites_from_formulas(table, 0, {"A": ["MA", "FA"], "X": ["I", "Br"]})
    >>> found.fractions.tolist(), found.sites
    ([[0.25, 0.75, 1.0, 0.0], [0.0, 1.0, 0.5, 0.5]], ('A', 'A', 'X', 'X'))
    >>> found.notes[1]
    'Pb stands in all formulas in the same amount, and belongs to no site'
    """
    texts = table.texts(column)
    known = [name for names in members.values() for name in names]
    read = [formula_amounts(text, known) for text in texts]
    bad = np.array([[amounts is None] for amounts in read])
    if bad.any():
        raise InputError(
            f"{table.name}: {table.places([column], bad)}; a formula of elements and of {named(known)} is expected "
            "there, correct it."
        )
    amounts = [row or {} for row in read]
    fractions, sites, sizes = [], [], []
    for site, names in members.items():
        found = np.array([[row.get(name, 0.0) for name in names] for row in amounts])
        size = found.sum(axis=1)
        if (size <= 0).any():
            where = table.places([column], (size <= 0)[:, None])
            raise InputError(f"{table.name}: {where}; the formula has none of {named(names)}, the site {site}.")
        fractions.append(found / size[:, None])
        sites += [site] * len(names)
        sizes.append(size)
    head = table.columns[column]
    notes = [f"the fractions of each site were read from the formulas in {head!r}, and sum to 1 by themselves"]
    notes += _others(table, column, amounts, known, sizes[0])
    first, *rest = members
    for site, size in zip(rest, sizes[1:], strict=True):
        ratio = size / sizes[0]
        if np.ptp(ratio) > _SAME * ratio.mean():
            notes.append(
                f"formulas have {ratio.min():.3g} to {ratio.max():.3g} of site {site} for each of site {first}; "
                "models do not use this ratio"
            )
    return SiteFractions(np.concatenate(fractions, axis=1), tuple(sites), tuple(notes))


def _others(
    table: TextTable, column: int, amounts: Sequence[Mapping[str, float]], known: Sequence[str], size: Floats
) -> list[str]:
    """Name the elements that belong to no site, whose amounts must be the same in all formulas."""
    others = list(dict.fromkeys(name for row in amounts for name in row if name not in known))
    for name in others:
        share = np.array([row.get(name, 0.0) for row in amounts]) / size
        if np.ptp(share) > _SAME * share.mean():
            raise InputError(
                f"{table.name} has {name} in different amounts in the formulas of {table.columns[column]!r}, and it "
                "belongs to no site; name it in --sites."
            )
    if not others:
        return []
    verb = ("stands", "belongs") if len(others) == 1 else ("stand", "belong")
    return [f"{named(others)} {verb[0]} in all formulas in the same amount, and {verb[1]} to no site"]


def _total(sums: Floats) -> float:
    """What the fractions of a site sum to: 1, 100, or the number of its places in a formula."""
    middle = float(np.median(sums))
    whole = round(middle)
    if abs(middle - 100) <= 100 * _NEAR:
        return 100.0
    return float(whole) if 1 <= whole <= _MOST and abs(middle - whole) <= _NEAR * whole else 1.0
