"""Decoding of a field into phases: exactly with pixel swaps, or as in Li et al. (2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from matlens.microstructure.encoders import filled_in
from matlens.microstructure.reconstruction.anchors import FREE
from matlens.microstructure.reconstruction.matching.engine import Problem, Solved, Stop
from matlens.microstructure.reconstruction.matching.swaps import fewest_neighbours, swap_pixels
from matlens.microstructure.reconstruction.matching.throats import cluster_moments, mend_throats
from matlens.microstructure.reconstruction.phases import PhaseCode, decode, phase_counts
from matlens.microstructure.structure import Microstructure

__all__ = ["Decoded", "decode_field", "kmeans_anneal"]

_GAP = 64  # masked pixels in one patch


@dataclass(frozen=True)
class Decoded:
    """Phases of a field.

    Attributes
    ----------
    labels : ndarray of uint8, shape (*S)
        Phase labels.
    fractions_before : ndarray, shape (K,)
        Volume fractions of the nearest phases, before decoding.
    swaps : int
        Pairs of pixels swapped to lower the loss.
    mended : int
        Pairs of pixels swapped to mend throats.

    Examples
    --------
    >>> Decoded(np.eye(2, dtype=np.uint8), np.array([0.5, 0.5]), swaps=3, mended=0).swaps
    3
    """

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
    """Decode a field into phases with exactly the wanted fractions.

    Parameters
    ----------
    problem : Problem
        Problem that was solved.
    solved : Solved
        Its field.
    shape : sequence of int
        Sides of the result in pixels, cropped from the corner of the field.
    asked : ndarray, shape (K,)
        Volume fractions.
    models : sequence of Microstructure
        Exemplars whose clusters decide where throats are mended; if there is none, nothing is mended.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Decoded
        Labels, and the numbers of swaps.

    Examples
    --------
    >>> from matlens.hooks import NoStore, Silent
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> import torch
    >>> from matlens.microstructure.reconstruction.matching.engine import solve
    >>> image = (torch.arange(32) // 4 % 2).float().expand(1, 1, 32, 32)
    >>> problem = Problem(FilterBank(), (torch.cat([1 - image, image], 1),), (32, 32), PRESETS["fast"], 2.0, 0, (1,))
    >>> solved = solve(problem, torch.tensor([0.5, 0.5]), 0, Silent(), NoStore(), lambda solved: None)
    >>> decoded = decode_field(problem, solved, (32, 32), np.array([0.5, 0.5]), (), seed=0)
    >>> int(decoded.labels.sum())
    512
    """
    preset, code = problem.preset, problem.code
    part = tuple(slice(side) for side in shape)
    known = np.full(problem.size, FREE, dtype=np.int16) if problem.known is None else problem.known
    free = known[part] == FREE
    amounts = code.indicators(solved.field)[0].cpu().numpy()
    size = int(np.prod(shape))
    counts = phase_counts(asked, size)
    # Beyond the part that is cut out, the nearest phase is good enough.
    picture = amounts.argmax(axis=0).astype(np.uint8)
    inside = amounts[(slice(None), *part)]
    before = np.bincount(picture[part].ravel(), minlength=len(amounts)) / size
    if problem.known is not None:
        picture = np.where(known == FREE, picture, known).astype(np.uint8)
        counts = counts - np.bincount(known[part][~free], minlength=len(counts))
        picture[part][free] = decode(inside[:, free], counts)
    elif preset.decode == "exact":
        picture[part] = decode(inside, counts)
    else:
        field = solved.field[0][(slice(None), *part)].cpu().numpy()
        picture[part] = kmeans_anneal(field, code, counts, seed)
    swaps = mended = 0
    if problem.swaps and solved.stop is not Stop.INTERRUPTED:
        allowed = np.zeros(picture.shape, dtype=bool)
        allowed[part] = free
        seen = [filled_in(image)[0].argmax(dim=0).cpu().numpy() for image in problem.exemplars]
        fewest = fewest_neighbours(seen, code.n_phases)
        picture, swaps = swap_pixels(picture, code, solved.objective, solved.field, allowed, fewest, problem.swaps)
    labels = picture[part]
    if preset.mend and models and not problem.sections and solved.stop is not Stop.INTERRUPTED:
        # clusters hang together only in whole windows; gaps of a few pixels are bridged
        models = [m.filled(_GAP).unmasked() for m in models]
        window = [min(*(m.shape[axis] for m in models), shape[axis]) for axis in range(2)]
        # The mean of the moments, not of their logarithms: a model that lacks a phase must not decide its target.
        moments = [np.exp(cluster_moments(m.labels, code.n_phases, window)) for m in models]
        labels, mended = mend_throats(labels, inside, np.log(np.mean(moments, axis=0)), window, seed)
    return Decoded(np.ascontiguousarray(labels), before, swaps, mended)


def kmeans_anneal(
    field: NDArray[np.floating], code: PhaseCode, counts: NDArray[np.int64], seed: int
) -> NDArray[np.uint8]:
    """Cluster the values of a field by k-means, then flip random interface pixels until the fractions are exact.

    Parameters
    ----------
    field : ndarray, shape (K - 1, H, W)
        Values of the field.
    code : PhaseCode
        Its corners start the clusters, so that cluster k is phase k.
    counts : ndarray of int, shape (K,)
        Number of pixels of each phase.
    seed : int
        Seed of the flips.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        Phase labels.

    Notes
    -----
    Li et al., Sci. Rep. 8, 13461 (2018). Their energy is the error of the fraction alone, which flips of a phase in
    excess always lower, so that the annealing needs no uphill moves.

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
