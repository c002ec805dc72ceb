"""NRRD files: a header of text lines, then the numbers, in the file or beside it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from matlens.core.units import is_length, normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.image import Image
from matlens.microstructure.io.raw import Packing, data_beside, shaped, unpacked

__all__ = ["read_nrrd"]

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
    content = path.read_bytes()
    head, _, data = content.partition(b"\n\n") if b"\r\n\r\n" not in content[:4096] else content.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").splitlines()[1:]
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("#") and ":=" not in line)
    fields = {key.strip().lower(): value.strip() for key, value in pairs}
    kind, encoding = fields["type"].lower(), fields.get("encoding", "raw").lower()
    if kind not in _TYPES or encoding not in (*_PACKINGS, "raw", "ascii", "text", "txt"):
        raise InputError(f"{path.name} holds {kind} in {encoding} encoding; save raw or gzip numbers.")
    name = fields.get("data file") or fields.get("datafile")
    if name:
        data = data_beside(path, name)
    for _ in range(int(fields.get("line skip", fields.get("lineskip", 0)))):
        data = data.partition(b"\n")[2]
    shape = tuple(int(side) for side in fields["sizes"].split())[::-1]
    order = "<" if fields.get("endian", "little") == "little" else ">"
    dtype = np.dtype(order + _TYPES[kind])
    if encoding in _PACKINGS:
        data = unpacked(data, _PACKINGS[encoding], math.prod(shape) * dtype.itemsize, path.name)
    if encoding in (*_PACKINGS, "raw"):
        values = shaped(data, dtype, shape, path.name)
    else:
        values = np.array(data.split(), dtype=_TYPES[kind]).reshape(shape)
    spacing = _spacing(fields)
    units = re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", "")))
    unit = normal_unit(units[0]) if units and is_length(units[0]) else "px"
    known = spacing is not None and unit != "px"
    said = "NRRD header" if known else "the header gives no unit of length" if spacing else ""
    return Image(values, spacing[::-1] if spacing and known else None, unit if known else None, scale=said)


def _spacing(fields: dict[str, str]) -> tuple[float, ...] | None:
    """Sizes along x, y, z: given, or the lengths of the axes' directions."""
    if "spacings" in fields:
        return tuple(float(word) for word in fields["spacings"].split())
    vectors = re.findall(r"\(([^)]*)\)", fields.get("space directions", ""))
    if not vectors:
        return None
    return tuple(float(np.linalg.norm([float(word) for word in vector.split(",")])) for vector in vectors)
