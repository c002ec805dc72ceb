"""From a field to phases: exactly, or the way of Li et al. (2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from matlens.reconstruction.phases import PhaseCode

__all__ = ["kmeans_anneal"]


def kmeans_anneal(
    field: NDArray[np.floating], code: PhaseCode, counts: NDArray[np.int64], seed: int
) -> NDArray[np.uint8]:
    """Cluster the field's values by k-means, then flip random interface pixels until the fractions are right.

    Parameters
    ----------
    field : ndarray
        Values, shape (K - 1, height, width).
    code : PhaseCode
        Its corners start the clusters, so that cluster k is phase k.
    counts : ndarray of int
        Pixels asked for each phase.
    seed : int
        Of the flips.

    Returns
    -------
    ndarray of uint8
        Labels, shape (height, width).

    Notes
    -----
    Li et al., Sci. Rep. 8:13461 (2018). Their energy is the error of the fraction alone, which flips of the phase in
    excess always lower: the annealing needs no uphill moves.

    Examples
    --------
    >>> field = np.array([[[-1.0, -0.8, 0.7, 0.9]] * 4])
    >>> labels = kmeans_anneal(field, PhaseCode(2), np.array([6, 10]), seed=0)
    >>> int(labels.sum())
    10
    """
    from sklearn.cluster import KMeans

    values = field.reshape(field.shape[0], -1).T
    means = KMeans(code.n_phases, init=code.corners.numpy().astype(values.dtype), n_init=1).fit(values)
    labels: NDArray[np.uint8] = means.labels_.reshape(field.shape[1:]).astype(np.uint8)
    random = np.random.default_rng(seed)
    while (excess := np.bincount(labels.ravel(), minlength=code.n_phases) - counts).any():
        giver, taker = int(excess.argmax()), int(excess.argmin())
        most = int(min(excess[giver], -excess[taker]))
        near = ndimage.binary_dilation(labels == taker) & (labels == giver)
        places = np.flatnonzero(near if near.any() else labels == giver)
        # A few at a time, so that the interface moves as a whole instead of growing fingers.
        labels.ravel()[random.choice(places, min(most, max(1, places.size // 20)), replace=False)] = taker
    return labels
