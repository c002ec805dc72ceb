"""NRRD files: a header of text lines, then the numbers, in the file or beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from matlens.core.units import is_length, normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.headed import HeadedNumbers, file_beside
from matlens.microstructure.io.image import Image, OpenImage
from matlens.microstructure.io.parts import stand_in
from matlens.microstructure.io.raw import Packing

__all__ = ["open_nrrd", "read_nrrd"]

_LONGEST = 1 << 20  # bytes of a header

_TYPES = {
    "signed char": "i1", "int8": "i1", "int8_t": "i1", "uchar": "u1", "unsigned char": "u1", "uint8": "u1",
    "uint8_t": "u1", "short": "i2", "short int": "i2", "signed short": "i2", "int16": "i2", "int16_t": "i2",
    "ushort": "u2", "unsigned short": "u2", "uint16": "u2", "uint16_t": "u2", "int": "i4", "signed int": "i4",
    "int32": "i4", "int32_t": "i4", "uint": "u4", "unsigned int": "u4", "uint32": "u4", "uint32_t": "u4",
    "float": "f4", "double": "f8",
}  # fmt: skip
_PACKINGS: dict[str, Packing] = {"gzip": "gzip", "gz": "gzip", "bzip2": "bz2", "bz2": "bz2"}


def read_nrrd(path: Path, dataset: str | None = None) -> Image:
    """Read a NRRD file (.nrrd), or a header with its data beside it (.nhdr).

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because these files hold one array.

    Returns
    -------
    Image
        The values in the order (z, y, x), with spacing and unit where the header gives them.

    Raises
    ------
    InputError
        If the type or the encoding is unknown, or the data are truncated.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.nrrd"
    >>> header = "NRRD0004\\ntype: uint8\\ndimension: 2\\nsizes: 3 2\\nencoding: raw\\nspacings: 0.5 0.5\\n\\n"
    >>> _ = path.write_bytes(header.encode() + bytes(6))
    >>> read_nrrd(path).values.shape
    (2, 3)
    """
    fields, numbers, text = _header(path)
    values = numbers.whole() if text is None else np.array(text.split(), numbers.dtype).reshape(numbers.shape)
    return replace(_described(fields, numbers), values=values)


def open_nrrd(path: Path, dataset: str | None = None) -> OpenImage:
    """Open a NRRD file whose numbers are raw, of which blocks are read.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because these files hold one array.

    Returns
    -------
    OpenImage
        The values, with what `read_nrrd` reads of the header.

    Raises
    ------
    InputError
        As for `read_nrrd`, and if the numbers are packed, or text.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.nrrd"
    >>> header = "NRRD0004\\ntype: uint8\\ndimension: 2\\nsizes: 3 2\\nencoding: raw\\nspacings: 0.5 0.5\\n\\n"
    >>> _ = path.write_bytes(header.encode() + bytes(range(6)))
    >>> open_nrrd(path).values[1:2, 0:3].tolist()
    [[3, 4, 5]]
    """
    fields, numbers, text = _header(path)
    if text is not None:
        raise InputError(f"{path.name} holds numbers as text, which are read whole only; save it in raw encoding.")
    return OpenImage(numbers.mapped(), _described(fields, numbers))


def _header(path: Path) -> tuple[dict[str, str], HeadedNumbers, bytes | None]:
    """The fields of the header, where the numbers are, and the numbers themselves where they are text."""
    with open(path, "rb") as file:
        begin = file.read(_LONGEST)
    gap = b"\r\n\r\n" if b"\r\n\r\n" in begin[:4096] else b"\n\n"
    head = begin.partition(gap)[0]
    lines = head.decode("latin-1").splitlines()[1:]
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("#") and ":=" not in line)
    fields = {key.strip().lower(): value.strip() for key, value in pairs}
    kind, encoding = fields["type"].lower(), fields.get("encoding", "raw").lower()
    if kind not in _TYPES or encoding not in (*_PACKINGS, "raw", "ascii", "text", "txt"):
        raise InputError(f"{path.name} holds {kind} in {encoding} encoding; save raw or gzip numbers.")
    name = fields.get("data file") or fields.get("datafile")
    place, offset = (file_beside(path, name), 0) if name else (path, len(head) + len(gap))
    shape = tuple(int(side) for side in fields["sizes"].split())[::-1]
    order = "<" if fields.get("endian", "little") == "little" else ">"
    dtype = np.dtype(order + _TYPES[kind])
    text = None
    with open(place, "rb") as file:
        file.seek(offset)
        for _ in range(int(fields.get("line skip", fields.get("lineskip", 0)))):
            file.readline()
        offset = file.tell()
        if encoding in ("ascii", "text", "txt"):
            text = file.read()
    return fields, HeadedNumbers(path, place, offset, dtype, shape, _PACKINGS.get(encoding)), text


def _described(fields: Mapping[str, str], numbers: HeadedNumbers) -> Image:
    """What the header says of the numbers."""
    spacing = _spacing(fields)
    units = re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", "")))
    unit = normal_unit(units[0]) if units and is_length(units[0]) else "px"
    known = spacing is not None and unit != "px"
    said = "NRRD header" if known else "the header gives no unit of length" if spacing else ""
    values = stand_in(numbers.shape, numbers.dtype)
    return Image(values, spacing[::-1] if spacing and known else None, unit if known else None, scale=said)


def _spacing(fields: Mapping[str, str]) -> tuple[float, ...] | None:
    """Sizes along x, y, z: given, or the lengths of the axes' directions."""
    if "spacings" in fields:
        return tuple(float(word) for word in fields["spacings"].split())
    vectors = re.findall(r"\(([^)]*)\)", fields.get("space directions", ""))
    if not vectors:
        return None
    return tuple(float(np.linalg.norm([float(word) for word in vector.split(",")])) for vector in vectors)
