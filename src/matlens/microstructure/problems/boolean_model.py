"""The Boolean model of overlapping discs or spheres, whose two-point statistics are known exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import checked_fraction, checked_shape
from matlens.microstructure.structure import Microstructure

__all__ = ["discs", "discs_two_point"]


def discs(
    shape: Sequence[int], *, radius: float = 6.0, fraction: float = 0.4, seed: int = 0, periodic: bool = True
) -> Microstructure:
    """Make a Boolean model: overlapping discs (2-D) or spheres (3-D) centred at the points of a Poisson process.

    Phase 1 is the union of the discs.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    radius : float
        Radius in pixels, at most a quarter of the smallest side when periodic.
    fraction : float
        *Expected* volume fraction of phase 1; the fraction of a realisation varies around it.
    seed : int
        Seed of the random numbers.
    periodic : bool
        Whether opposite borders continue each other.

    Returns
    -------
    Microstructure
        Two phases, ``matrix`` and ``discs``; the exact S2 is `discs_two_point`. A pixel is covered if its centre is, so
        the pixel grid adds no bias to the one- and two-point statistics.

    Raises
    ------
    InputError
        If a size, the radius or the fraction is out of range.

    Notes
    -----
    Torquato, Random Heterogeneous Materials (2002), section 5.1.

    Examples
    --------
    >>> discs((64, 64), radius=5, fraction=0.3, seed=3).n_phases
    2
    """
    sides = checked_shape(shape)
    limit = min(sides) / 4 if periodic else np.inf
    if not 0 < radius <= limit:
        raise InputError(f"radius must be positive and at most {limit:g} pixels for this shape, found {radius!r}.")
    rng = np.random.default_rng(seed)
    margin = 0.0 if periodic else radius  # discs centred outside reach into an unwrapped window
    extent = np.array(sides) + 2 * margin
    number = rng.poisson(_intensity(radius, fraction, len(sides)) * extent.prod())
    labels = np.zeros(sides, dtype=np.uint8)
    for centre in rng.uniform(size=(number, len(sides))) * extent - margin:
        _stamp(labels, centre, radius, periodic)
    return Microstructure(labels, phase_names=("matrix", "discs"), periodic=periodic)


def discs_two_point(distance: ArrayLike, radius: float, fraction: float, ndim: int = 2) -> NDArray[np.float64]:
    """Compute the two-point probability S2 of the union of discs (2-D) or spheres (3-D) of the Boolean model.

    Parameters
    ----------
    distance : array_like
        Distances, in the unit of ``radius``.
    radius : float
        Radius of the discs.
    fraction : float
        Expected volume fraction of the discs.
    ndim : int
        2 or 3.

    Returns
    -------
    ndarray of float
        S2 at each distance, same shape: ``2 phi - 1 + exp(-rho V(r))`` with the number density of discs ``rho`` and the
        volume ``V`` of the union of two discs at this distance.

    Raises
    ------
    InputError
        If the fraction is not strictly between 0 and 1.

    Notes
    -----
    Torquato, Random Heterogeneous Materials (2002), section 5.1.

    Examples
    --------
    >>> discs_two_point([0, 20], radius=5, fraction=0.4).round(3)
    array([0.4 , 0.16])
    """
    density = _intensity(radius, fraction, ndim)
    reach = np.minimum(np.asarray(distance, dtype=float) / radius, 2.0)
    if ndim == 2:
        union = radius**2 * (2 * np.pi - 2 * np.arccos(reach / 2) + reach / 2 * np.sqrt(4 - reach**2))
    else:
        union = 4 / 3 * np.pi * radius**3 * (1 + 3 * reach / 4 - reach**3 / 16)
    return np.asarray(2 * fraction - 1 + np.exp(-density * union))


def _intensity(radius: float, fraction: float, ndim: int) -> float:
    volume = np.pi * radius**2 if ndim == 2 else 4 / 3 * np.pi * radius**3
    return float(-np.log1p(-checked_fraction(fraction)) / volume)


def _stamp(labels: NDArray[np.uint8], centre: NDArray[np.float64], radius: float, periodic: bool) -> None:
    """Cover the pixels within the radius of the centre, wrapping round or clipping at the borders."""
    ranges = [np.arange(int(np.ceil(c - radius)), int(np.floor(c + radius)) + 1) for c in centre]
    squared = sum((grid - c) ** 2 for grid, c in zip(np.meshgrid(*ranges, indexing="ij", sparse=True), centre))
    inside = np.asarray(squared <= radius**2)
    if periodic:
        index = [axis % side for axis, side in zip(ranges, labels.shape)]
    else:
        keep = [(axis >= 0) & (axis < side) for axis, side in zip(ranges, labels.shape)]
        index = [axis[k] for axis, k in zip(ranges, keep)]
        inside = inside[np.ix_(*keep)]
    labels[np.ix_(*index)] |= inside
