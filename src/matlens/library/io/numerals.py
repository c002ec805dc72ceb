"""Numbers as people write them in cells: powers of ten, uncertainties, percent signs, units."""

from __future__ import annotations

import re
from collections import Counter

from matlens.library.io.names import is_unit

__all__ = ["MISSING", "UNKNOWN_LIMIT", "has_uncertainty", "unit_of_cells", "units_in_cells", "value_of"]

_CODES = "nan na n/a - -- \u2013 \u2014 none null ? n.m. n.a. missing #n/a #na #div/0! #value! #num! #ref!"
MISSING = frozenset(("", "not measured", *_CODES.split()))
UNKNOWN_LIMIT = re.compile(
    r"<?\s*(?:lod|loq|mdl|dl|bdl|b\.d\.(?:l\.)?|nd|n\.d\.?|below (?:lod|loq|dl|detection(?: limit)?)|not detected)",
    re.IGNORECASE,
)
_SUPERSCRIPTS = str.maketrans(
    "\u207a\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "+-0123456789"
)
_FORM = re.compile(
    r"\s*([+-]?(?:\d+\.?\d*|\.\d+))"
    r"(\s*(?:\u00b1|\+/-|\+-)\s*(?:\d+\.?\d*|\.\d+)|\s*\(\d+\))?"
    r"(?:\s*[eEdD]([+\-\u2212]?\d+)|\s*[\u00d7x*\u00b7]\s*10\s*\^?\s*([+\-\u2212\u207a\u207b\u2070\u00b9\u00b2\u00b3\u2074-\u2079\d]+))?"
    r"\s*(%|[\u2030\u00b0A-Za-z\u00b5\u03bc\u03a9\u00c5].{0,14})?\s*"
)


def value_of(text: str) -> float:
    """Read the number of a cell, after its decimal mark has become a point.

    Parameters
    ----------
    text : str
        The cell.

    Returns
    -------
    float
        The number without its uncertainty; NaN where the cell is no number or has a unit.

    Examples
    --------
    >>> [value_of(text) for text in ("1.5", "1.5±0.1", "1.5(1)", "1.2×10^-5", "1.2D-05", "high")]
    [1.5, 1.5, 1.5, 1.2e-05, 1.2e-05, nan]
    """
    try:
        return float("nan") if "_" in text else float(text)  # Python would read 1_5 as 15
    except ValueError:
        match = _FORM.fullmatch(text)
    if match is None or match[5] is not None:
        return float("nan")
    power = (match[3] or match[4] or "0").translate(_SUPERSCRIPTS).replace("\u2212", "-")
    try:
        return float(f"{match[1]}e{power}")
    except ValueError:
        return float("nan")


def has_uncertainty(text: str) -> bool:
    """Return whether a cell gives an uncertainty beside its number.

    Parameters
    ----------
    text : str
        The cell.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> has_uncertainty("1.5(1)"), has_uncertainty("1.5")
    (True, False)
    """
    match = _FORM.fullmatch(text)
    return match is not None and match[2] is not None


def unit_of_cells(texts: list[str]) -> tuple[list[str], str] | None:
    """Separate the unit that all numbers of a column carry.

    Parameters
    ----------
    texts : list of str
        The cells of a column.

    Returns
    -------
    tuple of (list of str, str) or None
        The cells without the unit, and the unit; None where not all numbers carry one and the same.

    Examples
    --------
    >>> unit_of_cells(["1.5 mA", "", "2 mA"]), unit_of_cells(["1.5 mA", "2 A"])
    ((['1.5', '', '2'], 'mA'), None)
    """
    matches = [_FORM.fullmatch(text.strip().lstrip("<>= ")) for text in texts]
    units = Counter((match[5] or "").strip() for match in matches if match is not None)
    filled = sum(text.strip().lower() not in MISSING for text in texts)
    unit, count = next(iter(units.items()), ("", 0))
    if len(units) != 1 or not is_unit(unit) or 2 * count < filled:
        return None
    pairs = zip(texts, matches, strict=True)
    return [text if match is None else text.rstrip().removesuffix(unit).rstrip() for text, match in pairs], unit


def units_in_cells(texts: list[str]) -> list[str]:
    """List the units that numbers of a column carry.

    Parameters
    ----------
    texts : list of str
        The cells of a column.

    Returns
    -------
    list of str
        The units in the order of their first cells; "" where a number has none.

    Examples
    --------
    >>> units_in_cells(["1.5 mA", "2 A", "high", "3 mA"]), units_in_cells(["1", "x"])
    (['mA', 'A'], [''])
    """
    matches = [_FORM.fullmatch(text.strip().lstrip("<>= ")) for text in texts]
    units = dict.fromkeys((match[5] or "").strip() for match in matches if match is not None)
    return [unit for unit in units if not unit or is_unit(unit)]
