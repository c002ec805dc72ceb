"""Files of Renishaw WiRE (.wdf): one spectrum, or those of a line, a map or a series."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.spectra import Spectra

__all__ = ["is_wdf", "read_wdf"]

_HEAD = 512  # bytes of the first block
_UNITS = {1: "cm-1", 2: "cm-1", 3: "nm", 4: "eV", 5: "um", 8: "mm", 9: "m"}  # as the blocks XLST and ORGN number them
_ORIGINS = 20  # bytes of the block ORGN above its lists
_LIST = 24  # bytes above the numbers of a list: its kind, its unit and its name
_PLACES = {3: "x", 4: "y", 5: "z"}  # kinds of lists; the highest bit marks those that the user looks at first


def is_wdf(path: Path) -> bool:
    """Return whether a file begins as one of WiRE.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.wdf"
    >>> _ = path.write_bytes(b"no spectrum")
    >>> is_wdf(path)
    False
    """
    with path.open("rb") as file:
        return file.read(4) == b"WDF1"


def read_wdf(path: Path) -> Spectra:
    """Read the spectra of a file of WiRE, in the order in which they were measured.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Spectra
        The spectra that were collected, with the positions of the stage; those of an interrupted map that were not are
        left out.

    Raises
    ------
    InputError
        If the file is cut off, or lacks the blocks of intensities and of the axis.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.wdf"
    >>> _ = path.write_bytes(b"WDF1")
    >>> read_wdf(path)
    Traceback (most recent call last):
    matlens.errors.InputError: a.wdf is cut off (4 bytes); copy it again from the instrument.
    """
    content = path.read_bytes()
    if len(content) < _HEAD:
        raise InputError(f"{path.name} is cut off ({len(content)} bytes); copy it again from the instrument.")
    channels, capacity, collected = struct.unpack_from("<IQQ", content, 60)
    blocks = _blocks(content)
    if "DATA" not in blocks or "XLST" not in blocks or not channels:
        raise InputError(f"{path.name} has no block of {'intensities' if 'DATA' not in blocks else 'the axis'}.")
    start, stop = blocks["DATA"]
    count = min(int(collected) or 1, (stop - start) // (4 * channels))
    begin, end = blocks["XLST"]
    if count < 1 or end - begin < 8 + 4 * channels or max(start + 4 * count * channels, end) > len(content):
        raise InputError(f"{path.name} is cut off ({len(content)} bytes); copy it again from the instrument.")
    intensities = np.frombuffer(content, "<f4", count * channels, start).reshape(count, channels)
    axis = np.frombuffer(content, "<f4", channels, begin + 8)
    unit = _UNITS.get(struct.unpack_from("<I", content, begin + 4)[0], "")
    with np.errstate(invalid="ignore"):  # the bytes of a damaged file need not be numbers
        places = _positions(content, blocks.get("ORGN"), int(capacity), count)
        return Spectra(intensities.astype(np.float64), axis.astype(np.float64), unit, positions=places)


def _positions(
    content: bytes, block: tuple[int, int] | None, capacity: int, count: int
) -> dict[str, NDArray[np.float64]]:
    """Read where the stage stood for each spectrum."""
    found: dict[str, NDArray[np.float64]] = {}
    if block is None:
        return found
    place, end = block[0] - 16 + _ORIGINS, min(block[1], len(content))
    while capacity and place + _LIST + 8 * capacity <= end:
        kind, unit = struct.unpack_from("<II", content, place)
        axis = _PLACES.get(kind & 0x7FFFFFFF)
        values = np.frombuffer(content, "<f8", min(count, capacity), place + _LIST).astype(np.float64)
        if axis and len(values) == count and np.isfinite(values).all():
            found[f"map {axis} ({_UNITS[unit]})" if unit in _UNITS else f"map {axis}"] = values
        place += _LIST + 8 * capacity
    return found


def _blocks(content: bytes) -> dict[str, tuple[int, int]]:
    """Find the first and last byte of what each block holds; the first block of a name counts."""
    found: dict[str, tuple[int, int]] = {}
    place = _HEAD
    while place + 16 <= len(content):
        name, _, size = struct.unpack_from("<4sIQ", content, place)
        if size < 16:
            break
        found.setdefault(name.decode("latin-1"), (place + 16, place + size))
        place += size
    return found
