"""MetaImage files: .mha with the numbers behind the header, .mhd with a file of numbers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.io.headed import HeadedNumbers, file_beside
from matlens.microstructure.io.image import Image, OpenImage
from matlens.microstructure.io.parts import stand_in

__all__ = ["open_metaimage", "read_metaimage"]

_LONGEST = 1 << 16  # bytes of a line of the header

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip


def read_metaimage(path: Path, dataset: str | None = None) -> Image:
    """Read a MetaImage.

    Parameters
    ----------
    path : Path
        The file with the header.
    dataset : str, optional
        Ignored, because these files hold one array.

    Returns
    -------
    Image
        The values in the order (z, y, x), with the spacing in mm, which the format prescribes.

    Raises
    ------
    InputError
        If the type is unknown, or the data are truncated.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.mha"
    >>> head = b"DimSize = 3 2\\nElementType = MET_UCHAR\\nElementSpacing = 1 2\\nElementDataFile = LOCAL\\n"
    >>> _ = path.write_bytes(head + bytes(6))
    >>> read_metaimage(path).spacing
    (2.0, 1.0)
    """
    fields, numbers = _header(path)
    return replace(_described(fields, numbers), values=numbers.whole())


def open_metaimage(path: Path, dataset: str | None = None) -> OpenImage:
    """Open a MetaImage that is not compressed, of which blocks are read.

    Parameters
    ----------
    path : Path
        The file with the header.
    dataset : str, optional
        Ignored, because these files hold one array.

    Returns
    -------
    OpenImage
        The values, with what `read_metaimage` reads of the header.

    Raises
    ------
    InputError
        As for `read_metaimage`, and if the numbers are compressed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.mha"
    >>> head = b"DimSize = 3 2\\nElementType = MET_UCHAR\\nElementSpacing = 1 2\\nElementDataFile = LOCAL\\n"
    >>> _ = path.write_bytes(head + bytes(range(6)))
    >>> open_metaimage(path).values[1:2, 0:3].tolist()
    [[3, 4, 5]]
    """
    fields, numbers = _header(path)
    return OpenImage(numbers.mapped(), _described(fields, numbers))


def _header(path: Path) -> tuple[dict[str, str], HeadedNumbers]:
    """The entries of the header, and where the numbers are."""
    fields: dict[str, str] = {}
    with open(path, "rb") as file:
        while "ElementDataFile" not in fields:
            line = file.readline(_LONGEST)
            if not line.endswith(b"\n"):
                raise InputError(f"{path.name} has no line ElementDataFile; it is no MetaImage, or damaged.")
            key, _, value = line.decode("latin-1").partition("=")
            fields[key.strip()] = value.strip()
        behind = file.tell()
    kind, where = fields.get("ElementType", ""), fields["ElementDataFile"]
    if kind not in _TYPES or where.upper() == "LIST":
        raise InputError(f"{path.name} holds {kind or 'no type'} in {where}; save one array of plain numbers.")
    channels = int(fields.get("ElementNumberOfChannels", 1))
    if channels != 1:
        raise InputError(
            f"{path.name} holds {channels} numbers a pixel, expected one; save the one that shows the phases."
        )
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")).lower() == "true"
    shape = tuple(int(side) for side in fields["DimSize"].split())[::-1]
    dtype = np.dtype((">" if big else "<") + _TYPES[kind])
    packed = fields.get("CompressedData", "False").lower() == "true"
    place, offset = (path, behind) if where.upper() == "LOCAL" else (file_beside(path, where), 0)
    return fields, HeadedNumbers(path, place, offset, dtype, shape, "zlib" if packed else None)


def _described(fields: Mapping[str, str], numbers: HeadedNumbers) -> Image:
    """What the header says of the numbers."""
    values = stand_in(numbers.shape, numbers.dtype)
    sizes = fields.get("ElementSpacing") or fields.get("ElementSize")
    if sizes is None:
        return Image(values)
    spacing = tuple(float(size) for size in sizes.split())[::-1]
    if set(spacing) == {1.0}:  # what every program writes that knows no size
        return Image(values, scale="the spacing of 1 in the header is its default")
    note = "MetaImage has no unit of length; millimetres were assumed, as the format prescribes."
    return Image(values, spacing, "mm", notes=(note,), scale="MetaImage header")
