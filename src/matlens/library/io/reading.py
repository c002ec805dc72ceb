"""Reading of materials libraries from files: compositions, spectra and figures of merit."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.arguments import checked_arguments
from matlens.core.guard import reading
from matlens.errors import InputError
from matlens.library.io.closing import close
from matlens.library.io.columns import Columns, find_columns
from matlens.library.io.components import Components
from matlens.library.io.elements import ELEMENTS, atomic_fractions
from matlens.library.io.folders import SATURATION, is_cameo, read_cameo
from matlens.library.io.formulas import ends_in_deficiency, formula_amounts, formula_fractions
from matlens.library.io.names import component_names, fraction_unit, map_positions, same_name, split_unit
from matlens.library.io.numerals import has_uncertainty
from matlens.library.io.options import LibraryOptions
from matlens.library.io.sites import SITE_UNIT, SiteFractions, sites_from_columns, sites_from_formulas
from matlens.library.io.source_table import cleared, restored, table_of
from matlens.library.io.spectra import Spectra
from matlens.library.io.spectra_files import read_spectra, readable, unread_files
from matlens.library.io.text_table import TextTable, text_of
from matlens.library.io.values import (
    covariates,
    fraction_name,
    merit_names,
    sample_ids,
)
from matlens.library.table import MaterialsLibrary, named

__all__ = ["read_library"]

_PHOTOANODES = frozenset(("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb"))
_ASTRAY = 0.2  # share of the spread of positions in a table that those of the spectra may leave unexplained
_AXIS_NAMES = {"cm-1": "wavenumber", "1/cm": "wavenumber", "nm": "wavelength", "eV": "energy", "deg": "2theta"}


@checked_arguments
def read_library(
    path: str | os.PathLike[str] | pd.DataFrame,
    *,
    options: LibraryOptions | None = None,
    target: str | None = None,
    varied: bool = True,
) -> MaterialsLibrary:
    """Read a library from a table (CSV, TSV, XLSX) or a folder.

    In a table, columns with numbers as names are the spectrum, and the largest set of columns that sums to 1 or 100 %
    is the components; a column of zeros among them is a component too. Units are taken from names such as "P_mW_cm2"
    or "Conductivity (S/cm)". A folder holds the Fe-Ga-Pd files, or one table with a matrix of spectra (axis in its
    first row) or one file of two columns for each sample. ``options`` correct what is not recognised.

    Parameters
    ----------
    path : path-like or DataFrame
        Table or folder; or a table in memory, which is understood as a file of the same columns is.
    options : LibraryOptions, optional
        Options with priority over what is recognised.
    target : str, optional
        Figure of merit that is going to be learned: its column is never taken for a component.
    varied : bool
        Whether to refuse a library in which all samples have the same composition, from which nothing can be learned.

    Returns
    -------
    MaterialsLibrary
        Samples in the order of the file. ``notes`` lists changes: rows whose sums deviate by up to 0.5 % are
        renormalised, and the axis is put in ascending order.

    Raises
    ------
    InputError
        If the path does not exist; if a number is missing, negative, infinite or not a number; if fractions do not sum
        to 1, names repeat, or all compositions are the same. The message names rows and columns.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "library.csv"
    >>> _ = path.write_text("Sample,Bi,V,W,100.5,102,P_mW_cm2\\na,0.5,0.5,0,7,8,1.2\\nb,0.4,0.6,0,7,9,1.4\\n")
    >>> read_library(path)
    MaterialsLibrary(2 samples, Bi-V-W, P in mW/cm2, 2 channels 100.5 to 102)
    >>> read_library(pd.DataFrame({"Bi": [50, 40], "V": [50, 60], "P (mW/cm2)": [1.2, 1.4]}))
    MaterialsLibrary(2 samples, Bi-V, P in mW/cm2, no spectra)
    """
    options = options or LibraryOptions()
    if isinstance(path, pd.DataFrame):
        return _checked(_from_table(text_of(path), options, target), Path("the table"), varied)
    source = Path(path)
    if not source.exists():
        raise InputError(f"{source} does not exist; give the path of a table or a folder with a library.")
    with reading(source, "a library"):
        return _library(source, options, target, varied)


def _library(source: Path, options: LibraryOptions, target: str | None, varied: bool) -> MaterialsLibrary:
    if source.is_dir() and is_cameo(source):
        return _checked(_from_cameo(source, options), source, varied)
    layout, found = options.layout(), table_of(source, options)
    table, spectra, source = found.table, found.spectra, found.file
    folder = found.folder
    library = restored(table, options)
    if library is not None:
        return library
    library = _from_table(table, options, target)
    place = folder or (spectra if spectra is not None and spectra.is_dir() else None)
    if options.spectra is not None and library.has_spectra:
        raise InputError(
            f"{source.name} holds spectra itself, and {options.spectra} holds others; leave out --spectra, or those of "
            "the table by --axis-columns none."
        )
    beside_table = spectra if not library.has_spectra else None
    if place is not None:
        files = [source]
        if beside_table is not None:
            files += readable(beside_table, layout) if beside_table.is_dir() else [beside_table]
        library = replace(library, notes=library.notes + unread_files(place, files, ignore=options.ignore_unread))
    if beside_table is not None:
        library = _with_spectra(library, read_spectra(beside_table, library.samples, layout), options)
    return _checked(library, source, varied)


def _from_table(table: TextTable, options: LibraryOptions, target: str | None) -> MaterialsLibrary:
    clear = cleared(table, options)
    table, notes, signs, below = clear.table, clear.notes, clear.signs, clear.below
    columns = find_columns(table, options, target)
    sites: tuple[str, ...] = ()
    if options.sites:
        found = _on_sites(table, columns, options, _under(signs, below))
        fractions, sites, more = found.fractions, found.sites, found.notes
        names: Sequence[str] = [name for members in options.members().values() for name in members]
        unit = options.fraction_name or SITE_UNIT
    else:
        names, fractions, unit, more = _compositions(table, columns, options, signs, below)
    samples, numbered = sample_ids(table, columns.sample, fractions)
    merits = _merits(table, columns, options)
    library = MaterialsLibrary(
        fractions,
        tuple(names),
        *merits,
        samples=samples,
        covariates=covariates(table, columns.covariates),
        fraction_name=unit,
        sites=sites,
        notes=(*notes, *more, *numbered, *_rivals(table, columns), *_remarks(table, columns, below)),
    )
    cells = {name: signs[k] for name, k in zip(merits[1], columns.merits, strict=True) if k in signs}
    library = _with_limits(library, cells, options)
    if columns.axis:
        read = Spectra(table.numbers(columns.axis), columns.positions, columns.axis_unit)
        return _with_spectra(library, read, options)
    return library


def _on_sites(
    table: TextTable, columns: Columns, options: LibraryOptions, below: Mapping[int, NDArray[np.bool_]]
) -> SiteFractions:
    members = options.members()
    if columns.formula is not None:
        return sites_from_formulas(table, columns.formula, members)
    own = iter(columns.components.columns)
    placed = {site: [next(own) for _ in names] for site, names in members.items()}
    units = {split_unit(table.columns[k])[1] for k in columns.components.columns} & {"wt%", "vol%"}
    if units:
        raise InputError(
            f"{table.name} has components in {named(units)}, and sites are shared by atoms or molecules; convert the "
            "columns to numbers of these."
        )
    return sites_from_columns(table, placed, options, below)


def _under(
    signs: Mapping[int, NDArray[np.int8]], below: Mapping[int, NDArray[np.bool_]]
) -> dict[int, NDArray[np.bool_]]:
    """Where cells are below a limit of detection, by a sign or a word."""
    found: dict[int, NDArray[np.bool_]] = {k: np.asarray(sign < 0) for k, sign in signs.items()}
    for k, words in below.items():
        found[k] = np.logical_or(words, found[k]) if k in found else words
    return found


def _compositions(
    table: TextTable,
    columns: Columns,
    options: LibraryOptions,
    signs: Mapping[int, NDArray[np.int8]],
    below: Mapping[int, NDArray[np.bool_]],
) -> tuple[Sequence[str], NDArray[np.float64], str, tuple[str, ...]]:
    """Read names and fractions of the components, the unit of a hundredth, and notes."""
    if columns.formula is not None:
        names, fractions = _from_formulas(table, columns.formula, options.components)
        heads, rest = (
            names,
            "wt%" if re.search(r"wt|weight|mass", table.columns[columns.formula], re.IGNORECASE) else "",
        )
        told = f"the compositions were read from the formulas in {table.columns[columns.formula]!r}"
        notes: tuple[str, ...] = (told,)
        open_ends = sum(map(ends_in_deficiency, table.texts(columns.formula)))
        if open_ends:
            notes += (f"{open_ends} formulas end in a deficiency such as -δ, which is not counted",)
    else:
        parts = columns.components
        under = _under(signs, below)
        fractions, notes = close(table, parts, options, {k: under[k] for k in parts.columns if k in under})
        heads = [table.columns[k] for k in parts.columns]
        names, rest = component_names(heads)
        names = names if len(set(names)) == len(names) else heads
        names = names if parts.balance is None else [*names, parts.balance]
        units = {split_unit(head)[1] for head in heads} - {""}
        if len(units) > 1:
            raise InputError(
                f"{table.name} has components in {named(sorted(units))}; convert them to one unit, or name those of "
                "one by --components."
            )
        titled = fraction_unit(" ".join(table.title))
        if titled and rest.strip("()[] ") in ("", "%") and not options.fraction_name:
            rest = titled
            notes += (f"the fractions are in {titled} by the title above the table; --fraction-name says it otherwise",)
    unit = options.fraction_name or fraction_name(names, rest)
    if options.atomic and unit != "wt%" and unit != "at%":
        raise InputError(
            f"{table.name} has fractions in {unit}; only mass fractions (wt%) are converted to atomic ones."
        )
    if options.atomic:
        fractions, unit = atomic_fractions(fractions, names), "at%"
        notes += ("mass fractions were converted to atomic fractions",)
    return names, fractions, unit, notes


def _from_formulas(table: TextTable, column: int, known: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Read formulas; elements that are known come first, and stay where no sample has them."""
    texts = table.texts(column)
    bad = np.array([[formula_amounts(text) is None] for text in texts])
    if bad.any():
        where = table.places([column], bad)
        raise InputError(f"{table.name}: {where}; a formula such as Fe0.5Co0.5 is expected there, correct it.")
    elements, fractions = formula_fractions(texts)
    names = [*known, *(name for name in elements if name not in known)]
    found = np.zeros((len(texts), len(names)))
    found[:, [names.index(name) for name in elements]] = fractions
    return names, found


def _remarks(table: TextTable, columns: Columns, below: Mapping[int, NDArray[np.bool_]]) -> tuple[str, ...]:
    """Say which uncertainties are not used, and which values lie below an unknown limit."""
    said = []
    for k in (*columns.components.columns, *columns.merits):
        count = sum(map(has_uncertainty, table.texts(k)))
        if count:
            said.append(f"the uncertainties of {count} numbers in {table.columns[k]!r} are not used")
    apart = [table.columns[k] for k in columns.merits if split_unit(table.columns[k])[1] in ("ppm", "ppb", "\u2030")]
    apart = [name for name in apart if split_unit(name)[0] in ELEMENTS]
    if apart:
        said.append(f"columns that are named as elements, but are no components for their unit: {named(apart)}")
    for k in columns.merits:
        numbers = table.guessed([k])[:, 0]
        code = _suspected_code(numbers)
        if code is not None:
            said.append(
                f"{np.sum(numbers == code)} values of {table.columns[k]!r} are {code:.17g}, which often means 'not "
                f"measured'; --missing {code:.17g} reads them so"
            )
        if k in below:
            said.append(
                f"{below[k].sum()} values of {table.columns[k]!r} lie below a limit of detection that the table does "
                "not give, and were read as not measured"
            )
    return tuple(said)


def _suspected_code(numbers: NDArray[np.float64]) -> float | None:
    """Return a value such as -9999 or 9.97e36 that is far from all others, as codes of missing values are."""
    sizes = np.abs(np.nan_to_num(numbers, nan=0, posinf=0, neginf=0))
    code, rest = float(numbers[sizes.argmax()]), sizes[sizes < sizes.max()]
    usual = re.fullmatch("-9{2,}", f"{code:g}") or abs(code) > 1e30
    return code if usual and rest.size and abs(code) > 10 * rest.max() else None


def _from_cameo(folder: Path, options: LibraryOptions) -> MaterialsLibrary:
    parts = read_cameo(folder)
    whole = Components(tuple(range(len(parts.table.columns))), 1.0)
    fractions, notes = close(parts.table, whole, options)
    library = MaterialsLibrary(
        fractions,
        tuple(parts.table.columns),
        pd.DataFrame({"Mag": parts.merit}),
        {"Mag": "V"} | options.units(),
        samples=tuple(str(k + 1) for k in range(len(fractions))),
        covariates=parts.covariates,
        notes=notes,
    )
    for name in options.merits:
        library.merit_name(name)  # raises an error that lists the names if this one is unknown
    for name in options.components:
        library.component(name)
    saturated = np.where(parts.merit >= SATURATION, 1, 0).astype(np.int8)
    library = _with_limits(library, {"Mag": saturated}, options)
    known = replace(options, axis_name=options.axis_name or "2theta", axis_unit=options.axis_unit or "deg")
    return _with_spectra(library, Spectra(parts.spectra, parts.axis), known)


def _merits(table: TextTable, columns: Columns, options: LibraryOptions) -> tuple[pd.DataFrame, dict[str, str]]:
    units = merit_names([table.columns[k] for k in columns.merits])
    for asked, unit in options.units().items():
        units[_meant(asked, list(units), [table.columns[k] for k in columns.merits])] = unit
    words = [k for k in columns.merits if not any(any(map(str.isdigit, text)) for text in table.texts(k))]
    if words:
        cell = next((text for text in table.texts(words[0]) if text), "nothing")
        raise InputError(
            f"{table.name} holds no numbers in {table.columns[words[0]]!r} (found {cell!r}); a figure of merit must be "
            "measured in numbers, so give classes as numbers or name another column."
        )
    return pd.DataFrame(table.numbers(columns.merits, missing=True), columns=list(units)), units


def _meant(asked: str, names: list[str], columns: list[str]) -> str:
    fitting = [name for name, column in zip(names, columns, strict=True) if asked == name or same_name(asked, column)]
    if not fitting:
        raise InputError(f"found no figure of merit {asked!r}; this library has {named(names) or 'none'}.")
    return fitting[0]


def _with_limits(
    library: MaterialsLibrary, cells: Mapping[str, NDArray[np.int8]], options: LibraryOptions
) -> MaterialsLibrary:
    """Mark censored values: cells with ``>`` or ``<``, and values beyond the limits in the options."""
    signs = pd.DataFrame(0, index=library.merits.index, columns=library.merits.columns, dtype=np.int8)
    for name, values in cells.items():
        signs[name] = values
    for asked, sign, limit in options.limits():
        name = library.merit_name(asked)
        signs.loc[sign * (library.merits[name] - limit) >= 0, name] = sign
    counted = {name: int(np.count_nonzero(signs[name])) for name in signs}
    notes = tuple(f"{count} values of {name} are limits only (censored)" for name, count in counted.items() if count)
    return replace(library, censored=signs, notes=library.notes + notes) if notes else library


def _with_spectra(library: MaterialsLibrary, read: Spectra, options: LibraryOptions) -> MaterialsLibrary:
    order = np.argsort(read.axis, kind="stable")
    moved = bool((np.diff(order) < 0).any())
    axis, unit = read.axis[order], options.axis_unit or read.axis_unit
    name = options.axis_name or _AXIS_NAMES.get(unit, "channel")
    places, said = _places(library, read)
    if set(library.components) == _PHOTOANODES and not unit and axis[0] > 50 and axis[-1] < 2000:
        name, unit = options.axis_name or "Raman shift", "cm-1"  # the published library, or another of its layout
        library = replace(library, merit_units={"P": "mW/cm2"} | {k: v for k, v in library.merit_units.items() if v})
    return replace(
        library,
        spectra=read.intensities[:, order],
        axis=axis,
        axis_name=name,
        axis_unit=unit,
        spectrum_name=options.spectrum_name or read.quantity or "intensity",
        spectrum_unit=options.spectrum_unit or "",
        covariates=library.covariates.assign(**places),
        notes=library.notes + read.notes + tuple(said) + (("the axis was put in rising order",) if moved else ()),
    )


def _places(library: MaterialsLibrary, read: Spectra) -> tuple[dict[str, NDArray[np.float64]], list[str]]:
    """Take the positions of the spectra's file where they differ, and say how they go with those of the table."""
    axes = {name: split_unit(name)[0][-1] for name in read.positions}
    moved = {axes[name] for name, values in read.positions.items() if np.ptp(values) > 0}
    kept = moved | ({"x", "y"} if moved & {"x", "y"} else set())
    found = {name: values for name, values in read.positions.items() if axes[name] in kept}
    said = [f"{' and '.join(found)} were read from the file of the spectra"] if found else []
    own = [str(library.covariates.columns[k]) for k in map_positions(list(map(str, library.covariates)))][:2]
    if len(own) == 2 and moved >= {"x", "y"} and all(library.covariates[name].dtype.kind == "f" for name in own):
        there = np.array([values for name, values in found.items() if axes[name] in "xy"]).T
        wanted = library.covariates[own].to_numpy(np.float64)
        # The stage may be turned, shifted and in another unit, so that any linear relation is the same order of rows.
        linear = np.column_stack([there - there.mean(axis=0), np.ones(len(there))])
        rest = wanted - linear @ np.linalg.lstsq(linear, wanted, rcond=None)[0]
        least = np.maximum(_ASTRAY * wanted.std(axis=0), 1e-9 * np.abs(wanted).max())
        if np.isfinite(rest).all() and (rest.std(axis=0) > least).any():
            said.append(
                f"{' and '.join(own)} of the table do not follow the positions of the spectra row by row; check that "
                "the rows are in the order of the map"
            )
    return found, said


def _rivals(table: TextTable, columns: Columns) -> tuple[str, ...]:
    sets = (named((table.columns[k] for k in other), 20) for other in columns.components.others)
    return tuple(
        f"the columns {names} close, too; --components uses them instead, and --sites as another site of the material"
        for names in sets
    )


def _checked(library: MaterialsLibrary, source: Path, varied: bool) -> MaterialsLibrary:
    if varied and len(library) > 1 and np.ptp(library.compositions, axis=0).max() < 1e-9:
        raise InputError(
            f"all {len(library)} samples of {source.name} have the same composition; give a library of several."
        )
    return library
