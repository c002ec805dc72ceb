"""The one passage through a large volume before its phases are known: which values it holds, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.large import BlockArray
from matlens.microstructure.rectangle import largest_rectangle
from matlens.microstructure.segmentation.options import CleaningOptions, parse_threshold
from matlens.microstructure.segmentation.round_field import round_field
from matlens.microstructure.structure import MAX_PHASES

__all__ = ["counted"]

_AT_ONCE = 1 << 24  # values that are counted together


def _layers(values: BlockArray) -> Iterator[tuple[int, NDArray[Any]]]:
    """Read an array a few layers at a time, each with the number of its first layer."""
    shape = tuple(values.shape)
    step = max(1, _AT_ONCE // prod(shape[1:]))
    for start in range(0, shape[0], step):
        box = (slice(start, min(start + step, shape[0])), *(slice(0, side) for side in shape[1:]))
        yield start, values[box]


def counted(
    values: BlockArray, name: str, options: CleaningOptions, progress: Progress
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Count how often each value occurs, and refuse a volume of which something is not known.

    Parameters
    ----------
    values : BlockArray
        The values of the file.
    name : str
        File name, for messages.
    options : CleaningOptions
        Whether what lies outside a round field of view counts, and thresholds, of which only the sides matter.
    progress : Progress
        Shows the layers that have been read.

    Returns
    -------
    values : ndarray, shape (n,)
        Distinct values in ascending order; of floats with thresholds, one value of each phase.
    counts : ndarray of int, shape (n,)
        How often each occurs.

    Raises
    ------
    InputError
        If values are no numbers, a field of view is round, or there are too many different floats.

    Examples
    --------
    >>> from matlens.hooks import Silent
    >>> [found.tolist() for found in counted(np.array([[0, 7], [7, 7]]), "m.npy", CleaningOptions(), Silent())]
    [[0, 7], [1, 3]]
    """
    counts = _Counts(values.dtype, name, options)
    corner, outside = _corner(values), None
    progress.begin(values.shape[0], f"looking at {name}")
    try:
        for start, part in _layers(values):
            counts.add(part)
            if corner is not None and not options.unmasked:
                same = (part == corner).all(axis=0) if part.ndim == 3 else part == corner
                if part.ndim == 2:
                    outside = same if outside is None else np.concatenate([outside, same])
                else:
                    outside = same if outside is None else outside & same
            progress.update(min(start + part.shape[0], values.shape[0]))
    finally:
        progress.end()
    if outside is not None and outside.any():
        _refuse_round_field(values, outside, corner, name)
    return counts.found()


class _Counts:
    """How often each value occurs: whole numbers of one or two bytes by a table, others one by one."""

    def __init__(self, dtype: np.dtype[Any], name: str, options: CleaningOptions) -> None:
        self._dtype, self._name, self._options = dtype, name, options
        whole = dtype.kind in "bui" and dtype.itemsize <= 2
        self._low = int(np.iinfo(dtype).min) if whole and dtype.kind == "i" else 0
        self._table = np.zeros(1 << (8 * dtype.itemsize), dtype=np.int64) if whole else None
        self._values: NDArray[Any] = np.zeros(0, dtype=dtype)
        self._counts = np.zeros(0, dtype=np.int64)

    def add(self, part: NDArray[Any]) -> None:
        if self._table is not None:
            flat = part.ravel()
            shifted = flat if self._low == 0 else flat.astype(np.int32) - self._low
            self._table += np.bincount(shifted.astype(np.uint8) if part.dtype.kind == "b" else shifted,
                                       minlength=self._table.size)  # fmt: skip
            return
        if part.dtype.kind == "f" and not np.isfinite(part).all():
            raise InputError(
                f"{self._name} holds values that are no numbers, as outside a round field of view, and work in blocks "
                "takes no masked pixels; crop to what is known (--crop)."
            )
        levels = None if self._options.threshold is None else parse_threshold(self._options.threshold)
        if isinstance(levels, tuple) and levels:  # only the side of each threshold matters
            found = np.searchsorted(np.array(levels), part.astype(np.float32), side="left")
            low, *above = (np.nextafter(np.float32(at), np.float32(to)) for at, to in
                           [(levels[0], -np.inf), *((level, np.inf) for level in levels)])  # fmt: skip
            values: NDArray[Any] = np.array([low, *above])
            counts = np.bincount(found.ravel(), minlength=values.size)
        else:
            values, counts = np.unique(part, return_counts=True)
        both, place = np.unique(np.concatenate([self._values, values]), return_inverse=True)
        self._counts = np.bincount(place, np.concatenate([self._counts, counts])).astype(np.int64)
        self._values = both
        if both.size > MAX_PHASES and not (isinstance(levels, tuple) and levels):
            raise InputError(
                f"{self._name} holds more than {MAX_PHASES} different values of type {self._dtype}; give the grey "
                "values between the phases, --threshold v1,v2, or save it as whole numbers of one or two bytes."
            )

    def found(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        if self._table is None:
            return self._values, self._counts
        used = np.flatnonzero(self._table)
        return (used + self._low).astype(np.uint8 if self._dtype.kind == "b" else self._dtype), self._table[used]


def _corner(values: BlockArray) -> Any:
    """The value that all corners have; None where they differ."""
    ends = [sorted({0, side - 1}) for side in values.shape]
    boxes = [tuple(slice(at, at + 1) for at in corner) for corner in product(*ends)]
    found = {values[box].ravel()[0] for box in boxes}
    return found.pop() if len(found) == 1 else None


def _refuse_round_field(values: BlockArray, outside: NDArray[np.bool_], corner: Any, name: str) -> None:
    """Refuse a volume whose corners lie outside a round field of view, and say what to crop to."""
    middle = values.shape[0] // 2
    plane = outside
    if len(values.shape) == 3:
        # whether the circle's rim has several values is seen in one slice; what lies inside is that of all
        plane = values[(slice(middle, middle + 1), *(slice(0, side) for side in values.shape[1:]))][0]
        other = plane.dtype.type(1) if corner == 0 else plane.dtype.type(0)
        plane = np.where(outside, corner, np.where(plane == corner, other, plane))
    else:
        plane = values[tuple(slice(0, side) for side in values.shape)]
    field = round_field(plane)
    if field is not None:
        part = largest_rectangle(field.valid)
        crop = ",".join(f"{side.start}:{side.stop}" for side in reversed(part))
        crop += f",0:{values.shape[0]}" if len(values.shape) == 3 else ""
        raise InputError(
            f"{name}: all pixels outside a circle of {field.diameter:.0f} pixels have the value {corner:g}, as around "
            "a round field of view, and work in blocks takes no masked pixels; crop to the square inside, --crop "
            f"{crop}, or give --unmasked, which counts the outside as sample."
        )
