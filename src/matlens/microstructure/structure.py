"""The common data structure of the microstructure side: phase labels of an image or volume, with physical spacing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from matlens.core.arguments import checked_arguments
from matlens.core.display import Shown
from matlens.core.units import converted, is_length
from matlens.errors import InputError
from matlens.microstructure.rectangle import largest_rectangle

__all__ = ["MAX_PHASES", "Microstructure", "distinct_values", "map_labels"]

MAX_PHASES = 64
_RANGE, _BLOCK = 2**24, 2**20  # flags for integers, and pixels looked at in one go


def distinct_values(values: NDArray[Any]) -> NDArray[Any]:
    """Return the distinct values of an array in ascending order, with little memory beside the array.

    Parameters
    ----------
    values : ndarray
        Numbers.

    Returns
    -------
    ndarray
        The values, each once. Where the array holds floats, or integers far apart, and more than 64 are distinct, these
        need not be all.

    Examples
    --------
    >>> distinct_values(np.array([[3, 0], [0, 3]], dtype=np.uint8)).tolist()
    [0, 3]
    """
    if values.size and values.dtype.kind in "bui":
        low, high = int(values.min()), int(values.max())
        if high - low < _RANGE:
            seen = np.zeros(high - low + 1, dtype=np.bool_)
            for block in _blocks(values):
                seen[block - low if low >= 0 and values.dtype.kind == "u" else block.astype(np.int64) - low] = True
            numbers = np.flatnonzero(seen)
            return (numbers.astype(np.uint64) + low if low >= 0 else numbers + low).astype(values.dtype)
    found = values.ravel()[:0]
    for block in _blocks(values):  # to sort a whole volume would take several times its memory
        found = np.union1d(found, block)
        if found.size > MAX_PHASES:
            break
    return found


def _blocks(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    flat = values.reshape(-1)
    return (flat[start : start + _BLOCK] for start in range(0, flat.size, _BLOCK))


@checked_arguments
def map_labels(values: ArrayLike) -> tuple[NDArray[np.uint8], dict[float, int]]:
    """Map arbitrary label values to 0..K-1 in ascending order.

    Parameters
    ----------
    values : array_like
        Numbers with one distinct value for each phase, e.g. 0/255 or 0/85/170.

    Returns
    -------
    labels : ndarray of uint8
        Labels 0..K-1, in the shape of ``values``.
    mapping : dict of float to int
        Label of each original value.

    Raises
    ------
    InputError
        If the array is not numeric, holds NaN, or has more than 64 distinct values.

    Examples
    --------
    >>> labels, mapping = map_labels([[0, 255], [255, 0]])
    >>> labels.tolist(), mapping
    ([[0, 1], [1, 0]], {0.0: 0, 255.0: 1})
    """
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise InputError(f"labels must be numbers, but the array has dtype {array.dtype}; save plain numeric labels.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(
            "the array holds NaN or infinite values; replace them by any label, and give Microstructure a mask that is "
            "False there."
        )
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)  # Pillow's truth values hold 255, for which a search finds no place
    distinct = distinct_values(array)
    if distinct.size > MAX_PHASES:
        raise InputError(
            f"found {_counted(distinct, array)} distinct values where phase labels (at most {MAX_PHASES}) were "
            "expected; if this is a grey image, segment it first, for example by the threshold 'otsu'."
        )
    mapping = {float(value): index for index, value in enumerate(distinct)}
    if len(mapping) < distinct.size:
        raise InputError(
            f"the labels {', '.join(str(value) for value in distinct[:3])} differ by less than double precision can "
            "tell; renumber them 0, 1, 2."
        )
    return np.searchsorted(distinct, array).astype(np.uint8), mapping


def _counted(distinct: NDArray[Any], array: NDArray[Any]) -> str:
    return f"more than {MAX_PHASES}" if array.dtype.kind == "f" else str(distinct.size)


@dataclass(frozen=True, eq=False, repr=False)
class Microstructure(Shown):
    """Phase labels on a regular grid, in two or three dimensions.

    Parameters
    ----------
    labels : array_like of int, shape (y, x) or (z, y, x)
        Phase of each pixel or voxel, 0..K-1. The labels are copied and cannot be changed afterwards.
    spacing : float or sequence of float
        Size of a pixel along each axis, in ``unit``; a single number holds for all axes.
    unit : str
        Unit of ``spacing``, e.g. ``"um"``; ``"px"`` when the size is unknown.
    phase_names : sequence of str, optional
        Name of each phase. The names fix K, also for a window in which a phase is absent; by default K is the largest
        label plus one.
    periodic : bool
        Whether opposite borders continue each other. A micrograph is not periodic.
    mask : array_like of bool, optional
        True where the phase is known, in the shape of the labels; by default everywhere. What labels hold elsewhere is
        never looked at, and becomes 0. The attribute is None where every pixel is known.

    Raises
    ------
    InputError
        If the labels are not integers 0..K-1 in 2-D or 3-D, spacing and names do not fit, or the mask has another shape
        or leaves no pixel.

    Examples
    --------
    >>> m = Microstructure([[0, 0, 1], [0, 1, 1]], spacing=0.5, unit="um")
    >>> m
    Microstructure(2 x 3, 2 phases, 0.5 um)
    >>> m.volume_fractions
    array([0.5, 0.5])
    >>> Microstructure([[0, 1], [1, 9]], mask=[[True, True], [True, False]])
    Microstructure(2 x 2, 2 phases, 1 px, 25.0 % masked)

    It is an array of its labels where one is needed, and parts of it are taken as of an array.

    >>> np.asarray(m).sum(), m[:, :2], m[:, 1:] == m
    (np.uint64(3), Microstructure(2 x 2, 2 phases, 0.5 um), False)
    """

    labels: NDArray[np.uint8]
    spacing: tuple[float, ...] = (1.0,)
    unit: str = "px"
    phase_names: tuple[str, ...] = ()
    periodic: bool = False
    mask: NDArray[np.bool_] | None = None

    @checked_arguments
    def __init__(
        self,
        labels: ArrayLike,
        spacing: float | Sequence[float] = 1.0,
        unit: str = "px",
        phase_names: Sequence[str] | None = None,
        periodic: bool = False,
        mask: ArrayLike | None = None,
    ) -> None:
        known = _checked_mask(mask, np.shape(labels))
        array = _checked_labels(labels, known, None if phase_names is None else len(phase_names))
        count = int(array.max()) + 1 if phase_names is None else len(phase_names)
        names = tuple(phase_names) if phase_names is not None else tuple(f"phase {k}" for k in range(count))
        for name, value in (
            ("labels", array),
            ("spacing", _checked_spacing(spacing, array.ndim)),
            ("unit", str(unit)),
            ("phase_names", names),
            ("periodic", bool(periodic)),
            ("mask", known),
        ):
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of pixels along each axis."""
        return self.labels.shape

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return self.labels.ndim

    @property
    def n_phases(self) -> int:
        """Number of phases K, including phases that are absent from this window."""
        return len(self.phase_names)

    @property
    def n_known(self) -> int:
        """Number of pixels that are not masked."""
        return self.labels.size if self.mask is None else int(np.count_nonzero(self.mask))

    @property
    def masked_share(self) -> float:
        """Share of the pixels that are masked."""
        return 1 - self.n_known / self.labels.size

    @property
    def volume_fractions(self) -> NDArray[np.float64]:
        """Volume fraction of each phase in what is known, shape (K,)."""
        labels = self.labels.ravel() if self.mask is None else self.labels[self.mask]
        return np.bincount(labels, minlength=self.n_phases) / labels.size

    __iter__ = None  # rows of labels are no structures; with __getitem__ alone Python would look for them

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """The labels, as numpy asks for them; they cannot be changed, unless they are copied."""
        if copy:
            return np.array(self.labels, dtype=dtype)
        return np.asarray(self.labels, dtype=dtype)

    def __eq__(self, other: object) -> bool:
        """Whether labels, pixel size, phases, periodicity and mask are the same."""
        if not isinstance(other, Microstructure):
            return NotImplemented
        same = self._about() == other._about() and np.array_equal(self.labels, other.labels)
        if self.mask is None or other.mask is None:
            return same and self.mask is other.mask
        return same and np.array_equal(self.mask, other.mask)

    def __hash__(self) -> int:
        return hash(self._about())

    def _about(self) -> tuple[object, ...]:
        return (self.shape, self.spacing, self.unit, self.phase_names, self.periodic)

    def __getitem__(self, index: Any) -> Microstructure:
        """A part of the structure, as of an array; one number gives a section of a volume, which has two axes."""
        parts, section = _parts(index, self.shape)
        if section is None:
            return self.crop(*parts)
        mask = None if self.mask is None else self.mask[parts]
        spacing = tuple(step for axis, step in enumerate(self.spacing) if axis != section)
        return Microstructure(self.labels[parts], spacing, self.unit, self.phase_names, False, mask)

    def indicators(self) -> NDArray[np.bool_]:
        """Return the indicator function of each phase.

        Returns
        -------
        ndarray of bool, shape (K, *shape)
            True where the phase is; False in every phase where the pixel is masked.

        Examples
        --------
        >>> Microstructure([[0, 1], [1, 1]]).indicators().sum(axis=(1, 2))
        array([1, 3])
        """
        phases = np.arange(self.n_phases, dtype=np.uint8).reshape(-1, *([1] * self.ndim))
        found = np.equal(self.labels[None], phases)
        return found if self.mask is None else found & self.mask

    def with_labels(self, labels: ArrayLike, *, periodic: bool | None = None) -> Microstructure:
        """Return a microstructure of the same material (spacing, unit, phases) with other labels, all of them known.

        Parameters
        ----------
        labels : array_like of int
            New labels, of any shape; with another number of axes, pixels must be as wide as they are high.
        periodic : bool, optional
            Whether the new structure is periodic; by default as this one.

        Returns
        -------
        Microstructure
            The new structure.

        Raises
        ------
        InputError
            If a label is not one of this structure's phases, or the spacing does not fit the number of axes.

        Examples
        --------
        >>> Microstructure([[0, 1]] * 2, spacing=2, unit="nm").with_labels([[0, 0, 0]] * 3)
        Microstructure(3 x 3, 2 phases, 2 nm)
        """
        keep = self.periodic if periodic is None else periodic
        equal = len(set(self.spacing)) == 1
        return Microstructure(labels, self.spacing[0] if equal else self.spacing, self.unit, self.phase_names, keep)

    def in_unit(self, unit: str) -> Microstructure:
        """Return the same structure with its pixel size in another unit of length.

        Parameters
        ----------
        unit : str
            The unit.

        Returns
        -------
        Microstructure
            The structure; itself where one of the units is no unit of length.

        Examples
        --------
        >>> Microstructure([[0, 1]] * 2, spacing=0.5, unit="um").in_unit("nm")
        Microstructure(2 x 2, 2 phases, 500 nm)
        """
        if self.unit == unit or not (is_length(self.unit) and is_length(unit)):
            return self
        spacing = tuple(converted(step, self.unit, unit) for step in self.spacing)
        return replace(self, spacing=spacing, unit=unit)

    def crop(self, *slices: slice) -> Microstructure:
        """Return a part of the structure with its part of the mask; it is not periodic.

        Parameters
        ----------
        *slices : slice
            One slice for each axis.

        Returns
        -------
        Microstructure
            The part.

        Raises
        ------
        InputError
            If the part is empty, or masked altogether.

        Examples
        --------
        >>> Microstructure(np.eye(4, dtype=int)).crop(slice(0, 2), slice(0, 3)).shape
        (2, 3)
        """
        mask = None if self.mask is None else self.mask[slices]
        return replace(self, labels=self.labels[slices], periodic=False, mask=mask)

    def whole(self, what: str) -> Microstructure:
        """Return the structure, if no pixel is masked.

        Parameters
        ----------
        what : str
            What needs every pixel, for the message.

        Returns
        -------
        Microstructure
            The structure itself.

        Raises
        ------
        InputError
            If a pixel is masked.

        Examples
        --------
        >>> Microstructure([[0, 1]], mask=[[True, False]]).whole("the conductivity")
        Traceback (most recent call last):
        matlens.errors.InputError: 50.0 % of the pixels are masked, and the conductivity needs a rectangle without them;
        give m.unmasked(), the largest, or m.filled(size), which fills small gaps.
        """
        if self.mask is not None:
            raise InputError(
                f"{100 * self.masked_share:.1f} % of the pixels are masked, and {what} needs a rectangle without them; "
                "give m.unmasked(), the largest, or m.filled(size), which fills small gaps."
            )
        return self

    def unmasked(self) -> Microstructure:
        """Return the largest rectangle without masked pixels; in a volume it is the same in every slice.

        Returns
        -------
        Microstructure
            The part; the structure itself if no pixel is masked.

        Raises
        ------
        InputError
            If every rectangle holds masked pixels, as where slices of a volume are known at different places.

        Examples
        --------
        >>> Microstructure([[0, 1, 1], [0, 0, 1]], mask=[[False, True, True], [True, True, True]]).unmasked()
        Microstructure(2 x 2, 2 phases, 1 px)
        """
        if self.mask is None:
            return self
        part = largest_rectangle(self.mask)
        if any(side.stop == side.start for side in part):
            raise InputError(
                f"no rectangle of this volume is free of masked pixels in every slice ({100 * self.masked_share:.1f} % "
                "are masked); crop it to slices that are known."
            )
        return self.crop(*part)

    def filled(self, size: int) -> Microstructure:
        """Give masked patches below a size the phase of the nearest pixel that is known.

        Parameters
        ----------
        size : int
            Smallest number of pixels of a patch, connected across faces, that stays masked.

        Returns
        -------
        Microstructure
            The structure with fewer masked pixels.

        Examples
        --------
        >>> Microstructure([[0, 0, 0, 1]] * 2, mask=[[True, False, True, True], [True] * 4]).filled(2).labels[0]
        array([0, 0, 0, 1], dtype=uint8)
        """
        if self.mask is None:
            return self
        from scipy import ndimage

        patches, _ = ndimage.label(~self.mask)
        small = np.bincount(patches.ravel()) < size
        small[0] = False
        nearest = ndimage.distance_transform_edt(~self.mask, return_distances=False, return_indices=True)
        return replace(self, labels=self.labels[tuple(nearest)], mask=self.mask | small[patches])

    def tiles(self, shape: Sequence[int], *, masked: bool = False) -> Iterator[Microstructure]:
        """Yield the adjacent, non-overlapping windows of a given shape, as many as fit.

        Parameters
        ----------
        shape : sequence of int
            Shape of a window, one size for each axis.
        masked : bool
            Whether windows with masked pixels are yielded too, if any of their pixels is known.

        Yields
        ------
        Microstructure
            The windows, in the order of the array.

        Raises
        ------
        ValueError
            If ``shape`` has another number of axes than the structure.

        Examples
        --------
        >>> len(list(Microstructure(np.eye(8, dtype=int)).tiles((4, 2))))
        8
        """
        counts = [size // side for size, side in zip(self.shape, shape, strict=True)]
        for index in product(*(range(count) for count in counts)):
            window = tuple(slice(i * side, (i + 1) * side) for i, side in zip(index, shape, strict=True))
            if self.mask is None or (self.mask[window].any() if masked else self.mask[window].all()):
                yield self.crop(*window)

    def __repr__(self) -> str:
        size = " x ".join(str(side) for side in self.shape)
        spacing = " x ".join(f"{s:g}" for s in dict.fromkeys(self.spacing))
        said = ", periodic" if self.periodic else ""
        said += "" if self.mask is None else f", {100 * self.masked_share:.1f} % masked"
        return f"Microstructure({size}, {self.n_phases} phases, {spacing} {self.unit}{said})"


def _parts(index: Any, shape: tuple[int, ...]) -> tuple[Any, int | None]:
    """An index with one part for each axis, and the axis whose part is a number, if there is one."""
    given = index if isinstance(index, tuple) else (index,)
    before = [part is Ellipsis for part in given].index(True) if any(part is Ellipsis for part in given) else len(given)
    rest = given[before + 1 :]
    given = (*given[:before], *[slice(None)] * (len(shape) - before - len(rest)), *rest)
    ranges = [isinstance(part, slice) and part.step in (None, 1) for part in given]
    numbers = [axis for axis, part in enumerate(given) if isinstance(part, Integral)]
    if len(given) != len(shape) or sum(ranges) + len(numbers) < len(given) or len(numbers) > len(shape) - 2:
        raise InputError(
            f"found the index {index!r} for a structure with {len(shape)} axes; give ranges without steps, such as "
            "m[0:64, 0:64], and in a volume at most one number; single pixels are in m.labels."
        )
    if numbers and not -shape[numbers[0]] <= given[numbers[0]] < shape[numbers[0]]:
        raise InputError(f"found section {given[numbers[0]]} of {shape[numbers[0]]}; sections are counted from 0.")
    return given, numbers[0] if numbers else None


def _checked_mask(mask: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    if mask is None:
        return None
    known = np.asarray(mask).astype(bool)  # a copy, as of the labels
    if known.shape != shape:
        raise InputError(f"the mask has shape {known.shape} and the labels {shape}; they must agree.")
    if not known.any():
        raise InputError("the mask hides every pixel; it must be True where the phase is known.")
    known.setflags(write=False)
    return None if known.all() else known


def _checked_labels(labels: ArrayLike, known: NDArray[np.bool_] | None, n_phases: int | None) -> NDArray[np.uint8]:
    array = np.asarray(labels)
    if array.dtype.kind not in "bui":
        raise InputError(f"labels must be integers 0..K-1, found dtype {array.dtype}; see matlens.map_labels.")
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(f"labels must be a non-empty 2-D or 3-D array, found shape {array.shape}.")
    if known is not None:
        array = np.where(known, array, array.dtype.type(0))
    low, high = int(array.min()), int(array.max())
    limit = MAX_PHASES if n_phases is None else min(n_phases, MAX_PHASES)
    if low < 0 or high >= limit:
        raise InputError(
            f"labels must lie in 0..{limit - 1}, found {low}..{high}; matlens.map_labels maps other values."
        )
    array = array.astype(np.uint8)  # a copy: the caller's array stays the caller's
    array.setflags(write=False)
    return array


def _checked_spacing(spacing: float | Sequence[float], ndim: int) -> tuple[float, ...]:
    values = np.atleast_1d(np.asarray(spacing, dtype=float))
    if values.size == 1:
        values = np.repeat(values, ndim)
    if values.shape != (ndim,) or not (np.isfinite(values).all() and (values > 0).all()):
        raise InputError(f"spacing must be one positive number or one for each of {ndim} axes, found {spacing!r}.")
    return tuple(float(value) for value in values)
