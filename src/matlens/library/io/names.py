"""Interpretation of column names: units, positions on an axis, elements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from matlens.library.io.elements import ELEMENTS

__all__ = [
    "FRACTION_UNITS",
    "axis_number",
    "axis_unit_in",
    "component_names",
    "fraction_unit",
    "is_element",
    "is_sample_name",
    "is_unit",
    "map_axes",
    "map_positions",
    "normal_axis_unit",
    "pattern",
    "same_name",
    "split_unit",
]

_PREFIXED = "m g s A K mol V W S F C J N Pa Hz eV T Oe emu bar L Ohm ohm Ω H Wb G M B"
_WHOLE = (
    "% at% wt% mol% vol% ppm ppb deg ° °C degC rad min h d a.u. arb. arb cps counts Å A^-1 sun suns px inch dB "
    "angstrom Angstrom ‰"
)
_SYMBOL = re.compile(
    r"(?:[fpnuµμmcdkMGT]?(?:{})|{})".format(_PREFIXED.replace(" ", "|"), "|".join(map(re.escape, _WHOLE.split())))
)
_POWER = re.compile(r"\^?[-+−]?\d")
_MOLECULE = re.compile(r"[HNOFCSVWKhnof]\d")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)")
_AXIS_UNITS = (
    "cm-1",
    "cm^-1",
    "1/cm",
    "nm",
    "um",
    "µm",
    "eV",
    "keV",
    "meV",
    "deg",
    "°",
    "A",
    "Å",
    "THz",
    "Hz",
    "K",
    "s",
)
_SAMPLE = re.compile(
    r"(?:sample|specimen|id|name|index|no\.?|nr\.?|#|column 1)(?:[\s_]*(?:id|name|number|no\.?|nr\.?))?"
)
FRACTION_UNITS = ("", "%", "at%", "wt%", "mol%", "vol%")
_FRACTION_WORDS = {
    "at": "at%", "atom": "at%", "atomic": "at%", "wt": "wt%", "weight": "wt%", "mass": "wt%", "mol": "mol%",
    "mole": "mol%", "vol": "vol%", "volume": "vol%",
}  # fmt: skip
_FRACTION_UNIT = re.compile(rf"({'|'.join(_FRACTION_WORDS)})\.?[\s-]*(?:%|percent)", re.IGNORECASE)
_MAP_AXIS = re.compile(
    r"(?:(?:pos|position|coord|coordinate|stage|wafer|map)[\s_.-]*)?([xyz])(?:[\s_.-]*(?:pos|position|coord|coordinate))?"
)
_AXIS_KEY = re.compile(r"(?:AxisUnit\[1\]|XUNITS?|x[ _]?units?)\s*[=:]\s*(\S+)", re.IGNORECASE)
_SAME_UNIT = {
    spelling: unit
    for unit, spellings in {
        "cm-1": "cm-1 cm^-1 1/cm /cm wavenumber wavenumbers",
        "nm": "nm nanometer nanometers nanometre nanometres",
        "um": "um \u00b5m \u03bcm micrometers micrometer",
        "deg": "deg degree degrees \u00b0 \u00b02th degreestwotheta",
        "eV": "ev",
    }.items()
    for spelling in spellings.split()
}
_WORDS = r"(?:content|fraction|frac|concentration|conc|composition|ratio|amount)\.?"


def split_unit(name: str) -> tuple[str, str]:
    """Split a column name into the name itself and its unit.

    Units are in brackets or parentheses, after a slash between blanks, after a comma, or the last parts between
    underscores. A single letter after an underscore is part of the name.

    Parameters
    ----------
    name : str
        The column name.

    Returns
    -------
    name : str
        The name without the unit.
    unit : str
        The unit; "" where there is none.

    Examples
    --------
    >>> split_unit("P_mW_cm2"), split_unit("Conductivity (measured) (S/cm)"), split_unit("merit_A")
    (('P', 'mW/cm2'), ('Conductivity (measured)', 'S/cm'), ('merit_A', ''))
    >>> split_unit("Fe [wt.-%]"), split_unit("Fe Atomic %")
    (('Fe', 'wt%'), ('Fe', 'at%'))
    """
    text = name.strip()
    worded = re.fullmatch(rf"(.*[^\s_])(?:\s*[(\[]|[\s_,/]+)({_FRACTION_UNIT.pattern})[)\]]?", text, re.IGNORECASE)
    if worded:
        return worded[1].rstrip(" ,/"), fraction_unit(worded[2])
    for form in (r"(.*\S)\s*[(\[]([^()\[\]]*)[)\]]", r"(.*\S)\s+/\s*(\S.*)", r"(.*\S),\s*(\S.*)"):
        match = re.fullmatch(form, text)
        if match and is_unit(match[2]):
            return match[1], match[2].strip()
    parts = text.split("_")
    for start in range(1, len(parts)):
        tail = [part for part in parts[start:] if part != "per"]
        if len(tail) == 1 and _MOLECULE.fullmatch(tail[0]):
            break  # "FE_H2" is of hydrogen, not in square henries
        if len("".join(tail)) > 1 and _is_symbol(tail[0]) and all(_is_symbol(p) or _POWER.fullmatch(p) for p in tail):
            return "_".join(parts[:start]), _joined(tail)
    return text, ""


def fraction_unit(text: str) -> str:
    """Find a unit of fractions, such as "wt%", in a text, in one of its usual spellings.

    Parameters
    ----------
    text : str
        The text, such as a title.

    Returns
    -------
    str
        "at%", "wt%", "mol%" or "vol%"; "" where the text names none of them, several, or an amount such as "5 wt%".

    Examples
    --------
    >>> fraction_unit("compositions in wt.-%"), fraction_unit("Atomic %"), fraction_unit("at% and wt%")
    ('wt%', 'at%', '')
    """
    found = {
        _FRACTION_WORDS[match[1].lower()]
        for match in re.finditer(rf"(?<!\d)(?<!\d )\b{_FRACTION_UNIT.pattern}", text, re.I)
    }
    return found.pop() if len(found) == 1 else ""


def map_positions(names: Sequence[str]) -> list[int]:
    """Find the columns that say where on a wafer or a map a sample was measured.

    Parameters
    ----------
    names : sequence of str
        Names of columns.

    Returns
    -------
    list of int
        Indices of x and y, and of z where there is one; none where x or y is missing.

    Examples
    --------
    >>> map_positions(["X (mm)", "stage y", "P"]), map_positions(["x", "P"])
    ([0, 1], [])
    """
    letters = _axis_letters(names)
    return list(letters) if {*letters.values()} >= {"x", "y"} else []


def map_axes(names: Sequence[str]) -> dict[str, int]:
    """Find the column of each axis of a wafer or a map.

    Parameters
    ----------
    names : sequence of str
        Names of columns.

    Returns
    -------
    dict of str to int
        Index of the column of ``"x"``, ``"y"`` and, where there is one, ``"z"``; none where x or y is missing.

    Examples
    --------
    >>> map_axes(["stage y", "X (mm)", "P"]), map_axes(["x", "P"])
    ({'y': 0, 'x': 1}, {})
    """
    found = {letter: k for k, letter in reversed(_axis_letters(names).items())}
    return dict(reversed(found.items())) if found.keys() >= {"x", "y"} else {}


def _axis_letters(names: Sequence[str]) -> dict[int, str]:
    matches = [_MAP_AXIS.fullmatch(split_unit(name)[0].strip().lower()) for name in names]
    return {k: match[1] for k, match in enumerate(matches) if match is not None}


def is_sample_name(name: str) -> bool:
    """Return whether a column is named as one of sample ids, such as "Sample" or "id".

    Parameters
    ----------
    name : str
        The column name.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> is_sample_name("Sample No."), is_sample_name("P")
    (True, False)
    """
    return _SAMPLE.fullmatch(name.strip().lower()) is not None


def is_unit(text: str) -> bool:
    """Return whether a text is a unit, such as "mA/cm2" or "%".

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> is_unit("mA/cm2"), is_unit("Fe")
    (True, False)
    """
    parts = [part for part in re.split(r"[\s/·*.⋅]+|\bper\b", text.strip()) if part]
    whole = text.strip() in _WHOLE.split() or _FRACTION_UNIT.fullmatch(text.strip()) is not None
    return whole or (bool(parts) and all(part == "1" or _is_symbol(part) for part in parts))


def same_name(asked: str, name: str) -> bool:
    """Return whether a name that a user gave means a column, with or without the unit.

    Parameters
    ----------
    asked : str
        The given name.
    name : str
        The column name.

    Returns
    -------
    bool
        Whether they are the same.

    Examples
    --------
    >>> same_name("P", "P_mW_cm2"), same_name("P_mW_cm2", "P_mW_cm2"), same_name("P", "Pd")
    (True, True, False)
    """
    return asked.strip() in (name.strip(), split_unit(name)[0])


def axis_number(name: str) -> tuple[float, str] | None:
    """Parse the name of a channel: a number with or without a unit.

    Parameters
    ----------
    name : str
        The column name.

    Returns
    -------
    tuple of (float, str) or None
        Position and unit; None if the name is not a number.

    Examples
    --------
    >>> axis_number("78.025"), axis_number("400 nm"), axis_number("Bi")
    ((78.025, ''), (400.0, 'nm'), None)
    """
    match = _NUMBER.fullmatch(name.strip())
    if match is None or match[2] not in ("", *_AXIS_UNITS):
        return None
    return float(match[1]), normal_axis_unit(match[2])


def axis_unit_in(head: Sequence[Sequence[str]]) -> str:
    """Find the unit of the axis in the lines above a spectrum.

    Parameters
    ----------
    head : sequence of sequence of str
        Cells of these lines.

    Returns
    -------
    str
        "cm-1", "nm", "deg" or another unit of an axis; "" where no line gives one.

    Examples
    --------
    >>> [axis_unit_in([row]) for row in (["#AxisUnit[1]=1/cm"], ["Raman shift (cm-1)", "counts"], ["a", "b"])]
    ['cm-1', 'cm-1', '']
    """
    lines = [" ".join(row) for row in head]
    keyed = (match[1] for line in lines if (match := _AXIS_KEY.search(line)))
    names = (unit for row in reversed(head[-3:]) if (unit := split_unit(row[0].lstrip("#%!' "))[1]))
    brackets = (unit for line in reversed(lines[-3:]) for unit in re.findall(r"[(\[]([^()\[\]]+)[)\]]", line))
    return next(filter(None, map(normal_axis_unit, (*keyed, *names, *brackets))), "")


def normal_axis_unit(unit: str) -> str:
    """Return the common spelling of the unit of an axis.

    Parameters
    ----------
    unit : str
        The unit as a file spells it.

    Returns
    -------
    str
        The common spelling; "" for what is not a unit of an axis.

    Examples
    --------
    >>> normal_axis_unit("1/CM"), normal_axis_unit("cm^-1"), normal_axis_unit("°"), normal_axis_unit("counts")
    ('cm-1', 'cm-1', 'deg', '')
    """
    text = unit.strip().strip("()[]\"'").replace("\u2212", "-").replace("\u207b\u00b9", "-1")
    known = _SAME_UNIT.get(text.lower())
    return known or (text if text in _AXIS_UNITS else "")


def component_names(columns: Sequence[str]) -> tuple[list[str], str]:
    """Remove units and shared parts from the names of components.

    Parameters
    ----------
    columns : sequence of str
        Column names of the components.

    Returns
    -------
    names : list of str
        Names of the components.
    rest : str
        What the column names shared.

    Examples
    --------
    >>> component_names(["P3HT content (%)", "D1 content (%)"])
    (['P3HT', 'D1'], 'content (%)')
    >>> component_names(["x_Fe", "x_Ga"])
    (['Fe', 'Ga'], 'x_')
    """
    names = [re.sub(rf"[\s_]+{_WORDS}$", "", split_unit(column)[0], flags=re.IGNORECASE) for column in columns]
    rest = columns[0].strip()[len(names[0]) :].strip()
    if len(names) > 1:
        before, after = _shared(names), _shared([name[::-1] for name in names])[::-1]
        short = [name[len(before) : len(name) - len(after)] for name in names]
        if (before or after) and all(short):
            names, rest = short, f"{before}{after}{rest}"
    return names, rest


def pattern(name: str) -> str:
    """Return the kind of a name, which names of one kind share.

    Parameters
    ----------
    name : str
        The column name.

    Returns
    -------
    str
        ``"element"``, or the name with its digits replaced by ``#``.

    Examples
    --------
    >>> pattern("Dy"), pattern("D1 content (%)"), pattern("D12 content (%)")
    ('element', 'D# content (%)', 'D# content (%)')
    """
    return "element" if is_element(name) else re.sub(r"\d+", "#", name.strip())


def is_element(name: str) -> bool:
    """Return whether a column is named as an element, without a unit or with that of a fraction.

    Parameters
    ----------
    name : str
        The column name.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> is_element("P"), is_element("P (at%)"), is_element("P_mW_cm2")
    (True, True, False)
    """
    return component_names([name])[0][0] in ELEMENTS and split_unit(name)[1] in FRACTION_UNITS


def _is_symbol(text: str) -> bool:
    return re.fullmatch(_SYMBOL.pattern + r"(?:\^?[-+−]?[\d⁻²³¹]+)?", text) is not None


def _joined(parts: Sequence[str]) -> str:
    unit = parts[0]
    for part in parts[1:]:
        unit += part.lstrip("^") if _POWER.fullmatch(part) else f"/{part}"
    return unit


def _shared(names: Sequence[str]) -> str:
    """Return the beginning that all names share, up to its last separator."""
    letters = takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False))
    return re.sub(r"[^\s_%]+$", "", "".join(column[0] for column in letters))
