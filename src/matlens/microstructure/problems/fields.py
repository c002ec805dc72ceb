"""Level-cut Gaussian random fields: textures whose two-point statistics are known in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.structure import Microstructure

__all__ = ["bicontinuous", "gaussian_field", "level_cut_covariance"]

_CORRELATED = 0.1  # a correlation length is where the normalised covariance falls to this


def gaussian_field(
    shape: Sequence[int],
    correlation_length: float | Sequence[float],
    fraction: float = 0.5,
    seed: int = 0,
    *,
    periodic: bool = True,
) -> Microstructure:
    """Cut a Gaussian field of Gaussian covariance so that phase 1 has exactly the asked fraction.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    correlation_length : float or sequence of float
        Distance in pixels (along each axis, if several) at which the normalised covariance of the phases is 0.1.
    fraction : float
        Volume fraction of phase 1, to the pixel.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases; the truth is ``level_cut_covariance(exp(-(r / a)**2), fraction)`` with ``a`` such that it is 0.1 at
        the correlation length.

    Raises
    ------
    InputError
        If a size, a length or the fraction is out of range.

    Examples
    --------
    >>> gaussian_field((64, 64), 8, fraction=0.25, seed=1).volume_fractions
    array([0.75, 0.25])
    """
    sides = checked_shape(shape)
    scale = gaussian_scale(correlation_length, len(sides), fraction)
    field = gaussian_values(drawn_shape(sides, periodic), scale, np.random.default_rng(seed))
    return cut(window(field, sides), fraction, periodic)


def bicontinuous(
    shape: Sequence[int], *, seed: int = 0, wavelength: float = 16.0, fraction: float = 0.5, periodic: bool = True
) -> Microstructure:
    """Make a spinodal-like structure, both phases connected, by cutting a field of one wavelength (Cahn 1965).

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    seed : int
        Seed of the random numbers.
    wavelength : float
        Mean repeat distance in pixels, at least 2.
    fraction : float
        Volume fraction of phase 1, to the pixel.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases.

    Raises
    ------
    InputError
        If a size, the wavelength or the fraction is out of range.

    Examples
    --------
    >>> bicontinuous((64, 64), seed=0, wavelength=12)
    Microstructure(64 x 64, 2 phases, 1 px, periodic)
    """
    sides = checked_shape(shape)
    if not np.isfinite(wavelength) or wavelength < 2:
        raise InputError(f"wavelength must be at least 2 pixels, found {wavelength!r}.")
    radius = np.sqrt(sum(f**2 for f in frequencies(drawn_shape(sides, periodic))))
    amplitude = np.exp(-0.5 * ((radius * wavelength - 1.0) / 0.15) ** 2)  # 15 %: no long-range order, no blobs
    field = filtered_noise(amplitude, np.random.default_rng(seed))
    return cut(window(field, sides), fraction, periodic)


def level_cut_covariance(correlation: ArrayLike, fraction: float) -> NDArray[np.float64]:
    """Normalised covariance of the phases of a cut Gaussian field, from the correlation of the field.

    Parameters
    ----------
    correlation : array_like
        Correlation of the field at some offsets, in [-1, 1].
    fraction : float
        Volume fraction of either phase.

    Returns
    -------
    ndarray of float
        ``(S2 - phi**2) / (phi (1 - phi))``, same shape; for a fraction of one half ``2 / pi * arcsin(correlation)``.

    Raises
    ------
    InputError
        If the fraction is not strictly between 0 and 1.

    Notes
    -----
    The bivariate-normal orthant probability as one integral (Berk, Phys. Rev. A 44, 5069, 1991).

    Examples
    --------
    >>> round(float(level_cut_covariance(0.5, 0.5)), 4)
    0.3333
    """
    from scipy.special import ndtri

    phi = checked_fraction(fraction)
    end = np.arcsin(np.clip(np.asarray(correlation, dtype=float), -1.0, 1.0))
    nodes, weights = _quadrature()
    angles = end[..., None] * (nodes + 1) / 2
    integrand = np.exp(-(float(ndtri(phi)) ** 2) / (1.0 + np.sin(angles)))
    integral = (integrand * weights).sum(axis=-1) * end / 2
    return np.asarray(integral / (2 * np.pi * phi * (1 - phi)))


def gaussian_scale(correlation_length: float | Sequence[float], ndim: int, fraction: float) -> NDArray[np.float64]:
    """Length ``a`` per axis of a field of covariance exp(-(r / a)**2) whose cut is 0.1 correlated at the length."""
    from scipy.optimize import brentq

    lengths = np.broadcast_to(np.asarray(correlation_length, dtype=float), (ndim,))
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise InputError(f"correlation_length must be positive (pixels), found {correlation_length!r}.")
    phi = checked_fraction(fraction)
    rho = brentq(lambda value: float(level_cut_covariance(value, phi)) - _CORRELATED, 1e-9, 1.0)
    return np.asarray(lengths / np.sqrt(-np.log(rho)))


def gaussian_values(
    sides: tuple[int, ...], scale: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a periodic Gaussian field of covariance exp(-(r / a)**2), not normalised."""
    amplitude = np.exp(-0.5 * sum((np.pi * f * a) ** 2 for f, a in zip(frequencies(sides), scale)))
    return filtered_noise(np.asarray(amplitude), rng)


def cut(field: NDArray[np.float64], fraction: float, periodic: bool) -> Microstructure:
    """Make phase 1 of the highest values, as many as the fraction asks."""
    count = round(checked_fraction(fraction) * field.size)
    labels = np.zeros(field.size, dtype=np.uint8)
    labels[np.argsort(field, axis=None, kind="stable")[field.size - count :]] = 1
    return Microstructure(labels.reshape(field.shape), phase_names=("phase 0", "phase 1"), periodic=periodic)


def checked_fraction(fraction: float) -> float:
    """Return the fraction, or raise InputError unless it lies strictly between 0 and 1."""
    if not 0.0 < float(fraction) < 1.0:
        raise InputError(f"fraction must lie strictly between 0 and 1, found {fraction!r}.")
    return float(fraction)


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape as two or three positive integers, or raise InputError."""
    sides = tuple(int(side) for side in shape)
    if len(sides) not in (2, 3) or min(sides) < 1:
        raise InputError(f"shape must be two or three positive sizes, found {tuple(shape)!r}.")
    return sides


def drawn_shape(sides: tuple[int, ...], periodic: bool) -> tuple[int, ...]:
    """Give the size to draw a periodic field in, of which `window` cuts out what is asked."""
    return sides if periodic else tuple(2 * side for side in sides)  # a window of a larger field does not wrap


def frequencies(sides: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Frequencies in cycles a pixel along each axis, ready to broadcast."""
    return list(np.meshgrid(*(np.fft.fftfreq(side) for side in sides), indexing="ij", sparse=True))


def filtered_noise(amplitude: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a periodic Gaussian field whose spectrum has this amplitude, not normalised."""
    return np.asarray(np.fft.ifftn(np.fft.fftn(rng.standard_normal(amplitude.shape)) * amplitude).real)


def window(field: NDArray[np.float64], sides: tuple[int, ...]) -> NDArray[np.float64]:
    """Cut the asked size out of what was drawn."""
    return np.ascontiguousarray(field[tuple(slice(side) for side in sides)])


@cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.polynomial.legendre.leggauss(64)  # finding the nodes takes longer than using them
