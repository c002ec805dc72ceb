"""How a file is written, where the file itself does not say: sheet, decimal mark, encoding, block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DEFAULT", "Layout"]


@dataclass(frozen=True)
class Layout:
    """How a file of a table or of spectra is written; None where the reader decides from the content.

    Attributes
    ----------
    sheet : str or None
        Sheet of a workbook.
    decimal : {"point", "comma"} or None
        Decimal mark of the numbers.
    encoding : str or None
        Encoding of a text file, by a name that Python knows.
    block : str or None
        Block of a file of OPUS, such as "absorbance".

    Examples
    --------
    >>> Layout(decimal="comma").sheet is None
    True
    """

    sheet: str | None = None
    decimal: Literal["point", "comma"] | None = None
    encoding: str | None = None
    block: str | None = None


DEFAULT = Layout()  # everything is decided from the content
