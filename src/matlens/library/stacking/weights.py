"""Weights of models in a mixture, and the intervals of the mixture, by predictions of left-out samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from matlens.core.intervals import conformal_factor

__all__ = ["LeftOut", "Stack", "fit_stack", "stack_weights"]

Array = NDArray[np.float64]
_DOUBT = 3.0  # samples whose worth the prior for equal weights has
_SUM = 1e4  # weight of the equation that the weights sum to 1, relative to the others
_GROUPS = 9  # fewer groups cannot calibrate 90 % intervals
_NORMAL = 1.645  # half-width of a 90 % interval, in standard deviations of a normal distribution


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Predictions of left-out samples by K models.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Measured values.
    predicted, half : ndarray, shape (n, K)
        Predictions, and half-widths of 90 % intervals, of models that were not trained on the sample.
    far : ndarray, shape (n,)
        How far the sample lies from what they were trained on (`matlens.library.gradients.farness`).
    composition : ndarray of int, shape (n,)
        Number of its composition.
    region : ndarray of int, shape (n,)
        Number of the region that was left out; -1 where single compositions were.

    Examples
    --------
    >>> one = np.zeros(3)
    >>> LeftOut(one, np.zeros((3, 2)), np.ones((3, 2)), one, np.arange(3), np.full(3, -1)).select([0, 1]).value.size
    2
    """

    value: Array
    predicted: Array
    half: Array
    far: Array
    composition: NDArray[np.intp]
    region: NDArray[np.intp]

    def select(self, rows: Any) -> LeftOut:
        """Return some of the samples, by number or mask."""
        chosen = np.asarray(rows)
        return replace(self, **{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Stack:
    """Weights of K models among the measured compositions and in new regions, with the factors of their intervals.

    Parameters
    ----------
    near, far : tuple of float
        Weights of the models, which sum to 1.
    near_factor, far_factor : float
        Half-width of a 90 % interval over 1.645 standard deviations of the mixture.
    near_groups, far_groups : int
        Number of compositions, and of regions, that these were calibrated with; fewer than 9 calibrate nothing, and the
        model's own intervals stand.

    Examples
    --------
    >>> stack = Stack((1.0, 0.0), (0.5, 0.5), 1.0, 1.0, 20, 5)
    >>> stack.weights(np.array([0.0, 0.5])).tolist(), stack.calibrated
    ([[1.0, 0.0], [0.75, 0.25]], (True, False))
    """

    near: tuple[float, ...]
    far: tuple[float, ...]
    near_factor: float
    far_factor: float
    near_groups: int
    far_groups: int

    @property
    def calibrated(self) -> tuple[bool, bool]:
        """Whether intervals of interpolations, and of new regions, were calibrated."""
        return self.near_groups >= _GROUPS, self.far_groups >= _GROUPS

    def weights(self, far: Array) -> Array:
        """Return the weights of the models at n places, shape (n, K)."""
        share = np.asarray(far)[:, None]
        found: Array = (1 - share) * np.array(self.near) + share * np.array(self.far)
        return found

    def interval(self, predicted: Array, half: Array, far: Array) -> tuple[Array, Array]:
        """Return mean and half-width of the 90 % interval of the mixture, each of shape (n,)."""
        mean, deviation = _moments(self.weights(far), predicted, half)
        factor = (1 - far) * self.near_factor + far * self.far_factor
        return mean, _NORMAL * factor * deviation

    def settings(self) -> dict[str, Any]:
        """Return everything, as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Stack:
        """Inverse of `settings`."""
        return cls(**settings | {name: tuple(settings[name]) for name in ("near", "far")})


def stack_weights(value: Array, predicted: Array, worth: Array | None = None) -> Array:
    """Find the weights of a convex combination of models that predicts left-out samples best.

    Non-negative least squares with a sum of 1 (stacked regressions: Breiman, Mach. Learn. 24, 49, 1996), with a weak
    prior for equal weights.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Measured values.
    predicted : ndarray, shape (n, K)
        Predictions of models that were not trained on the sample.
    worth : ndarray, shape (n,), optional
        How much each sample counts, 0 to 1.

    Returns
    -------
    ndarray, shape (K,)
        Weights.

    Examples
    --------
    >>> y = np.linspace(0, 1, 200)
    >>> stack_weights(y, np.stack([y + 0.1 * np.sin(50 * y), 1 - y], 1)).round(2)
    array([1., 0.])
    """
    models = predicted.shape[1]
    root = np.ones(len(value)) if worth is None else np.sqrt(worth)
    missed = root[:, None] * (value[:, None] - predicted)
    least = float((missed**2).mean(0).min())
    prior = np.sqrt(_DOUBT * least) * (np.eye(models) - 1 / models)
    scale = _SUM * max(float(np.abs(missed).max()), 1e-300)
    rows = np.concatenate([missed, prior, np.full((1, models), scale)])
    found = nnls(rows, np.append(np.zeros(len(rows) - 1), scale))[0]
    result: Array = found / found.sum()
    return result


def fit_stack(left: LeftOut) -> Stack:
    """Find the weights and the factors of the intervals by predictions of left-out samples.

    Parameters
    ----------
    left : LeftOut
        Predictions of samples whose compositions, and whose whole regions, were left out.

    Returns
    -------
    Stack
        Weights and factors.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=100)
    >>> predicted = np.stack([y + random.normal(size=100), np.zeros(100)], 1)
    >>> left = LeftOut(y, predicted, np.full((100, 2), 1.645), np.zeros(100), np.arange(100), np.full(100, -1))
    >>> stack = fit_stack(left)
    >>> stack.near == stack.far, stack.calibrated  # no region was left out
    (True, (True, False))
    """
    single, regions = left.select(left.region < 0), left.select((left.region >= 0) & (left.far > 0))
    first = single if len(single.value) else left
    near = stack_weights(first.value, first.predicted)
    far = stack_weights(regions.value, regions.predicted, regions.far) if len(regions.value) > len(near) else near
    stack = Stack(tuple(near.tolist()), tuple(far.tolist()), 1.0, 1.0, 0, 0)
    near_factor, near_groups = _factor(stack, first, first.composition)
    far_factor, far_groups = _factor(stack, regions, regions.region)
    return replace(
        stack,
        near_factor=near_factor,
        far_factor=far_factor if far_groups >= _GROUPS else max(1.0, near_factor),
        near_groups=near_groups,
        far_groups=far_groups,
    )


def _factor(stack: Stack, left: LeftOut, groups: NDArray[np.intp]) -> tuple[float, int]:
    """Factor that makes intervals hold as often as they should, and the number of groups that say so."""
    count = len(np.unique(groups))
    if count < _GROUPS:
        return 1.0, count
    mean, deviation = _moments(stack.weights(left.far), left.predicted, left.half)
    scores = np.abs(left.value - mean) / np.maximum(_NORMAL * deviation, 1e-300)
    return conformal_factor(scores, groups, 0.9), count


def _moments(weights: Array, predicted: Array, half: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of the mixture at each place."""
    mean = (weights * predicted).sum(1)
    variance = (weights * ((half / _NORMAL) ** 2 + (predicted - mean[:, None]) ** 2)).sum(1)
    found: Array = np.sqrt(variance)
    return mean, found
