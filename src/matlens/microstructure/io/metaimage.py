"""MetaImage files: .mha with the numbers behind the header, .mhd with a file of numbers beside it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.io.image import Image
from matlens.microstructure.io.raw import data_beside, shaped, unpacked

__all__ = ["read_metaimage"]

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
    content = path.read_bytes()
    fields: dict[str, str] = {}
    place = 0
    while "ElementDataFile" not in fields:
        end = content.index(b"\n", place)
        key, _, value = content[place:end].decode("latin-1").partition("=")
        fields[key.strip()] = value.strip()
        place = end + 1
    kind, where = fields.get("ElementType", ""), fields["ElementDataFile"]
    if kind not in _TYPES or where.upper() == "LIST":
        raise InputError(f"{path.name} holds {kind or 'no type'} in {where}; save one array of plain numbers.")
    channels = int(fields.get("ElementNumberOfChannels", 1))
    if channels != 1:
        raise InputError(
            f"{path.name} holds {channels} numbers a pixel, expected one; save the one that shows the phases."
        )
    data = content[place:] if where.upper() == "LOCAL" else data_beside(path, where)
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")).lower() == "true"
    shape = tuple(int(side) for side in fields["DimSize"].split())[::-1]
    dtype = np.dtype((">" if big else "<") + _TYPES[kind])
    if fields.get("CompressedData", "False").lower() == "true":
        data = unpacked(data, "zlib", math.prod(shape) * dtype.itemsize, path.name)
    values = shaped(data, dtype, shape, path.name)
    sizes = fields.get("ElementSpacing") or fields.get("ElementSize")
    if sizes is None:
        return Image(values)
    spacing = tuple(float(size) for size in sizes.split())[::-1]
    if set(spacing) == {1.0}:  # what every program writes that knows no size
        return Image(values, scale="the spacing of 1 in the header is its default")
    note = "MetaImage has no unit of length; millimetres were assumed, as the format prescribes."
    return Image(values, spacing, "mm", notes=(note,), scale="MetaImage header")
