"""AmiraMesh files of Amira and Avizo: uniform lattices of one number a voxel, raw, run-length coded or zipped."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matlens.core.units import is_length, normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.image import Image
from matlens.microstructure.io.raw import shaped, unpacked

__all__ = ["read_amira"]

_TYPES = {"byte": "u1", "short": "i2", "ushort": "u2", "int": "i4", "int32": "i4", "float": "f4", "double": "f8"}


def read_amira(path: Path, dataset: str | None = None) -> Image:
    """Read the first lattice of an AmiraMesh file.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored: the first lattice is read.

    Returns
    -------
    Image
        The values in the order (z, y, x), with spacing and names of materials where the header gives them.

    Raises
    ------
    InputError
        If there is no such lattice, or the data are truncated.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.am"
    >>> head = "# AmiraMesh BINARY-LITTLE-ENDIAN 2.1\\ndefine Lattice 3 2 1\\nParameters { BoundingBox 0 4 0 2 0 0 }\\n"
    >>> _ = path.write_bytes((head + "Lattice { byte Labels } @1\\n# Data section follows\\n@1\\n").encode() + bytes(6))
    >>> read_amira(path).values.shape
    (1, 2, 3)
    """
    content = path.read_bytes()
    start = content.find(b"\n@1\n")
    head = content[: max(start, 0)].decode("latin-1")
    lattice = re.search(r"define\s+Lattice\s+(\d+)\s+(\d+)\s+(\d+)", head)
    field = re.search(r"Lattice\s*\{\s*(\w+)\s+\w+\s*\}\s*=?\s*@1(?:\((\w+),(\d+)\))?", head)
    if lattice is None or field is None or field[1] not in _TYPES:
        raise InputError(
            f"{path.name} holds no uniform lattice with one number a voxel; export one from Amira or Avizo."
        )
    shape = tuple(int(side) for side in lattice.groups())[::-1]
    order = ">" if re.search(r"BINARY(?!-LITTLE)", head.splitlines()[0]) else "<"
    dtype, data = np.dtype(order + _TYPES[field[1]]), content[start + 4 :]
    values: NDArray[np.generic]
    if "ASCII" in head.splitlines()[0]:
        values = np.array(data.split(b"@")[0].split()[: int(np.prod(shape))], dtype=_TYPES[field[1]]).reshape(shape)
    else:
        if field[2]:
            packed = data[: int(field[3])]
            size = math.prod(shape) * dtype.itemsize
            data = unpacked(packed, "zlib", size, path.name) if field[2] == "HxZip" else _runs(packed)
        values = shaped(data, dtype, shape, path.name)
    names = {
        int(number) - 1: name
        for number, name in enumerate(re.findall(r"(\w+)\s*\{", _block(head, "Materials")), start=1)
    }
    spacing, unit = _scale(head, shape)
    if spacing is None or unit is None:
        said = "the header gives no unit of length" if spacing else ""
        return Image(values, value_names=names, scale=said)
    return Image(values, spacing, unit, value_names=names, scale="AmiraMesh header")


def _runs(packed: bytes) -> bytes:
    """Undo HxByteRLE: a count and a byte to repeat, or a count with its highest bit set and as many bytes."""
    parts, place = [], 0
    while place < len(packed):
        count = packed[place]
        if count > 127:
            parts.append(packed[place + 1 : place + 1 + count - 128])
            place += 1 + count - 128
        else:
            parts.append(packed[place + 1 : place + 2] * count)
            place += 2
    return b"".join(parts)


def _block(head: str, name: str) -> str:
    """What stands in the braces behind a name, without its first brace."""
    start = head.find(f"{name} {{")
    if start < 0:
        return ""
    start += len(name) + 2
    depth, place = 1, start
    while place < len(head) and depth:
        depth += {"{": 1, "}": -1}.get(head[place], 0)
        place += 1
    return head[start : place - 1]


def _scale(head: str, shape: tuple[int, ...]) -> tuple[tuple[float, ...] | None, str | None]:
    """The bounding box reaches from the centre of the first voxel to that of the last one."""
    box = re.search(r"BoundingBox\s+((?:[-+.\deE]+[\s,]*){6})", head)
    unit = re.search(r'Coordinates\s+"([^"]+)"', _block(head, "Units"))
    if box is None:
        return None, None
    ends = [float(word) for word in box[1].replace(",", " ").split()]
    sides = shape[::-1]
    steps = [(ends[2 * k + 1] - ends[2 * k]) / max(sides[k] - 1, 1) for k in range(3)]
    return tuple(steps[::-1]), normal_unit(unit[1]) if unit and is_length(unit[1]) else None
