"""Mending of throats after decoding: single pixels that decide whether clusters are connected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["cluster_moments", "mend_throats"]

# docs/decisions/0012-pixel-swaps.md
_FIDELITY = 0.3  # price of a swap against its gain in the logarithms of the cluster moments
_CLOSE = 0.002  # squared deviation a moment at which nothing is left to mend
_PATIENCE = 400  # proposals without an improvement


def cluster_moments(labels: NDArray[np.uint8], n_phases: int, window: Sequence[int]) -> NDArray[np.float64]:
    """Compute the logarithm of the mean cluster size, sum of squared sizes over area, of each phase and connectivity.

    Parameters
    ----------
    labels : ndarray of uint8, shape (H, W)
        Phase labels.
    n_phases : int
        Number of phases K.
    window : sequence of int
        Height and width of the adjacent windows to which clusters are cut, so that pictures of different sizes compare.

    Returns
    -------
    ndarray, shape (2 K,)
        Face and full connectivity of phase 0, of phase 1, and so on. It is the logarithm of the integral of the
        two-point cluster function, times the window's area.

    Notes
    -----
    The two-point cluster function after Torquato, Beasley and Chiew, J. Chem. Phys. 88, 6540 (1988).

    Examples
    --------
    >>> np.exp(cluster_moments(np.eye(2, dtype=np.uint8), 2, (2, 2))).round(6).tolist()
    [0.5, 1.0, 0.5, 1.0]
    """
    full = np.ones((3, 3))
    sums = np.zeros((n_phases, 2))
    area = 0
    for tile in _tiles(labels, window):
        area += tile.size
        for phase in range(n_phases):
            inside = tile == phase
            for column, structure in enumerate((None, full)):
                clusters, _ = ndimage.label(inside, structure)
                sums[phase, column] += np.square(np.bincount(clusters.ravel())[1:].astype(float)).sum()
    return np.log(np.maximum(sums.ravel() / area, 1e-9))


def mend_throats(
    labels: NDArray[np.uint8],
    amounts: NDArray[np.floating],
    target: NDArray[np.float64],
    window: Sequence[int],
    seed: int,
) -> tuple[NDArray[np.uint8], int]:
    """Swap single pixels until clusters are as large as the exemplar's, at the least loss of amount.

    Where lamellae or grain boundaries are two or three pixels wide, one pixel connects or separates whole clusters, and
    decoding chooses it without regard to that. Pairs of pixels are proposed for a swap (so that the fractions stay):
    one where connectivity is decided, one at a plain interface, so that no speckle arises. A swap is kept if it brings
    `cluster_moments` closer to the target by more than the amounts it costs.

    Parameters
    ----------
    labels : ndarray of uint8, shape (H, W)
        Decoded phases, which are not changed.
    amounts : ndarray, shape (K, H, W)
        Amount of each phase in the field.
    target : ndarray, shape (2 K,)
        `cluster_moments` of the exemplars.
    window : sequence of int
        Height and width of the windows, as in `cluster_moments`.
    seed : int
        Seed of the proposals.

    Returns
    -------
    labels : ndarray of uint8, shape (H, W)
        Phases with the same volume fractions.
    swaps : int
        Number of pairs that were swapped.

    Examples
    --------
    >>> rows = np.zeros((16, 16), dtype=np.uint8)
    >>> rows[4:6], rows[10:12] = 1, 1
    >>> broken = rows.copy()
    >>> broken[4:6, 8], broken[7, 3:5] = 0, 1
    >>> amounts = np.stack([1.0 - broken, broken]) * 0.1 + 0.45
    >>> mended, swaps = mend_throats(broken, amounts, cluster_moments(rows, 2, (16, 16)), (16, 16), seed=0)
    >>> bool((mended.sum() == broken.sum()) and swaps > 0)
    True
    """
    random = np.random.default_rng(seed)
    phases, size = amounts.shape[0], labels.size
    labels = labels.copy()
    flat = labels.ravel()
    flat_amounts = amounts.reshape(phases, -1)
    moments = cluster_moments(labels, phases, window)
    price = _FIDELITY / size**0.5
    idle, swaps, most = 0, 0, size // 200
    pairs: dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.intp]]] = {}
    for proposal in range(max(800, size // 20)):
        if np.square(moments - target).mean() < _CLOSE or idle > _PATIENCE or swaps == most:
            break
        if proposal % 50 == 0:
            pairs = _candidates(labels, flat_amounts)
        if not pairs:
            break
        key = list(pairs)[random.integers(len(pairs))]
        deciding, others = pairs[key]
        one = random.choice(deciding)
        some = random.choice(others, 8)
        other = some[np.argmin(flat_amounts[key[1], some] - flat_amounts[key[0], some])]
        if flat[one] != key[0] or flat[other] != key[1]:
            continue  # swapped since the candidates were listed
        flat[one], flat[other] = key[1], key[0]
        loss = np.subtract(*flat_amounts[key, one]) - np.subtract(*flat_amounts[key, other])
        found = cluster_moments(labels, phases, window)
        if np.square(found - target).sum() + price * max(loss, 0.0) < np.square(moments - target).sum():
            moments, swaps, idle = found, swaps + 1, 0
        else:
            flat[one], flat[other] = key
            idle += 1
    return labels, swaps


def _candidates(
    labels: NDArray[np.uint8], amounts: NDArray[np.floating]
) -> dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Find, for phases (a, b), pixels of a that decide connectivity, and interface pixels of b next in line for a."""
    ring = _ring(labels).reshape(8, -1)
    crossings = np.count_nonzero(ring != np.roll(ring, 1, axis=0), axis=0)
    own = labels.ravel()
    ranked = np.argsort(amounts, axis=0)
    rival = np.where(ranked[-1] == own, ranked[-2], ranked[-1])
    found = {}
    for a in range(len(amounts)):
        for b in range(len(amounts)):
            deciding = np.flatnonzero((crossings > 2) & (own == a) & (rival == b))
            touching = np.count_nonzero(ring == a, axis=0)
            plain = (crossings == 2) & (touching >= 3) & (touching <= 5)
            others = np.flatnonzero(plain & (own == b) & (rival == a))
            if a != b and deciding.size and others.size:
                found[a, b] = (deciding, others)
    return found


def _ring(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """List the phases of the eight neighbours in order: no change inside, two at an interface, more at a throat."""
    wide = np.pad(labels, 1, mode="edge")
    height, width = labels.shape
    steps = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    return np.stack([wide[y : y + height, x : x + width] for y, x in steps])


def _tiles(labels: NDArray[np.uint8], window: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    for y in range(0, labels.shape[0] - window[0] + 1, window[0]):
        for x in range(0, labels.shape[1] - window[1] + 1, window[1]):
            yield labels[y : y + window[0], x : x + window[1]]
