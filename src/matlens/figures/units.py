"""Units as print and browsers show them."""

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
    """Raise the powers of units that stand in a text.

    Parameters
    ----------
    text : str
        A unit, or a sentence with units in it.
    markup : {"text", "mathtext"}
        Superscript characters, or matplotlib's mathtext: few fonts have a raised minus.

    Examples
    --------
    >>> raise_powers("Adding W raises P by 2 mW/cm2 per at%.")
    'Adding W raises P by 2 mW/cm² per at%.'
    """
    if markup == "mathtext":
        return _POWER.sub(r"\1$^{\2}$", text)
    return _POWER.sub(lambda match: match[1] + match[2].translate(_RAISED), text)


def typeset_unit(unit: str, markup: Markup = "mathtext") -> str:
    """Write a unit as print does; a pure number has none.

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
    """Put the unit of a quantity in brackets behind its name, if it has one.

    Examples
    --------
    >>> name_with_unit("Raman shift", "cm-1"), name_with_unit("intensity", ""), name_with_unit("P", "mW/cm2", "text")
    ('Raman shift (cm$^{-1}$)', 'intensity', 'P (mW/cm²)')
    """
    written = typeset_unit(unit, markup)
    return f"{name} ({written})" if written else name
