"""Random fields and bicontinuous structures that are stretched in one direction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import cut, drawn_shape, filtered_noise, frequencies, gaussian_scale, window
from matlens.microstructure.structure import Microstructure

__all__ = ["anisotropic_bicontinuous", "anisotropic_field", "checked_plane", "oriented_values", "stretched_coordinates"]

_BANDWIDTH = 0.15  # of the frequency: narrower gives long-range order, wider gives blobs


def anisotropic_field(
    shape: Sequence[int],
    *,
    correlation_length: float = 8.0,
    aspect: float = 1.0,
    angle: float = 0.0,
    fraction: float = 0.5,
    seed: int = 0,
    periodic: bool = True,
) -> Microstructure:
    """Make a level-cut Gaussian random field whose correlation length depends on the direction.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.
    correlation_length : float
        Distance in pixels at which the normalised covariance of the phases is 0.1; geometric mean of the longest and
        the shortest over all directions.
    aspect : float
        Ratio of the longest to the shortest, at least 1.
    angle : float
        Direction of the longest in degrees, from axis 1 towards axis 0.
    fraction : float
        Volume fraction of phase 1, exact to the pixel.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases.

    Raises
    ------
    InputError
        If a size, a length, the aspect or the fraction is out of range.

    Notes
    -----
    Berk, Phys. Rev. A 44, 5069 (1991), with distances stretched along ``angle``.

    Examples
    --------
    >>> anisotropic_field((64, 64), correlation_length=6, aspect=3, angle=30, fraction=0.25).volume_fractions
    array([0.75, 0.25])
    """
    sides = checked_plane(shape)
    scale = gaussian_scale(correlation_length, 2, fraction)[0]
    rng = np.random.default_rng(seed)
    field = oriented_values(drawn_shape(sides, periodic), scale, aspect=aspect, angle=angle, rng=rng)
    return cut(window(field, sides), fraction, periodic)


def anisotropic_bicontinuous(
    shape: Sequence[int],
    *,
    wavelength: float = 16.0,
    aspect: float = 1.0,
    angle: float = 0.0,
    fraction: float = 0.5,
    seed: int = 0,
    periodic: bool = True,
) -> Microstructure:
    """Make a spinodal-like structure whose wavelength depends on the direction.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.
    wavelength : float
        Mean repeat distance in pixels, at least 2; geometric mean of the longest and the shortest over all directions.
    aspect : float
        Ratio of the longest to the shortest, at least 1.
    angle : float
        Direction of the longest in degrees, from axis 1 towards axis 0.
    fraction : float
        Volume fraction of phase 1, exact to the pixel.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases.

    Raises
    ------
    InputError
        If a size, the wavelength, the aspect or the fraction is out of range.

    Notes
    -----
    Cahn, J. Chem. Phys. 42, 93 (1965), with distances stretched along ``angle``.

    Examples
    --------
    >>> anisotropic_bicontinuous((64, 64), wavelength=12, aspect=2)
    Microstructure(64 x 64, 2 phases, 1 px, periodic)
    """
    sides = checked_plane(shape)
    if not np.isfinite(wavelength) or wavelength < 2:
        raise InputError(f"wavelength must be at least 2 pixels, found {wavelength!r}.")
    drawn = drawn_shape(sides, periodic)
    f = np.sqrt(_squared_frequency(drawn, aspect, angle))
    amplitude = np.exp(-0.5 * ((f * wavelength - 1.0) / _BANDWIDTH) ** 2)
    field = filtered_noise(amplitude, np.random.default_rng(seed))
    return cut(window(field, sides), fraction, periodic)


def oriented_values(
    sides: tuple[int, ...], scale: float, *, aspect: float, angle: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a periodic Gaussian field of covariance exp(-(r / scale)**2), with distances r stretched in one direction.

    Parameters
    ----------
    sides : tuple of int
        Pixels along each of the two axes.
    scale : float
        Length in pixels at which the covariance is 1/e; geometric mean over the directions.
    aspect : float
        Ratio of the longest to the shortest length, at least 1.
    angle : float
        Direction of the longest in degrees, from axis 1 towards axis 0.
    rng : Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of float, shape ``sides``
        The field, of any variance.

    Raises
    ------
    InputError
        If the aspect is below 1.

    Examples
    --------
    >>> oriented_values((8, 8), 2.0, aspect=2.0, angle=0.0, rng=np.random.default_rng(0)).shape
    (8, 8)
    """
    squared = _squared_frequency(sides, aspect, angle)
    return filtered_noise(np.exp(-0.5 * (np.pi * scale) ** 2 * squared), rng)


def stretched_coordinates(
    rows: NDArray[np.float64], columns: NDArray[np.float64], aspect: float, angle: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Transform positions to coordinates along and across a direction, each divided by a half axis of an ellipse.

    Parameters
    ----------
    rows, columns : ndarray of float
        Positions along axis 0 and axis 1, of shapes that broadcast.
    aspect : float
        Ratio of the ellipse's half axes, at least 1; their product is 1.
    angle : float
        Direction of the long half axis in degrees, from axis 1 towards axis 0.

    Returns
    -------
    along, across : ndarray of float
        Coordinates along the long and the short half axis, divided by its length.

    Raises
    ------
    InputError
        If the aspect is below 1.

    Examples
    --------
    >>> along, across = stretched_coordinates(np.array(0.0), np.array(2.0), aspect=4, angle=0)
    >>> float(along), float(across)
    (1.0, 0.0)
    """
    turn, stretch = np.deg2rad(angle), np.sqrt(checked_aspect(aspect))
    along = columns * np.cos(turn) + rows * np.sin(turn)
    across = rows * np.cos(turn) - columns * np.sin(turn)
    return along / stretch, across * stretch


def checked_aspect(aspect: float) -> float:
    """Return an aspect ratio after a check of its range.

    Parameters
    ----------
    aspect : float
        Ratio of the longer to the shorter length.

    Returns
    -------
    float
        The same.

    Raises
    ------
    InputError
        If the aspect is below 1 or not finite.

    Examples
    --------
    >>> checked_aspect(2)
    2.0
    """
    if not (np.isfinite(aspect) and aspect >= 1):
        raise InputError(f"aspect must be at least 1 (the longer over the shorter), found {aspect!r}.")
    return float(aspect)


def checked_plane(shape: Sequence[int]) -> tuple[int, int]:
    """Return the shape of a plane as a tuple after a check of its sizes.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.

    Returns
    -------
    tuple of (int, int)
        The same.

    Raises
    ------
    InputError
        If the shape is not two positive sizes.

    Examples
    --------
    >>> checked_plane([32, 48])
    (32, 48)
    """
    sides = tuple(int(side) for side in shape)
    if len(sides) != 2 or min(sides) < 1:
        raise InputError(
            f"shape must be two positive sizes (this structure has a direction in a plane), found {shape}."
        )
    return sides


def _squared_frequency(sides: tuple[int, ...], aspect: float, angle: float) -> NDArray[np.float64]:
    """Squared frequency in the stretched metric: a direction that is long in space is short in frequency."""
    rows, columns = frequencies(sides)
    along, across = stretched_coordinates(rows, columns, aspect, angle + 90.0)
    return np.asarray(along**2 + across**2)
