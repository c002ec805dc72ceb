"""Files of Bruker OPUS: blocks of spectra, of which one is the result of the measurement."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from matlens.errors import InputError
from matlens.library.io.layout import DEFAULT, Layout
from matlens.library.io.spectra import Spectra
from matlens.library.table import named

__all__ = ["is_opus", "read_opus"]

# docs/decisions/0046-tables-as-they-come.md says why no package reads them.
_MAGIC = b"\n\n\xfe\xfe"
_CHANNELS = {1: "sample ", 2: "reference "}
_KINDS = {
    1: "spectrum", 2: "interferogram", 3: "phase", 4: "absorbance", 5: "transmittance", 6: "Kubelka-Munk", 7: "trace",
    10: "Raman", 11: "emission", 12: "reflectance", 14: "power", 15: "log reflectance", 16: "ATR", 17: "photoacoustic",
    18: "result like transmittance", 19: "result like absorbance",
}  # fmt: skip
_RAW = ("spectrum", "interferogram", "phase", "power", "trace")  # kinds from which results are computed
_UNITS = {"WN": "cm-1", "MI": "um", "PNT": "", "MIN": ""}
_STATUS, _SERIES = 1, 2  # a block that describes one of numbers; numbers of a series of measurements


def is_opus(path: Path, layout: Layout = DEFAULT) -> bool:
    """Return whether a file begins as one of OPUS.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        Not used.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.0"
    >>> _ = path.write_bytes(b"1.0 2.0")
    >>> is_opus(path)
    False
    """
    with path.open("rb") as file:
        return file.read(4) == _MAGIC


def read_opus(path: Path, layout: Layout = DEFAULT) -> Spectra:
    """Read the block of a file that is its result, such as absorbance, or the only spectrum; the others are named.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        ``block`` names the block to read.

    Returns
    -------
    Spectra
        One spectrum, with a note on the blocks that the file has.

    Raises
    ------
    InputError
        If the file is cut off, lacks the block that is asked for, or has several results and none is asked for.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.0"
    >>> _ = path.write_bytes(_MAGIC)
    >>> read_opus(path)
    Traceback (most recent call last):
    matlens.errors.InputError: a.0 is cut off or damaged (4 bytes); copy it again from the instrument.
    """
    content = path.read_bytes()
    try:
        blocks = _blocks(content)
    except (struct.error, ValueError) as error:
        raise _damaged(path, content) from error
    name = _chosen(path, sorted(blocks), layout.block)
    numbers, status = blocks[name]
    try:
        facts = _facts(content, *status)
        count, first, last = int(facts["NPT"]), float(facts["FXV"]), float(facts["LXV"])
        kind = {1: "<f4", 2: "<i4"}[int(facts.get("DPF", 1))]
        if count < 1 or 4 * count > numbers[1]:
            raise ValueError(f"{count} points")
        with np.errstate(invalid="ignore", over="ignore"):  # the bytes of a damaged file need not be numbers
            values = np.frombuffer(content, kind, count, numbers[0]) * float(facts.get("CSF", 1.0))
            axis = np.linspace(first, last, count)
    except (struct.error, ValueError, KeyError, TypeError, OverflowError) as error:
        raise _damaged(path, content) from error
    unit = _UNITS.get(str(facts.get("DXU", "")), "")
    others = named(other for other in sorted(blocks) if other != name)
    notes = (f"files of OPUS hold {others} besides {name}, which was read; --block names another",) if others else ()
    return Spectra(values[None].astype(np.float64), axis, unit, notes, quantity=name)


def _damaged(path: Path, content: bytes) -> InputError:
    return InputError(f"{path.name} is cut off or damaged ({len(content)} bytes); copy it again from the instrument.")


def _chosen(path: Path, names: list[str], asked: str | None) -> str:
    if asked is not None:
        fitting = [name for name in names if name.lower() == asked.strip().lower()]
    else:
        results = [name for name in names if not name.endswith(_RAW)]
        fitting = results or [name for name in names if name.endswith("spectrum")]
    if len(fitting) == 1:
        return fitting[0]
    if not names:
        raise InputError(f"{path.name} holds no block of a single spectrum; export its spectra as text.")
    found = f"no block {asked!r}" if asked is not None else f"{len(fitting)} blocks that may be the result"
    raise InputError(f"{path.name} has {found}; it holds {named(names)}, of which --block names the one to read.")


def _blocks(content: bytes) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """Find the first byte and the size of each block of numbers, and those of the block that describes it."""
    start, _, count = struct.unpack_from("<iii", content, 12)
    numbers: dict[str, tuple[int, int]] = {}
    status: dict[str, tuple[int, int]] = {}
    for k in range(min(max(count, 0), len(content) // 12)):
        kind, words, place = struct.unpack_from("<Iii", content, start + 12 * k)
        if place <= 0:
            break
        channel, of, what = kind >> 2 & 3, kind >> 4 & 63, kind >> 10 & 127
        derived, form = kind >> 17 & 3, kind >> 19 & 7
        if what not in _KINDS or form == _SERIES or words < 0 or place + 4 * words > len(content):
            if what in _KINDS and form != _SERIES:
                raise ValueError(f"a block of {words} words")
            continue
        name = f"{'derivative of ' if derived else ''}{_CHANNELS.get(channel, '')}{_KINDS[what]}"
        if of == _STATUS:
            status.setdefault(name, (place, 4 * words))
        elif of == 0:
            numbers.setdefault(name, (place, 4 * words))
    return {name: (where, status[name]) for name, where in numbers.items() if name in status}


def _facts(content: bytes, place: int, size: int) -> dict[str, Any]:
    """Read a block of named values: a name of three letters, the type, the size in words of two bytes, the value."""
    found: dict[str, Any] = {}
    end = place + size
    while place + 8 <= end:
        key, kind, words = struct.unpack_from("<3sxHH", content, place)
        name = key.decode("latin-1")
        if not re.fullmatch("[A-Z0-9]{3}", name) or name == "END":
            break
        if kind == 0:
            (found[name],) = struct.unpack_from("<i", content, place + 8)
        elif kind == 1:
            (found[name],) = struct.unpack_from("<d", content, place + 8)
        else:
            found[name] = content[place + 8 : place + 8 + 2 * words].split(b"\0")[0].decode("latin-1")
        place += 8 + 2 * words
    return found
