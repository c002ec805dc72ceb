"""What each column of a table is taken for, and the options that say otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matlens.core.guard import reading
from matlens.errors import InputError
from matlens.library.io.columns import Columns, find_columns
from matlens.library.io.folders import is_cameo
from matlens.library.io.options import LibraryOptions
from matlens.library.io.source_table import cleared, restored, table_of
from matlens.library.io.text_table import TextTable
from matlens.library.table import named

__all__ = ["ROLES", "TableColumns", "options_for_roles", "table_columns"]

ROLES = ("sample", "component", "formula", "channel", "merit", "covariate")
"""Id of the sample, fraction of a component, formula of the composition, channel of the spectrum, figure of merit, or
a further fact, which no model learns from."""

_SAID: dict[str, Any] = {
    "components": (),
    "merits": (),
    "covariates": (),
    "sample": None,
    "axis_columns": None,
    "formula": None,
}
_CELLS = 3  # of a column, as an example of what it holds


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table.

    Attributes
    ----------
    names : tuple of str
        Their names, in the order of the file.
    roles : tuple of str
        What each is taken for, one of `ROLES`; all empty where the table is not understood.
    cells : tuple of tuple of str
        The first cells of each.
    problem : str
        Why the table is not understood; empty where it is.

    Examples
    --------
    >>> TableColumns(("Fe", "P"), ("component", "merit"), (("0.5",), ("1.2",))).problem
    ''
    """

    names: tuple[str, ...]
    roles: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    problem: str = ""


def table_columns(
    path: str | os.PathLike[str], *, options: LibraryOptions | None = None, target: str | None = None
) -> TableColumns:
    """Say what each column of a table is taken for.

    Parameters
    ----------
    path : path-like
        Table or folder, as `read_library` takes it.
    options : LibraryOptions, optional
        Options of reading.
    target : str, optional
        Figure of merit that is going to be learned.

    Returns
    -------
    TableColumns
        The columns; none for a folder of the Fe-Ga-Pd layout, which has no such table.

    Raises
    ------
    InputError
        If the file cannot be read as a table.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "library.csv"
    >>> _ = path.write_text("id,Fe,Co,400,401,P\\na,0.5,0.5,7,8,1.2\\nb,0.4,0.6,7,9,1.4\\n")
    >>> table_columns(path).roles
    ('sample', 'component', 'component', 'channel', 'channel', 'merit')
    """
    options = options or LibraryOptions()
    source = Path(path)
    if source.is_dir() and is_cameo(source):
        return TableColumns((), (), ())
    with reading(source, "a library"):
        table = table_of(source, options).table
        names = tuple(table.columns)
        cells = tuple(tuple(row[k].strip() for row in table.rows[:_CELLS]) for k in range(len(names)))
        try:
            return TableColumns(names, _roles(table, options, target), cells)
        except InputError as error:
            return TableColumns(names, ("",) * len(names), cells, str(error))


def _roles(table: TextTable, options: LibraryOptions, target: str | None) -> tuple[str, ...]:
    library = restored(table, options)
    if library is not None:  # MatLens wrote the table, in this order
        channels = 0 if library.axis is None else library.axis.size
        counts = (1, len(library.components), library.covariates.shape[1], channels, library.merits.shape[1])
        order = ("sample", "component", "covariate", "channel", "merit")
        return tuple(role for role, count in zip(order, counts, strict=True) for _ in range(count))
    return _of(find_columns(cleared(table, options).table, options, target), len(table.columns))


def _of(columns: Columns, count: int) -> tuple[str, ...]:
    found = dict.fromkeys(range(count), "component")  # a column of "bal." is no other
    found |= dict.fromkeys(columns.covariates, "covariate")
    found |= dict.fromkeys(columns.axis, "channel") | dict.fromkeys(columns.merits, "merit")
    single = ((columns.sample, "sample"), (columns.formula, "formula"))
    found |= {k: role for k, role in single if k is not None}
    return tuple(found[k] for k in range(count))


def options_for_roles(
    path: str | os.PathLike[str],
    wanted: Mapping[str, str],
    *,
    options: LibraryOptions | None = None,
    target: str | None = None,
) -> LibraryOptions:
    """Choose the options with which columns are taken for what the user says, and no more of them than that needs.

    Parameters
    ----------
    path : path-like
        Table.
    wanted : mapping of str to str
        One of `ROLES` by name of the column. Other columns keep what they are taken for, as far as there is room for
        it: only one column holds names or formulas, and compositions are columns or formulas.
    options : LibraryOptions, optional
        Options of reading; what they say of columns is replaced.
    target : str, optional
        Figure of merit that is going to be learned.

    Returns
    -------
    LibraryOptions
        The options.

    Raises
    ------
    InputError
        If a column or a role does not exist, or a name cannot be written in an option.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "library.csv"
    >>> _ = path.write_text("id,Fe,Co,Q,P\\na,0.5,0.5,7,1.2\\nb,0.4,0.6,7,1.4\\n")
    >>> options_for_roles(path, {"Q": "covariate"}).settings()
    {'covariates': ['Q']}
    """
    options = options or LibraryOptions()
    now = table_columns(path, options=options, target=target)
    strange = [name for name in wanted if name not in now.names] + [r for r in wanted.values() if r not in ROLES]
    if strange:
        raise InputError(f"found no column or role {named(strange)}; the columns are {named(now.names, 40)}.")
    plain = replace(options, **_SAID)
    found = dict(zip(now.names, table_columns(path, options=plain, target=target).roles, strict=True))
    asked = _given_way(dict(zip(now.names, now.roles, strict=True)), wanted)
    if found == asked:
        return plain
    return replace(plain, **_said(list(now.names), found, asked))


def _given_way(now: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The roles that are wanted, with other columns as further facts where they cannot keep theirs."""
    roles = set(wanted.values())
    taken = roles & {"sample", "formula"}
    taken |= {"component"} if "formula" in roles else {"formula"} if "component" in roles else set()
    return {name: "covariate" if role in taken else role for name, role in now.items()} | dict(wanted)


def _said(names: list[str], found: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, Any]:
    """Options that lead from what is found to what is asked for."""
    was, now = ({role: [n for n in names if roles[n] == role] for role in (*ROLES, "")} for roles in (found, asked))
    said: dict[str, Any] = {}
    more = set(now["merit"]) - set(was["merit"])
    if now["component"] and now["component"] != was["component"]:
        said["components"] = now["component"]
    if more:
        said["merits"] = now["merit"]
    for role, option in (("sample", "sample"), ("formula", "formula")):
        if len(now[role]) > 1:
            raise InputError(f"found {named(now[role])} as the {role}; only one column can be.")
        if now[role] and now[role] != was[role]:
            said[option] = now[role][0]
    if now["channel"] != was["channel"]:
        said["axis_columns"] = f"{now['channel'][0]}:{now['channel'][-1]}" if now["channel"] else "none"
        first, last = (names.index(now["channel"][end]) for end in (0, -1)) if now["channel"] else (0, -1)
        between = [name for name in names[first : last + 1] if asked[name] != "channel"]
    else:
        between = []
    # With figures of merit named, other columns of numbers are further facts without saying so.
    spare = {"merit"} if more else set()
    facts = [n for n in now["covariate"] if (found[n] not in ("covariate", *spare)) or n in between]
    if facts:
        said["covariates"] = facts
    if set(between) & set(now["merit"]):
        said["merits"] = now["merit"]
    if set(between) & set(now["component"]):
        said["components"] = now["component"]
    written = [n for value in said.values() for n in (value if isinstance(value, list) else [value])]
    comma = [name for name in written if "," in name]
    if comma:
        raise InputError(f"the name {comma[0]!r} holds a comma, which separates names in an option; rename the column.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
