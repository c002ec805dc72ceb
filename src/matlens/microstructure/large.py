"""A microstructure of which only blocks are held in memory: a volume in a file, and how its values become phases."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.structure import MAX_PHASES, Microstructure

__all__ = ["BlockArray", "LargeMicrostructure", "as_labels"]

_AT_ONCE = 1 << 24  # bytes that are read before they become labels


class BlockArray(Protocol):
    """Array of which blocks are read: a memory map, a data set of a file, or an array.

    Examples
    --------
    >>> values: BlockArray = np.eye(4)
    >>> values[0:2, 0:2].shape
    (2, 2)
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    def __getitem__(self, box: tuple[slice, ...], /) -> NDArray[Any]:
        """Read the values of a box, given by one slice without a step for each axis."""


def as_labels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Take values that are labels 0..K-1 already.

    Parameters
    ----------
    values : ndarray
        Whole numbers.

    Returns
    -------
    ndarray of uint8
        The labels; the values themselves where they have this type.

    Examples
    --------
    >>> as_labels(np.array([[0, 1]])).dtype
    dtype('uint8')
    """
    return values.astype(np.uint8, copy=False)


@dataclass(frozen=True, eq=False)
class LargeMicrostructure:
    """Phase labels on a regular grid that are read block by block.

    Parameters
    ----------
    values : BlockArray, shape (y, x) or (z, y, x)
        What the file holds.
    spacing : tuple of float
        Size of a pixel along each axis, in ``unit``.
    unit : str
        Unit of ``spacing``.
    phase_names : tuple of str
        Name of each phase.
    periodic : bool
        Whether opposite borders continue each other.
    label : callable
        Takes values of a block, and returns their phases 0..K-1 as uint8.

    Examples
    --------
    >>> large = LargeMicrostructure(np.tile([0, 1], (4, 2)), (0.5, 0.5), "um", ("pore", "solid"))
    >>> large
    LargeMicrostructure(4 x 4, 2 phases, 0.5 um)
    >>> large.read((0, 1), (2, 4)).tolist()
    [[1, 0, 1], [1, 0, 1]]
    """

    values: BlockArray
    spacing: tuple[float, ...]
    unit: str
    phase_names: tuple[str, ...]
    periodic: bool = False
    label: Callable[[NDArray[Any]], NDArray[np.uint8]] = as_labels
    # what is masked is refused before; statistics ask for it
    mask: None = field(default=None, init=False)
    masked_share: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.ndim not in (2, 3) or len(self.spacing) != self.ndim or not 1 <= self.n_phases <= MAX_PHASES:
            raise InputError(
                f"a large microstructure of shape {self.shape} has {len(self.spacing)} pixel sizes and {self.n_phases} "
                f"phases; give two or three axes, a size for each, and 1 to {MAX_PHASES} phases."
            )

    @classmethod
    def of(cls, m: Microstructure) -> LargeMicrostructure:
        """Take a microstructure in memory as one that is read in blocks.

        Parameters
        ----------
        m : Microstructure
            The structure, without masked pixels.

        Returns
        -------
        LargeMicrostructure
            The same structure, whose labels are not copied.

        Raises
        ------
        InputError
            If pixels are masked.

        Examples
        --------
        >>> LargeMicrostructure.of(Microstructure([[0, 1]] * 2))
        LargeMicrostructure(2 x 2, 2 phases, 1 px)
        """
        labels = m.whole("work in blocks").labels
        return cls(labels, m.spacing, m.unit, m.phase_names, m.periodic)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of pixels along each axis."""
        return tuple(self.values.shape)

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return len(self.values.shape)

    @property
    def n_phases(self) -> int:
        """Number of phases K."""
        return len(self.phase_names)

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[np.uint8]:
        """Read the labels of a box.

        Parameters
        ----------
        start, stop : sequence of int
            First pixel of each axis, and the one behind the last. In a periodic structure the box may reach beyond the
            border, where the structure goes on at the opposite one.

        Returns
        -------
        ndarray of uint8, shape stop - start
            Labels, which must not be changed.

        Raises
        ------
        InputError
            If the box is empty, or reaches beyond the border of a window.

        Examples
        --------
        >>> large = LargeMicrostructure(np.array([[0, 1, 2]]), (1.0, 1.0), "px", ("a", "b", "c"), periodic=True)
        >>> large.read((0, -1), (1, 4)).tolist()
        [[2, 0, 1, 2, 0]]
        """
        inside = all(low >= 0 and high <= side for low, high, side in zip(start, stop, self.shape, strict=True))
        if any(low >= high for low, high in zip(start, stop)) or not (inside or self.periodic):
            raise InputError(
                f"the block from {tuple(start)} to {tuple(stop)} is not in the volume of shape {self.shape}; give one "
                "that is."
            )
        if inside:
            return self._labels(tuple(slice(low, high) for low, high in zip(start, stop)))
        found = np.empty([high - low for low, high in zip(start, stop)], dtype=np.uint8)
        for parts in product(*map(_runs, start, stop, self.shape)):
            place = tuple(slice(at, at + part.stop - part.start) for at, part in parts)
            found[place] = self._labels(tuple(part for _, part in parts))
        return found

    def crop(self, *slices: slice) -> Microstructure:
        """Read a part as a microstructure, which is not periodic.

        Parameters
        ----------
        *slices : slice
            One slice for each axis.

        Returns
        -------
        Microstructure
            The part.

        Examples
        --------
        >>> LargeMicrostructure.of(Microstructure([[0, 1, 1]] * 4)).crop(slice(0, 2), slice(0, 2))
        Microstructure(2 x 2, 2 phases, 1 px)
        """
        ends = [part.indices(side)[:2] for part, side in zip(slices, self.shape, strict=True)]
        labels = self.read([low for low, _ in ends], [high for _, high in ends])
        return Microstructure(labels, self.spacing, self.unit, self.phase_names)

    def _labels(self, box: tuple[slice, ...]) -> NDArray[np.uint8]:
        if isinstance(self.values, np.ndarray) and self.label is as_labels and self.values.dtype == np.uint8:
            return self.values[box]
        shape = [part.stop - part.start for part in box]
        found = np.empty(shape, dtype=np.uint8)
        layer = math.prod(shape[1:]) * self.values.dtype.itemsize
        step = max(1, _AT_ONCE // max(layer, 1))
        # a few layers at a time, as what is read is larger than labels, and a map of a file stays in memory with them
        for start in range(0, shape[0], step):
            end = min(start + step, shape[0])
            layers = slice(box[0].start + start, box[0].start + end)
            found[start:end] = self.label(self.values[(layers, *box[1:])])
        return found

    def __repr__(self) -> str:
        size = " x ".join(str(side) for side in self.shape)
        spacing = " x ".join(f"{step:g}" for step in dict.fromkeys(self.spacing))
        said = ", periodic" if self.periodic else ""
        return f"LargeMicrostructure({size}, {self.n_phases} phases, {spacing} {self.unit}{said})"


def _runs(start: int, stop: int, side: int) -> list[tuple[int, slice]]:
    """Pieces of a range that is wrapped at a side: where each begins in the range, and what it is of the side."""
    found, at = [], start
    while at < stop:
        length = min(side - at % side, stop - at)
        found.append((at - start, slice(at % side, at % side + length)))
        at += length
    return found
