"""P(phase | causal neighbourhood): decision trees learned at every place of a field, stored as flat arrays.

A neighbourhood has the pixels that a raster scan has drawn already and, where there is a coarser level, that level's
pixels all around. A pixel of the coarse level has four children; each kind of child has a tree of its own, for it sees
the coarse pixels from another corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from matlens.microstructure.reconstruction.phases import decode, phase_counts

__all__ = ["CausalTree", "Samples", "box_labels", "grow", "offsets", "samples"]

Labels = NDArray[np.uint8]
Offsets = NDArray[np.intp]
Samples = tuple[NDArray[np.uint8], Labels]
"""Neighbourhoods, shape (n, neighbours), and the phase found at each, shape (n,)."""

_MOST = 60_000  # samples a tree is grown from: more only take time


@dataclass(frozen=True)
class CausalTree:
    """Decision trees as arrays, one after the other; a leaf is its own child.

    Attributes
    ----------
    feature, threshold : ndarray, shape (nodes,)
        Feature that each node tests, and the largest value that goes left.
    children : ndarray of int, shape (nodes, 2)
        Left and right child of each node.
    probability : ndarray, shape (nodes, K)
        Probability of each phase at a leaf.
    roots : ndarray of int
        First node of each tree.
    depth : int
        Largest number of tests from a root to a leaf.

    Notes
    -----
    Bostanabad et al., Acta Mater. 103, 89 (2016).

    Examples
    --------
    >>> x = np.array([[0], [1]], dtype=np.uint8)
    >>> tree: CausalTree = grow([(x, x[:, 0])], n_phases=2, leaf=1, seed=0)
    >>> tree.depth, tree.roots.tolist()
    (1, [0])
    """

    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    children: NDArray[np.intp]
    probability: NDArray[np.float64]
    roots: NDArray[np.intp]
    depth: int

    def __call__(self, neighbourhoods: NDArray[np.uint8], kinds: NDArray[np.intp]) -> NDArray[np.float64]:
        """Compute the probability of every phase.

        Parameters
        ----------
        neighbourhoods : ndarray of uint8, shape (n, neighbours)
            Values of the neighbours.
        kinds : ndarray of int, shape (n,)
            Number of the tree for each neighbourhood.

        Returns
        -------
        ndarray, shape (n, K)
            Probabilities.
        """
        node, every = self.roots[kinds], np.arange(len(kinds))
        for _ in range(self.depth):
            right = neighbourhoods[every, self.feature[node]] > self.threshold[node]
            node = self.children[node, right.astype(np.intp)]
        return np.asarray(self.probability[node])


def offsets(radius: int, *, causal: bool) -> Offsets:
    """List the offsets of the pixels within a radius: all, or only those that a raster scan visits before.

    Parameters
    ----------
    radius : int
        Radius in pixels.
    causal : bool
        Whether to keep only pixels that a raster scan visits before.

    Returns
    -------
    ndarray of int, shape (m, 2)
        Offsets as row and column.

    Examples
    --------
    >>> offsets(1, causal=True).tolist()
    [[-1, -1], [-1, 0], [-1, 1], [0, -1]]
    """
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    inside = rows**2 + columns**2 <= radius * (radius + 1)
    if causal:
        inside &= (rows < 0) | ((rows == 0) & (columns < 0))
    return np.stack([rows[inside], columns[inside]], axis=1)


def box_labels(labels: Labels, n_phases: int, factor: int) -> Labels:
    """Find the majority phases of all boxes of ``factor`` pixels, at the volume fractions of the labels.

    Ties are decided by the surroundings.

    Parameters
    ----------
    labels : ndarray of uint8, shape (H, W)
        Phase labels.
    n_phases : int
        Number of phases K.
    factor : int
        Side length of a box in pixels.

    Returns
    -------
    ndarray of uint8, shape (H - factor + 1, W - factor + 1)
        Phase labels of the boxes.

    Examples
    --------
    >>> box_labels(np.eye(4, dtype=np.uint8), 2, 2)
    array([[1, 0, 0],
           [0, 0, 0],
           [0, 0, 1]], dtype=uint8)
    """
    if factor == 1:
        return labels
    shares = (labels == np.arange(n_phases, dtype=np.uint8)[:, None, None]).astype(float)
    counts = phase_counts(shares.mean(axis=(1, 2)), (labels.shape[0] - factor + 1) * (labels.shape[1] - factor + 1))
    for axis in (1, 2):
        windows = np.lib.stride_tricks.sliding_window_view(shares, factor, axis=axis)
        shares = windows.mean(axis=-1)
    return decode(shares + 1e-3 * ndimage.gaussian_filter(shares, (0, 2, 2)), counts)


def samples(
    fine: Labels, coarse: Labels | None, factor: int, child: tuple[int, int], own: Offsets, parent: Offsets
) -> Samples:
    """Extract the neighbourhoods at all places of an exemplar where they lie inside it.

    Parameters
    ----------
    fine, coarse : ndarray of uint8
        `box_labels` of one exemplar at ``factor`` and at twice that; ``coarse`` is None at the coarsest level.
    factor : int
        Distance between neighbours in pixels.
    child : (int, int)
        Row and column, 0 or 1, of a pixel within its coarse pixel.
    own, parent : ndarray of int, shape (m, 2)
        Offsets within the level and on the coarser one.

    Returns
    -------
    neighbourhoods : ndarray of uint8, shape (n, neighbours)
        Values of the neighbours.
    phases : ndarray of uint8, shape (n,)
        Phase of each place.

    Examples
    --------
    >>> x, y = samples(np.eye(4, dtype=np.uint8), None, 1, (0, 0), offsets(1, causal=True), offsets(0, causal=False))
    >>> x.shape, y.tolist()
    ((6, 4), [1, 0, 0, 1, 0, 0])
    """
    parts = [(fine, own * factor)]
    if coarse is not None:
        parts.append((coarse, (2 * parent - np.array(child)) * factor))
    low = np.maximum(0, -np.min([steps.min(axis=0) for _, steps in parts], axis=0))
    high = np.min([fine.shape, *(np.array(field.shape) - steps.max(axis=0) for field, steps in parts)], axis=0)
    rows, columns = (index.ravel() for index in np.mgrid[low[0] : high[0], low[1] : high[1]])
    seen = [field[rows[:, None] + steps[:, 0], columns[:, None] + steps[:, 1]] for field, steps in parts]
    return np.concatenate(seen, axis=1), fine[rows, columns]


def grow(kinds: Sequence[Samples], n_phases: int, leaf: int, seed: int) -> CausalTree:
    """Grow one tree for each kind of samples.

    Parameters
    ----------
    kinds : sequence of (ndarray, ndarray)
        Neighbourhoods and phases of each kind, as `samples` returns them.
    n_phases : int
        Number of phases K.
    leaf : int
        Least number of samples at a leaf.
    seed : int
        Seed of the choice of samples, where there are very many, and of ties between tests.

    Returns
    -------
    CausalTree
        The trees in the order of ``kinds``.

    Notes
    -----
    Bostanabad et al., Acta Mater. 103, 89 (2016).

    Examples
    --------
    >>> x = np.array([[0, 1], [0, 0], [1, 1], [1, 0]], dtype=np.uint8)
    >>> tree = grow([(x, x[:, 0])], n_phases=2, leaf=1, seed=0)
    >>> tree(x, np.zeros(4, dtype=np.intp))[:, 1].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    from sklearn.tree import DecisionTreeClassifier

    random = np.random.default_rng(seed)
    parts, roots, nodes = [], [], 0
    for neighbourhoods, phases in kinds:
        if len(phases) > _MOST:
            chosen = random.choice(len(phases), _MOST, replace=False)
            neighbourhoods, phases = neighbourhoods[chosen], phases[chosen]
        model = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=leaf, random_state=seed)
        tree = model.fit(one_hot(neighbourhoods, n_phases), phases).tree_
        ends, itself = tree.children_left < 0, np.arange(tree.node_count)
        children = np.stack([tree.children_left, tree.children_right], axis=1)
        children = np.where(ends[:, None], itself[:, None], children) + nodes
        probability = np.zeros((tree.node_count, n_phases))
        probability[:, model.classes_] = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
        parts.append((np.where(ends, 0, tree.feature), tree.threshold, children, probability, tree.max_depth))
        roots.append(nodes)
        nodes += tree.node_count
    feature, threshold, children, probability = (np.concatenate([part[i] for part in parts]) for i in range(4))
    return CausalTree(feature, threshold, children, probability, np.array(roots), max(part[4] for part in parts))


def one_hot(neighbourhoods: NDArray[np.uint8], n_phases: int) -> NDArray[np.uint8]:
    """Encode neighbourhoods as indicators of all phases but the first, as phases have no order to be tested.

    Parameters
    ----------
    neighbourhoods : ndarray of uint8, shape (n, neighbours)
        Values of the neighbours.
    n_phases : int
        Number of phases K.

    Returns
    -------
    ndarray of uint8, shape (n, neighbours (K - 1))
        Indicators; for two phases the neighbourhoods themselves.

    Examples
    --------
    >>> one_hot(np.array([[0, 2]], dtype=np.uint8), 3).tolist()
    [[0, 0, 0, 1]]
    """
    if n_phases == 2:
        return neighbourhoods
    phases = np.arange(1, n_phases, dtype=np.uint8)
    return np.equal(neighbourhoods[:, :, None], phases).reshape(len(neighbourhoods), -1).astype(np.uint8)
