"""VTK image data (.vti) for ParaView, read and written without VTK: XML with bytes in base64, raw or packed."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from matlens.core.units import is_length, normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.image import Image, check_room, pick, valued
from matlens.microstructure.io.raw import unpacked
from matlens.microstructure.structure import Microstructure

__all__ = ["read_vti", "write_vti"]

_TYPES = {"Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4", "Int64": "i8",
          "UInt64": "u8", "Float32": "f4", "Float64": "f8"}  # fmt: skip


def read_vti(path: Path, dataset: str | None = None) -> Image:
    """Read a cell or point array of a VTK image, with the unit and the names that `write_vti` writes.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Name of the array; by default ``phase``, else the only one.

    Returns
    -------
    Image
        The values in the order (z, y, x).

    Raises
    ------
    InputError
        If the file holds no image data, or no array or more than one array fits.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.vti"
    >>> with path.open("wb") as file:
    ...     write_vti(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"), file)
    >>> read_vti(path).values.tolist()
    [[[0, 1], [1, 1]]]
    """
    content = path.read_bytes()
    place = content.find(b"<AppendedData")
    # Appended bytes may be raw, and are no XML then.
    text = content if place < 0 else content[:place] + b"</VTKFile>"
    appended = b"" if place < 0 else content[content.index(b"_", content.index(b">", place)) + 1 :]
    raw = place >= 0 and b'"raw"' in content[place : content.index(b">", place)]
    root = ElementTree.fromstring(text)
    image = root.find("ImageData")
    if image is None:
        raise InputError(f"{path.name} holds {root.get('type', 'no')} data of VTK; save image data (a regular grid).")
    piece = image.find("Piece")
    ends = [
        int(end) for end in str((image if piece is None else piece).get("Extent", image.get("WholeExtent"))).split()
    ]
    cells = tuple(ends[k + 1] - ends[k] for k in (4, 2, 0))
    arrays: dict[str, tuple[Any, tuple[int, ...]]] = {}
    for place_of, shape in (("CellData", cells), ("PointData", tuple(side + 1 for side in cells))):
        for array in image.findall(f".//{place_of}/DataArray"):
            if int(array.get("NumberOfComponents", 1)) == 1:
                arrays[str(array.get("Name"))] = array, shape
    key = pick({name: shape for name, (_, shape) in arrays.items()}, dataset, path.name, preferred=("phase",))
    array, shape = arrays[key]
    values = _values(root, array, appended, raw=raw)[: int(np.prod(shape))].reshape(shape)
    unit, names, stated = (_texts(image, name) for name in ("unit", "phase_names", "phase_values"))
    spacing = tuple(float(step) for step in str(image.get("Spacing", "1 1 1")).split())[::-1]
    known = bool(unit) and is_length(unit[0])
    return Image(
        values,
        spacing if known else None,
        normal_unit(unit[0]) if known else None,
        phase_names=tuple(names) if names and not stated else None,
        value_names={int(value): name for value, name in zip(stated, names)},
        scale="field data of VTK" if known else "VTK gives no unit of length",
    )


def _values(root: Any, array: Any, appended: bytes, *, raw: bool) -> NDArray[Any]:
    """Numbers of an array, from text, base64 or appended bytes."""
    order = "<" if root.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
    dtype = np.dtype(order + _TYPES[array.get("type")])
    if array.get("format") == "ascii":
        return np.array((array.text or "").split(), dtype=dtype)
    head = np.dtype(order + ("u8" if root.get("header_type") == "UInt64" else "u4"))
    coded = (
        (array.text or "").strip().encode() if array.get("format") == "binary" else appended[int(array.get("offset")) :]
    )
    in_base64 = array.get("format") == "binary" or not raw
    if root.get("compressor") is None:
        content = _decoded(coded) if in_base64 else coded
        size = int(np.frombuffer(content, head, 1)[0])
        return np.frombuffer(content[head.itemsize : head.itemsize + size], dtype)
    if "ZLib" not in root.get("compressor"):
        raise InputError(
            f"the VTK file is packed by {root.get('compressor')}; save it with ZLib or without compression."
        )
    start = _decoded(coded[: 4 * -(-3 * head.itemsize // 3)]) if in_base64 else coded
    blocks, full = np.frombuffer(start, head, 2).astype(int).tolist()  # number of blocks, bytes of a whole one
    width = (3 + blocks) * head.itemsize
    skip = 4 * -(-width // 3) if in_base64 else width  # the table of blocks is coded by itself
    sizes = np.frombuffer(_decoded(coded[:skip]) if in_base64 else coded, head, 3 + blocks)[3:]
    packed = _decoded(coded[skip:]) if in_base64 else coded[skip:]
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    check_room((blocks, full), 1, "the VTK file")
    content = (unpacked(packed[a:b], "zlib", full, "the VTK file") for a, b in pairwise(ends))
    return np.frombuffer(b"".join(content), dtype)


def _decoded(text: bytes) -> bytes:
    """Bytes of base64 text up to what is no base64 any more."""
    end = next((k for k, code in enumerate(text) if code in b"< \n"), len(text))
    usable = text[:end]
    return base64.b64decode(usable[: len(usable) // 4 * 4])


def _texts(image: Any, name: str) -> list[str]:
    """Texts of a VTK string array, see `_strings`."""
    found = image.find(f".//FieldData/Array[@Name='{name}']")
    if found is None or found.get("format") != "ascii":
        return []
    return bytes(int(word) for word in (found.text or "").split()).decode(errors="replace").split("\0")[:-1]


def write_vti(microstructure: Microstructure, file: BinaryIO, values: Sequence[int] | None = None) -> None:
    """Write the labels as the cell array ``phase`` of a VTK image.

    The last array axis is x, which varies fastest; the origin is zero. VTK has no place for unit, phase names and
    periodicity. Unit and names are written as field data, which `read_vti` reads.

    Parameters
    ----------
    microstructure : Microstructure
        The structure; a plane becomes one layer of unit thickness.
    file : binary file
        Open for writing.
    values : sequence of int, optional
        Value of each phase; by default its number.

    Examples
    --------
    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> write_vti(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"), file)
    >>> b'Spacing="0.5 0.5 1.0"' in file.getvalue()
    True
    """
    labels = valued(microstructure, values).reshape((1,) * (3 - microstructure.ndim) + microstructure.shape)
    x, y, z = microstructure.spacing[::-1] if microstructure.ndim == 3 else (*microstructure.spacing[::-1], 1.0)
    depth, height, width = labels.shape
    extent = f"0 {width} 0 {height} 0 {depth}"
    content = base64.b64encode(np.uint64(labels.size).tobytes() + np.ascontiguousarray(labels).tobytes()).decode()
    text = f"""<?xml version="1.0"?>
<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">
  <ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{x!r} {y!r} {z!r}">
    <FieldData>
      {_strings("unit", (microstructure.unit,))}
      {_strings("phase_names", microstructure.phase_names)}
      {"" if values is None else _strings("phase_values", tuple(map(str, values)))}
    </FieldData>
    <Piece Extent="{extent}">
      <CellData Scalars="phase">
        <DataArray type="UInt8" Name="phase" format="appended" offset="0"/>
      </CellData>
    </Piece>
  </ImageData>
  <AppendedData encoding="base64">_{content}</AppendedData>
</VTKFile>
"""
    file.write(text.encode())


def _strings(name: str, values: tuple[str, ...]) -> str:
    """A VTK string array: the bytes of each string, zero-terminated, as decimal numbers."""
    numbers = " ".join(str(byte) for value in values for byte in (*value.encode(), 0))
    return f'<Array type="String" Name="{name}" NumberOfTuples="{len(values)}" format="ascii">{numbers}</Array>'
