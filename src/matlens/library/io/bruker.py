"""Files of Bruker's diffractometers: RAW in its four versions, and BRML."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.io.diffractometers import patterns
from matlens.library.io.spectra import Spectra

__all__ = ["is_raw", "read_brml", "read_raw"]

_MAGIC = {b"RAW ": 1, b"RAW2": 2, b"RAW1": 3, b"RAW4": 4}  # the third version calls itself 1.01
_OVER_ANGLE = (0, 1, 2)  # codes of scans over 2 theta in the third version: coupled, 2 theta alone, detector
_WORDS_OVER_ANGLE = ("coupled", "detector", "2theta", "psd")  # ... and in the names of scans of the fourth
_SEGMENTS = 61  # first byte behind the head of the fourth version

Floats = NDArray[np.float64]


def is_raw(path: Path) -> bool:
    """Return whether a file begins as RAW of Bruker; others use this ending for other files.

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
    >>> path = Path(tempfile.mkdtemp()) / "rigaku.raw"
    >>> _ = path.write_bytes(b"FI\\0\\0")
    >>> is_raw(path)
    False
    """
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


def read_raw(path: Path) -> Spectra:
    """Read the scans over 2 theta of a RAW file, of any of its four versions.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Spectra
        One pattern for each range.

    Raises
    ------
    InputError
        If the file is cut off, scans another axis, or has ranges that differ.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.raw"
    >>> head = struct.pack("<4sIfffIff", b"RAW ", 3, 1.0, 0.5, 0.0, 0, 10.0, 5.0).ljust(156, b"\\0")
    >>> _ = path.write_bytes(head + struct.pack("<fff", 7, 8, 9))
    >>> found = read_raw(path)
    >>> found.axis.tolist(), found.intensities.tolist()
    ([10.0, 10.5, 11.0], [[7.0, 8.0, 9.0]])
    """
    content = path.read_bytes()
    read = {1: _first, 2: _second, 3: _third, 4: _fourth}[_MAGIC[content[:4]]]
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # the bytes of a damaged file need not be numbers
            return patterns(path.name, read(content, path.name))
    except InputError:
        raise
    except (struct.error, ValueError, OverflowError) as error:
        raise InputError(
            f"{path.name} is cut off or damaged ({len(content)} bytes); copy it again from the instrument."
        ) from error


def read_brml(path: Path) -> Spectra:
    """Read the scans over 2 theta of a BRML file, an archive of XML, in the counts that were measured.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Spectra
        One pattern for each scan.

    Raises
    ------
    InputError
        If the archive is damaged, holds no scan over 2 theta, or frames of a detector instead of counts.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.brml"
    >>> axes = '<ScanAxisInfo AxisId="TwoTheta"><Start>10</Start></ScanAxisInfo>'
    >>> route = f"<DataRoute>{axes}<Datum>1,1,10,7</Datum><Datum>1,1,10.5,8</Datum></DataRoute>"
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("Experiment0/RawData0.xml", route)
    >>> read_brml(path).axis.tolist(), read_brml(path).intensities.tolist()
    ([10.0, 10.5], [[7.0, 8.0]])
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = sorted(name for name in archive.namelist() if name.rpartition("/")[2].startswith("RawData"))
            routes = [route for part in parts for route in _routes(archive.read(part))]
        scans = [scan for route in routes if (scan := _route(route, path.name)) is not None]
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as error:
        raise InputError(f"{path.name} is no whole BRML file ({error}); copy it again from the instrument.") from error
    except (ElementTree.ParseError, ValueError, LookupError, NotImplementedError) as error:
        raise InputError(f"{path.name} is no whole BRML file ({error}); export it again.") from error
    return patterns(path.name, scans)


def _first(content: bytes, name: str) -> list[tuple[Floats, Floats]]:
    scans, place, more = [], 4, 1
    while more:
        count, step = struct.unpack_from("<I4xf", content, place)
        (start,) = struct.unpack_from("<f", content, place + 20)
        (more,) = struct.unpack_from("<I", content, place + 148)
        scans.append((_angles(start, step, count, content), _counts(content, place + 152, count, 4)))
        place += 152 + 4 * count
    return scans


def _second(content: bytes, name: str) -> list[tuple[Floats, Floats]]:
    scans, place = [], 256
    for _ in range(struct.unpack_from("<H", content, 4)[0]):
        head, count, step, start = struct.unpack_from("<HH8xff", content, place)
        scans.append((_angles(start, step, count, content), _counts(content, place + head, count, 4)))
        place += head + 4 * count
    return scans


def _third(content: bytes, name: str) -> list[tuple[Floats, Floats]]:
    scans, place = [], 712
    for _ in range(min(struct.unpack_from("<I", content, 12)[0], len(content))):
        head, count = struct.unpack_from("<II", content, place)
        start, step = struct.unpack_from("<16xd152xd", content, place)
        code, size, extra = struct.unpack_from("<I52xII", content, place + 196)
        if code not in _OVER_ANGLE:
            raise InputError(f"{name} holds a scan of another axis than 2 theta (kind {code}); export it as text.")
        data = place + head + extra
        scans.append((_angles(start, step, count, content), _counts(content, data, count, size)))
        place = data + size * count
    return scans


def _fourth(content: bytes, name: str) -> list[tuple[Floats, Floats]]:
    scans, place = [], _SEGMENTS
    while place + 4 <= len(content):
        (kind,) = struct.unpack_from("<I", content, place)
        if kind not in (0, 160):  # a remark; ranges begin with these two numbers
            place += max(struct.unpack_from("<I", content, place + 4)[0], 8)
            continue
        words, start, step, count, size, drives = struct.unpack_from("<32x24s16xddI44xII", content, place)
        scan = words.split(b"\0")[0].decode("latin-1")
        if not any(word in scan.lower().replace(" ", "") for word in _WORDS_OVER_ANGLE):
            raise InputError(f"{name} holds a scan of another axis than 2 theta ({scan!r}); export it as text.")
        place += 160 + drives
        scans.append((_angles(start, step, count, content), _counts(content, place, count, size)))
        place += size * count
    return scans


def _angles(start: float, step: float, count: int, content: bytes) -> Floats:
    if not 0 < count <= len(content) or not step:
        raise ValueError(f"{count} steps of {step:g}")
    return np.asarray(start + step * np.arange(count))


def _counts(content: bytes, place: int, count: int, size: int) -> Floats:
    """Read the number at the beginning of each record of so many bytes."""
    if size < 4 or place + size * count > len(content):
        raise ValueError(f"{count} records of {size} bytes")
    records = np.frombuffer(content, np.uint8, size * count, place).reshape(count, size)
    return np.ascontiguousarray(records[:, :4]).view("<f4")[:, 0].astype(np.float64)


def _routes(text: bytes) -> list[ElementTree.Element]:
    """Find the ways that data took; where some are named as measured, only these."""
    routes = [node for node in ElementTree.fromstring(text).iter() if node.tag.rpartition("}")[2] == "DataRoute"]
    return [route for route in routes if route.get("RouteFlag") == "Measured"] or routes


def _route(route: ElementTree.Element, name: str) -> tuple[Floats, Floats] | None:
    """Read angles and counts of a scan; None for a scan of another axis than 2 theta, or without points."""
    nodes = {node: node.tag.rpartition("}")[2] for node in route.iter()}
    axes = [node.get("AxisId") for node, tag in nodes.items() if tag == "ScanAxisInfo"]
    rows = [(node.text or "").split(",") for node, tag in nodes.items() if tag == "Datum"]
    if "TwoTheta" not in axes or not rows:
        return None
    # Time and attenuation stand before the axes, and the counts behind them.
    first, width = 2, 3 + len(axes)
    if any(len(row) != width for row in rows):
        raise InputError(
            f"{name} has {len(rows[0])} numbers for each point where {width} are expected (time, attenuation, "
            f"{', '.join(map(str, axes))}, counts); integrate its frames, and export the pattern as text."
        )
    found = np.array(rows, dtype=float)
    return found[:, first + axes.index("TwoTheta")], found[:, -1]
