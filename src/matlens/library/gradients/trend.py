"""Gaussian processes of several outputs on composition, with gradients and their posterior covariances.

The length scale, one for all components, and the ratio of noise to signal are chosen from a grid. The eigenvectors of
the kernel at each length scale serve all outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from matlens.core.gaussian_process import rbf, rbf_gradients
from matlens.errors import InputError

__all__ = ["Design", "Trend", "design_of", "fit_trend", "gradient_covariances", "likely_trends"]

Array = NDArray[np.float64]
# In root mean square distances of the compositions from their mean. Compared with a grid with shorter ones, down to
# 0.15, on three families and 30 % and 80 % of the compositions: with a linear trend both predict alike (RMSE within
# about 5 %, gradients mixed); without a trend this grid has the better mean log density in 6 of 6 cases and the lower
# RMSE in 4 of 6.
_LENGTH_SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
_RATIOS = np.logspace(-7, 2, 37)  # variance of the noise over that of the kernel, whose errors no larger ratio may hide
_LINEAR = 9.0  # prior variance of the linear trend over one such distance; it hardly constrains the trend
_HIDDEN = 1e-3  # eigenvalues over the variance of the noise that errors of gradients neglect
_BLOCK = 32  # compositions whose gradients are in memory at once
_MOST = 2500  # compositions that carry a trend; time grows with their cube
_LIKELY, _PROCESSES = 0.98, 12  # posterior share of the length scales and ratios that are averaged over; their number


@dataclass(frozen=True)
class _Kernel:
    """Linear kernel (if any) plus RBF kernel, with the compositions that carry the function."""

    points: Array  # (g, D)
    centre: Array  # (D,)
    linear: float
    length_scale: float

    def smooth(self, x: Array) -> Array:
        """Return the RBF part, shape (n, g)."""
        return rbf(torch.from_numpy(x / self.length_scale), torch.from_numpy(self.points / self.length_scale)).numpy()

    def between(self, x: Array, other: Array) -> Array:
        """Return the covariance between any compositions, shape (n, m)."""
        moved = replace(self, points=other)
        found: Array = moved.smooth(x) + self.linear * (x - self.centre) @ (other - self.centre).T
        return found

    def __call__(self, x: Array) -> Array:
        return self.between(x, self.points)

    def gradients(self, x: Array, weights: Array) -> Array:
        """Return the gradients of the functions with weights of shape (g, r), shape (n, r, D)."""
        near, far = torch.from_numpy(x / self.length_scale), torch.from_numpy(self.points / self.length_scale)
        curved = rbf_gradients(rbf(near, far), near, far, torch.from_numpy(weights.T.copy())).numpy().transpose(1, 0, 2)
        result: Array = curved / self.length_scale + self.linear * (weights.T @ (self.points - self.centre))
        return result

    def each_gradient(self, x: Array) -> Array:
        """Return the gradients of each kernel function, shape (n, D, g)."""
        result: Array = self.points.T - x[:, :, None]
        result *= self.smooth(x)[:, None] / self.length_scale**2
        result += self.linear * (self.points - self.centre).T
        return result


@dataclass(frozen=True)
class _Part:
    """Outputs whose kernels have the same length scale.

    ``vectors`` and ``values`` are eigenvectors and eigenvalues of the kernel, weighted by the number of rows of each
    composition. The inverse of kernel plus noise is vectors / (values + ratio) @ vectors.T.
    """

    kernel: _Kernel
    vectors: Array  # (g, g)
    values: Array  # (g,)
    outputs: NDArray[np.intp]  # r of the R
    ratio: Array  # (r,) noise over signal
    variance: Array  # (r,) of the signal
    weights: Array  # (g, r)


@dataclass(frozen=True)
class Trend:
    """R outputs as smooth functions of composition: a Gaussian process of each. Use `fit_trend` to make one.

    Parameters
    ----------
    mean : ndarray, shape (R,)
        Means of the outputs.
    residual : ndarray, shape (n, R)
        Training values minus leave-one-composition-out predictions.
    explained : ndarray, shape (R,)
        Share of the variance of each output that these predictions explain.
    left_out : ndarray, shape (g, R)
        Error of the same predictions for the mean of each composition.
    parts : tuple
        Fitted processes, grouped by length scale.

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> trend = fit_trend(np.stack([x, 1 - x], 1), x[:, None])
    >>> trend.predict([[0.25, 0.75]]).round(3), trend.explained.round(3)
    (array([[0.25]]), array([1.]))
    """

    mean: Array
    residual: Array
    explained: Array
    left_out: Array
    parts: tuple[_Part, ...]

    def predict(self, compositions: ArrayLike) -> Array:
        """Predict the outputs at other compositions of shape (n, D), shape (n, R)."""
        x = np.asarray(compositions, np.float64)
        found = np.tile(self.mean, (len(x), 1))
        for part in self.parts:
            found[:, part.outputs] += part.kernel(x) @ part.weights
        return found

    def gradients(self, compositions: ArrayLike) -> Array:
        """Return gradients with respect to fractions.

        They are arbitrary in directions off the simplex; use them along `matlens.library.gradients.directions`.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.

        Returns
        -------
        ndarray, shape (n, R, D)
            Partial derivatives of each output per unit fraction.
        """
        x = np.asarray(compositions, np.float64)
        found = np.zeros((len(x), len(self.mean), x.shape[1]))
        for part in self.parts:
            found[:, part.outputs] = part.kernel.gradients(x, part.weights)
        return found

    def select(self, outputs: NDArray[np.intp]) -> Trend:
        """Return the processes of some outputs, in the given order."""
        place = {int(output): number for number, output in enumerate(outputs)}
        parts = []
        for part in self.parts:
            kept = np.array([int(output) in place for output in part.outputs])
            if kept.any():
                own = np.array([place[int(output)] for output in part.outputs[kept]])
                cut = replace(part, outputs=own, ratio=part.ratio[kept], variance=part.variance[kept])
                parts.append(replace(cut, weights=part.weights[:, kept]))
        return Trend(
            self.mean[outputs],
            self.residual[:, outputs],
            self.explained[outputs],
            self.left_out[:, outputs],
            tuple(parts),
        )

    def joint(self, compositions: ArrayLike) -> tuple[Array, Array]:
        """Return the joint posterior of the first output without noise: mean, shape (n,), and covariance, shape (n, n).

        Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations 2.25 and 2.26.
        """
        x, part = np.asarray(compositions, np.float64), self._first
        known = (part.kernel(x) @ part.vectors) / np.sqrt(part.values + part.ratio[0])
        covariance: Array = part.variance[0] * (part.kernel.between(x, x) - known @ known.T)
        return self.predict(x)[:, 0], covariance

    def deviation(self, compositions: ArrayLike) -> Array:
        """Return the posterior standard deviation of the first output without noise, shape (n,)."""
        x, part = np.asarray(compositions, np.float64), self._first
        known = (part.kernel(x) @ part.vectors) / np.sqrt(part.values + part.ratio[0])
        prior = 1 + part.kernel.linear * ((x - part.kernel.centre) ** 2).sum(1)
        found: Array = np.sqrt(np.maximum(part.variance[0] * (prior - (known**2).sum(1)), 0))
        return found

    @property
    def noise(self) -> float:
        """Noise variance of one measurement of the first output."""
        return float(self._first.variance[0] * self._first.ratio[0])

    @property
    def _first(self) -> _Part:
        return self.select(np.array([0])).parts[0]

    def gradient_covariances(self, compositions: ArrayLike) -> Array:
        """Return posterior covariances of `gradients`, shape (n, R, D, D).

        Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 9.4.
        """
        return gradient_covariances([self], compositions)[0]


@dataclass(frozen=True)
class Design:
    """Training compositions with the eigenvectors that all outputs share. Use `design_of` to make one."""

    group: NDArray[np.intp]  # (n,)
    counts: NDArray[np.intp]  # (g,) rows of each composition
    points: Array  # (g, D)
    kept: NDArray[np.intp]  # of the g, those that carry trends
    kernels: tuple[tuple[_Kernel, Array, Array], ...]  # with their eigenvectors and eigenvalues


def design_of(compositions: ArrayLike, groups: ArrayLike | None = None, *, linear: bool = True) -> Design:
    """Decompose the kernels at training compositions, so that `fit_trend` is quick for any number of outputs.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    groups : array_like of int, shape (n,), optional
        Number of the composition of each row (`MaterialsLibrary.replicates`); by default each row has its own.
    linear : bool
        Whether to include a linear kernel. Without it functions return to their mean far from the data, which suits
        errors of a model.

    Returns
    -------
    Design
        Compositions and eigenvectors.

    Returns
    -------
    Design
        To hand to `fit_trend`.

    Raises
    ------
    InputError
        If all compositions are equal.

    Examples
    --------
    >>> design_of([[0.5, 0.5], [0.4, 0.6], [0.5, 0.5]], [0, 1, 0]).counts
    array([2, 1])
    """
    x = np.asarray(compositions, np.float64)
    group = np.unique(np.arange(len(x)) if groups is None else np.asarray(groups), return_inverse=True)[1].ravel()
    counts = np.bincount(group)
    points = _group_means(x, group, counts)
    distance = float(np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean()))
    if distance < 1e-6:
        raise InputError("all compositions are equal; gradients with respect to composition need several.")
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST)).astype(np.intp))
    root = np.sqrt(counts[kept].astype(np.float64))
    kernels, linear_variance = [], _LINEAR / distance**2 if linear else 0.0
    for length in _LENGTH_SCALES:
        kernel = _Kernel(points[kept], points[kept].mean(0), linear_variance, length * distance)
        values, vectors = eigh(kernel(kernel.points) * root[:, None] * root)
        kernels.append((kernel, vectors * root[:, None], np.maximum(values, 0)))
    return Design(group, counts, points, kept, tuple(kernels))


def fit_trend(
    compositions: ArrayLike, values: ArrayLike, groups: ArrayLike | None = None, *, design: Design | None = None
) -> Trend:
    """Fit a Gaussian process with a linear and an RBF kernel on composition to each output.

    Length scale and noise maximise the log marginal likelihood of each output (Rasmussen and Williams, Gaussian
    Processes for Machine Learning, 2006, section 5.4). Rows of equal composition count as repeated measurements.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    values : array_like, shape (n, R)
        Outputs, all finite.
    groups : array_like of int, shape (n,), optional
        Number of the composition of each row, as in `design_of`.
    design : Design, optional
        Decomposition of the same compositions from `design_of`; made here by default.

    Returns
    -------
    Trend
        The fitted processes.

    Raises
    ------
    InputError
        If all compositions are equal.

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> trend = fit_trend(np.stack([x, 1 - x], 1), (x**2)[:, None])
    >>> gradient = trend.gradients([[0.4, 0.6]])[0, 0]
    >>> float((gradient[0] - gradient[1]).round(3))  # of x^2 at 0.4, at the cost of the second fraction
    0.8
    """
    design = design or design_of(compositions, groups)
    y, kept = np.asarray(values, np.float64), design.kept
    means = _group_means(y - y.mean(0), design.group, design.counts)
    within = ((y - y.mean(0) - means[design.group]) ** 2).sum(0)
    fits = [_likelihoods(*kernel[1:], means[kept], design.counts[kept], within) for kernel in design.kernels]
    likelihood = np.array([fit[0] for fit in fits])  # (lengths, ratios, R)
    lengths, ratios = np.unravel_index(likelihood.reshape(-1, y.shape[1]).argmax(0), likelihood.shape[:2])
    return _fitted(design, y, lengths, ratios, np.array([fit[1] for fit in fits]))


def likely_trends(
    compositions: ArrayLike, values: ArrayLike, groups: ArrayLike | None = None, *, design: Design | None = None
) -> list[tuple[float, Trend]]:
    """Fit Gaussian processes with all length scales and noise ratios that the values of one output make likely.

    Parameters
    ----------
    compositions : array_like, shape (n, D)
        Fractions.
    values : array_like, shape (n,)
        Values, all finite.
    groups : array_like of int, shape (n,), optional
        Number of the composition of each row, as in `design_of`.
    design : Design, optional
        Decomposition of the same compositions from `design_of`; made here by default.

    Returns
    -------
    list of (float, Trend)
        Processes with their posterior weights, which sum to 1, the likeliest first.

    Raises
    ------
    InputError
        If all compositions are equal.

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> found = likely_trends(np.stack([x, 1 - x], 1), x**2)
    >>> round(sum(weight for weight, _ in found), 9)
    1.0
    """
    design = design or design_of(compositions, groups)
    y, kept = np.asarray(values, np.float64)[:, None], design.kept
    means = _group_means(y - y.mean(0), design.group, design.counts)
    within = ((y - y.mean(0) - means[design.group]) ** 2).sum(0)
    fits = [_likelihoods(*kernel[1:], means[kept], design.counts[kept], within) for kernel in design.kernels]
    likelihood = np.array([fit[0][:, 0] for fit in fits])
    weight = np.exp(likelihood - likelihood.max())
    order = np.argsort(-weight, axis=None)
    reached = weight.ravel()[order].cumsum() / weight.sum()
    order = order[: min(int(np.searchsorted(reached, _LIKELY)) + 1, _PROCESSES)]
    weights = weight.ravel()[order] / weight.ravel()[order].sum()
    variances = np.array([fit[1] for fit in fits])
    found = []
    for share, place in zip(weights, order):
        length, ratio = (np.array([number]) for number in np.unravel_index(place, weight.shape))
        found.append((float(share), _fitted(design, y, length, ratio, variances)))
    return found


def gradient_covariances(trends: Sequence[Trend], compositions: ArrayLike) -> list[Array]:
    """Return posterior covariances of the gradients of several trends; what they have in common is computed once.

    Eigenvectors that the noise hides are left out, which adds less than .1 % to a variance (`KernelPart.posterior`).

    Parameters
    ----------
    trends : sequence of Trend
        Processes, for example of one design, whose kernels they share.
    compositions : array_like, shape (n, D)
        Fractions.

    Returns
    -------
    list of ndarray, shape (n, R, D, D)
        What `Trend.gradient_covariances` returns of each.

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> trend = fit_trend(np.stack([x, 1 - x], 1), x[:, None])
    >>> [found.shape for found in gradient_covariances([trend, trend], [[0.25, 0.75]])]
    [(1, 1, 2, 2), (1, 1, 2, 2)]
    """
    x, again = np.unique(np.asarray(compositions, np.float64), axis=0, return_inverse=True)
    size = x.shape[1]
    one, other = np.triu_indices(size)
    found = [np.zeros((len(x), len(trend.mean), size, size)) for trend in trends]
    sharing: dict[int, list[tuple[Array, _Part]]] = {}
    for trend, own in zip(trends, found, strict=True):
        for part in trend.parts:
            sharing.setdefault(id(part.kernel), []).append((own, part))
    for parts in sharing.values():
        first = parts[0][1]
        ratios = np.unique(np.concatenate([part.ratio for _, part in parts]))
        seen = first.values > _HIDDEN * ratios[0]
        vectors, values = first.vectors[:, seen], first.values[seen, None]
        inverse = np.where(values > _HIDDEN * ratios, 1 / (values + ratios), 0)  # of each output as if it were alone
        prior = (first.kernel.linear + 1 / first.kernel.length_scale**2) * np.eye(size)
        for start in range(0, len(x), _BLOCK):
            rows = slice(start, start + _BLOCK)
            each = first.kernel.each_gradient(x[rows])
            told = (each.reshape(-1, each.shape[2]) @ vectors).reshape(len(each), size, -1)
            known = (told[:, one] * told[:, other]).reshape(-1, told.shape[2]) @ inverse
            left = prior[one, other, None] - known.reshape(len(each), len(one), -1)  # (b, pairs, ratios)
            for own, part in parts:
                half = left[..., np.searchsorted(ratios, part.ratio)].transpose(0, 2, 1) * part.variance[:, None]
                block = np.empty((*half.shape[:2], size, size))
                block[..., one, other] = block[..., other, one] = half
                own[rows, part.outputs] = block
    return [own[again.ravel()] for own in found]


def _fitted(design: Design, y: Array, lengths: NDArray[np.intp], ratios: NDArray[np.intp], variances: Array) -> Trend:
    """Condition processes with given length scales and ratios, numbered in their grids, one for each output."""
    group, kept, mean = design.group, design.kept, y.mean(0)
    means = _group_means(y - mean, group, design.counts)
    parts, held_out = [], np.zeros_like(means)
    for number, (kernel, vectors, eigenvalues) in enumerate(design.kernels):
        own = np.flatnonzero(lengths == number)
        if own.size:
            ratio, variance = _RATIOS[ratios[own]], variances[number, ratios[own], own]
            inverse = 1 / (eigenvalues[:, None] + ratio)
            weights = vectors @ (inverse * (vectors.T @ means[kept][:, own]))
            parts.append(_Part(kernel, vectors, eigenvalues, own, ratio, variance, weights))
            held_out[:, own] = means[:, own] - kernel(design.points) @ weights
            held_out[np.ix_(kept, own)] = weights / (vectors**2 @ inverse)
    residual = y - mean - means[group] + held_out[group]
    total = np.maximum(y.var(0), 1e-300)
    return Trend(mean, residual, 1 - (residual**2).mean(0) / total, held_out, tuple(parts))


def _group_means(values: Array, group: NDArray[np.intp], counts: NDArray[np.intp]) -> Array:
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, group, values)
    result: Array = sums / counts[:, None]
    return result


def _likelihoods(
    vectors: Array, values: Array, means: Array, counts: NDArray[np.intp], within: Array
) -> tuple[Array, Array]:
    """Log marginal likelihood and variance of the signal for each ratio of noise to signal, each (ratios, R)."""
    squared = (vectors.T @ means) ** 2
    rows = counts.sum()
    # The scatter within rows of equal composition is noise and independent of the kernel.
    variance = np.array([(squared / (values + r)[:, None]).sum(0) + within / r for r in _RATIOS]) / rows
    variance = np.maximum(variance, 1e-300)
    extra = (rows - len(counts)) * np.log(_RATIOS) + np.log(values + _RATIOS[:, None]).sum(1)
    return -0.5 * (rows * np.log(variance) + extra[:, None]), variance
