"""Decimal and thousands marks: which of comma and point a file uses for what, decided from all its cells."""

from __future__ import annotations

import re
from typing import Literal

from matlens.errors import InputError
from matlens.library.io.names import is_sample_name

__all__ = ["Exact", "plain_marks"]

_SPACES = " \u00a0\u2009\u202f'\u2019"  # blanks of several widths and apostrophes separate thousands, never decimals
_DIGITS = rf"(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?|[\d.,]*\d[\d.,]*)"
_NUMBER = re.compile(rf"([+\-\u2212\u2013]?)({_DIGITS})")
_POWER = (
    r"\s*[eEdD][+\-\u2212]?\d+"
    r"|\s*[\u00d7x*\u00b7]\s*10(?:\s*\^?\s*[+\-\u2212]?\d+|[\u207a\u207b\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)"
)
_CELL = re.compile(
    rf"\s*(?:[<>~\u2248]=?|[\u2264\u2265])?\s*{_NUMBER.pattern}"
    rf"(?:\s*(?:\u00b1|\+/-|\+-)\s*{_NUMBER.pattern})?(?:\s*\(\d+\))?(?:{_POWER})?"
    r"\s*(?:[%\u2030\u00b0A-Za-z\u00b5\u03bc\u03a9\u00c5][^,;|]{0,14})?\s*"
)
_PLAIN = re.compile(r"\s*[+-]?(?:\d+|\d*\.\d+|\d+\.)(?:[eE][+-]?\d+)?\s*")
_SIMPLE = re.compile(
    r"\s*[+-]?(?:\d{4,}|0?|0\d+),\d+\s*|\s*[+-]?\d+,(?:\d{1,2}|\d{4,})\s*"
)  # a decimal comma, at a glance
_ODD = re.compile(rf"[,\u2212\u2013{_SPACES[1:]}]|\d \d{{3}}|\.\d{{3}}\.\d{{3}}")
_HEAD = 5  # rows in which the names of the columns may stand
_MARK = {"point": ".", "comma": ","}

Rows = list[tuple[int, list[str]]]


class Exact(str):
    """A number that the file holds as a number and not as text, so that its point says nothing about other cells."""

    __slots__ = ()


def plain_marks(rows: Rows, name: str, decimal: Literal["point", "comma"] | None = None) -> Rows:
    """Write all numbers of a file with decimal points and without thousands marks.

    A number such as "0,5" or "1.234,56" says which mark is decimal. One such as "1,176" does not: the other cells of
    its column decide, and after them the other cells of the file. Points are decimal where nothing says otherwise.

    Parameters
    ----------
    rows : list of (int, list of str)
        Line number and cells of each row.
    name : str
        File name, for messages.
    decimal : {"point", "comma"}, optional
        The decimal mark, where it is known.

    Returns
    -------
    list of (int, list of str)
        The rows with plain numbers; text is unchanged.

    Raises
    ------
    InputError
        If a comma may be either mark and nothing in the file decides; the message names line and column.

    Examples
    --------
    >>> plain_marks([(1, ["0.5", "1,176"]), (2, ["0.25", "890"])], "t.tsv")
    [(1, ['0.5', '1176']), (2, ['0.25', '890'])]
    >>> plain_marks([(1, ["0,5", "1.176"]), (2, ["0,25", "−1,5"])], "t.csv")
    [(1, ['0.5', '1176']), (2, ['0.25', '-1.5'])]
    """
    ids = {j for _, row in rows[:_HEAD] for j, cell in enumerate(row) if is_sample_name(cell)}  # "1.001" stays as it is
    odd = {
        (k, j)
        for k, (_, row) in enumerate(rows)
        if _ODD.search("\t".join(row))
        for j, cell in enumerate(row)
        if j not in ids and _PLAIN.fullmatch(cell) is None and _is_text_number(cell)
    }
    if not odd and decimal != "comma":
        return rows
    columns = {} if decimal else _clear_marks(rows, ids)
    anywhere = {_MARK[decimal]} if decimal else set().union(*columns.values())
    # Where commas are decimal, a point in a cell such as "1.176" separates thousands.
    touched = odd | {place for place in (_with_points(rows) if "," in anywhere else ()) if place[1] not in ids}
    found = [(line, list(row)) for line, row in rows]
    for k, j in sorted(touched):
        line, row = found[k]
        row[j] = _rewritten(row[j], columns.get(j) or anywhere, (line, j + 1, name))
    return found


def _is_text_number(cell: str) -> bool:
    return not isinstance(cell, Exact) and (_SIMPLE.fullmatch(cell) or _CELL.fullmatch(cell)) is not None


def _with_points(rows: Rows) -> set[tuple[int, int]]:
    places = ((k, j, cell) for k, (_, row) in enumerate(rows) for j, cell in enumerate(row) if "." in cell)
    return {(k, j) for k, j, cell in places if _is_text_number(cell)}


def _clear_marks(rows: Rows, ids: set[int]) -> dict[int, set[str]]:
    """Collect the marks that must be decimal, by column; those in ids of samples say nothing."""
    found: dict[int, set[str]] = {}
    for _, row in rows:
        for j, cell in enumerate(row):
            if j not in ids and not isinstance(cell, Exact) and ("." in cell or "," in cell):
                simple = _SIMPLE.fullmatch(cell)
                marks = {","} if simple else {_decimal_mark(digits) for _, digits in _numbers(cell)} - {""}
                if marks:
                    found.setdefault(j, set()).update(marks)
    return found


def _numbers(cell: str) -> list[tuple[str, str]]:
    match = _CELL.fullmatch(cell)
    return [] if match is None else [(match[k], match[k + 1]) for k in (1, 3) if match[k + 1] is not None]


def _grouped(digits: str, mark: str) -> bool:
    return re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+", digits) is not None


def _decimal_mark(digits: str) -> str:
    """Return the mark that is decimal beyond doubt; "" where the digits leave it open, or are no number."""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return max(".,", key=digits.rfind)
    for mark, count, other in ((".", points, ","), (",", commas, ".")):
        if count == 1 and not _grouped(digits, mark):
            return mark
        if count > 1 and _grouped(digits, mark):
            return other
    return ""


def _rewritten(cell: str, marks: set[str], place: tuple[int, int, str]) -> str:
    """Write the numbers of a cell with decimal points; ``marks`` are the decimal marks that its column has."""
    if _SIMPLE.fullmatch(cell):
        return cell.replace(",", ".")
    match = _CELL.fullmatch(cell)
    if match is None:
        return cell
    for start in (3, 1):  # from behind, so that the earlier places stay where they are
        if match[start + 1] is not None:
            begin, end = match.start(start), match.end(start + 1)
            cell = cell[:begin] + _plain(match[start], match[start + 1], marks, place) + cell[end:]
    return cell


def _plain(sign: str, digits: str, marks: set[str], place: tuple[int, int, str]) -> str:
    digits = re.sub(rf"[{_SPACES}]", "", digits)
    sign = sign.replace("\u2212", "-").replace("\u2013", "-")
    clear = _decimal_mark(digits)
    if not clear and any(_grouped(digits, mark) for mark in ".,"):
        if len(marks) == 1:
            clear = next(iter(marks))
        elif not marks and "," not in digits:
            clear = "."  # the mark of every program unless the file says otherwise
        else:
            line, column, name = place
            mark = "comma" if "," in digits else "point"
            raise InputError(
                f"found {digits!r} in line {line}, column {column} of {name}, whose {mark} may be a decimal mark or a "
                "thousands mark, and no other number decides; say which by --decimal point or --decimal comma."
            )
    other = "," if clear == "." else "."
    whole, mark, part = digits.rpartition(clear) if clear and clear in digits else (digits, "", "")
    if clear and (clear in whole or (other in whole and not _grouped(whole, other)) or other in part):
        return sign + digits  # such as 1.2.3 or 12,34.5, which is no number
    return f"{sign}{whole.replace(other, '')}{'.' if mark else ''}{part}"
