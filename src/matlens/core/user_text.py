"""Texts that users give, such as names and units, where a terminal or a spreadsheet would take them for commands."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["listed", "plain_cell", "printable", "spreadsheet_cell"]

# Control characters but newline and tab, marks that turn the direction of writing, and halves of surrogate pairs, which
# stand for bytes of file names that are not UTF-8.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    Parameters
    ----------
    words : sequence of str
        At least one.

    Returns
    -------
    str
        The words, with "and" before the last one.

    Examples
    --------
    >>> listed(["one"]), listed(["one", "two"]), listed(["one", "two", "three"])
    ('one', 'one and two', 'one, two and three')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def printable(text: str) -> str:
    """Show control characters as escapes, so that a name in a file cannot command the terminal.

    Parameters
    ----------
    text : str
        Text for a terminal or a figure.

    Returns
    -------
    str
        The text; newlines and tabs stay.

    Examples
    --------
    >>> print(printable("pore\\x1b[31m"), printable("a\\u202eb"), printable("µm"))
    pore\\x1b[31m a\\u202eb µm
    """
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def spreadsheet_cell(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet program would compute as a formula.

    Spreadsheet programs show the cell as text then. `plain_cell` takes the apostrophe away again.

    Parameters
    ----------
    text : str
        Text of a cell.

    Returns
    -------
    str
        The cell.

    Examples
    --------
    >>> spreadsheet_cell("=1+1"), spreadsheet_cell("-5"), spreadsheet_cell("a-b"), spreadsheet_cell("'=1+1")
    ("'=1+1", '-5', 'a-b', "''=1+1")
    """
    return f"'{text}" if _is_formula(text) else text


def plain_cell(cell: str) -> str:
    """Inverse of `spreadsheet_cell`.

    Parameters
    ----------
    cell : str
        Cell of a table that MatLens wrote.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> [plain_cell(spreadsheet_cell(text)) for text in ("=1+1", "'=1+1", "'a", "-")]
    ['=1+1', "'=1+1", "'a", '-']
    """
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
