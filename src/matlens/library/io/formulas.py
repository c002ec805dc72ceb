"""Chemical formulas as compositions: "Bi2O3", "(Bi0.5Fe0.5)2O3", "Ag-0.2-Pd-0.8"."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.library.io.elements import ELEMENTS, MASSES

__all__ = ["ends_in_deficiency", "formula_amounts", "formula_fractions", "looks_like_formulas"]

_TOKEN = r"({})|(\d+/\d+|\d+\.?\d*|\.\d+)|([(\[])|([)\]])"
_MARKUP = re.compile(r"<sub>([\d.,/]+)</sub>|(?<=[A-Za-z)\]])_(?:\{([\d.,/]+)\}|([\d.,/]+))")
_ADDED = re.compile(r"\s*[\u00b7\u2022\u2219\u22c5*]\s*")  # the dot before the water of a hydrate
_MULTIPLE = re.compile(r"(\d+/\d+|\d+\.?\d*|\.\d+)?(.*)")
_SUBSCRIPTS = str.maketrans("\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089", "0123456789")
_LISTED = re.compile(r"([A-Z][a-z]?)\s*[-:_=]?\s*(\d+\.?\d*|\.\d+)\s*%?")
_HEADS = re.compile(r"composition|formula|alloy|material|catalyst|compound|chemi", re.IGNORECASE)
_DEFICIENCY = re.compile(r"(?<=[\dA-Za-z])\s*[-\u2212\u2013+\u00b1]\s*(?:\u03b4|\u2202|delta|d)\s*$")
_LEAST = 0.9  # share of the cells that must be formulas


def formula_amounts(text: str, molecules: Sequence[str] = ()) -> dict[str, float] | None:
    """Read the amount of each element in a formula, or in a list such as "Ag-0.2-Pd-0.8" or "Fe 50, Co 50".

    Parameters
    ----------
    text : str
        The formula.
    molecules : sequence of str
        Names besides those of the elements, such as "FA" and "MA".

    Returns
    -------
    dict of str to float or None
        Amount of each element, in the order of the text; None if it is no formula. "Fe-18Cr-8Ni", in which
        numbers stand before the elements and the first one is the balance, is none.

    Examples
    --------
    >>> formula_amounts("(Bi0.5Fe0.5)2O3"), formula_amounts("Ag-0.2-Pd-0.8"), formula_amounts("Fe-18Cr")
    ({'Bi': 1.0, 'Fe': 1.0, 'O': 3.0}, {'Ag': 0.2, 'Pd': 0.8}, None)
    >>> formula_amounts("CuSO4·5H2O"), formula_amounts("Fe_{1/2}Co_{1/2}")
    ({'Cu': 1.0, 'S': 1.0, 'O': 9.0, 'H': 10.0}, {'Fe': 0.5, 'Co': 0.5})
    >>> formula_amounts("MA0.25FA0.75PbI3", ["FA", "MA"])
    {'MA': 0.25, 'FA': 0.75, 'Pb': 1.0, 'I': 3.0}
    """
    plain = _MARKUP.sub(r"\1\2\3", _DEFICIENCY.sub("", text.strip().translate(_SUBSCRIPTS)))
    listed = [part for part in re.split(r"(?<=[\d%])\s*[-,;/|+\s]\s*(?=[A-Z])", plain) if part]
    if listed:
        pairs = [_LISTED.fullmatch(part) for part in listed]
        if all(pair is not None and pair[1] in ELEMENTS for pair in pairs):
            return _summed((pair[1], float(pair[2])) for pair in pairs if pair is not None)
    plain = re.sub(r"(?<=\d),(?=\d)", ".", plain)  # a decimal comma, as a list was tried before
    first, *added = _ADDED.split(plain)
    token = _token(molecules)
    multiples = [(match[1] or "1", _nested(match[2], token)) for part in added if (match := _MULTIPLE.fullmatch(part))]
    read = [("1", _nested(first, token)), *multiples]
    if any(amounts is None for _, amounts in read):
        return None
    return _summed((name, _value(count) * amount) for count, part in read for name, amount in (part or {}).items())


def ends_in_deficiency(text: str) -> bool:
    """Return whether a formula ends in an unknown deficiency, as that of oxygen in "SrFeO3-δ", which is not counted.

    Parameters
    ----------
    text : str
        The formula.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> ends_in_deficiency("SrFeO3-δ"), ends_in_deficiency("SrFeO3")
    (True, False)
    """
    return _DEFICIENCY.search(text.strip()) is not None


def formula_fractions(texts: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Turn formulas into atomic fractions.

    Parameters
    ----------
    texts : sequence of str
        Formulas.

    Returns
    -------
    elements : list of str
        All elements, in the order in which they first occur.
    fractions : ndarray of float, shape (n, D)
        Each row sums to 1; a row of NaN where the text is no formula.

    Examples
    --------
    >>> formula_fractions(["Fe0.5Co0.5", "Fe"])
    (['Fe', 'Co'], array([[0.5, 0.5],
           [1. , 0. ]]))
    """
    read = [formula_amounts(text) for text in texts]
    elements = list(dict.fromkeys(name for amounts in read for name in amounts or ()))
    amounts = np.array([[np.nan if row is None else row.get(name, 0.0) for name in elements] for row in read])
    amounts = amounts.reshape(len(texts), len(elements))
    return elements, amounts / amounts.sum(axis=1, keepdims=True)


def looks_like_formulas(name: str, texts: Sequence[str]) -> bool:
    """Return whether a column holds formulas of several compositions, and not words that happen to be symbols.

    Parameters
    ----------
    name : str
        Name of the column.
    texts : sequence of str
        Its cells.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> looks_like_formulas("x", ["Fe0.5Co0.5", "Fe0.2Co0.8"]), looks_like_formulas("operator", ["No", "Co"])
    (True, False)
    """
    there = [text for text in texts if text.strip()]
    read = [amounts for text in there if (amounts := formula_amounts(text)) is not None]
    if not read or len(read) < _LEAST * len(there) or len({tuple(sorted(row.items())) for row in read}) < 2:
        return False
    compounds = sum(len(row) > 1 for row in read)
    return _HEADS.search(name) is not None or 2 * compounds > len(read)


def _summed(pairs: object) -> dict[str, float] | None:
    found: dict[str, float] = {}
    for name, amount in pairs:  # type: ignore[attr-defined]
        found[name] = found.get(name, 0.0) + amount
    return found if 0 < sum(found.values()) < float("inf") else None


def _value(number: str) -> float:
    """The value of a number or of a fraction such as 1/2; infinite where its denominator is 0."""
    above, _, below = number.partition("/")
    return float(above) / float(below or 1) if float(below or 1) else float("inf")


def _token(molecules: Sequence[str]) -> re.Pattern[str]:
    """The next part of a formula: a molecule before an element, and the longer of two names before the shorter one."""
    names = [*sorted(molecules, key=len, reverse=True), *sorted(MASSES, key=len, reverse=True)]
    return re.compile(_TOKEN.format("|".join(map(re.escape, names))))


def _nested(text: str, token: re.Pattern[str]) -> dict[str, float] | None:
    """Read a formula with brackets; a number belongs to what stands before it."""
    levels: list[list[tuple[str, float]]] = [[]]
    last: list[tuple[str, float]] = []  # what a following number multiplies
    place = 0
    while place < len(text):
        match = token.match(text, place)
        if match is None:
            return None
        symbol, number, opens, closes = match.groups()
        if number and not last:
            return None
        if symbol:
            levels[-1].append((symbol, 1.0))
            last = levels[-1][-1:]
        elif number:
            count = len(last)
            levels[-1][-count:] = [(name, amount * _value(number)) for name, amount in levels[-1][-count:]]
            last = []
        elif opens:
            levels.append([])
            last = []
        elif closes:
            if len(levels) == 1 or not levels[-1]:
                return None
            last = levels.pop()
            levels[-1].extend(last)
        place = match.end()
    return _summed(levels[0]) if len(levels) == 1 and levels[0] else None
