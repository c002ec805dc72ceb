"""After decoding: pixels trade phases while that lowers the loss of the decoded picture itself."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.reconstruction.optimisers import Objective
from matlens.reconstruction.phases import PhaseCode

__all__ = ["trade_pixels"]


def trade_pixels(
    labels: NDArray[np.uint8],
    code: PhaseCode,
    objective: Objective,
    like: Tensor,
    allowed: NDArray[np.bool_],
    evaluations: int,
) -> tuple[NDArray[np.uint8], int]:
    """Trade phases between pixels in pairs, so that the fractions stay, as long as the loss falls.

    Decoding takes every pixel for itself, and what the field matched is matched less well by its phases, by a factor of
    ten and more. The gradient at the decoded picture says, to first order, what each pixel's change of phase is worth;
    the best pairs trade together, half as many after a failure, until not even the best pair helps.

    Parameters
    ----------
    labels : ndarray of uint8
        Shape (height, width); not changed.
    code : PhaseCode
        Field values of the phases.
    objective : callable
        Field ``1 x (phase - 1) x height x width`` to loss and gradient.
    like : Tensor
        Gives the type and the device of fields.
    allowed : ndarray of bool
        Pixels that may trade.
    evaluations : int
        At most so many.

    Returns
    -------
    labels : ndarray of uint8
    traded : int
        Pairs that traded.

    Examples
    --------
    >>> wanted = torch.tensor([[[[-1.0, -1.0, 1.0, 1.0]]]])
    >>> def distance(x):
    ...     return float((x - wanted).square().sum()), 2 * (x - wanted)
    >>> start = np.array([[1, 0, 1, 0]], dtype=np.uint8)
    >>> trade_pixels(start, PhaseCode(2), distance, wanted, np.ones((1, 4), bool), evaluations=5)
    (array([[0, 0, 1, 1]], dtype=uint8), 1)
    """
    corners = code.corners.to(like)

    def field(of: NDArray[np.uint8]) -> Tensor:
        return corners[torch.from_numpy(of.astype(np.int64)).to(like.device)].movedim(-1, 0)[None]

    loss, gradient = objective(field(labels))
    most, traded = max(1, labels.size // 100), 0
    together = max(1, most // 4)
    for _ in range(evaluations - 1):
        costs = torch.einsum("kc,chw->khw", corners, gradient[0]).cpu().numpy()
        proposal, pairs = _best_pairs(labels, costs, allowed, together)
        if pairs == 0:
            break
        new_loss, new_gradient = objective(field(proposal))
        if new_loss < loss:
            labels, loss, gradient, traded = proposal, new_loss, new_gradient, traded + pairs
            together = min(together + together // 2 + 1, most)
        elif together == 1:
            break
        else:
            together //= 2
    return labels, traded


def _best_pairs(
    labels: NDArray[np.uint8], costs: NDArray[np.floating], allowed: NDArray[np.bool_], together: int
) -> tuple[NDArray[np.uint8], int]:
    """Let the ``together`` pairs of two phases trade that promise most; the number is 0 where none promises a gain."""
    own, flat = labels.ravel(), costs.reshape(len(costs), -1)
    places = [np.flatnonzero((own == phase) & allowed.ravel()) for phase in range(len(costs))]
    best = (0.0, own, 0)
    for a in range(len(costs)):
        for b in range(a + 1, len(costs)):
            to_b, to_a = (_cheapest(flat, places[x], x, y, together) for x, y in ((a, b), (b, a)))
            count = min(len(to_b[0]), len(to_a[0]))
            gain = float(to_b[1][:count].sum() + to_a[1][:count].sum())
            if gain < best[0]:
                traded = own.copy()
                traded[to_b[0][:count]], traded[to_a[0][:count]] = b, a
                best = (gain, traded, count)
    return best[1].reshape(labels.shape), best[2]


def _cheapest(
    costs: NDArray[np.floating], places: NDArray[np.intp], old: int, new: int, together: int
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    change = costs[new, places] - costs[old, places]
    order = np.argsort(change, kind="stable")[:together]
    return places[order], change[order]
