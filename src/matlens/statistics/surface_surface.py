"""Surface-surface correlation: how the interface of a phase is arranged around itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure import Microstructure
from matlens.statistics.neighbours import shifted_pair
from matlens.statistics.offsets import half_sides
from matlens.statistics.two_point import two_point_map, two_point_radial

__all__ = ["interface_pixels", "surface_surface", "surface_surface_map"]


def interface_pixels(m: Microstructure) -> NDArray[np.bool_]:
    """Mark the pixels of each phase that share a face with another phase.

    Returns
    -------
    ndarray of bool, shape (K, *shape)
        Neighbours across the border count only if ``m`` is periodic.

    Examples
    --------
    >>> interface_pixels(Microstructure([[0, 0, 1, 1, 1]] * 2))[1, 0].tolist()
    [False, False, True, False, False]
    """
    edge = np.zeros(m.shape, dtype=bool)
    for axis in range(m.ndim):
        step = np.eye(m.ndim, dtype=int)[axis]
        for offset in (step, -step):
            here, there = shifted_pair(m.labels, offset.tolist(), m.periodic)
            place, _ = shifted_pair(edge, offset.tolist(), m.periodic)
            place |= here != there
    return m.indicators() & edge


def surface_surface_map(m: Microstructure) -> NDArray[np.float64]:
    """Compute the probability that two points, r apart, both lie in interface pixels of a phase.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional. The outermost pixels of a window, not all of whose neighbours are known, are left
        out, unless it is periodic.

    Returns
    -------
    ndarray of float64, shape (K, 2 h_1 + 1, ..., 2 h_d + 1)
        h_i is half the side (in a window: of the side less 2); the centre is r = 0. NaN for an absent phase, and
        everywhere if a window has a side below 3.

    Notes
    -----
    At r = 0 it is the share p of interface pixels, far away p^2; over p^2 it may be compared between resolutions.
    Interface pixels make a layer one pixel thick on the phase's own side, so values below r = 2 are of the grid.
    Ma & Torquato, Phys. Rev. E 98, 013307 (2018).

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 0, 0, 0, 1, 1, 1, 1], (8, 1)), periodic=True)
    >>> surface_surface_map(stripes)[1, 4, 4:].tolist()
    [0.25, 0.0, 0.0, 0.125, 0.0]
    """
    layers = _layers(m)
    if layers is None:
        return np.full((m.n_phases, *(2 * half + 1 for half in half_sides(m.shape))), np.nan)
    maps = np.concatenate([two_point_map(layer)[1:] for layer in layers])
    maps[m.volume_fractions == 0] = np.nan
    return maps


def surface_surface(m: Microstructure) -> NDArray[np.float64]:
    """Compute the surface-surface correlation averaged over shells of round(|r|) pixels.

    Returns
    -------
    ndarray of float64, shape (K, R), R = min(side) // 2 + 1, in a window min(side) // 2
        Distances 0, 1, 2, ... in pixels.

    See Also
    --------
    surface_surface_map : parameters and definition.

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 0, 0, 0, 1, 1, 1, 1], (8, 1)), periodic=True)
    >>> surface_surface(stripes)[1].round(3).tolist()
    [0.25, 0.062, 0.042, 0.078, 0.047]
    """
    layers = _layers(m)
    if layers is None:
        return np.full((m.n_phases, min(m.shape) // 2 + 1), np.nan)
    curves = np.concatenate([two_point_radial(layer)[1:] for layer in layers])
    curves[m.volume_fractions == 0] = np.nan
    return curves


def _layers(m: Microstructure) -> list[Microstructure] | None:
    """One two-phase image a phase, of its interface pixels; None if a window has no inner pixels."""
    found = interface_pixels(m)
    if not m.periodic:
        if min(m.shape) < 3:
            return None
        found = found[(slice(None), *[slice(1, -1)] * m.ndim)]
    names = ("elsewhere", "interface")
    return [Microstructure(layer.astype(np.uint8), phase_names=names, periodic=m.periodic) for layer in found]
