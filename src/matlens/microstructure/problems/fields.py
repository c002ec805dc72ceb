"""Level-cut Gaussian random fields, whose two-point statistics are known in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.structure import Microstructure

__all__ = ["bicontinuous", "gaussian_field", "level_cut_covariance"]

_CORRELATED = 0.1  # the normalised covariance at the correlation length
_NODES = 64  # of the quadrature of a covariance


def gaussian_field(
    shape: Sequence[int],
    correlation_length: float | Sequence[float],
    fraction: float = 0.5,
    seed: int = 0,
    *,
    periodic: bool = True,
) -> Microstructure:
    """Make a level-cut Gaussian random field with a Gaussian covariance.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    correlation_length : float or sequence of float
        Distance in pixels at which the normalised covariance of the phases is 0.1; one value, or one for each axis.
    fraction : float
        Volume fraction of phase 1, exact to the pixel.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases. The exact normalised covariance is ``level_cut_covariance(exp(-(r / a)**2), fraction)`` with ``a``
        such that it is 0.1 at the correlation length.

    Raises
    ------
    InputError
        If a size, a length or the fraction is out of range.

    Notes
    -----
    Quiblier, J. Colloid Interface Sci. 98, 84 (1984); Berk, Phys. Rev. A 44, 5069 (1991).

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
    """Make a spinodal-like structure, in which both phases are connected, by cutting a random field of one wavelength.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    seed : int
        Seed of the random numbers.
    wavelength : float
        Mean repeat distance in pixels, at least 2.
    fraction : float
        Volume fraction of phase 1, exact to the pixel.
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

    Notes
    -----
    Cahn, J. Chem. Phys. 42, 93 (1965).

    Examples
    --------
    >>> bicontinuous((64, 64), seed=0, wavelength=12)
    Microstructure(64 x 64, 2 phases, 1 px, periodic)
    """
    sides = checked_shape(shape)
    if not np.isfinite(wavelength) or wavelength < 2:
        raise InputError(f"wavelength must be at least 2 pixels, found {wavelength!r}.")
    radius = np.sqrt(sum(f**2 for f in frequencies(drawn_shape(sides, periodic))))
    # A bandwidth of 15 %: narrower gives long-range order, wider gives blobs.
    amplitude = np.exp(-0.5 * ((radius * wavelength - 1.0) / 0.15) ** 2)
    field = filtered_noise(amplitude, np.random.default_rng(seed))
    return cut(window(field, sides), fraction, periodic)


def level_cut_covariance(correlation: ArrayLike, fraction: float) -> NDArray[np.float64]:
    """Compute the normalised covariance of the phases of a level-cut Gaussian field.

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
    The orthant probability of two correlated normal variables as a single integral: Berk, Phys. Rev. A 44, 5069 (1991).

    Examples
    --------
    >>> round(float(level_cut_covariance(0.5, 0.5)), 4)
    0.3333
    """
    return _covariance(correlation, checked_fraction(fraction), np.polynomial.legendre.leggauss(_NODES))


def _covariance(
    correlation: ArrayLike, phi: float, rule: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Integrate by a Gauss-Legendre rule, whose nodes take longer to find than to use."""
    from scipy.special import ndtri

    end = np.arcsin(np.clip(np.asarray(correlation, dtype=float), -1.0, 1.0))
    nodes, weights = rule
    angles = end[..., None] * (nodes + 1) / 2
    integrand = np.exp(-(float(ndtri(phi)) ** 2) / (1.0 + np.sin(angles)))
    integral = (integrand * weights).sum(axis=-1) * end / 2
    return np.asarray(integral / (2 * np.pi * phi * (1 - phi)))


def gaussian_scale(correlation_length: float | Sequence[float], ndim: int, fraction: float) -> NDArray[np.float64]:
    """Compute the length ``a`` of a field of covariance exp(-(r / a)**2) from the correlation length of its phases.

    Parameters
    ----------
    correlation_length : float or sequence of float
        Distance in pixels at which the normalised covariance of the phases is 0.1; one value, or one for each axis.
    ndim : int
        Number of axes.
    fraction : float
        Volume fraction at which the field is cut.

    Returns
    -------
    ndarray of float, shape (ndim,)
        Length ``a`` along each axis in pixels.

    Raises
    ------
    InputError
        If a length is not positive, or the fraction is not strictly between 0 and 1.

    Examples
    --------
    >>> gaussian_scale(8.0, 2, 0.5).round(2)
    array([5.87, 5.87])
    """
    from scipy.optimize import brentq

    lengths = np.broadcast_to(np.asarray(correlation_length, dtype=float), (ndim,))
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise InputError(f"correlation_length must be positive (pixels), found {correlation_length!r}.")
    phi = checked_fraction(fraction)
    rule = np.polynomial.legendre.leggauss(_NODES)
    rho = brentq(lambda value: float(_covariance(value, phi, rule)) - _CORRELATED, 1e-9, 1.0)
    return np.asarray(lengths / np.sqrt(-np.log(rho)))


def gaussian_values(
    sides: tuple[int, ...], scale: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a periodic Gaussian field of covariance exp(-(r / a)**2), of any variance.

    Parameters
    ----------
    sides : tuple of int
        Pixels along each axis.
    scale : ndarray of float, shape (ndim,)
        Length ``a`` along each axis in pixels.
    rng : Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of float, shape ``sides``
        The field.

    Examples
    --------
    >>> gaussian_values((8, 8), np.array([2.0, 2.0]), np.random.default_rng(0)).shape
    (8, 8)
    """
    amplitude = np.exp(-0.5 * sum((np.pi * f * a) ** 2 for f, a in zip(frequencies(sides), scale)))
    return filtered_noise(np.asarray(amplitude), rng)


def cut(field: NDArray[np.float64], fraction: float, periodic: bool) -> Microstructure:
    """Assign phase 1 to the highest values of a field, so many that its fraction is as asked.

    Parameters
    ----------
    field : ndarray of float
        Values in two or three dimensions.
    fraction : float
        Volume fraction of phase 1, exact to the pixel.
    periodic : bool
        Whether opposite borders of the field continue each other.

    Returns
    -------
    Microstructure
        Two phases.

    Raises
    ------
    InputError
        If the fraction is not strictly between 0 and 1.

    Examples
    --------
    >>> cut(np.array([[0.1, 0.9], [0.5, 0.2]]), 0.5, periodic=False).labels.tolist()
    [[0, 1], [1, 0]]
    """
    count = round(checked_fraction(fraction) * field.size)
    labels = np.zeros(field.size, dtype=np.uint8)
    labels[np.argsort(field, axis=None, kind="stable")[field.size - count :]] = 1
    return Microstructure(labels.reshape(field.shape), phase_names=("phase 0", "phase 1"), periodic=periodic)


def checked_fraction(fraction: float) -> float:
    """Return a volume fraction after a check of its range.

    Parameters
    ----------
    fraction : float
        A volume fraction.

    Returns
    -------
    float
        The same.

    Raises
    ------
    InputError
        If the fraction is not strictly between 0 and 1.

    Examples
    --------
    >>> checked_fraction(0.4)
    0.4
    """
    if not 0.0 < float(fraction) < 1.0:
        raise InputError(f"fraction must lie strictly between 0 and 1, found {fraction!r}.")
    return float(fraction)


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape as a tuple after a check of its sizes.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis.

    Returns
    -------
    tuple of int
        The same, two or three sizes.

    Raises
    ------
    InputError
        If the shape is not two or three positive sizes.

    Examples
    --------
    >>> checked_shape([4, 6])
    (4, 6)
    """
    sides = tuple(int(side) for side in shape)
    if len(sides) not in (2, 3) or min(sides) < 1:
        raise InputError(f"shape must be two or three positive sizes, found {tuple(shape)!r}.")
    return sides


def drawn_shape(sides: tuple[int, ...], periodic: bool) -> tuple[int, ...]:
    """Return the shape in which to draw a periodic field, from which `window` cuts the asked shape.

    Parameters
    ----------
    sides : tuple of int
        Asked pixels along each axis.
    periodic : bool
        Whether the result is to be periodic; if not, twice the sides are drawn.

    Returns
    -------
    tuple of int
        Pixels along each axis.

    Examples
    --------
    >>> drawn_shape((8, 8), periodic=False)
    (16, 16)
    """
    return sides if periodic else tuple(2 * side for side in sides)  # a window of a larger field does not wrap


def frequencies(sides: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Return the frequencies of the discrete Fourier transform along each axis.

    Parameters
    ----------
    sides : tuple of int
        Pixels along each axis.

    Returns
    -------
    list of ndarray of float
        Frequencies in cycles per pixel, one array for each axis, with shapes that broadcast.

    Examples
    --------
    >>> [f.shape for f in frequencies((4, 6))]
    [(4, 1), (1, 6)]
    """
    return list(np.meshgrid(*(np.fft.fftfreq(side) for side in sides), indexing="ij", sparse=True))


def filtered_noise(amplitude: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a periodic Gaussian field with a given amplitude spectrum.

    Parameters
    ----------
    amplitude : ndarray of float
        Amplitude at each frequency, in the order of the discrete Fourier transform.
    rng : Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of float
        The field, same shape; its variance depends on the amplitudes.

    Examples
    --------
    >>> filtered_noise(np.ones((4, 4)), np.random.default_rng(0)).shape
    (4, 4)
    """
    return np.asarray(np.fft.ifftn(np.fft.fftn(rng.standard_normal(amplitude.shape)) * amplitude).real)


def window(field: NDArray[np.float64], sides: tuple[int, ...]) -> NDArray[np.float64]:
    """Cut the asked shape out of a larger field.

    Parameters
    ----------
    field : ndarray of float
        The field.
    sides : tuple of int
        Pixels to keep along each axis, from the first.

    Returns
    -------
    ndarray of float, shape ``sides``
        A contiguous copy.

    Examples
    --------
    >>> window(np.zeros((8, 8)), (4, 6)).shape
    (4, 6)
    """
    return np.ascontiguousarray(field[tuple(slice(side) for side in sides)])
