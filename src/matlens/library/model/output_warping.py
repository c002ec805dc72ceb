"""Output warping: a nonlinear scale of the figure of merit, for scatter that grows with the value."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from matlens.library.model.kernel.covariance import find_covariance

__all__ = ["OutputWarping", "find_output_warping"]

Array = NDArray[np.float64]
_BENDS = (1.0, 0.1, 0.001)  # relative to the median value: like a square root, between, and nearly a logarithm
_ROWS = 300  # rows on which scales are compared
_FEW = 20  # steps of the first searches
# docs/decisions/0043-preset-default-of-libraries.md
_CLEAR = 0.5  # nats per sample that a nonlinear scale must gain; additive scatter alone can give less


@dataclass(frozen=True)
class OutputWarping:
    """Standardised scale asinh(y / bend): linear for y below ``bend`` and logarithmic above.

    Outside the range of the measured values the inverse is linear, so that extrapolations do not grow exponentially.

    Parameters
    ----------
    bend : float or None
        Transition from linear to logarithmic, in the unit of the figure of merit; None for a linear scale.
    centre, scale : float
        Mean and standard deviation of asinh(y / bend) over the training samples.
    low, high : float
        Least and greatest standardised value of the training samples.

    Examples
    --------
    >>> warp = OutputWarping.fit([1.0, 10.0, 100.0], bend=0.01)
    >>> warp.standard([1.0, 100.0]).round(2)
    array([-1.22,  1.22])
    >>> warp.values([0.0, 2.0]).round(1)
    array([ 10. , 245.8])
    """

    bend: float | None
    centre: float
    scale: float
    low: float
    high: float

    @classmethod
    def fit(cls, values: ArrayLike, bend: float | None = None) -> OutputWarping:
        """Find the scale on which values have mean 0 and standard deviation 1.

        Parameters
        ----------
        values : array_like, shape (n,)
            Figures of merit of the training samples.
        bend : float, optional
            Transition from linear to logarithmic; by default the scale is linear.

        Returns
        -------
        OutputWarping
            The scale.
        """
        bent = np.asarray(values, np.float64) if bend is None else np.arcsinh(np.asarray(values, np.float64) / bend)
        centre, scale = float(bent.mean()), float(bent.std())
        return cls(bend, centre, scale, float(bent.min() - centre) / scale, float(bent.max() - centre) / scale)

    def standard(self, values: ArrayLike) -> Array:
        """Return values on the standardised scale."""
        given = np.asarray(values, np.float64)
        return np.asarray(((given if self.bend is None else np.arcsinh(given / self.bend)) - self.centre) / self.scale)

    def values(self, standard: ArrayLike) -> Array:
        """Inverse of `standard`."""
        given = np.asarray(standard, np.float64)
        if self.bend is None:
            return given * self.scale + self.centre
        within = np.clip(given, self.low, self.high)
        return self.bend * np.sinh(within * self.scale + self.centre) + self.gradient(given) * (given - within)

    def gradient(self, standard: ArrayLike) -> Array:
        """Return the derivative of `values`."""
        within = np.clip(np.asarray(standard, np.float64), self.low, self.high)
        if self.bend is None:
            return np.full_like(within, self.scale)
        return np.asarray(self.bend * self.scale * np.cosh(within * self.scale + self.centre))

    def curvature(self, standard: ArrayLike) -> Array:
        """Return the second derivative of `values`; 0 outside the range of the measured values."""
        given = np.asarray(standard, np.float64)
        if self.bend is None:
            return np.zeros_like(given)
        within = (given >= self.low) & (given <= self.high)
        return np.where(within, self.bend * self.scale**2 * np.sinh(given * self.scale + self.centre), 0.0)


def find_output_warping(inputs: Tensor, values: Array, fractions: int, seed: int) -> OutputWarping:
    """Choose the output warping with the greatest log marginal likelihood of a warped Gaussian process.

    Snelson, Rasmussen and Ghahramani, Warped Gaussian processes, NeurIPS 16 (2003).

    Parameters
    ----------
    inputs : Tensor, shape (n, F)
        Fractions, then scores, with standard deviations of about 1.
    values : ndarray, shape (n,)
        Figures of merit.
    fractions : int
        Number of inputs that are fractions.
    seed : int
        Seed of the rows that are used.

    Returns
    -------
    OutputWarping
        The scale; linear unless a nonlinear one is clearly better.

    Examples
    --------
    >>> x = torch.rand(80, 2, generator=torch.Generator().manual_seed(0)) * 4 - 2
    >>> scatter = np.random.default_rng(0).normal(0, 0.2, 80)
    >>> smooth = x[:, 0].sin().double().numpy() + scatter
    >>> find_output_warping(x, smooth, 2, 0).bend, find_output_warping(x, np.exp(2 * smooth), 2, 0).bend is None
    (None, False)
    """
    rows = np.random.default_rng(seed).permutation(len(values))[:_ROWS]
    some, seen = inputs.cpu()[torch.from_numpy(rows)], values[rows]

    def log_likelihood(bend: float | None, most: int | None = None) -> float:
        warp, steps = OutputWarping.fit(seen, bend), itertools.count(1)
        standard = warp.standard(seen)

        def stop(_: Array) -> None:
            if next(steps) == most:
                raise StopIteration  # ends the search

        found = find_covariance(some, torch.from_numpy(standard), fractions, seed, step=stop).log_likelihood
        return found - float(np.log(warp.gradient(standard)).sum())

    if np.ptp(seen) == 0:  # some rows may be alike where all are not
        return OutputWarping.fit(values)
    size = float(np.median(np.abs(values))) or float(np.std(values))
    bends = [size * one for one in _BENDS]
    gain, clear = -log_likelihood(None, _FEW), _CLEAR * len(seen)
    gains = [gain + log_likelihood(bend, _FEW) for bend in bends]
    if max(gains) < clear / 2:  # far from clear: longer searches change a few nats
        return OutputWarping.fit(values)
    found = [log_likelihood(bend) for bend in bends]
    best = int(np.argmax(found))
    return OutputWarping.fit(values, bends[best] if found[best] > log_likelihood(None) + clear else None)
