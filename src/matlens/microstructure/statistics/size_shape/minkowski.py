"""Minkowski functionals: size, surface, curvature and connectedness, the additive measures of a shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.size_shape.euler import euler_density
from matlens.microstructure.statistics.size_shape.mean_curvature import mean_curvature_density
from matlens.microstructure.statistics.size_shape.specific_surface import specific_surface
from matlens.microstructure.statistics.size_shape.volume_fraction import volume_fraction
from matlens.microstructure.structure import Microstructure

__all__ = ["Minkowski", "minkowski_functionals"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Minkowski:
    """Densities of the Minkowski functionals, each of shape (K,).

    Parameters
    ----------
    volume : ndarray
        Area (2-D) or volume (3-D) of the phase per area or volume; a pure number.
    surface : ndarray
        Perimeter or surface per area or volume, per unit (Crofton).
    mean_curvature : ndarray
        Integral of mean curvature per volume, per unit^2; NaN in two dimensions, where 2 pi times the Euler number is
        the integral of curvature.
    euler, euler_full : ndarray
        Euler number per area or volume, per unit^ndim, of the face-connected and the fully connected phase.

    Examples
    --------
    >>> found = minkowski_functionals(Microstructure([[0, 1], [1, 0]], periodic=True))
    >>> found.volume.tolist(), found.surface.shape
    ([0.5, 0.5], (2,))
    """

    volume: Array
    surface: Array
    mean_curvature: Array
    euler: Array
    euler_full: Array


def minkowski_functionals(m: Microstructure, *, mask: ArrayLike | None = None) -> Minkowski:
    """Estimate the densities of all Minkowski functionals of every phase.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; unequal spacings are allowed.
    mask : array_like of bool, optional
        Shape of ``m``, True where the data are good: only blocks of pixels that are all good count.

    Returns
    -------
    Minkowski
        Edge-corrected: of the material the image is a window of. An absent phase has all densities zero.

    See Also
    --------
    specific_surface, mean_curvature_density, euler_density : bias on the pixel grid, and sources.

    Examples
    --------
    >>> dots = np.zeros((16, 16), dtype=int)
    >>> dots[2::8, 2::8] = 1
    >>> found = minkowski_functionals(Microstructure(dots, spacing=0.5, unit="um", periodic=True))
    >>> found.volume, found.euler
    (array([0.984375, 0.015625]), array([-0.0625,  0.0625]))
    """
    good = checked_mask(m, mask)
    volume = volume_fraction(m, mask=good)
    face = euler_density(m, mask=good)
    full = euler_density(m, connectivity="full", mask=good)
    return Minkowski(volume, specific_surface(m, mask=good), mean_curvature_density(m, mask=good), face, full)
