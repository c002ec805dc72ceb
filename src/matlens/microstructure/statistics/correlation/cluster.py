"""Two-point cluster function: the probability that two points lie in the same connected piece of a phase.

C2 is the sum of the clusters' own autocorrelations; `matlens.microstructure.statistics.correlation.cluster_pairs` says
how they are counted.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.cluster_pairs import pairs_in_clusters
from matlens.microstructure.statistics.correlation.offsets import half_sides, overlap_counts, radial_mean
from matlens.microstructure.statistics.correlation.pair_counts import auto_counts
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.statistic import N_LOG_N, Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["CLUSTER", "Connectivity", "cluster_map", "cluster_radial", "label_clusters"]

Connectivity = Literal["face", "full"]


def label_clusters(
    indicator: NDArray[np.bool_], *, connectivity: Connectivity = "face", periodic: bool = False
) -> tuple[NDArray[np.int32], int]:
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
        return np.asarray(labels, dtype=np.int32), int(count)
    # one layer of the opposite border on every side; pieces that meet in a copied pixel are one
    padded, count = ndimage.label(np.pad(indicator, 1, mode="wrap"), structure)
    inner = padded[(slice(1, -1),) * indicator.ndim]
    again = np.pad(inner, 1, mode="wrap")
    return _merge(inner, padded, again, int(count))


def _merge(
    inner: NDArray[np.int32], first: NDArray[np.int32], second: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int32], int]:
    """Unite the labels that two labellings give to the same pixel and renumber those present in ``inner``."""
    met = first != second
    pairs = np.unique(np.stack([first[met], second[met]]), axis=1)
    graph = coo_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(count + 1, count + 1))
    # the background never meets a label, so it stays alone in component 0
    _, component = connected_components(graph, directed=False)
    _, dense = np.unique(np.append(0, component[inner]), return_inverse=True)
    return dense[1:].reshape(inner.shape).astype(np.int32), int(dense.max())


def cluster_map(
    m: Microstructure, *, connectivity: Connectivity = "face", mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compute the two-point cluster function of every phase for all offsets up to half the side.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; clusters are merged across borders only if it is periodic.
    connectivity : {"face", "full"}
        Neighbours share a face, or at least a corner.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask. Clusters hang together
        only through what is known, as in a window.

    Returns
    -------
    ndarray of float64, shape (K, 2 h_1 + 1, ..., 2 h_d + 1), h_i = side_i // 2
        P{x and x + r lie in the same cluster of the phase}; the centre is r = 0. NaN at offsets of which the mask
        leaves no pair.

    Raises
    ------
    InputError
        If ``connectivity`` is neither "face" nor "full", or the mask does not fit or leaves nothing.

    Notes
    -----
    Torquato, Beasley & Chiew, J. Chem. Phys. 88, 6540 (1988).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> cluster_map(Microstructure([[1, 0], [0, 1]]))[1].tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    half, known = half_sides(m.shape), checked_mask(m, mask)
    total = np.zeros((m.n_phases, *(2 * h + 1 for h in half)))
    for phase in range(m.n_phases):
        indicator = m.labels == phase if known is None else (m.labels == phase) & known
        labels, count = label_clusters(indicator, connectivity=connectivity, periodic=m.periodic)
        if count:
            total[phase] = pairs_in_clusters(labels, count, half, m.periodic)
    places = overlap_counts(m.shape, half, m.periodic) if known is None else auto_counts(known, half, m.periodic)
    places[places == 0] = np.nan
    total /= places
    return total


def cluster_radial(
    m: Microstructure, *, connectivity: Connectivity = "face", mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compute the two-point cluster function averaged over shells of round(|r|) pixels.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.
    connectivity : {"face", "full"}
        Whether pixels that touch by an edge or a corner alone belong to one cluster (full) or not (face).
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, R), R = min(side) // 2 + 1
        Distances 0, 1, 2, ... in pixels.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    See Also
    --------
    cluster_map : parameters and errors.

    Notes
    -----
    Torquato, Beasley & Chiew, J. Chem. Phys. 88, 6540 (1988).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> cluster_radial(Microstructure([[1, 0], [0, 1]]), connectivity="full")[1].tolist()
    [0.5, 0.25]
    """
    return radial_mean(cluster_map(m, connectivity=connectivity, mask=mask), half_sides(m.shape), m.spacing)


def _face_and_full(m: Microstructure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cluster_radial(m), cluster_radial(m, connectivity="full")


CLUSTER = Statistic(
    name="cluster",
    long_name="two-point cluster function",
    compute=_face_and_full,
    variables=(
        Variable(
            name="cluster_radial",
            dims=("phase", "r"),
            long_name="P(same face-connected cluster) by distance",
            display=Display(
                section="curves", place=2, title="Two-point cluster", label="probability", against="distance"
            ),
            facts=Facts(least=0, most=1, absent=0),
        ),
        Variable(
            name="cluster_radial_full",
            dims=("phase", "r"),
            long_name="P(same fully connected cluster) by distance",
            facts=Facts(least=0, most=1, absent=0),
        ),
    ),
    cost=Cost(seconds=(0.32, 0.25), bytes=(70, 62), exponent=N_LOG_N),
    cites=("torquato1988cluster",),
)
