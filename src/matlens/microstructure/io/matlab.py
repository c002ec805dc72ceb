"""MAT files up to version 7.2; files of version 7.3 are HDF5 and are read as such."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io.hdf5 import read_hdf5
from matlens.microstructure.io.image import Image, pick

__all__ = ["read_mat"]

_HEADER = 128  # bytes of version 5
_FLAGS, _MATRIX, _COMPRESSED = 6, 14, 15  # types of elements
_TYPES = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14, 15, 16, 17, 18}
_NUMERIC, _COMPLEX = range(6, 16), 0x800  # classes of arrays, and a flag of theirs


def read_mat(path: Path, dataset: str | None = None) -> Image:
    """Read one numeric array of a MAT file.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Name of the array; by default the only one.

    Returns
    -------
    Image
        The values in MATLAB's order of axes, without a spacing.

    Raises
    ------
    InputError
        If no array or more than one array fits, or the asked one is not numeric.

    Examples
    --------
    >>> import tempfile
    >>> from scipy.io import savemat
    >>> path = Path(tempfile.mkdtemp()) / "m.mat"
    >>> savemat(path, {"labels": np.eye(3)})
    >>> read_mat(path).values.shape
    (3, 3)
    """
    from scipy.io import loadmat

    _check_elements(path)
    try:
        variables = loadmat(path)
    except NotImplementedError:  # SciPy's answer to version 7.3
        image = read_hdf5(path, dataset)
        return Image(image.values.T)  # MATLAB keeps the first axis contiguous, HDF5 the last
    found = {key: value for key, value in variables.items() if isinstance(value, np.ndarray)}
    arrays = {key: value for key, value in _with_fields(found).items() if value.size > 1}
    if dataset in arrays and arrays[dataset].dtype.kind not in "buif":
        raise InputError(f"{path.name} holds {dataset!r} as {arrays[dataset].dtype}; save a plain numeric array.")
    shapes = {key: value.shape for key, value in arrays.items() if value.dtype.kind in "buif" and min(value.shape) > 1}
    return Image(arrays[pick(shapes, dataset, path.name)])


def _check_elements(path: Path) -> None:
    """Refuse a file of version 5 whose elements are of unknown types, or too few: SciPy's reader would crash on them.

    Compressed elements have checksums of their own.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER or 0 in header[:4]:  # a zero there is of version 4
            return
        # SciPy decides on version and byte order in this way, which a damaged header must not slip past.
        if header[125 if header[126] == ord("I") else 124] == 1:  # 7.3 has the number 2 there
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _children(content, _HEADER, len(content), "<" if header[126:] == b"IM" else ">")


def _children(content: mmap.mmap, start: int, end: int, order: str) -> list[tuple[int, int]]:
    """Types and places of the elements between two bytes; those of matrices are checked on the way."""
    found = []
    while start + 8 <= end:
        kind, size = struct.unpack_from(f"{order}II", content, start)
        place, following = start + 8, start + 8 + size
        if kind >> 16:  # a short element holds its data in its tag
            kind, size, place, following = kind & 0xFFFF, kind >> 16, start + 4, start + 8
        elif kind != _COMPRESSED:
            following += -size % 8
        if kind not in _TYPES or place + size > end:
            raise ValueError(f"an element of type {kind} with {size} bytes at byte {start}")
        if kind == _MATRIX and size:
            _check_matrix(content, place, place + size, order)
        found.append((kind, place))
        start = following
    return found


def _check_matrix(content: mmap.mmap, start: int, end: int, order: str) -> None:
    parts = _children(content, start, end, order)
    if not parts or parts[0][0] != _FLAGS:
        raise ValueError(f"an array without its flags at byte {start}")
    (flags,) = struct.unpack_from(f"{order}I", content, parts[0][1])
    if flags & 0xFF in _NUMERIC and len(parts) != 4 + bool(flags & _COMPLEX):  # flags, size, name, values
        raise ValueError(f"an array of {len(parts)} parts at byte {start}")


def _with_fields(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Add the fields of structs as ``struct/field``, also of structs in structs."""
    found: dict[str, NDArray[Any]] = {}
    for key, value in arrays.items():
        if value.dtype.names is None:
            found[key] = value
        elif value.size == 1:
            fields = {f"{key}/{name}": np.asarray(value[name].item()) for name in value.dtype.names}
            found.update(_with_fields(fields))
    return found
