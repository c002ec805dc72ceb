"""Counting the pairs of pixels that lie in one cluster, by offset, exactly and each cluster in the cheapest way.

A large cluster is correlated in its bounding box by one FFT. Of the others, those with few pixels for their box are
counted pair by pair; boxes of like size go through one batched FFT and their power spectra are summed before the single
inverse transform, so a thousand clusters cost little more than one image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from matlens.microstructure.statistics.correlation.offsets import centred
from matlens.microstructure.statistics.correlation.pair_counts import auto_counts

__all__ = ["pairs_in_clusters"]

Array = NDArray[np.float64]

_LARGE = 20_000  # pixels; a cluster from here on has a transform of its own
_BATCH = 1 << 20  # values in a batch of boxes or pairs: some ten megabytes
_PAIRS_PER_VALUE = 4  # pairs that are counted in the time an FFT takes for one value of its box


def pairs_in_clusters(labels: NDArray[np.int32], count: int, half: Sequence[int], periodic: bool) -> Array:
    """Count the pairs of pixels of one cluster for every offset |r_i| <= half_i.

    Parameters
    ----------
    labels : ndarray of int
        0 outside, 1..count in the clusters.
    count : int
        Number of clusters.
    half : sequence of int
        Largest offset along each axis, half the side.
    periodic : bool
        Whether offsets wrap.

    Returns
    -------
    ndarray of float64, shape (2 half_1 + 1, ...)
        Whole numbers; the centre is r = 0, where every pixel of a cluster counts once.

    Examples
    --------
    >>> pairs_in_clusters(np.array([[1, 1, 0, 2]], dtype=np.int32), 2, (0, 2), False)
    array([[0., 1., 3., 1., 0.]])
    """
    total = np.zeros([2 * h + 1 for h in half])
    pixels = np.bincount(labels.ravel(), minlength=count + 1)
    large = pixels >= _LARGE
    large[0] = False
    if large.any():
        number = (np.cumsum(large) * large).astype(np.int32)[labels]
        for index, box in enumerate(ndimage.find_objects(number), start=1):
            _add_large(total, number, index, box, half, periodic)
        labels = np.where(number > 0, 0, labels)
    if (labels > 0).any():
        clusters = _Clusters.from_labels(labels, periodic)
        few = clusters.few_for_their_box(labels.shape, half, periodic)
        _add_pairs(total, clusters, few)
        for size, power in clusters.power_by_size(labels.shape, half, periodic, ~few):
            _add_boxes(total, size, power, labels.shape, half, periodic)
    np.rint(total, out=total)
    return total


def _add_large(
    total: Array, number: NDArray[np.int32], index: int, box: tuple[slice, ...], half: Sequence[int], periodic: bool
) -> None:
    """Add one large cluster."""
    extent = [part.stop - part.start for part in box]
    if periodic and any(2 * n - 1 > side for n, side in zip(extent, number.shape, strict=True)):
        total += auto_counts(number == index, half, True)
        return
    reach = [min(n - 1, h) for n, h in zip(extent, half, strict=True)]
    inside = tuple(slice(h - r, h + r + 1) for h, r in zip(half, reach, strict=True))
    total[inside] += auto_counts(number[box] == index, reach, False)


def _add_boxes(
    total: Array, size: tuple[int, ...], power: Array, shape: Sequence[int], half: Sequence[int], periodic: bool
) -> None:
    """Add the clusters whose boxes of one size have this power spectrum together."""
    reach = [
        min(h, n // 2 if periodic and n == side else (n - 1) // 2) for h, n, side in zip(half, size, shape, strict=True)
    ]
    inside = tuple(slice(h - r, h + r + 1) for h, r in zip(half, reach, strict=True))
    pairs: Array = fft.irfftn(power, s=size)
    total[inside] += centred(pairs, reach)


def _add_pairs(total: Array, clusters: _Clusters, few: NDArray[np.bool_]) -> None:
    """Add the chosen clusters pair by pair: first every pixel with its next, then with the next but one, ..."""
    mine = few[clusters.member]
    rest = (clusters.first[clusters.member + 1] - np.arange(clusters.member.size))[mine]  # pixels from here to the end
    steps = np.array([int(np.prod(total.shape[axis + 1 :])) for axis in range(total.ndim)])
    place = steps @ clusters.points[:, mine]
    flat, centre = total.reshape(-1), total.size // 2
    flat[centre] += place.size
    at, lag = np.flatnonzero(rest > 1), 1
    while at.size:
        for start in range(0, at.size, _BATCH):
            part = at[start : start + _BATCH]
            apart = place[part + lag] - place[part]
            np.add.at(flat, centre + apart, 1.0)
            np.add.at(flat, centre - apart, 1.0)
        lag += 1
        at = at[rest[at] > lag]


@dataclass(frozen=True)
class _Clusters:
    """Pixels ordered by cluster, moved to the corner of each cluster's box.

    ``points`` has shape (ndim, pixels), ``member`` (pixels,), ``first`` (clusters + 1,), ``extent`` (ndim, clusters).
    """

    points: NDArray[np.intp]
    member: NDArray[np.intp]
    first: NDArray[np.intp]
    extent: NDArray[np.intp]

    @classmethod
    def from_labels(cls, labels: NDArray[np.int32], periodic: bool) -> _Clusters:
        places = np.flatnonzero(labels)
        member = labels.ravel()[places].astype(np.intp)
        order = np.argsort(member, kind="stable")
        begins = np.diff(member[order], prepend=0) > 0
        first = np.append(np.flatnonzero(begins), order.size)
        points = np.stack(np.unravel_index(places[order], labels.shape))
        low, extent = _boxes(points, first)
        member = np.cumsum(begins) - 1
        if periodic:  # what crosses a border is cut there; seen from the middle of the field it may be whole
            sides = np.array(labels.shape)[:, None]
            turned = (points + sides // 2) % sides
            low_turned, extent_turned = _boxes(turned, first)
            better = extent_turned < extent
            points = np.where(better[:, member], turned, points)
            low, extent = np.where(better, low_turned, low), np.minimum(extent, extent_turned)
        return cls(points - low[:, member], member, first, extent)

    def few_for_their_box(self, shape: Sequence[int], half: Sequence[int], periodic: bool) -> NDArray[np.bool_]:
        """Tell which clusters are quicker counted pair by pair; none of their pairs is further apart than ``half``."""
        boxes = self._sizes(shape, half, periodic).prod(axis=0)
        most = np.array(half)[:, None] + (0 if periodic else 1)
        near = (self.extent <= most).all(axis=0) | (self.extent == 1).all(axis=0)
        few: NDArray[np.bool_] = near & (np.diff(self.first) ** 2 <= _PAIRS_PER_VALUE * boxes)
        return few

    def power_by_size(
        self, shape: Sequence[int], half: Sequence[int], periodic: bool, chosen: NDArray[np.bool_]
    ) -> Iterator[tuple[tuple[int, ...], Array]]:
        """Yield each transform size with the summed power spectrum of the chosen clusters that need it."""
        chosen_clusters = np.flatnonzero(chosen)
        sizes = self._sizes(shape, half, periodic)[:, chosen_clusters]
        distinct, which = np.unique(sizes, axis=1, return_inverse=True)
        for index, size in enumerate(map(tuple, distinct.T.tolist())):
            yield size, self._summed_power(chosen_clusters[which.ravel() == index], size)

    def _sizes(self, shape: Sequence[int], half: Sequence[int], periodic: bool) -> NDArray[np.intp]:
        """Choose a transform size for each cluster and axis, of few classes, with no aliasing at |r_i| <= half_i."""
        sizes = np.empty_like(self.extent)
        for axis, (side, reach) in enumerate(zip(shape, half, strict=True)):
            extent = self.extent[axis]
            needed = extent + (extent - 1 if periodic else np.minimum(extent - 1, reach))
            largest = side if periodic else fft.next_fast_len(side + reach, real=True)
            classes = np.array([n for n in _classes(largest) if n < largest] + [largest])
            sizes[axis] = classes[np.minimum(np.searchsorted(classes, needed), classes.size - 1)]
        return sizes

    def _summed_power(self, clusters: NDArray[np.intp], size: tuple[int, ...]) -> Array:
        """Sum |FFT|^2 over clusters placed at the origin of boxes of one size."""
        batch = max(1, _BATCH // int(np.prod(size)))
        power = np.zeros((*size[:-1], size[-1] // 2 + 1))
        for start in range(0, clusters.size, batch):
            part = clusters[start : start + batch]
            length = self.first[part + 1] - self.first[part]
            begin = np.repeat(self.first[part] - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
            pixel = self.points[:, begin + np.arange(length.sum())]
            boxes = np.zeros((part.size, *size))
            boxes[(np.repeat(np.arange(part.size), length), *pixel)] = 1.0
            spectrum = fft.rfftn(boxes, axes=range(1, boxes.ndim), overwrite_x=True)
            power += np.einsum("b...,b...->...", spectrum.real, spectrum.real)
            power += np.einsum("b...,b...->...", spectrum.imag, spectrum.imag)
        return power


def _boxes(points: NDArray[np.intp], first: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Lowest corner and extent of each cluster, shape (ndim, clusters)."""
    low = np.minimum.reduceat(points, first[:-1], axis=1)
    return low, np.maximum.reduceat(points, first[:-1], axis=1) - low + 1


def _classes(largest: int) -> list[int]:
    """Box sizes 4, 6, 8, 12, 16, 24, ...: quick FFT lengths, at most a half too long."""
    return [n for power in range(2, largest.bit_length() + 1) for n in (2**power, 3 * 2 ** (power - 1))]
