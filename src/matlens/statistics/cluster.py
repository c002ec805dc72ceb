"""Two-point cluster function: the probability that two points lie in the same connected piece of a phase.

C2 is the sum of the clusters' own autocorrelations. Each cluster is correlated inside its bounding box; boxes of like
size go through one batched FFT and their power spectra are summed before the single inverse transform, so a thousand
small clusters cost little more than one image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matlens.errors import InputError
from matlens.microstructure import Microstructure
from matlens.statistics.two_point import centred, half_sides, overlap_counts, radial_mean

__all__ = ["Connectivity", "cluster_map", "cluster_radial", "label_clusters"]

Connectivity = Literal["face", "full"]

BATCH_PIXELS = 1 << 20  # a batch of boxes stays within some ten megabytes


def label_clusters(
    indicator: NDArray[np.bool_], *, connectivity: Connectivity = "face", periodic: bool = False
) -> tuple[NDArray[np.intp], int]:
    """Number the connected pieces of a phase.

    Parameters
    ----------
    indicator : ndarray of bool
        True in the phase; two- or three-dimensional.
    connectivity : {"face", "full"}
        Neighbours share a face, or at least a corner.
    periodic : bool
        Whether pieces continue across opposite borders.

    Returns
    -------
    labels : ndarray of int
        0 outside the phase, 1..n in its pieces.
    n : int
        Number of pieces.

    Raises
    ------
    InputError
        If ``connectivity`` is neither "face" nor "full".

    Examples
    --------
    >>> label_clusters(np.eye(3, dtype=bool))[1], label_clusters(np.eye(3, dtype=bool), connectivity="full")[1]
    (3, 1)
    """
    if connectivity not in ("face", "full"):
        raise InputError(f"connectivity={connectivity!r} is not known; give 'face' or 'full'.")
    structure = ndimage.generate_binary_structure(indicator.ndim, 1 if connectivity == "face" else indicator.ndim)
    if not periodic:
        labels, count = ndimage.label(indicator, structure)
        return labels.astype(np.intp), int(count)
    # one layer of the opposite border on every side; pieces that meet in a copied pixel are one
    padded, count = ndimage.label(np.pad(indicator, 1, mode="wrap"), structure)
    inner = padded[(slice(1, -1),) * indicator.ndim]
    again = np.pad(inner, 1, mode="wrap")
    return _merge(inner, padded, again, int(count))


def _merge(
    inner: NDArray[np.intp], first: NDArray[np.intp], second: NDArray[np.intp], count: int
) -> tuple[NDArray[np.intp], int]:
    """Unite the labels that two labellings give to the same pixel and renumber those present in ``inner``."""
    met = first != second
    pairs = np.unique(np.stack([first[met], second[met]]), axis=1)
    graph = coo_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(count + 1, count + 1))
    # the background never meets a label, so it stays alone in component 0
    _, component = connected_components(graph, directed=False)
    _, dense = np.unique(np.append(0, component[inner]), return_inverse=True)
    return dense[1:].reshape(inner.shape), int(dense.max())


def cluster_map(m: Microstructure, *, connectivity: Connectivity = "face") -> NDArray[np.float64]:
    """Compute the two-point cluster function of every phase for all offsets up to half the side.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; clusters are merged across borders only if it is periodic.
    connectivity : {"face", "full"}
        Neighbours share a face, or at least a corner.

    Returns
    -------
    ndarray of float64, shape (K, 2 h_1 + 1, ..., 2 h_d + 1), h_i = side_i // 2
        P{x and x + r lie in the same cluster of the phase}; the centre is r = 0.

    Raises
    ------
    InputError
        If ``connectivity`` is neither "face" nor "full".

    Notes
    -----
    Torquato, Beasley & Chiew, J. Chem. Phys. 88, 6540 (1988).

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> cluster_map(Microstructure([[1, 0], [0, 1]]))[1].tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    half = half_sides(m.shape)
    total = np.zeros((m.n_phases, *(2 * h + 1 for h in half)))
    for phase, indicator in enumerate(m.indicators()):
        labels, count = label_clusters(indicator, connectivity=connectivity, periodic=m.periodic)
        if count:
            total[phase] = _pair_counts(labels, count, half, m.periodic)
    return np.rint(total) / overlap_counts(m.shape, half, m.periodic)


def cluster_radial(m: Microstructure, *, connectivity: Connectivity = "face") -> NDArray[np.float64]:
    """Compute the two-point cluster function averaged over shells of round(|r|) pixels.

    Returns
    -------
    ndarray of float64, shape (K, R), R = min(side) // 2 + 1
        Distances 0, 1, 2, ... in pixels.

    See Also
    --------
    cluster_map : parameters and errors.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> cluster_radial(Microstructure([[1, 0], [0, 1]]), connectivity="full")[1].tolist()
    [0.5, 0.25]
    """
    return radial_mean(cluster_map(m, connectivity=connectivity), half_sides(m.shape))


def _pair_counts(labels: NDArray[np.intp], count: int, half: Sequence[int], periodic: bool) -> NDArray[np.float64]:
    """Count the pairs of pixels of one cluster for every offset |r_i| <= half_i."""
    total = np.zeros([2 * h + 1 for h in half])
    for size, spectrum in _power_by_size(labels, count, half, periodic):
        pairs = fft.irfftn(spectrum, s=size)
        reach = [
            min(h, n // 2 if periodic and n == side else (n - 1) // 2)
            for h, n, side in zip(half, size, labels.shape, strict=True)
        ]
        inside = tuple(slice(h - r, h + r + 1) for h, r in zip(half, reach, strict=True))
        total[inside] += centred(pairs, reach)
    return total


def _power_by_size(
    labels: NDArray[np.intp], count: int, half: Sequence[int], periodic: bool
) -> Iterator[tuple[tuple[int, ...], NDArray[np.float64]]]:
    """Yield each transform size with the summed power spectrum of the clusters that need it."""
    coordinates = np.nonzero(labels)
    member = labels[coordinates] - 1
    order = np.argsort(member, kind="stable")
    member = member[order]
    first = np.searchsorted(member, np.arange(count + 1))
    points = np.stack([c[order] for c in coordinates])
    low = np.minimum.reduceat(points, first[:-1], axis=1)
    extent = np.maximum.reduceat(points, first[:-1], axis=1) - low + 1
    points -= low[:, member]
    sizes = _transform_sizes(extent, labels.shape, half, periodic)
    distinct, which = np.unique(sizes, axis=1, return_inverse=True)
    for index, size in enumerate(map(tuple, distinct.T.tolist())):
        yield size, _summed_power(points, first, np.flatnonzero(which.ravel() == index), size)


def _transform_sizes(
    extent: NDArray[np.intp], shape: Sequence[int], half: Sequence[int], periodic: bool
) -> NDArray[np.intp]:
    """Choose a transform size for each cluster and axis, from few classes, with no aliasing at |r_i| <= half_i."""
    sizes = np.empty_like(extent)
    for axis, (side, reach) in enumerate(zip(shape, half, strict=True)):
        needed = extent[axis] + (extent[axis] - 1 if periodic else np.minimum(extent[axis] - 1, reach))
        largest = side if periodic else fft.next_fast_len(side + reach, real=True)
        classes = np.array([n for n in _classes(largest) if n < largest] + [largest])
        sizes[axis] = classes[np.minimum(np.searchsorted(classes, needed), classes.size - 1)]
    return sizes


def _classes(largest: int) -> list[int]:
    """Box sizes 4, 6, 8, 12, 16, 24, ...: quick FFT lengths, at most a half too long."""
    return [n for power in range(2, largest.bit_length() + 1) for n in (2**power, 3 * 2 ** (power - 1))]


def _summed_power(
    points: NDArray[np.intp], first: NDArray[np.intp], clusters: NDArray[np.intp], size: tuple[int, ...]
) -> NDArray[np.float64]:
    """Sum |FFT|^2 over clusters placed at the origin of boxes of one size."""
    batch = max(1, BATCH_PIXELS // int(np.prod(size)))
    power = np.zeros((*size[:-1], size[-1] // 2 + 1))
    for start in range(0, clusters.size, batch):
        part = clusters[start : start + batch]
        length = first[part + 1] - first[part]
        begin = np.repeat(first[part] - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
        pixel = points[:, begin + np.arange(length.sum())]
        boxes = np.zeros((part.size, *size))
        boxes[(np.repeat(np.arange(part.size), length), *pixel)] = 1.0
        spectrum = fft.rfftn(boxes, axes=range(1, boxes.ndim), overwrite_x=True)
        power += np.einsum("b...,b...->...", spectrum.real, spectrum.real)
        power += np.einsum("b...,b...->...", spectrum.imag, spectrum.imag)
    return power
