"""Files of numbers without a header, as tomographs and archives of rocks keep them."""

from __future__ import annotations

import bz2
import math
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io.image import Image, OpenImage, check_room
from matlens.microstructure.io.parts import MappedValues, stand_in

__all__ = ["Packing", "open_raw", "read_raw", "shaped", "unpacked"]

Packing = Literal["zlib", "gzip", "bz2"]
_WINDOW = {"zlib": zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}
_SHAPE = re.compile(r"(?<!\d)(\d+)[x_](\d+)[x_](\d+)(?!\d)|(?<!\d)(\d+)x(\d+)(?!\d)")
_TYPE = re.compile(r"(?<![a-z])(u?int(?:8|16|32)|float(?:32|64)|[<>][uif][1248])", re.IGNORECASE)


def read_raw(path: Path, dataset: str | None = None) -> Image:
    """Read a file without a header; shape and type come from the user, or from its name where they fit its size.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Shape in the order slices x rows x columns and type of the numbers: ``"400x400x400:uint8"``; with ``<`` or ``>``
        in front of a type of numpy for the byte order, as ``":>u2"``.

    Returns
    -------
    Image
        The values, without a spacing.

    Raises
    ------
    InputError
        If shape and type are not known, or do not fit the size of the file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rock_2x3x4_uint8.raw"
    >>> _ = path.write_bytes(bytes(range(24)))
    >>> read_raw(path).values.shape, read_raw(path, "6x4:uint8").values.shape
    ((2, 3, 4), (6, 4))
    """
    sides, dtype = _layout(path, dataset)
    return replace(_image(path, sides, dtype, dataset), values=np.fromfile(path, dtype=dtype).reshape(sides))


def open_raw(path: Path, dataset: str | None = None) -> OpenImage:
    """Open a file without a header, of which blocks are read.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Shape and type, as for `read_raw`.

    Returns
    -------
    OpenImage
        The values.

    Raises
    ------
    InputError
        As for `read_raw`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rock_2x3x4_uint8.raw"
    >>> _ = path.write_bytes(bytes(range(24)))
    >>> open_raw(path).values[0:1, 0:1, 0:2].tolist()
    [[[0, 1]]]
    """
    sides, dtype = _layout(path, dataset)
    return OpenImage(MappedValues(path, sides, dtype), _image(path, sides, dtype, dataset))


def _layout(path: Path, dataset: str | None) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the numbers."""
    text = path.stem if dataset is None else dataset
    shape, kind = _SHAPE.search(text), _TYPE.search(text)
    size = path.stat().st_size
    if shape is None or (kind is None and dataset is not None):
        raise InputError(
            f"{path.name} has no header: give its shape (slices x rows x columns) and the type of its numbers, as "
            f"--dataset 400x400x400:uint8; it has {size} bytes{_cubes(size)}."
        )
    sides = tuple(int(side) for side in shape.groups() if side is not None)
    dtype = np.dtype(kind[1].lower() if kind else "uint8")
    if math.prod(sides) * dtype.itemsize != size:
        raise InputError(
            f"{path.name} has {size} bytes, and {'x'.join(map(str, sides))} of {dtype} need "
            f"{math.prod(sides) * dtype.itemsize}; give shape and type with --dataset 400x400x400:uint8{_cubes(size)}."
        )
    return sides, dtype


def _image(path: Path, sides: tuple[int, ...], dtype: np.dtype[Any], dataset: str | None) -> Image:
    note = f"The file has no header; {'x'.join(map(str, sides))} numbers of type {dtype} were read"
    return Image(
        stand_in(sides, dtype), notes=(f"{note}, as its name says." if dataset is None else f"{note}, as given.",)
    )


def _cubes(size: int) -> str:
    """Cubes that the file could be."""
    found = []
    for name, width in (("uint8", 1), ("uint16", 2), ("float32", 4)):
        side = round((size / width) ** (1 / 3))
        if side > 1 and side**3 * width == size:
            found.append(f"{side}x{side}x{side}:{name}")
    return f", which would be {' or '.join(found)}" if found else ""


def unpacked(content: bytes, method: Packing, size: int, name: str) -> bytes:
    """Unpack as many bytes as a header says, and no more.

    Parameters
    ----------
    content : bytes
        The packed bytes.
    method : {"zlib", "gzip", "bz2"}
        How they are packed.
    size : int
        Bytes that are needed.
    name : str
        File name, for messages.

    Returns
    -------
    bytes
        The first ``size`` bytes of the data, or all where there are fewer.

    Raises
    ------
    InputError
        If they do not fit the free memory.

    Examples
    --------
    >>> unpacked(zlib.compress(bytes(1000)), "zlib", 3, "m.mha")
    b'\\x00\\x00\\x00'
    """
    check_room((size,), 1, name)
    parts: list[bytes] = []
    while content and size > 0:  # a file may hold several streams, one behind the other
        one = bz2.BZ2Decompressor() if method == "bz2" else zlib.decompressobj(_WINDOW[method])
        parts.append(one.decompress(content, size))
        size -= len(parts[-1])
        content = one.unused_data
    return b"".join(parts)


def shaped(content: bytes, dtype: np.dtype[np.generic], shape: tuple[int, ...], name: str) -> NDArray[np.generic]:
    """Turn the bytes behind a header into an array.

    Parameters
    ----------
    content : bytes
        The bytes, at least as many as needed.
    dtype : dtype
        Type of the numbers.
    shape : tuple of int
        Shape, slices x rows x columns.
    name : str
        File name, for messages.

    Returns
    -------
    ndarray
        The values.

    Raises
    ------
    InputError
        If there are fewer bytes than the header says.

    Examples
    --------
    >>> shaped(bytes(4), np.dtype("u1"), (2, 2), "m").shape
    (2, 2)
    """
    needed = math.prod(shape) * dtype.itemsize
    if len(content) < needed:
        raise InputError(
            f"{name} holds {len(content)} bytes of data, and its header says {needed}; copy it again, it is truncated."
        )
    return np.frombuffer(content, dtype, math.prod(shape)).reshape(shape)
