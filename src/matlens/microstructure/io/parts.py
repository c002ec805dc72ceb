"""Values of files of which only parts are read: memory maps, views, and files beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.large import BlockArray

__all__ = ["MappedValues", "PartOf", "SliceValues", "stand_in"]

_AT_ONCE = 1 << 25  # bytes of a file that are mapped together


def stand_in(shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Make an array of any shape that takes no memory, for facts of a file that are read without its values.

    Parameters
    ----------
    shape : sequence of int
        Shape.
    dtype : dtype
        Type of the values.

    Returns
    -------
    ndarray
        Zeros, which must not be changed.

    Examples
    --------
    >>> stand_in((10**6, 10**6), np.dtype("u1")).shape
    (1000000, 1000000)
    """
    return np.broadcast_to(np.zeros((), dtype=dtype), tuple(shape))


class MappedValues:
    """Numbers that lie one behind the other in a file.

    A map of a part of the file is made for each read and given up behind it: a map that stays counts as memory of this
    process, page by page, as it is read.

    Parameters
    ----------
    path : Path
        The file.
    shape : sequence of int
        Shape of the array.
    dtype : dtype
        Type of the numbers.
    offset : int
        Bytes before the first number.
    order : {"C", "F"}
        Whether the last axis or the first is contiguous.

    Raises
    ------
    InputError
        If the file is shorter.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.raw"
    >>> _ = path.write_bytes(bytes(range(24)))
    >>> MappedValues(path, (2, 3, 4), np.dtype("u1"))[1:2, 0:2, 1:3].tolist()
    [[[13, 14], [17, 18]]]
    """

    def __init__(
        self, path: Path, shape: Sequence[int], dtype: np.dtype[Any], offset: int = 0, order: Any = "C"
    ) -> None:
        self.shape, self.dtype = tuple(shape), dtype
        self._path, self._offset, self._order = path, offset, order
        needed = math.prod(self.shape) * dtype.itemsize + offset
        if path.stat().st_size < needed:
            raise InputError(
                f"{path.name} has {path.stat().st_size} bytes, and {' x '.join(map(str, self.shape))} of {dtype} need "
                f"{needed}; it may be truncated: copy it again."
            )

    def __getitem__(self, box: tuple[slice, ...]) -> NDArray[Any]:
        found = np.empty([part.stop - part.start for part in box], self.dtype.newbyteorder("="))
        # a layer across the slowest axis is contiguous in the file
        slowest = 0 if self._order == "C" else len(self.shape) - 1
        layer = math.prod(side for axis, side in enumerate(self.shape) if axis != slowest) * self.dtype.itemsize
        step, part = max(1, _AT_ONCE // max(layer, 1)), box[slowest]
        for start in range(part.start, part.stop, step):
            stop = min(start + step, part.stop)
            mapped = np.memmap(self._path, self.dtype, "r", self._offset, self.shape, self._order)
            to, of = ([slice(None)] * len(box), list(box))
            to[slowest], of[slowest] = slice(start - part.start, stop - part.start), slice(start, stop)
            found[tuple(to)] = mapped[tuple(of)]
            del mapped
        return found


class PartOf:
    """A box of an array, without the axes of which one pixel is taken.

    Parameters
    ----------
    values : BlockArray
        The array.
    box : sequence of slice
        What is taken of each axis, with both ends.
    dropped : sequence of int
        Axes of length one in the box that are left out.

    Examples
    --------
    >>> part = PartOf(np.arange(24).reshape(2, 3, 4), (slice(1, 2), slice(0, 3), slice(1, 4)), dropped=(0,))
    >>> part.shape, part[0:1, 1:3].tolist()
    ((3, 3), [[14, 15]])
    """

    def __init__(self, values: BlockArray, box: Sequence[slice], dropped: Sequence[int] = ()) -> None:
        self._values, self._box, self._dropped = values, tuple(box), tuple(dropped)
        self.dtype = values.dtype
        self.shape = tuple(part.stop - part.start for axis, part in enumerate(self._box) if axis not in self._dropped)

    def __getitem__(self, box: tuple[slice, ...]) -> NDArray[Any]:
        asked = iter(box)
        whole = []
        for axis, part in enumerate(self._box):
            given = slice(0, 1) if axis in self._dropped else next(asked)
            whole.append(slice(part.start + given.start, part.start + given.stop))
        return self._values[tuple(whole)].reshape([part.stop - part.start for part in box])


class Slices(Protocol):
    """Slices that are read one by one."""

    def read(self, number: int) -> NDArray[Any]:
        """Read the values of a slice, shape (y, x)."""

    def name(self, number: int) -> str:
        """Say how a message calls a slice."""


class SliceValues:
    """A volume whose slices are files or pages.

    Parameters
    ----------
    slices : Slices
        Reads a slice.
    shape : tuple of int
        Shape of the volume.
    dtype : dtype
        Type of the values.

    Examples
    --------
    >>> class Numbers:
    ...     def read(self, number):
    ...         return np.full((2, 2), number)
    >>> SliceValues(Numbers(), (3, 2, 2), np.dtype(int))[1:3, 0:1, 0:1].ravel().tolist()
    [1, 2]
    """

    def __init__(self, slices: Slices, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype, self._slices = shape, dtype, slices

    def __getitem__(self, box: tuple[slice, ...]) -> NDArray[Any]:
        found = np.empty([part.stop - part.start for part in box], self.dtype)
        for place, number in enumerate(range(box[0].start, box[0].stop)):
            values = self._slices.read(number)
            if values.shape != self.shape[1:] or values.dtype != self.dtype:
                own, first = self._slices.name(number), self._slices.name(0)
                raise InputError(
                    f"{own} has shape {values.shape} and type {values.dtype}, and {first} {self.shape[1:]} and "
                    f"{self.dtype}; slices of a volume must be pictures of one shape and type."
                )
            found[place] = values[box[1:]]
        return found
