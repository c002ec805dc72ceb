"""Pearson correlations of gradients across samples, computed within each model and averaged by Fisher's z."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError

__all__ = ["correlate_gradients", "relative_gradients", "resampled_correlations"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]
_FEWEST = 10  # least number of samples of a correlation; with fewer it is mostly noise, and NaN is returned
_STRONGEST = 1 - 1e-6  # Fisher's z of a perfect correlation is infinite; float32 resolves no more anyway
_CONSTANT = 1e-6  # relative to the largest value; a standard deviation below it is rounding


def correlate_gradients(
    gradients: Iterable[ArrayLike], others: Iterable[ArrayLike] | None = None, *, fewest: int = _FEWEST
) -> tuple[Array, Array]:
    """Correlate gradients across samples within each model, and average the correlations over models.

    Correlations are averaged after Fisher's z-transform (Fisher, Metron 1, 3, 1921).

    Parameters
    ----------
    gradients : iterable of array_like, shape (m, n, P)
        Gradients of m models for n samples and P components or channels. Models are read one by one, so that a
        generator saves memory. NaN marks missing values; each pair is compared over the samples that have both.
    others : iterable of array_like, shape (m, n, Q), optional
        Gradients to correlate with; by default ``gradients`` themselves.
    fewest : int
        Least number of samples of a correlation.

    Returns
    -------
    correlation : ndarray, shape (P, Q)
        Mean correlation; NaN if a gradient does not vary or there are too few samples.
    spread : ndarray, shape (P, Q)
        Standard deviation of Fisher's z over models.

    Raises
    ------
    InputError
        If there is no model, or the two have other numbers of models or samples.

    Examples
    --------
    >>> gradient = np.arange(12.0)[:, None]
    >>> correlation, _ = correlate_gradients([gradient * [1, -2, 0]])
    >>> correlation.round(3)
    array([[ 1., -1., nan],
           [-1.,  1., nan],
           [nan, nan, nan]])
    """
    total: Array | None = None
    pairs = ((one, one) for one in gradients) if others is None else zip(gradients, others, strict=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        for first, second in pairs:
            z = _fisher(_correlation(first, None if others is None else second, fewest))
            if total is None:
                total, square, count = (np.zeros(z.shape) for _ in range(3))
            there = np.isfinite(z)
            np.copyto(z, 0, where=~there)
            total += z
            square += z * z
            count += there
        if total is None:
            raise InputError("found no model whose gradients could be correlated; give at least one.")
        mean = total / np.where(count > 0, count, np.nan)
        spread = np.sqrt(np.maximum(square / np.where(count > 0, count, np.nan) - mean**2, 0))
    correlation: Array = np.tanh(mean)
    if others is None:
        np.fill_diagonal(correlation, np.where(np.isnan(np.diag(correlation)), np.nan, 1.0))
    return correlation, spread


def relative_gradients(gradients: ArrayLike, there: ArrayLike | None = None) -> Array:
    """Subtract the mean over components from the gradients of each sample.

    A term that all components share would correlate all gradients: x.g by dilution, the gradient of the host by
    exchange.

    Parameters
    ----------
    gradients : array_like, shape (..., n, D)
        Composition gradients.
    there : array_like of bool, shape (n, D), optional
        Gradients to use; by default all that are finite.

    Returns
    -------
    ndarray, shape (..., n, D)
        Relative gradients; NaN where not used, and in samples with fewer than two of them.

    Examples
    --------
    >>> relative_gradients([[1.0, 3.0, 9.0], [1.0, 2.0, 3.0]], [[True, True, False], [True, False, False]]).tolist()
    [[-1.0, 1.0, nan], [nan, nan, nan]]
    """
    values = np.asarray(gradients, np.float64)
    used = np.isfinite(values) if there is None else np.isfinite(values) & np.asarray(there, bool)
    count = used.sum(-1, keepdims=True)
    mean = np.where(used, values, 0).sum(-1, keepdims=True) / np.maximum(count, 1)
    return np.where(used & (count > 1), values - mean, np.nan)


def resampled_correlations(
    gradients: ArrayLike, weights: ArrayLike, members: ArrayLike | None = None, *, fewest: int = _FEWEST
) -> Array:
    """Compute the correlations of `correlate_gradients` for many bootstrap resamples at once.

    Parameters
    ----------
    gradients : array_like, shape (m, n, P)
        Gradients of m models for n samples and P components; memory grows with P squared.
    weights : array_like, shape (B, n)
        Count of each sample in each of B resamples.
    members : array_like, shape (B, m), optional
        Count of each model in each resample; by default 1.
    fewest : int
        Least number of samples of a correlation.

    Returns
    -------
    ndarray, shape (B, P, P)
        Mean correlation of each pair in each resample.

    Raises
    ------
    InputError
        If shapes do not match.

    Examples
    --------
    >>> gradients = np.random.default_rng(0).normal(size=(3, 40, 2))
    >>> every, half = resampled_correlations(gradients, [[1] * 40, [1] * 20 + [0] * 20])
    >>> bool(np.isclose(every, correlate_gradients(gradients)[0], atol=1e-6).all())
    True
    """
    values, weight = np.asarray(gradients, np.float64), np.asarray(weights, np.float64)
    times = np.ones((len(weight), len(values))) if members is None else np.asarray(members, np.float64)
    if values.ndim != 3 or weight.ndim != 2 or weight.shape[1] != values.shape[1] or times.shape[1] != len(values):
        raise InputError(
            f"found gradients of shape {values.shape} (models, samples, columns) with weights of shape {weight.shape} "
            f"and {times.shape}; the weights must be (resamples, samples) and (resamples, models)."
        )
    columns = values.shape[2]
    total, count = (np.zeros((len(weight), columns, columns)) for _ in range(2))
    with np.errstate(invalid="ignore", divide="ignore"):
        for one, often in zip(values, times.T, strict=True):
            z = _fisher(_weighted(one, weight, fewest))
            there = np.isfinite(z)
            total += often[:, None, None] * np.where(there, z, 0)
            count += often[:, None, None] * there
        found: Array = np.tanh(total / count)
    found[:, range(columns), range(columns)] = np.where(np.isnan(found.diagonal(0, 1, 2)), np.nan, 1.0)
    return found


def _fisher(correlation: NDArray[np.floating]) -> NDArray[np.floating]:
    z: NDArray[np.floating] = np.arctanh(np.clip(correlation, -_STRONGEST, _STRONGEST))
    return z


def _correlation(first: ArrayLike, second: ArrayLike | None, fewest: int) -> NDArray[np.floating]:
    """Pairwise complete correlations of the columns of one or two matrices, by matrix products."""
    left, left_there = _centred(first)
    right, right_there = (left, left_there) if second is None else _centred(second)
    if left.shape[0] != right.shape[0]:
        raise InputError(f"found gradients of {left.shape[0]} and of {right.shape[0]} samples; give the same samples.")
    if left_there is None and right_there is None:
        found = _unit(left).T @ (_unit(right) if second is not None else _unit(left))
        return found if len(left) >= fewest else np.full_like(found, np.nan)
    masks = [np.ones_like(a) if there is None else there for a, there in ((left, left_there), (right, right_there))]
    count = masks[0].T @ masks[1]
    mean_left, mean_right = left.T @ masks[1] / count, masks[0].T @ right / count
    variance_left = (left**2).T @ masks[1] / count - mean_left**2
    variance_right = masks[0].T @ right**2 / count - mean_right**2
    covariance = left.T @ right / count - mean_left * mean_right
    return np.where(count >= fewest, covariance / np.sqrt(variance_left * variance_right), np.nan)


def _weighted(values: Array, weights: Array, fewest: int) -> Array:
    """Correlations of the columns for each row of weights, shape (B, P, P)."""
    n, columns = values.shape
    there = np.isfinite(values)
    x = np.where(there, values - np.nanmean(np.where(there.any(0), values, 0), axis=0), 0)

    def sums(left: Array, right: Array, by: Array = weights) -> Array:
        # one product for all resamples: what is summed over samples stands in the rows
        products = (left[:, :, None] * right[:, None, :]).reshape(n, columns**2)
        return (by @ products).reshape(len(by), columns, columns)

    mask = there.astype(np.float64)
    count, pairs = sums(mask, mask), sums(mask, mask, (weights > 0).astype(np.float64))
    mean, square = sums(x, mask) / count, sums(x**2, mask) / count
    variance = square - mean**2
    swapped = mean.transpose(0, 2, 1)
    covariance = sums(x, x) / count - mean * swapped
    scale = np.where(there, np.abs(values), 0).max(0)
    variance = np.where(variance > (_CONSTANT * scale[:, None]) ** 2, variance, np.nan)
    return np.where(pairs >= fewest, covariance / np.sqrt(variance * variance.transpose(0, 2, 1)), np.nan)


def _centred(values: ArrayLike) -> tuple[Single, Single | None]:
    """Columns in float32 less their means, constant ones NaN throughout, and a mask where values are missing."""
    array = np.asarray(values)
    if array.ndim != 2:
        raise InputError(f"gradients of one model must be (samples, columns), found shape {array.shape}.")
    there = np.isfinite(array)
    complete = bool(there.all())
    filled = array if complete else np.where(there, array, 0)
    mean = filled.sum(0, dtype=np.float64) / np.maximum(there.sum(0), 1)
    centred = (array - mean if complete else np.where(there, array - mean, 0)).astype(np.float32)
    centred[:, np.abs(centred).max(0) <= _CONSTANT * np.abs(filled).max(0)] = np.nan
    return centred, None if complete else there.astype(np.float32)


def _unit(centred: Single) -> Single:
    unit: Single = centred / np.sqrt((centred**2).sum(0, dtype=np.float64)).astype(np.float32)
    return unit
