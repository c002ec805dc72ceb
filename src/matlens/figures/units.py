"""Typesetting of units for figures and web pages."""

from __future__ import annotations

import re

from matlens.core.numbers import RAISED

__all__ = ["name_with_unit", "raise_powers", "typeset_unit"]

_POWER = re.compile(r"(?<![A-Za-z])(cm|mm|um|µm|nm|m|Å|px|s|eV|K|g|kg|A|V)\^?(-?[1-9])(?!\d)")
_MICRO = re.compile(r"(?<![A-Za-z])u(?=(?:m|g|A|V|s|W)(?![a-z]))")
_WORDS = {"micron": "µm", "angstrom": "Å"}


def raise_powers(text: str) -> str:
    """Write the powers of units in a text as superscripts.

    Parameters
    ----------
    text : str
        A unit, or a sentence with units in it.

    Returns
    -------
    str
        The text with superscripts.

    Examples
    --------
    >>> raise_powers("Adding W raises P by 2 mW/cm2 per at%.")
    'Adding W raises P by 2 mW/cm² per at%.'
    """
    return _POWER.sub(lambda match: match[1] + match[2].translate(RAISED), text)


def typeset_unit(unit: str) -> str:
    """Typeset a unit.

    Parameters
    ----------
    unit : str
        Unit as in data files, for example ``"mW/cm2"``; ``"1"`` for a pure number.

    Returns
    -------
    str
        The unit with superscripts and Greek letters; empty for a pure number.

    Examples
    --------
    >>> typeset_unit("mW/cm2 per at%"), typeset_unit("um^-1"), typeset_unit("log10(S/cm)"), typeset_unit("angstrom")
    ('mW/cm² per at%', 'µm⁻¹', 'log10(S/cm)', 'Å')
    >>> typeset_unit("cm-1"), typeset_unit("1")
    ('cm⁻¹', '')
    """
    if unit == "1":
        return ""
    for word, sign in _WORDS.items():
        unit = unit.replace(word, sign)
    return raise_powers(_MICRO.sub("µ", unit))


def name_with_unit(name: str, unit: str) -> str:
    """Write the name of a quantity with its unit in brackets.

    Parameters
    ----------
    name : str
        Name of the quantity.
    unit : str
        Unit as in `typeset_unit`.

    Returns
    -------
    str
        Name and unit, or the name alone if there is no unit.

    Examples
    --------
    >>> name_with_unit("Raman shift", "cm-1"), name_with_unit("intensity", ""), name_with_unit("P", "mW/cm2")
    ('Raman shift (cm⁻¹)', 'intensity', 'P (mW/cm²)')
    """
    written = typeset_unit(unit)
    return f"{name} ({written})" if written else name
