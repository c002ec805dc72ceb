"""Files of GRAMS (.spc), new and old; EDAX writes other files under the same ending, which are told by their head."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.spectra import Spectra

__all__ = ["is_spc", "read_spc"]

_NEW, _OLD = 0x4B, 0x4D
_SHORT, _MULTIPLE, _OWN_AXES, _AXIS = 0x01, 0x04, 0x40, 0x80  # flags of the head
_FLOATS = -128  # exponent of intensities that are floating-point numbers
_UNITS = {1: "cm-1", 2: "um", 3: "nm", 13: "cm-1", 14: "eV"}
_SUB = 32  # bytes above each spectrum

Floats = NDArray[np.float64]


def is_spc(path: Path) -> bool:
    """Return whether a file begins as one of GRAMS.

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
    >>> path = Path(tempfile.mkdtemp()) / "edax.spc"
    >>> _ = path.write_bytes(b"\\x00\\x00\\x80\\x3f" * 64)
    >>> is_spc(path)
    False
    """
    with path.open("rb") as file:
        head = file.read(2)
    return len(head) == 2 and head[1] in (_NEW, _OLD)


def read_spc(path: Path) -> Spectra:
    """Read the spectra of a file of GRAMS.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Spectra
        One spectrum, or several on one axis.

    Raises
    ------
    InputError
        If the file is cut off, or its spectra have axes of their own that differ.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.spc"
    >>> _ = path.write_bytes(bytes([0, 0x4B]))
    >>> read_spc(path)
    Traceback (most recent call last):
    matlens.errors.InputError: a.spc is cut off (2 bytes); copy it again from the instrument.
    """
    content = path.read_bytes()
    try:
        with np.errstate(invalid="ignore"):  # the bytes of a damaged file need not be numbers
            return _new(content, path.name) if content[1] == _NEW else _old(content)
    except InputError:
        raise
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        raise InputError(
            f"{path.name} is cut off ({len(content)} bytes); copy it again from the instrument."
        ) from error


def _new(content: bytes, name: str) -> Spectra:
    flags, _, _, exponent, channels, first, last, count, kind = struct.unpack_from("<BBBbiddiB", content)
    if not 0 < channels <= len(content) and not flags & _OWN_AXES:
        raise ValueError(f"{channels} channels")
    place, axes, spectra = 512, [], []
    common = np.linspace(first, last, channels if 0 < channels <= len(content) else 0)
    if flags & _AXIS and not flags & _OWN_AXES:
        common = np.frombuffer(content, "<f4", channels, place).astype(np.float64)
        place += 4 * channels
    for _ in range(max(count, 1)):
        own_exponent, own_channels = struct.unpack_from("<xb14xi", content, place)
        place += _SUB
        power = own_exponent if flags & _MULTIPLE and exponent != _FLOATS else exponent
        size = own_channels if flags & _OWN_AXES and own_channels else channels
        axis = common
        if flags & _OWN_AXES:
            axis, place = _numbers(content, place, size, _FLOATS, short=False)
        values, place = _numbers(content, place, size, power, short=bool(flags & _SHORT))
        axes.append(axis)
        spectra.append(values)
    if any(len(axis) != len(axes[0]) or not np.array_equal(axis, axes[0]) for axis in axes):
        raise InputError(f"{name} holds {len(spectra)} spectra on different axes; export them as single files.")
    return Spectra(np.array(spectra), axes[0], _UNITS.get(kind, ""))


def _numbers(content: bytes, place: int, size: int, power: int, *, short: bool) -> tuple[Floats, int]:
    """Read numbers, which are fractions of a power of two unless they are floating-point numbers."""
    if power == _FLOATS:
        return np.frombuffer(content, "<f4", size, place).astype(np.float64), place + 4 * size
    kind, bits = ("<i2", 16) if short else ("<i4", 32)
    return np.frombuffer(content, kind, size, place) * 2.0 ** (power - bits), place + size * bits // 8


def _old(content: bytes) -> Spectra:
    """Read the format before 1996, in which the halves of each number are swapped."""
    flags, _, exponent, points, first, last, kind = struct.unpack_from("<BBhfffB", content)
    channels, place = int(points), 224  # the head of the first spectrum is the end of the file's
    spectra: list[Floats] = []
    if not 0 < channels <= len(content):
        raise ValueError(f"{channels} channels")
    while not spectra or (flags & _MULTIPLE and place + _SUB + 4 * channels <= len(content)):
        (own_exponent,) = struct.unpack_from("<xb", content, place)
        place += _SUB
        power = own_exponent if flags & _MULTIPLE and exponent != _FLOATS else exponent
        if power == _FLOATS:
            values = np.frombuffer(content, "<f4", channels, place).astype(np.float64)
        else:
            halves = np.frombuffer(content, "<u2", 2 * channels, place).reshape(channels, 2).astype(np.uint32)
            values = ((halves[:, 0] << 16) | halves[:, 1]).astype(np.int32) * 2.0 ** (power - 32)
        spectra.append(values)
        place += 4 * channels
    return Spectra(np.array(spectra), np.linspace(first, last, channels), _UNITS.get(kind, ""))
