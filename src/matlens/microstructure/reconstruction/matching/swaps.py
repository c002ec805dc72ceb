"""Pixel swaps after decoding, which lower the loss of the decoded picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from matlens.microstructure.reconstruction.matching.optimisers.base import Objective
from matlens.microstructure.reconstruction.matching.simple_voxels import simple_voxels
from matlens.microstructure.reconstruction.phases import PhaseCode

__all__ = ["fewest_neighbours", "swap_pixels"]

# docs/decisions/0012-pixel-swaps.md
_LOOKED = 8  # times as many voxels are looked at as are wanted, for those whose swap keeps the topology
_ROUNDS = 4  # with one gradient, in a volume
_LEAP = 3  # times more or fewer pairs are tried next in a volume
_RARE = 0.01  # a neighbourhood that fewer pixels of the exemplar have does not belong to its structure


def swap_pixels(
    labels: NDArray[np.uint8],
    code: PhaseCode,
    objective: Objective,
    like: Tensor,
    allowed: NDArray[np.bool_],
    fewest: Sequence[int],
    evaluations: int,
) -> tuple[NDArray[np.uint8], int]:
    """Swap the phases of pairs of pixels as long as the loss falls; fractions stay.

    Decoding treats every pixel separately, so that its phases match the targets less well than the field did, by a
    factor of ten and more. The gradient at the decoded picture gives, to first order, the effect of each pixel's change
    of phase. The best pairs are swapped together, fewer after a failure, until not even the best pair lowers the loss.
    The encoder sees stray single pixels poorly; `fewest_neighbours` excludes those that the exemplar does not have.

    Parameters
    ----------
    labels : ndarray of uint8, shape (*S)
        Phase labels of a plane or a volume, which are not changed.
    code : PhaseCode
        Values of the field for each phase.
    objective : callable
        Takes a field (1, K - 1, *S) and returns loss and gradient.
    like : Tensor
        Tensor with the type and device of fields.
    allowed : ndarray of bool, shape (*S)
        Pixels that may be swapped.
    fewest : sequence of int
        Least number of neighbours of its own phase in its plane that a pixel must have, one number per phase; in a
        volume it holds in all three planes.
    evaluations : int
        Largest number of evaluations.

    Returns
    -------
    labels : ndarray of uint8, shape (*S)
        Phase labels after the swaps.
    swapped : int
        Number of pairs that were swapped.

    Examples
    --------
    >>> wanted = torch.tensor([[[[-1.0, -1.0, 1.0, 1.0]]]])
    >>> def distance(x):
    ...     return float((x - wanted).square().sum()), 2 * (x - wanted)
    >>> start = np.array([[1, 0, 1, 0]], dtype=np.uint8)
    >>> swap_pixels(start, PhaseCode(2), distance, wanted, np.ones((1, 4), bool), (0, 0), evaluations=5)
    (array([[0, 0, 1, 1]], dtype=uint8), 1)
    """
    corners = code.corners.to(like)

    def field(of: NDArray[np.uint8]) -> Tensor:
        return corners[torch.from_numpy(of.astype(np.int64)).to(like.device)].movedim(-1, 0)[None]

    loss, gradient = objective(field(labels))
    most, swapped = max(1, labels.size // 100), 0
    together = max(1, most // 4)
    for _ in range(evaluations - 1):
        costs = torch.einsum("kc,c...->k...", corners, gradient[0]).cpu().numpy()
        proposal, pairs, promised = _proposed(labels, costs, allowed, fewest, together)
        if pairs == 0:
            break
        new_loss, new_gradient = objective(field(proposal))
        fall = loss - new_loss
        if fall > 0:
            labels, loss, gradient, swapped = proposal, new_loss, new_gradient, swapped + pairs
        elif together == 1:
            break
        together = min(_tried_next(together, pairs, fall / promised, labels.ndim), most)
    return labels, swapped


def _proposed(
    labels: NDArray[np.uint8],
    costs: NDArray[np.floating],
    allowed: NDArray[np.bool_],
    fewest: Sequence[int],
    together: int,
) -> tuple[NDArray[np.uint8], int, float]:
    """Swap up to ``together`` pairs by one gradient; with their number, and the fall of the loss that it promises."""
    least = np.reshape(fewest, (-1, *[1] * labels.ndim))
    proposal, pairs, promised = labels, 0, 0.0
    # Of voxels that touch, one round changes only one, so that a volume takes several to change as many as are wanted.
    for _ in range(_ROUNDS if labels.ndim == 3 else 1):
        welcome = np.logical_and.reduce([n >= least for n in _neighbours(proposal, len(costs), "wrap")]) & allowed
        proposal, more, gain = _best_pairs(proposal, costs, welcome, together - pairs)
        pairs, promised = pairs + more, promised + gain
        if more == 0 or pairs >= together:
            break
    return proposal, pairs, promised


def _tried_next(together: int, pairs: int, kept: float, dimensions: int) -> int:
    """Return how many pairs to try next, after ``pairs`` brought a share of the fall of the loss that they promised.

    The loss is nearly quadratic in the number of pairs, so that half of the promise comes true at the best number. An
    evaluation of a volume takes seconds, and few are made. In a plane, where it takes milliseconds, a failure costs
    little, and larger leaps end at a lower loss.
    """
    if dimensions == 3:
        return max(round(pairs * min(max(0.5 / max(1 - kept, 1e-9), 1 / _LEAP), _LEAP)), 1)
    return together + together // 2 + 1 if kept > 0 else max(together // 2, 1)


def fewest_neighbours(exemplars: Sequence[NDArray[np.uint8]], n_phases: int) -> list[int]:
    """Count the neighbours of its own phase, of eight, that at least 99 % of the exemplars' pixels of each phase have.

    Parameters
    ----------
    exemplars : sequence of ndarray of uint8, shape (H, W)
        Phase labels.
    n_phases : int
        Number of phases K.

    Returns
    -------
    list of int
        One number per phase; 0 for a phase that no exemplar has.

    Examples
    --------
    >>> stripes = np.tile(np.array([0, 0, 1, 1], dtype=np.uint8), (8, 4))
    >>> fewest_neighbours([stripes], 2)
    [5, 5]
    """
    found: list[list[NDArray[np.intp]]] = [[] for _ in range(n_phases)]
    for labels in exemplars:
        inner = labels[1:-1, 1:-1]
        (around,) = _neighbours(labels, n_phases, "nearest")
        for phase, count in enumerate(around[:, 1:-1, 1:-1]):
            found[phase].append(count[inner == phase])
    pixels = [np.concatenate(parts) for parts in found]
    return [int(np.quantile(counts, _RARE, method="lower")) if counts.size else 0 for counts in pixels]


def _neighbours(labels: NDArray[np.uint8], n_phases: int, border: str) -> Iterator[NDArray[np.uint8]]:
    """Count the neighbours of each phase, of eight in a plane, shape (K, *space); of a volume in its three planes."""
    for normal in range(labels.ndim) if labels.ndim == 3 else (None,):
        ring = np.ones((3,) * labels.ndim, dtype=np.uint8)
        ring[(1,) * labels.ndim] = 0
        if normal is not None:
            ring = ring.take([1], axis=normal)
        yield np.stack([ndimage.convolve((labels == k).astype(np.uint8), ring, mode=border) for k in range(n_phases)])


def _best_pairs(
    labels: NDArray[np.uint8], costs: NDArray[np.floating], welcome: NDArray[np.bool_], together: int
) -> tuple[NDArray[np.uint8], int, float]:
    """Swap the ``together`` pairs of two phases that promise the largest gain; with their number and the gain.

    The number is 0 if none promises a gain.

    ``welcome`` says which pixels may take each phase, shape (K, *space). In a volume, no swap changes the topology.
    """
    own, flat = labels.ravel(), costs.reshape(len(costs), -1)
    may = welcome.reshape(len(costs), -1)
    best = (0.0, own, 0)
    for a in range(len(costs)):
        for b in range(a + 1, len(costs)):
            moves = [
                _Moves.of(np.flatnonzero((own == old) & may[new]), flat, old, new) for old, new in ((a, b), (b, a))
            ]
            if labels.ndim == 3:
                first = [move.where(slice(_LOOKED * together)).keeping_topology(labels) for move in moves]
                moves = _apart(labels.shape, first)
            to_b, to_a = moves
            paired = min(len(to_b.places), len(to_a.places), together)
            changes = to_b.changes[:paired] + to_a.changes[:paired]
            count = int((changes < 0).sum())  # they ascend; a pair that promises a loss must not hide those before it
            gain = float(changes[:count].sum())
            if gain < best[0]:
                exchanged = own.copy()
                exchanged[to_b.places[:count]], exchanged[to_a.places[:count]] = b, a
                best = (gain, exchanged, count)
    return best[1].reshape(labels.shape), best[2], -best[0]


@dataclass(frozen=True)
class _Moves:
    """Pixels of one phase that may take another, by their flat indices, the most promising first."""

    places: NDArray[np.intp]
    changes: NDArray[np.floating]
    old: int
    new: int

    @classmethod
    def of(cls, places: NDArray[np.intp], costs: NDArray[np.floating], old: int, new: int) -> _Moves:
        """Sort pixels by the change of loss that each promises."""
        changes = costs[new, places] - costs[old, places]
        order = np.argsort(changes, kind="stable")
        return cls(places[order], changes[order], old, new)

    def where(self, kept: NDArray[np.bool_] | slice) -> _Moves:
        """Keep some of the pixels in their order."""
        return replace(self, places=self.places[kept], changes=self.changes[kept])

    def keeping_topology(self, labels: NDArray[np.uint8]) -> _Moves:
        """Keep the pixels whose change neither joins nor separates anything, in both phases."""
        kept = self.where(simple_voxels(labels == self.old, self.places))
        return kept.where(simple_voxels(labels == self.new, kept.places))


def _apart(shape: Sequence[int], moves: Sequence[_Moves]) -> list[_Moves]:
    """Keep the voxels that come before all their neighbours: two that touch could change the topology together."""
    last = max(len(move.places) for move in moves)
    turn = np.full(np.prod(shape), last, dtype=np.int32)
    for move in moves:
        turn[move.places] = np.arange(len(move.places))
    first = ndimage.minimum_filter(turn.reshape(shape), size=3, mode="wrap").ravel()
    one, other = (move.where(turn[move.places] == first[move.places]) for move in moves)
    # The n-th of either list may touch each other, having the same turn.
    beside = ndimage.maximum_filter(_marked(shape, one.places), size=3, mode="wrap").ravel()
    return [one, other.where(~beside[other.places])]


def _marked(shape: Sequence[int], places: NDArray[np.intp]) -> NDArray[np.bool_]:
    marked = np.zeros(np.prod(shape), dtype=bool)
    marked[places] = True
    return marked.reshape(shape)
