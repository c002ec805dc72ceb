"""Bands of a spectrum: position, width and area by least squares, and how intensities change with each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.signal import find_peaks, peak_widths

__all__ = ["PARAMETERS", "Peaks", "fit_peaks", "follow_peaks", "peak_derivatives"]

Array = NDArray[np.float64]
Doublet = tuple[int, int]
# docs/decisions/0053-gradients-of-peaks.md
PARAMETERS = ("position", "width", "area")
"""Parameters of a band: centre and full width at half maximum, in the unit of the axis, and area above background."""
_MOST = 16  # bands of a spectrum, the most prominent ones
_PROMINENT, _CLEAR = 0.01, 5.0  # least prominence: share of the range of the spectrum, and in deviations of its noise
_BACKGROUND = 4  # degree of the background polynomial; lower if there are fewer than 100 channels per degree
_DOUBLET = 2.0  # mean widths up to which two neighbouring bands are apart in a doublet
_SAME = 0.4  # mean widths below which two bands are one
_ROUNDS = 3  # of Gauss-Newton steps from the mean spectrum to each single one
_FREE = (0.5, 0.3, 1.0)  # how far bands of single spectra differ: position in widths, width and area relatively
_GAUSS, _LORENTZ = np.sqrt(4 * np.log(2) / np.pi), 2 / np.pi  # heights of bands of area and width 1
_BLOCK = 16  # spectra that are fitted at once; more leave the cache


@dataclass(frozen=True, eq=False)
class Peaks:
    """Bands of one spectrum, or of n spectra: pseudo-Voigt functions on a smooth background.

    Parameters
    ----------
    values : ndarray, shape (..., K, 3)
        Position, width and area of K bands, in the order of `PARAMETERS` and of the axis.
    errors : ndarray, shape (..., K, 3)
        Their standard errors, by the residual of the fit.
    lorentzian : float
        Share of the Lorentzian in the pseudo-Voigt function: 0 for Gaussian bands, 1 for Lorentzian ones.

    Examples
    --------
    >>> peaks = Peaks(np.array([[325.0, 20.0, 1.0], [365.0, 20.0, 1.0], [826.0, 24.0, 3.0]]), np.zeros((3, 3)), 1.0)
    >>> peaks.count, peaks.doublets
    (3, ((0, 1),))
    """

    values: Array
    errors: Array
    lorentzian: float

    @property
    def count(self) -> int:
        """Number of bands, K."""
        return int(self.values.shape[-2])

    @property
    def doublets(self) -> tuple[Doublet, ...]:
        """Pairs of neighbouring bands that overlap, the closest ones; no band is in two. By the mean over spectra."""
        place, width, _ = self.values.reshape(-1, self.count, 3).mean(0).T
        apart = np.diff(place) / ((width[1:] + width[:-1]) / 2)
        found: list[Doublet] = []
        for k in map(int, np.argsort(apart, kind="stable")):
            if apart[k] <= _DOUBLET and not {k, k + 1} & {band for pair in found for band in pair}:
                found.append((k, k + 1))
        return tuple(sorted(found))

    @property
    def splittings(self) -> Array:
        """Distances of the bands of each doublet, shape (..., number of doublets)."""
        place = self.values[..., 0]
        return (
            np.stack([place[..., b] - place[..., a] for a, b in self.doublets], -1) if self.doublets else place[..., :0]
        )


def fit_peaks(spectrum: ArrayLike, axis: ArrayLike, noise: float = 0.0) -> Peaks:
    """Find the bands of a spectrum, and fit them with a smooth background.

    Parameters
    ----------
    spectrum : array_like, shape (C,)
        Intensities, for example of a mean spectrum.
    axis : array_like, shape (C,)
        Positions of the channels, ascending or descending.
    noise : float
        Standard deviation of the noise; maxima must rise five times as high above their surroundings.

    Returns
    -------
    Peaks
        Up to 16 bands, the most prominent ones; none if the spectrum has no maximum.

    Examples
    --------
    >>> x = np.linspace(0, 100, 401)
    >>> found = fit_peaks(3 / (1 + ((x - 40) / 5) ** 2) + 2 / (1 + ((x - 52) / 5) ** 2) + 0.01 * x, x)
    >>> found.values[:, :2].round(2).tolist(), round(found.lorentzian, 2)
    ([[40.0, 10.0], [52.0, 10.0]], 1.0)
    >>> found.splittings.round(2)
    array([12.])
    """
    place, values = _ascending(axis, spectrum)
    start = _maxima(place, values, noise)
    while len(start):
        found = _fitted(start, place, values)
        kept = _real(found)
        if kept.all():
            return found
        start = found.values[kept]
    return Peaks(np.zeros((0, 3)), np.zeros((0, 3)), 0.0)


def follow_peaks(peaks: Peaks, spectra: ArrayLike, axis: ArrayLike, noise: ArrayLike) -> Peaks:
    """Fit the bands of a mean spectrum to each of n spectra.

    Parameters
    ----------
    peaks : Peaks
        Bands of the mean spectrum.
    spectra : array_like, shape (n, C)
        Intensities.
    axis : array_like, shape (C,)
        Positions of the channels.
    noise : array_like, shape (C,)
        Standard deviation of the noise of each channel. Where it hides a band, that of the mean spectrum stands,
        with the brightness of the spectrum: bands are expected to move by half a width at most, and to be a third
        wider or narrower.

    Returns
    -------
    Peaks
        Bands of every spectrum; values of shape (n, K, 3).

    Examples
    --------
    >>> x = np.linspace(0, 100, 401)
    >>> band = lambda centre: 3 / (1 + ((x - centre) / 5) ** 2)
    >>> found = follow_peaks(fit_peaks(band(50), x), [band(49), 2 * band(52)], x, np.full(401, 0.01))
    >>> found.values[:, 0].round(1).tolist()
    [[49.0, 10.0, 47.1], [52.0, 10.0, 94.0]]
    """
    place, values = np.asarray(axis, np.float64), np.asarray(spectra, np.float64)
    smooth = _background(place)
    weight = 1 / np.maximum(np.asarray(noise, np.float64), 1e-3 * np.ptp(values, axis=1).mean() + 1e-300)
    parts = [
        _followed(peaks, values[row : row + _BLOCK], place, smooth, weight) for row in range(0, len(values), _BLOCK)
    ]
    bands, errors = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Peaks(bands, errors, peaks.lorentzian)


def peak_derivatives(peaks: Peaks, axis: ArrayLike) -> Array:
    """Return the derivatives of intensities with respect to positions, widths and areas of bands.

    Parameters
    ----------
    peaks : Peaks
        Bands of one or n spectra.
    axis : array_like, shape (C,)
        Positions of the channels.

    Returns
    -------
    ndarray, shape (..., C, K, 3)
        Derivatives, in the order of `PARAMETERS`. A width changes at constant area.

    Examples
    --------
    >>> x = np.linspace(0, 100, 401)
    >>> found = peak_derivatives(Peaks(np.array([[50.0, 10.0, 2.0]]), np.zeros((1, 3)), 0.0), x)
    >>> found.shape, (found.sum(0) * 0.25 + 1e-9).round(6).tolist()  # only a change of the area changes the integral
    ((401, 1, 3), [[0.0, 0.0, 1.0]])
    """
    found = _curves(peaks.values, np.asarray(axis, np.float64), peaks.lorentzian)[1]
    return np.moveaxis(found, -1, -3)


def _ascending(axis: ArrayLike, spectrum: ArrayLike) -> tuple[Array, Array]:
    place, values = np.asarray(axis, np.float64), np.asarray(spectrum, np.float64)
    return (place[::-1], values[::-1]) if place[0] > place[-1] else (place, values)


def _background(place: Array) -> Array:
    """Polynomials, shape (C, degree + 1), orthogonal over the channels."""
    scaled = np.interp(place, [place.min(), place.max()], [-1, 1])
    degree = min(_BACKGROUND, len(place) // 100)
    return np.asarray(np.polynomial.legendre.legvander(scaled, degree))


def _maxima(place: Array, values: Array, noise: float) -> Array:
    """Position, width and area of the maxima, shape (K, 3)."""
    least = max(_PROMINENT * float(np.ptp(values)), _CLEAR * noise)
    found, about = find_peaks(values, prominence=max(least, 1e-300))
    kept = np.sort(np.argsort(-about["prominences"], kind="stable")[:_MOST])
    rows, high = found[kept], about["prominences"][kept]
    ends = peak_widths(values, rows)[2:]
    left, right = (np.interp(each, np.arange(len(place)), place) for each in ends)
    width = np.maximum(right - left, np.abs(np.diff(place)).mean())
    return np.stack([place[rows], width, high * width * 1.2], 1)


def _fitted(start: Array, place: Array, values: Array) -> Peaks:
    """Least squares from starting values of shape (K, 3)."""
    count, scale = len(start), float(np.ptp(values))
    smooth = _background(place)
    step = float(np.abs(np.diff(place)).mean())

    def model(flat: Array) -> tuple[Array, Array]:
        bands, mix, level = flat[: 3 * count].reshape(count, 3), flat[3 * count], flat[3 * count + 1 :]
        curves, slopes = _curves(bands, place, mix)
        jacobian = np.column_stack([slopes.reshape(-1, len(place)).T, _by_mix(bands, place), smooth])
        return (curves + smooth @ level - values) / scale, jacobian / scale

    first = np.concatenate([start.ravel(), [0.5], np.linalg.lstsq(smooth, values, rcond=None)[0]])
    low, high = np.full(first.size, -np.inf), np.full(first.size, np.inf)
    low[: 3 * count], high[: 3 * count] = _limits(start, step)
    low[3 * count], high[3 * count] = 0, 1
    found = least_squares(
        lambda flat: model(flat)[0], first, lambda flat: model(flat)[1], (low, high), x_scale="jac", max_nfev=200
    )
    variance = 2 * found.cost / max(len(place) - first.size, 1)
    covariance = variance * np.linalg.pinv(found.jac.T @ found.jac, hermitian=True)
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
    bands, errors = (each[: 3 * count].reshape(count, 3) for each in (found.x, deviation))
    order = np.argsort(bands[:, 0])
    return Peaks(bands[order], errors[order], float(found.x[3 * count]))


def _real(peaks: Peaks) -> NDArray[np.bool_]:
    """Bands that are larger than their error and apart from a larger one, shape (K,)."""
    place, width, area = peaks.values.T
    kept = area > 3 * peaks.errors[:, 2]
    close = np.diff(place) < _SAME * (width[1:] + width[:-1]) / 2
    for k in np.flatnonzero(close):
        kept[k if area[k] < area[k + 1] else k + 1] = False
    return np.asarray(kept)


def _limits(start: Array, step: float) -> tuple[Array, Array]:
    """Bounds of the bands of the mean spectrum, each of shape (3 K,)."""
    place, width, area = start.T
    low = np.stack([place - width, np.minimum(width / 4, step), np.zeros_like(area)], 1)
    high = np.stack([place + width, width * 4 + step, np.full_like(area, np.inf)], 1)
    return low.ravel(), high.ravel()


def _curves(bands: Array, place: Array, mix: float) -> tuple[Array, Array]:
    """Sum of the bands (..., C), and derivatives by their parameters (..., K, 3, C)."""
    centre, width, area = (bands[..., k, None] for k in range(3))
    u = (place - centre) / width
    square = u * u
    gauss = np.exp(square * (-4 * np.log(2)))
    gauss *= (1 - mix) * _GAUSS
    square *= 4
    square += 1
    lorentz = (mix * _LORENTZ) / square
    shape = gauss + lorentz
    gauss *= np.log(2)
    lorentz /= square
    lorentz += gauss
    u *= lorentz  # times -8 the derivative of the shape by the distance from the centre
    slopes = np.empty((*bands.shape, len(place)))
    np.multiply(u, 8 * area / width**2, out=slopes[..., 0, :])
    np.divide(shape, width, out=slopes[..., 2, :])
    u *= (place - centre) / width
    u *= 8
    shape -= u
    np.multiply(shape, -area / width**2, out=slopes[..., 1, :])
    return (area * slopes[..., 2, :]).sum(-2), slopes


def _by_mix(bands: Array, place: Array) -> Array:
    """Derivative of the sum of the bands by the share of the Lorentzian, shape (C,)."""
    return _curves(bands, place, 1.0)[0] - _curves(bands, place, 0.0)[0]


def _followed(peaks: Peaks, values: Array, place: Array, smooth: Array, weight: Array) -> tuple[Array, Array]:
    """Gauss-Newton steps of some spectra at once, which takes a hundredth of the time of single fits."""
    count, rows = peaks.count, len(values)
    flat = _curves(peaks.values, place, peaks.lorentzian)[0]
    bright = _brightness(values, flat, smooth)
    mean = np.repeat(peaks.values[None], rows, 0)
    mean[..., 2] *= bright[:, None]
    free = np.stack([_FREE[0] * mean[..., 1], _FREE[1] * mean[..., 1], _FREE[2] * mean[..., 2]], -1)
    prior = np.concatenate([1 / np.maximum(free, 1e-300).reshape(rows, -1) ** 2, np.zeros((rows, smooth.shape[1]))], 1)
    bands, size = mean, prior.shape[1]
    jacobian = np.empty((rows, size, len(place)))
    jacobian[:, 3 * count :] = smooth.T * weight
    for _ in range(_ROUNDS):
        curves, slopes = _curves(bands, place, peaks.lorentzian)
        np.multiply(slopes.reshape(rows, -1, len(place)), weight, out=jacobian[:, : 3 * count])
        level = (jacobian @ ((values - curves) * weight)[..., None])[..., 0]
        moved = np.concatenate([(mean - bands).reshape(rows, -1), np.zeros((rows, smooth.shape[1]))], 1)
        normal = jacobian @ jacobian.transpose(0, 2, 1)
        normal[:, range(size), range(size)] += prior
        step = np.linalg.solve(normal, (level + prior * moved)[..., None])[:, : 3 * count, 0].reshape(bands.shape)
        bands = bands + np.clip(step, -free, free)
        bands[..., 1] = np.maximum(bands[..., 1], mean[..., 1] / 4)
    curves = _curves(bands, place, peaks.lorentzian)[0]
    left = values - curves
    left = (left - left @ np.linalg.pinv(smooth).T @ smooth.T) * weight
    variance = (left**2).sum(1) / max(len(place) - size, 1)
    own = np.linalg.inv(normal)[:, range(3 * count), range(3 * count)]
    return bands, np.sqrt(np.maximum(variance[:, None] * own, 0)).reshape(bands.shape)


def _brightness(values: Array, bands: Array, smooth: Array) -> Array:
    """Factor of the bands of the mean spectrum in each spectrum, shape (n,)."""
    columns = np.column_stack([bands, smooth])
    found: Array = np.linalg.lstsq(columns, values.T, rcond=None)[0][0]
    return np.maximum(found, 0.01)
