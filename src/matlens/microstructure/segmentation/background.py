"""Correction of uneven illumination: a robust estimate of the background, and division by it."""

from __future__ import annotations

from functools import partial, reduce
from itertools import product

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

__all__ = ["background", "flattened"]

_SAMPLES = 20_000  # the image is averaged to about this many pixels for the fit; the background has no finer detail
_ROUNDS = 6
_OUTLIER = 2.5  # robust standard deviations from the background that make a pixel part of another phase


def flattened(grey: NDArray[np.float32], valid: NDArray[np.bool_], method: str, value: float) -> NDArray[np.float32]:
    """Divide grey values by their background, and restore the mean level.

    Parameters
    ----------
    grey : ndarray of float
        Shape (y, x) or (z, y, x).
    valid : ndarray of bool
        Pixels to use, same shape.
    method : str
        ``"polynomial"`` or ``"gaussian"``.
    value : float
        Degree of the polynomial, or standard deviation of the Gaussian in pixels.

    Returns
    -------
    ndarray of float
        Same shape and level. Where the background is not positive everywhere (data with an offset), it is subtracted
        instead.

    Examples
    --------
    >>> ramp = np.linspace(50, 150, 64, dtype=np.float32) * np.ones((64, 1), dtype=np.float32)
    >>> bool(np.ptp(flattened(ramp, ramp > 0, "polynomial", 2)) < 0.01)
    True
    """
    shade = background(grey, valid, method, value)
    level = float(np.median(shade[valid]))
    if shade.min() <= 0.05 * level or level <= 0:
        return np.asarray(grey - shade + level, dtype=np.float32)
    return np.asarray(grey * (level / shade), dtype=np.float32)


def background(grey: NDArray[np.float32], valid: NDArray[np.bool_], method: str, value: float) -> NDArray[np.float64]:
    """Estimate the grey value of the most frequent phase at every pixel.

    A smooth surface is fitted several times; pixels far from it belong to other phases and are left out of the next
    fit.

    Parameters
    ----------
    grey : ndarray of float
        Shape (y, x) or (z, y, x).
    valid : ndarray of bool
        Pixels to use, same shape.
    method : str
        ``"polynomial"`` or ``"gaussian"``.
    value : float
        Degree of the polynomial, or standard deviation of the Gaussian in pixels.

    Returns
    -------
    ndarray of float
        The background, same shape.

    Examples
    --------
    >>> grey = np.full((32, 32), 100, dtype=np.float32)
    >>> grey[8:16, 8:16] = 200
    >>> float(background(grey, grey > 0, "polynomial", 1).max().round(3))
    100.0
    """
    step = max(1, round((grey.size / _SAMPLES) ** (1 / grey.ndim)))
    inside = tuple(slice(step // 2, None, step) for _ in grey.shape)
    coarse = [np.arange(side)[part].astype(float) for side, part in zip(grey.shape, inside)]
    sample = _local_means(grey, step)[inside]
    fit = partial(_polynomial if method == "polynomial" else _smoothed, value=value, sides=grey.shape, at=coarse)
    weights = valid[inside]
    for _ in range(_ROUNDS):
        residual = sample - fit(sample, weights, to=coarse)
        centre = np.median(residual[weights])
        deviation = 1.4826 * np.median(np.abs(residual[weights] - centre))  # of normal data the standard deviation
        tolerance = _OUTLIER * deviation + 1e-6 * np.abs(sample).max()  # the second term: rounding, on flat grey
        weights = valid[inside] & (np.abs(residual - centre) <= tolerance)
    return fit(sample, weights, to=[np.arange(side).astype(float) for side in grey.shape])


def _local_means(grey: NDArray[np.float32], step: int) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter

    return np.asarray(uniform_filter(grey.astype(np.float64), step, mode="nearest"))


def _polynomial(
    sample: NDArray[np.float64],
    weights: NDArray[np.bool_],
    *,
    value: float,
    sides: tuple[int, ...],
    at: list[NDArray[np.float64]],
    to: list[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Least-squares polynomial of total degree ``value`` through the weighted samples, on the grid ``to``."""
    degree = int(value)
    powers = [power for power in product(range(degree + 1), repeat=len(sides)) if sum(power) <= degree]
    terms = [_legendre(axis, side, degree) for axis, side in zip(at, sides)]
    columns = [_outer([term[:, k] for term, k in zip(terms, power)])[weights] for power in powers]
    solution = np.linalg.lstsq(np.stack(columns, axis=1), sample[weights], rcond=None)[0]
    grid = [_legendre(axis, side, degree) for axis, side in zip(to, sides)]
    result = np.zeros([axis.size for axis in to])
    for power, coefficient in zip(powers, solution):
        result += coefficient * _outer([term[:, k] for term, k in zip(grid, power)])
    return result


def _smoothed(
    sample: NDArray[np.float64],
    weights: NDArray[np.bool_],
    *,
    value: float,
    sides: tuple[int, ...],
    at: list[NDArray[np.float64]],
    to: list[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Gaussian mean of the weighted samples with standard deviation ``value`` pixels, on the grid ``to``."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    step = at[0][1] - at[0][0] if at[0].size > 1 else 1.0
    sigma = value / step
    share = gaussian_filter(weights.astype(float), sigma, mode="nearest")
    fallback = float(sample[weights].mean())  # far from every sample
    smooth = (gaussian_filter(sample * weights, sigma, mode="nearest") + 1e-6 * fallback) / (share + 1e-6)
    grid = np.meshgrid(*((axis - at[0][0]) / step for axis in to), indexing="ij")
    return np.asarray(map_coordinates(smooth, grid, order=1, mode="nearest"))


def _legendre(axis: NDArray[np.float64], side: int, degree: int) -> NDArray[np.float64]:
    """Legendre polynomials 0..degree at pixel positions, scaled to [-1, 1] over the side."""
    return np.asarray(legvander(2 * (axis + 0.5) / side - 1, degree), dtype=np.float64)


def _outer(factors: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return reduce(np.multiply.outer, factors)
