"""How much worse models must predict left-out samples before a conclusion changes its sign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from matlens.errors import InputError

__all__ = ["Flip", "flip_loss"]

Array = NDArray[np.float64]
# docs/decisions/0057-what-would-change-a-conclusion.md
_SUM = 1e4  # weight of the equation that shares sum to 1, relative to the others
_TINY = 1e-9


@dataclass(frozen=True)
class Flip:
    """What it takes to reverse the sign of a conclusion. Use `flip_loss` to compute it.

    Parameters
    ----------
    loss : float
        Least loss of held-out log-likelihood at which the sign changes.
    mixture_loss : float
        The same, if only the weights of the models change; infinite where all of them have the same sign.
    fitted, flipped : tuple of float
        Weights of the models that predict best, and of the rival explanation with the least loss.
    left : float
        What the rival explanation's models still say, in the unit of the effect; their own errors account for it.

    Examples
    --------
    >>> Flip(2.0, float("inf"), (1.0,), (1.0,), 0.5).reversible
    False
    """

    loss: float
    mixture_loss: float
    fitted: tuple[float, ...]
    flipped: tuple[float, ...]
    left: float

    @property
    def reversible(self) -> bool:
        """Whether any mixture of the models reverses the sign."""
        return bool(np.isfinite(self.mixture_loss))


def flip_loss(effects: ArrayLike, error: float, moments: ArrayLike, count: int) -> Flip:
    """Find the least loss of held-out log-likelihood at which the sign of an effect changes.

    The effect of a mixture of K models is the weighted mean of theirs, and may be moved within its error besides.
    Weights are not negative and sum to 1. With weights w and a shift d the loss is n (q(w) / q - 1) / 2 + d² / (2 e²),
    where q(w) is the mean squared error of left-out compositions, q the least one, n their number, and e the standard
    error of the effect: the log-likelihood of normal errors, and that of the effect itself. The least loss with
    w·effects + d = 0 is a convex problem, which non-negative least squares solve.

    Parameters
    ----------
    effects : array_like, shape (K,)
        Effect by each model.
    error : float
        Standard error of the effect within models; NaN or 0 where it is not known, so that weights alone can change.
    moments : array_like, shape (K, K)
        Mean products of the models' errors for left-out compositions.
    count : int
        Number of compositions.

    Returns
    -------
    Flip
        The loss, and the rival explanation.

    Raises
    ------
    InputError
        If the shapes do not fit.

    Examples
    --------
    >>> one = flip_loss([2.0], 1.0, [[0.01]], 50)
    >>> round(one.loss, 3), one.reversible  # two standard errors
    (2.0, False)
    >>> two = flip_loss([2.0, -2.0], 0.0, np.diag([0.01, 0.04]), 50)
    >>> round(two.loss, 2), np.round(two.fitted, 2).tolist(), np.round(two.flipped, 2).tolist()
    (14.06, [0.8, 0.2], [0.5, 0.5])
    """
    values, products = np.asarray(effects, np.float64), np.asarray(moments, np.float64)
    if products.shape != (len(values), len(values)):
        raise InputError(
            f"found {len(values)} effects and products of errors of shape {products.shape}; give one each."
        )
    power, vectors = np.linalg.eigh(products)
    root = np.sqrt(np.maximum(power, _TINY * max(power.max(), 1e-300)))[:, None] * vectors.T
    fitted = _shares(root)
    least = float(fitted @ products @ fitted)
    rows = root * np.sqrt(count / max(least, 1e-300))
    known = bool(np.isfinite(error) and error > 0)
    size = float(np.abs(values).max())
    strict = _shares(np.concatenate([rows, values[None] * _SUM / max(size, 1e-300)]))
    opposed = values.min() < 0 < values.max()
    mixture = _loss(rows, strict, fitted) if opposed else np.inf
    if size == 0:
        return Flip(0.0, 0.0, tuple(fitted.tolist()), tuple(fitted.tolist()), 0.0)
    if not known:
        return Flip(mixture, mixture, tuple(fitted.tolist()), tuple(strict.tolist()), 0.0)
    flipped = _shares(np.concatenate([rows, values[None] / error]))
    left = float(flipped @ values)
    loss = _loss(rows, flipped, fitted) + 0.5 * (left / error) ** 2
    return Flip(loss, mixture, tuple(fitted.tolist()), tuple(flipped.tolist()), left)


def _shares(rows: Array) -> Array:
    """Weights, not negative and with sum 1, of the least |rows w|²."""
    scale = _SUM * max(float(np.abs(rows).max()), 1e-300)
    found = nnls(np.concatenate([rows, np.full((1, rows.shape[1]), scale)]), np.append(np.zeros(len(rows)), scale))[0]
    result: Array = found / found.sum()
    return result


def _loss(rows: Array, weights: Array, fitted: Array) -> float:
    return max(0.0, 0.5 * float(np.sum((rows @ weights) ** 2) - np.sum((rows @ fitted) ** 2)))
