"""Factors between units of one quantity in different prefixes: mA/cm2 and A/m2, S/cm and S/m."""

from __future__ import annotations

import re

__all__ = ["unit_factor"]

_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "\u00b5": 1e-6, "\u03bc": 1e-6, "m": 1e-3}
_PREFIXES |= {"c": 1e-2, "d": 0.1, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BASES = frozenset(("m", "g", "s", "A", "K", "mol", "V", "W", "S", "F", "C", "J", "N", "Pa", "Hz", "eV", "T", "Oe"))
_BASES |= {"emu", "L", "Ohm", "Wb", "H", "bar"}
_SAME = {"ohm": "Ohm", "\u03a9": "Ohm", "\u2126": "Ohm"}
_WHOLE = {"min": (60.0, "s"), "h": (3600.0, "s"), "%": (0.01, ""), "1": (1.0, ""), "\u00c5": (1e-10, "m")}
_PART = re.compile(r"([^\d^+\-\u2212\u207b\u00b9\u00b2\u00b3]+)\^?([+\-\u2212\u207b]?[\d\u00b9\u00b2\u00b3]+)?")
_POWERS = str.maketrans("\u2212\u207b\u00b9\u00b2\u00b3", "--123")


def unit_factor(unit: str, wanted: str) -> float | None:
    """Return the factor that converts numbers in one unit to another one.

    Parameters
    ----------
    unit : str
        Unit of the numbers.
    wanted : str
        Unit that they are to have.

    Returns
    -------
    float or None
        The factor; None if a unit is not known or they are of different quantities.

    Examples
    --------
    >>> unit_factor("A/m2", "mA/cm2"), unit_factor("mA cm-2", "mA/cm2"), unit_factor("V", "mA/cm2")
    (0.1, 1.0, None)
    """
    if unit.strip() == wanted.strip():
        return 1.0
    own, other = _parsed(unit), _parsed(wanted)
    if own is None or other is None or own[1] != other[1]:
        return None
    return float(f"{own[0] / other[0]:.12g}")  # powers of ten are not exact in binary


def _parsed(unit: str) -> tuple[float, dict[str, int]] | None:
    factor, powers, sign = 1.0, dict[str, int](), 1
    for token in re.findall(r"/|[^\s/\u00b7*.\u22c5]+", re.sub(r"\bper\b", "/", unit.strip())):
        if token == "/":
            sign = -1  # as people write it, all that follows stands below the line
            continue
        match = _PART.fullmatch(token) if token != "1" else re.fullmatch("(1)()", token)
        known = None if match is None else _symbol(match[1])
        if match is None or known is None:
            return None
        power = sign * int((match[2] or "1").translate(_POWERS))
        factor *= known[0] ** power
        if known[1]:
            powers[known[1]] = powers.get(known[1], 0) + power
    return factor, {name: power for name, power in powers.items() if power}


def _symbol(text: str) -> tuple[float, str] | None:
    if text in _WHOLE:
        return _WHOLE[text]
    for size in (0, 1):
        prefix, base = text[:size], _SAME.get(text[size:], text[size:])
        if base in _BASES and prefix in _PREFIXES:
            return _PREFIXES[prefix], base
    return None
