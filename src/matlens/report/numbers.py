"""Intervals, cells and sentences as a reader of a report sees them."""

from __future__ import annotations

import math
import re

from matlens.core.numbers import shown
from matlens.figures.units import raise_powers

__all__ = ["interval", "is_number", "sentence"]

_EXPONENT = re.compile(r"(?<![\w.])(\d\.\d+)e[+-]\d+\b")  # in notes of runs of earlier versions
_NUMBER = re.compile(r"[−+]?\d[\d.]*( × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")


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
    """Write a note as a sentence: a capital first, a full stop last, and powers as people write them.

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
    >>> sentence("residual at most 8.3e-07")
    'Residual at most 8.3 × 10⁻⁷.'
    """
    if not text:
        return ""
    text = _EXPONENT.sub(lambda found: shown(float(found[0]), len(found[1]) - 1), text)
    return raise_powers(re.sub(r"\bR2\b", "R²", f"{text[:1].upper()}{text[1:].rstrip('.')}."))
