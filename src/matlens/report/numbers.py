"""Numbers and sentences as a reader of a report sees them."""

from __future__ import annotations

import math
import re
from typing import Any

from matlens.figures.units import RAISED, raise_powers

__all__ = ["interval", "is_number", "percent", "sentence", "shown"]

_NUMBER = re.compile(r"[−+]?\d[\d.]*( × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")


def shown(value: Any) -> str:
    """Format a value for a reader.

    Parameters
    ----------
    value : object
        Number, truth value, text or None.

    Returns
    -------
    str
        Three significant digits for a float (whole numbers from 1000 on, powers of ten below 0.001 and from a million
        on), ``yes`` or ``no`` for a truth value, a dash for None and NaN.

    Examples
    --------
    >>> shown(0.123456), shown(12), shown(None), shown(True), shown("s2_error"), shown(1234.5), shown(-0.5)
    ('0.123', '12', '–', 'yes', 's2_error', '1234', '−0.5')
    >>> shown(1.234e-5), shown(float("inf")), shown(0.0), shown(-1e9)
    ('1.23 × 10⁻⁵', 'infinite', '0', '−1.00 × 10⁹')
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
        mantissa, exponent = f"{value:.2e}".split("e")
        text = f"{mantissa} × 10{str(int(exponent)).translate(RAISED)}"
    else:
        text = f"{value:.0f}" if size >= 1000 else f"{value:.3g}"
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


def interval(low: float, high: float, share: str = "90 %") -> str:
    """Put an interval into words.

    Parameters
    ----------
    low, high : float
        Its ends; NaN where unknown.
    share : str
        How often such intervals hold what they are for.

    Returns
    -------
    str
        The words; empty where an end is unknown.

    Examples
    --------
    >>> interval(0.381, 0.4512), interval(0.1, float("nan"))
    ('90 %: 0.381 to 0.451', '')
    """
    return f"{share}: {shown(float(low))} to {shown(float(high))}" if math.isfinite(low) and math.isfinite(high) else ""


def is_number(text: str) -> bool:
    """Whether a cell of a table is a number, with or without its interval, or a dash.

    Parameters
    ----------
    text : str
        The cell.

    Returns
    -------
    bool
        Whether it stands to the right of its column.

    Examples
    --------
    >>> is_number("−1.2"), is_number("0.9 (0.8 to 1)"), is_number("–"), is_number("2 phases"), is_number("0.1 to 0.2")
    (True, True, True, False, True)
    """
    words = re.sub(r"\bto\b|[()\s]", " ", text).replace(" × 10", "×10").split()
    return text in ("–", "infinite") or (
        bool(words) and all(_NUMBER.fullmatch(word.replace("×10", " × 10")) for word in words)
    )


def sentence(text: str) -> str:
    """Write a note as a sentence: a capital first, a full stop last, and units with raised powers.

    Parameters
    ----------
    text : str
        The note.

    Returns
    -------
    str
        The sentence.

    Examples
    --------
    >>> sentence("an R2 of 0.9"), sentence("Adding W raises P by 2 mW/cm2 per at%.")
    ('An R² of 0.9.', 'Adding W raises P by 2 mW/cm² per at%.')
    """
    if not text:
        return ""
    return raise_powers(re.sub(r"\bR2\b", "R²", f"{text[:1].upper()}{text[1:].rstrip('.')}."))
