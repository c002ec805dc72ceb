"""Conversion between phases and the field that is optimised: encoding, and exact decoding."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.errors import InputError

__all__ = ["PhaseCode", "decode", "phase_counts"]


# docs/decisions/0010-phase-field-on-a-simplex.md
class PhaseCode:
    """Represent K phases by the corners of a regular simplex in K - 1 dimensions.

    A field of K - 1 channels then gives the amount of each phase at each pixel, and the amounts sum to one by
    construction. For two phases the field is one channel between -1 and 1.

    Parameters
    ----------
    n_phases : int
        Number of phases K, at least 2.

    Raises
    ------
    InputError
        If there are fewer than two phases.

    Examples
    --------
    >>> code = PhaseCode(3)
    >>> one_hot = torch.eye(3).reshape(1, 3, 3, 1)
    >>> torch.allclose(code.indicators(code.field(one_hot)), one_hot, atol=1e-6)
    True
    """

    def __init__(self, n_phases: int) -> None:
        if n_phases < 2:
            raise InputError(f"a reconstruction needs at least two phases, found {n_phases}.")
        self.n_phases = n_phases
        centred = np.eye(n_phases) - 1 / n_phases
        # An orthonormal basis of the plane the centred corners span; fixed signs keep results the same everywhere.
        basis = np.zeros((n_phases, n_phases - 1))
        for j in range(n_phases - 1):
            basis[: j + 1, j], basis[j + 1, j] = -1.0, j + 1.0
            basis[:, j] /= np.linalg.norm(basis[:, j])
        corners = centred @ basis
        self.corners = torch.tensor(corners / np.linalg.norm(corners[0]), dtype=torch.float32)

    def field(self, indicators: Tensor) -> Tensor:
        """Convert indicators to a field.

        Parameters
        ----------
        indicators : Tensor, shape (B, K, *S)
            Amounts of the phases.

        Returns
        -------
        Tensor, shape (B, K - 1, *S)
            Field.
        """
        return torch.einsum("bk...,kc->bc...", indicators, self.corners.to(indicators))

    def indicators(self, field: Tensor) -> Tensor:
        """Inverse of :meth:`field`.

        Parameters
        ----------
        field : Tensor, shape (B, K - 1, *S)
            Field.

        Returns
        -------
        Tensor, shape (B, K, *S)
            Amounts of the phases; they sum to one but may lie outside [0, 1].
        """
        share = (self.n_phases - 1) / self.n_phases
        return 1 / self.n_phases + share * torch.einsum("bc...,kc->bk...", field, self.corners.to(field))


def phase_counts(fractions: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """Round volume fractions to numbers of pixels, by the method of largest remainders.

    Parameters
    ----------
    fractions : ndarray, shape (K,)
        Volume fractions, sum 1.
    size : int
        Number of pixels.

    Returns
    -------
    ndarray of int, shape (K,)
        Number of pixels of each phase, with the sum ``size``.

    Examples
    --------
    >>> phase_counts(np.array([0.5, 0.25, 0.25]), 10)
    array([5, 3, 2])
    """
    exact = np.asarray(fractions, dtype=float) * size
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: size - counts.sum()]] += 1
    return counts


def decode(indicators: NDArray[np.floating], counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Assign a phase to every pixel so that each phase has exactly its count and the total amount is largest.

    Parameters
    ----------
    indicators : ndarray, shape (K, *S)
        Amount of each phase; S has any number of axes.
    counts : ndarray of int, shape (K,)
        Number of pixels of each phase, with the sum of all pixels.

    Returns
    -------
    ndarray of uint8, shape (*S,)
        Phase labels.

    Raises
    ------
    InputError
        If the counts are negative or do not sum to the number of pixels.

    Notes
    -----
    This is a transport problem with K right-hand sides. Its dual has one price per phase: every pixel takes the phase
    with the largest sum of amount and price. Prices are found one phase at a time (an auction); the few tied pixels are
    then moved at the smallest loss. For two phases the result is the exact quantile.

    Examples
    --------
    >>> amounts = np.array([[0.9, 0.6, 0.4, 0.1], [0.1, 0.4, 0.6, 0.9]])
    >>> decode(amounts, np.array([1, 3]))
    array([0, 1, 1, 1], dtype=uint8)
    """
    phases, space = indicators.shape[0], indicators.shape[1:]
    amounts = np.asarray(indicators, dtype=np.float64).reshape(phases, -1)
    if int(np.sum(counts)) != amounts.shape[1] or (np.asarray(counts) < 0).any():
        raise InputError(f"phase counts {list(counts)} do not sum to the {amounts.shape[1]} pixels to decode.")
    if phases == 2:
        labels = np.zeros(amounts.shape[1], dtype=np.uint8)
        order = np.argsort(amounts[0] - amounts[1], kind="stable")
        labels[order[: counts[1]]] = 1
        return labels.reshape(space)
    # Ties would leave the prices undecided; below the resolution of a field they may be broken at random.
    amounts = amounts + 1e-7 * np.random.default_rng(0).random(amounts.shape)
    return _move_to_counts(amounts, _priced(amounts, counts), counts).reshape(space)


def _priced(amounts: NDArray[np.float64], counts: NDArray[np.int64], sweeps: int = 50) -> NDArray[np.int64]:
    """Assign phases under prices that bring each phase close to its count."""
    prices = np.zeros(len(counts))
    for _ in range(sweeps):
        before = prices.copy()
        for phase, count in enumerate(counts):
            rivals = np.delete(amounts + prices[:, None], phase, axis=0).max(axis=0)
            deficit = np.sort(rivals - amounts[phase])  # the price at which each pixel would come over
            low = deficit[count - 1] if count > 0 else deficit[0] - 1.0
            high = deficit[count] if count < deficit.size else deficit[-1] + 1.0
            prices[phase] = 0.5 * (low + high)
        if np.abs(prices - before).max() < 1e-9:
            break
    return np.asarray(np.argmax(amounts + prices[:, None], axis=0), dtype=np.int64)


def _move_to_counts(
    amounts: NDArray[np.float64], labels: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Move the cheapest pixels from phases that have too many to phases that have too few."""
    moved = labels.astype(np.uint8)
    while (excess := np.bincount(moved, minlength=len(counts)) - counts).any():
        giver, taker = int(excess.argmax()), int(excess.argmin())
        own = np.flatnonzero(moved == giver)
        loss = amounts[giver, own] - amounts[taker, own]
        move = min(excess[giver], -excess[taker])
        moved[own[np.argsort(loss, kind="stable")[:move]]] = taker
    return moved
