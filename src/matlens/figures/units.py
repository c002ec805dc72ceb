"""Typesetting of units for figures and web pages."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Markup", "name_with_unit", "raise_powers", "typeset_unit"]

Markup = Literal["mathtext", "text"]
_POWER = re.compile(r"(?<![A-Za-z])(cm|mm|um|µm|nm|m|Å|px|s|eV|K|g|kg|A|V)\^?(-?[1-9])(?!\d)")
_MICRO = re.compile(r"(?<![A-Za-z])u(?=(?:m|g|A|V|s|W)(?![a-z]))")
_WORDS = {"micron": "µm", "angstrom": "Å"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def raise_powers(text: str, markup: Markup = "text") -> str:
    """Write the powers of units in a text as superscripts.

    Parameters
    ----------
    text : str
        A unit, or a sentence with units in it.
    markup : {"text", "mathtext"}
        Unicode superscripts, or matplotlib's mathtext; figures use the latter because few fonts have a raised minus.

    Returns
    -------
    str
        The text with superscripts.

    Examples
    --------
    >>> raise_powers("Adding W raises P by 2 mW/cm2 per at%.")
    'Adding W raises P by 2 mW/cm² per at%.'
    """
    if markup == "mathtext":
        return _POWER.sub(r"\1$^{\2}$", text)
    return _POWER.sub(lambda match: match[1] + match[2].translate(_RAISED), text)


def typeset_unit(unit: str, markup: Markup = "mathtext") -> str:
    """Typeset a unit.

    Parameters
    ----------
    unit : str
        Unit as in data files, for example ``"mW/cm2"``; ``"1"`` for a pure number.
    markup : {"mathtext", "text"}
        Form of superscripts, as in `raise_powers`.

    Returns
    -------
    str
        The unit with superscripts and Greek letters; empty for a pure number.

    Examples
    --------
    >>> typeset_unit("mW/cm2 per at%"), typeset_unit("um^-1"), typeset_unit("log10(S/cm)"), typeset_unit("angstrom")
    ('mW/cm$^{2}$ per at%', 'µm$^{-1}$', 'log10(S/cm)', 'Å')
    >>> typeset_unit("cm-1", "text"), typeset_unit("1")
    ('cm⁻¹', '')
    """
    if unit == "1":
        return ""
    for word, sign in _WORDS.items():
        unit = unit.replace(word, sign)
    return raise_powers(_MICRO.sub("µ", unit), markup)


def name_with_unit(name: str, unit: str, markup: Markup = "mathtext") -> str:
    """Write the name of a quantity with its unit in brackets.

    Parameters
    ----------
    name : str
        Name of the quantity.
    unit : str
        Unit as in `typeset_unit`.
    markup : {"mathtext", "text"}
        Form of superscripts, as in `raise_powers`.

    Returns
    -------
    str
        Name and unit, or the name alone if there is no unit.

    Examples
    --------
    >>> name_with_unit("Raman shift", "cm-1"), name_with_unit("intensity", ""), name_with_unit("P", "mW/cm2", "text")
    ('Raman shift (cm$^{-1}$)', 'intensity', 'P (mW/cm²)')
    """
    written = typeset_unit(unit, markup)
    return f"{name} ({written})" if written else name
