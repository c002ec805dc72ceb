"""From a field to phases: exactly and with care for the picture, or the way of Li et al. (2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from matlens.microstructure.reconstruction.matching.engine import Problem, Solved, Stop
from matlens.microstructure.reconstruction.matching.swaps import fewest_neighbours, swap_pixels
from matlens.microstructure.reconstruction.matching.throats import cluster_moments, mend_throats
from matlens.microstructure.reconstruction.phases import PhaseCode, decode, phase_counts
from matlens.microstructure.structure import Microstructure

__all__ = ["Decoded", "decode_field", "kmeans_anneal"]


@dataclass(frozen=True)
class Decoded:
    """Phases of a field: labels, fractions of the nearest phases before, pairs that traded and that mended necks."""

    labels: NDArray[np.uint8]
    fractions_before: NDArray[np.float64]
    swaps: int
    mended: int


# docs/decisions/0011-exact-decoding.md
def decode_field(
    problem: Problem,
    solved: Solved,
    shape: Sequence[int],
    asked: NDArray[np.float64],
    models: Sequence[Microstructure],
    seed: int,
) -> Decoded:
    """Read phases at exactly the fractions asked for off a solved field.

    Parameters
    ----------
    problem, solved
        The field and what it was to match.
    shape : (int, int)
        Height and width of the result, cut from the field's corner.
    asked : ndarray
        Volume fractions, shape (K,).
    models : sequence of Microstructure
        Whose clusters decide where necks are mended; none, and nothing is mended.
    seed : int
        Of what is drawn.
    """
    preset, code = problem.preset, problem.code
    rows, columns = shape
    amounts = code.indicators(solved.field)[0].cpu().numpy()
    counts = phase_counts(asked, rows * columns)
    # Beyond the part that is cut out, the nearest phase is good enough.
    picture = amounts.argmax(axis=0).astype(np.uint8)
    inside = amounts[:, :rows, :columns]
    before = np.bincount(picture[:rows, :columns].ravel(), minlength=len(amounts)) / (rows * columns)
    if preset.decode == "exact":
        picture[:rows, :columns] = decode(inside, counts)
    else:
        field = solved.field[0, :, :rows, :columns].cpu().numpy()
        picture[:rows, :columns] = kmeans_anneal(field, code, counts, seed)
    swaps = mended = 0
    if preset.swaps and solved.stop is not Stop.INTERRUPTED:
        allowed = np.zeros(picture.shape, dtype=bool)
        allowed[:rows, :columns] = True
        fewest = fewest_neighbours([image[0].argmax(dim=0).cpu().numpy() for image in problem.exemplars], code.n_phases)
        picture, swaps = swap_pixels(picture, code, solved.objective, solved.field, allowed, fewest, preset.swaps)
    labels = picture[:rows, :columns]
    if preset.mend and models and solved.stop is not Stop.INTERRUPTED:
        window = [min(*(m.shape[axis] for m in models), shape[axis]) for axis in range(2)]
        # The mean of the moments, not of their logarithms: a model that lacks a phase must not decide its target.
        moments = [np.exp(cluster_moments(m.labels, code.n_phases, window)) for m in models]
        labels, mended = mend_throats(labels, inside, np.log(np.mean(moments, axis=0)), window, seed)
    return Decoded(np.ascontiguousarray(labels), before, swaps, mended)


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
