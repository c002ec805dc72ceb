"""NIfTI files, plain (.nii) or zipped (.nii.gz): a header of 348 bytes, then the numbers."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.io.image import Image
from matlens.microstructure.io.raw import shaped, unpacked

__all__ = ["read_nifti"]

_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}
_HEAD = 352  # bytes
_UNITS = {1: "m", 2: "mm", 3: "um"}


def read_nifti(path: Path, dataset: str | None = None) -> Image:
    """Read the volume of a NIfTI-1 file.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because these files hold one array.

    Returns
    -------
    Image
        The values in the order (z, y, x), scaled as the header says, with the spacing where it gives a unit.

    Raises
    ------
    InputError
        If it is no NIfTI-1 file with its data, holds colours, or is truncated.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.nii"
    >>> head = bytearray(352)
    >>> struct.pack_into("<i", head, 0, 348); struct.pack_into("<8h", head, 40, 2, 3, 2, 1, 1, 1, 1, 1)
    >>> struct.pack_into("<2h", head, 70, 2, 8); struct.pack_into("<f", head, 108, 352.0); head[344:347] = b"n+1"
    >>> _ = path.write_bytes(bytes(head) + bytes(6))
    >>> read_nifti(path).values.shape
    (2, 3)
    """
    content = path.read_bytes()
    packed = content if content[:2] == b"\x1f\x8b" else b""
    if packed:
        content = unpacked(packed, "gzip", _HEAD, path.name)
    order = "<" if content[:4] == struct.pack("<i", 348) else ">"
    if len(content) < 348 or struct.unpack_from(f"{order}i", content, 0)[0] != 348 or content[344:347] != b"n+1":
        raise InputError(f"{path.name} is no NIfTI-1 file with its data; save the volume as .nii or .nii.gz.")
    ndim, *sides = struct.unpack_from(f"{order}8h", content, 40)
    kind = struct.unpack_from(f"{order}h", content, 70)[0]
    if kind not in _TYPES or not 2 <= ndim <= 7:
        raise InputError(f"{path.name} holds numbers of the NIfTI type {kind} in {ndim} axes; save one number a voxel.")
    steps = struct.unpack_from(f"{order}8f", content, 76)[1:]
    offset, slope, start = struct.unpack_from(f"{order}3f", content, 108)
    shape, dtype = tuple(sides[:ndim][::-1]), np.dtype(order + _TYPES[kind])
    if packed:
        content = unpacked(packed, "gzip", int(offset) + math.prod(shape) * dtype.itemsize, path.name)
    values = shaped(content[int(offset) :], dtype, shape, path.name)
    if slope not in (0.0, 1.0) or (slope and start):
        values = np.asarray(values, dtype=np.float64) * slope + start
    unit = _UNITS.get(content[123] & 7)
    if unit is None:
        return Image(values, scale="the NIfTI header gives no unit of length")
    return Image(values, tuple(float(f"{step:.7g}") for step in steps[:ndim][::-1]), unit, scale="NIfTI header")
