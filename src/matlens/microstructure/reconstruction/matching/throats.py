"""Mending of throats after decoding: single pixels that decide whether clusters are connected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.reconstruction.matching.clusters import WindowClusters

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
    clusters = WindowClusters(labels, n_phases, window)
    return _logarithms(clusters.sums, clusters.area)


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
    clusters, throats = WindowClusters(labels, phases, window), _Throats(labels, flat_amounts)
    moments = _logarithms(clusters.sums, clusters.area)
    price = _FIDELITY / size**0.5
    idle, swaps, most = 0, 0, size // 200
    pairs: dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.intp]]] = {}
    for proposal in range(max(800, size // 20)):
        if np.square(moments - target).mean() < _CLOSE or idle > _PATIENCE or swaps == most:
            break
        if proposal % 50 == 0:
            pairs = throats.candidates()
        if not pairs:
            break
        key = list(pairs)[random.integers(len(pairs))]
        deciding, others = pairs[key]
        one = int(random.choice(deciding))
        some = random.choice(others, 8)
        other = int(some[np.argmin(flat_amounts[key[1], some] - flat_amounts[key[0], some])])
        if flat[one] != key[0] or flat[other] != key[1]:
            continue  # swapped since the candidates were listed
        loss = np.subtract(*flat_amounts[key, one]) - np.subtract(*flat_amounts[key, other])
        found = _logarithms(clusters.swapped(one, other, *key), clusters.area)
        if np.square(found - target).sum() + price * max(loss, 0.0) < np.square(moments - target).sum():
            clusters.swap(one, other, *key)
            flat[one], flat[other] = key[1], key[0]
            throats.changed(one, other)
            moments, swaps, idle = found, swaps + 1, 0
        else:
            idle += 1
    return labels, swaps


class _Throats:
    """Pixels that decide connectivity and pixels of plain interfaces, kept up to date as pixels change."""

    def __init__(self, labels: NDArray[np.uint8], amounts: NDArray[np.floating]) -> None:
        self._labels = labels
        ranked = np.argsort(amounts, axis=0)
        self._first, self._second = (ranked[place].astype(np.uint8) for place in (-1, -2))
        self._crossings = np.empty(labels.shape, dtype=np.uint8)
        self._touching = np.empty((len(amounts), *labels.shape), dtype=np.uint8)
        self._found: dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.intp]]] | None = None
        self._look(0, labels.shape[0], 0, labels.shape[1])

    def changed(self, *places: int) -> None:
        """Look again around pixels whose phase has changed."""
        self._found = None
        height, width = self._labels.shape
        for y, x in (divmod(place, width) for place in places):
            self._look(max(y - 1, 0), min(y + 2, height), max(x - 1, 0), min(x + 2, width))

    def candidates(self) -> dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Find, for phases (a, b), pixels of a that decide connectivity, and interface pixels of b next in line for a.

        Each entry has the flat indices of both.
        """
        if self._found is None:
            self._found = {}
            own, crossings = self._labels.ravel(), self._crossings.ravel()
            rival = np.where(self._first == own, self._second, self._first)
            decides, plain = crossings > 2, crossings == 2
            for a, touching in enumerate(self._touching.reshape(len(self._touching), -1)):
                near = plain & (touching >= 3) & (touching <= 5) & (rival == a)
                for b in range(len(self._touching)):
                    deciding = np.flatnonzero(decides & (own == a) & (rival == b))
                    others = np.flatnonzero(near & (own == b))
                    if a != b and deciding.size and others.size:
                        self._found[a, b] = (deciding, others)
        return self._found

    def _look(self, top: int, bottom: int, left: int, right: int) -> None:
        """Count, in a box, the changes of phase around each pixel and its neighbours of each phase.

        Around a pixel there is no change of phase inside a phase, two at an interface, more at a throat.
        """
        height, width = self._labels.shape
        wide = self._labels[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
        margins = ((int(top == 0), int(bottom == height)), (int(left == 0), int(right == width)))
        wide = np.pad(wide, margins, mode="edge")
        rows, columns = bottom - top, right - left
        steps = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
        ring = np.stack([wide[y : y + rows, x : x + columns] for y, x in steps])
        box = (slice(top, bottom), slice(left, right))
        self._crossings[box] = np.count_nonzero(ring != np.roll(ring, 1, axis=0), axis=0)
        for phase, touching in enumerate(self._touching):
            touching[box] = np.count_nonzero(ring == phase, axis=0)


def _logarithms(sums: NDArray[np.int64], area: int) -> NDArray[np.float64]:
    """Return the logarithms of mean cluster sizes."""
    return np.log(np.maximum(sums.ravel() / area, 1e-9))
