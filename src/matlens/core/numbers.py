"""Numbers as people read them, on the terminal as in reports: three significant digits, no exponents of programs."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["RAISED", "percent", "shown"]

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Digits and the minus sign as superscripts, for `str.translate`."""


def shown(value: Any, digits: int = 3) -> str:
    """Format a value for a reader.

    Parameters
    ----------
    value : object
        Number, truth value, text or None.
    digits : int
        Significant digits of a float.

    Returns
    -------
    str
        A float to so many significant digits (whole numbers from 1000 on, powers of ten below 0.001 and from a million
        on), ``yes`` or ``no`` for a truth value, a dash for None and NaN.

    Examples
    --------
    >>> shown(0.123456), shown(12), shown(None), shown(True), shown("s2_error"), shown(1234.5), shown(-0.5)
    ('0.123', '12', '–', 'yes', 's2_error', '1234', '−0.5')
    >>> shown(1.234e-5), shown(float("inf")), shown(0.0), shown(-1e9)
    ('1.23 × 10⁻⁵', 'infinite', '0', '−1.00 × 10⁹')
    >>> shown(1698.4, 2), shown(0.1684, 2)
    ('1698', '0.17')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    if math.isinf(value):
        return "infinite"
    size = abs(value)
    if size and not 1e-3 <= size < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa} × 10{str(int(exponent)).translate(RAISED)}"
    else:
        text = f"{value:.0f}" if size >= 1000 else f"{value:.{digits}g}"
    return text.replace("-", "−")


def percent(share: float) -> str:
    """Format a share in percent, with three significant digits.

    Parameters
    ----------
    share : float
        Share between 0 and 1; NaN where unknown.

    Returns
    -------
    str
        The share, with its sign.

    Examples
    --------
    >>> percent(0.16666), percent(float("nan"))
    ('16.7 %', '–')
    """
    return "–" if math.isnan(share) else f"{shown(100.0 * share)} %"
