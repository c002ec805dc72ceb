"""Surface-surface correlation: how the interface of a phase is arranged around itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.microstructure.statistics.correlation.offsets import half_sides
from matlens.microstructure.statistics.correlation.two_point import checked_mask, two_point_map, two_point_radial
from matlens.microstructure.statistics.size_shape.neighbours import shifted_pair
from matlens.microstructure.statistics.statistic import N_LOG_N, Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["SURFACE_SURFACE", "interface_pixels", "surface_surface", "surface_surface_map"]


def interface_pixels(m: Microstructure) -> NDArray[np.bool_]:
    """Mark the pixels of each phase that share a face with another phase.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

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


def surface_surface_map(m: Microstructure, *, mask: ArrayLike | None = None) -> NDArray[np.float64]:
    """Compute the probability that two points, r apart, both lie in interface pixels of a phase.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional. The outermost pixels of a window, not all of whose neighbours are known, are left
        out, unless it is periodic.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask. Pixels beside hidden ones
        are left out too.

    Returns
    -------
    ndarray of float64, shape (K, 2 h_1 + 1, ..., 2 h_d + 1)
        h_i is half the side (in a window: of the side less 2); the centre is r = 0. NaN for an absent phase, at offsets
        of which nothing is known, and everywhere if a window has a side below 3 or no pixel has all its neighbours
        known.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

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
    found = _layers(m, mask)
    if found is None:
        return np.full((m.n_phases, *(2 * half + 1 for half in half_sides(m.shape))), np.nan)
    layers, certain = found
    maps = np.concatenate([two_point_map(layer, mask=certain)[1:] for layer in layers])
    maps[_absent(m, mask)] = np.nan
    return maps


def surface_surface(m: Microstructure, *, mask: ArrayLike | None = None) -> NDArray[np.float64]:
    """Compute the surface-surface correlation averaged over shells of round(|r|) pixels.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; the outermost pixels of a window are left out, unless it is periodic.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K, R), R = min(side) // 2 + 1, in a window min(side) // 2
        Distances 0, 1, 2, ... in pixels.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    See Also
    --------
    surface_surface_map : parameters and definition.

    Notes
    -----
    See `surface_surface_map` for the definition. Ma & Torquato, Phys. Rev. E 98, 013307 (2018).

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 0, 0, 0, 1, 1, 1, 1], (8, 1)), periodic=True)
    >>> surface_surface(stripes)[1].round(3).tolist()
    [0.25, 0.062, 0.042, 0.078, 0.047]
    """
    found = _layers(m, mask)
    if found is None:
        return np.full((m.n_phases, min(m.shape) // 2 + 1), np.nan)
    layers, certain = found
    curves = np.concatenate([two_point_radial(layer, mask=certain)[1:] for layer in layers])
    curves[_absent(m, mask)] = np.nan
    return curves


def _layers(m: Microstructure, mask: ArrayLike | None) -> tuple[list[Microstructure], NDArray[np.bool_] | None] | None:
    """One two-phase image a phase, of its interface pixels, and where they are certain; None if nowhere."""
    found, certain = interface_pixels(m), _certain(m, mask)
    if not m.periodic:
        if min(m.shape) < 3:
            return None
        inner = (slice(1, -1),) * m.ndim
        found, certain = found[(slice(None), *inner)], None if certain is None else certain[inner]
    if certain is not None and not certain.any():
        return None
    names = ("elsewhere", "interface")
    layers = [Microstructure(layer.astype(np.uint8), phase_names=names, periodic=m.periodic) for layer in found]
    return layers, certain


def _certain(m: Microstructure, mask: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Known pixels all of whose neighbours across faces are known, beyond a window's border taken as known."""
    known = checked_mask(m, mask)
    if known is None:
        return None
    certain = known.copy()
    for axis in range(m.ndim):
        step = np.eye(m.ndim, dtype=int)[axis]
        for offset in (step, -step):
            place, _ = shifted_pair(certain, offset.tolist(), m.periodic)
            _, there = shifted_pair(known, offset.tolist(), m.periodic)
            place &= there
    return certain


def _absent(m: Microstructure, mask: ArrayLike | None) -> NDArray[np.bool_]:
    known = checked_mask(m, mask)
    labels = m.labels if known is None else m.labels[known]
    return np.asarray(np.bincount(labels.ravel(), minlength=m.n_phases) == 0)


SURFACE_SURFACE = Statistic(
    name="surface_surface",
    long_name="surface-surface correlation",
    compute=surface_surface,
    variables=(
        Variable(
            name="surface_surface",
            dims=("phase", "r"),
            long_name="P(both ends on the interface) by distance",
            missing="the phase is absent",
            display=Display(
                section="sizes",
                place=3,
                caption="probability that two points both lie at the phase's interface",
                title="Surface-surface correlation",
                label="probability",
                against="distance",
                drawn_from=1,  # a pixel with itself would set the scale
            ),
            facts=Facts(least=0, most=1),
        ),
    ),
    cost=Cost(seconds=(0.096, 0.092), bytes=(68, 62), exponent=N_LOG_N),
    cites=("torquato2002random",),
)
