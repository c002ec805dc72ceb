"""The encoding of a text file, decided from its bytes, or refused where several readings are possible."""

from __future__ import annotations

import codecs
import re

from matlens.errors import InputError

__all__ = ["decoded"]

_MARKS = (  # the longer mark first, as that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What Western European programs write beyond ASCII. Text in other encodings, read as cp1252, shows other characters.
_WESTERN = re.compile(
    "[\\x00-\\x7f\u00e4\u00f6\u00fc\u00c4\u00d6\u00dc\u00df\u00e9\u00e8\u00ea\u00eb\u00e0\u00e1\u00e2\u00ed\u00ee\u00ef\u00f3\u00f4"
    "\u00f2\u00f1\u00e7\u00fa\u00f9\u00fb\u00e5\u00c5\u00f8\u00d8\u00e6\u00c9\u00b0\u00b5\u00b2\u00b3\u00b9\u00b1\u00b7\u00d7\u00a0"
    "\u2013\u2019]*"
)
_SAMPLE = 4096  # bytes that are looked at for UTF-16 without a mark


def decoded(content: bytes, name: str, encoding: str | None = None) -> str:
    """Decode a text file: UTF-8, UTF-16 or UTF-32, else Western European text.

    Parameters
    ----------
    content : bytes
        Content of the file.
    name : str
        File name, for messages.
    encoding : str, optional
        The encoding, where it is known.

    Returns
    -------
    str
        The text.

    Raises
    ------
    InputError
        If the file is no text, is not of the given encoding, or has letters that no encoding explains beyond doubt.

    Examples
    --------
    >>> decoded("T (°C)".encode("cp1252"), "t.csv"), decoded("T (°C)".encode("utf-16"), "t.csv")
    ('T (°C)', 'T (°C)')
    """
    if encoding is not None:
        return _as_asked(content, name, encoding)
    marked = next((known for mark, known in _MARKS if content.startswith(mark)), None) or _unmarked_utf16(content)
    if marked is not None:
        return _as_asked(content, name, marked)
    if b"\0" in content:
        raise InputError(f"{name} is not a text file; save it as CSV or XLSX.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if _WESTERN.fullmatch(line) is None:
            raise InputError(
                f"{name} is not in UTF-8, and line {number} reads {line.strip()[:40]!r} as Western European text; save "
                "the file as UTF-8, or name its encoding by --encoding, such as gbk, shift_jis or mac_roman."
            )
    return text


def _as_asked(content: bytes, name: str, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except LookupError as error:
        raise InputError(
            f"the encoding {encoding!r} is not known; give one such as utf-8, gbk or mac_roman."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not text in {encoding} (byte {error.start}); save it as UTF-8.") from error


def _unmarked_utf16(content: bytes) -> str | None:
    """Recognise UTF-16 without a mark by its zero bytes, which stand at every second place of ASCII text."""
    part = content[:_SAMPLE]
    for places, other, known in ((part[1::2], part[::2], "utf-16-le"), (part[::2], part[1::2], "utf-16-be")):
        if len(places) > 2 and places.count(0) * 10 >= 9 * len(places) and other.count(0) == 0:
            return known
    return None
