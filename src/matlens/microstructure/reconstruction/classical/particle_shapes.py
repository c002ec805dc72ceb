"""Shapes and gaps of the particles of a phase, measured without bias by the border of the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["Particles", "gaps", "measure", "separate", "solidity", "weighted_quantiles"]

Array = NDArray[np.float64]

NEIGHBOURS = 3  # number of nearest neighbours whose gaps are measured
_DEPTH = 0.75  # pixels that a saddle must lie below the centres of the two particles it separates
_CORNER = 0.5  # a pixel's half side: sizes are of areas, not of pixel centres


@dataclass(frozen=True)
class Particles:
    """Particles as ellipses of their second moments.

    Attributes
    ----------
    centres : ndarray, shape (N, 2)
        Centres in pixels.
    half : ndarray, shape (N, 2)
        Half lengths of the long and short axes in pixels; the ellipses have the particles' areas.
    angles : ndarray, shape (N,)
        Direction of the long axes from axis 1 towards axis 0, in radians.
    weights : ndarray, shape (N,)
        Weight of each particle in the material's distribution, sum 1: zero for particles cut by the border, and larger
        for large particles, which the border cuts more often.
    gap_values, gap_weights : ndarray, shape (neighbours, N)
        Gaps to the nearest neighbours in pixels, and their weights; 0 where the border is nearer than the neighbour.

    Examples
    --------
    >>> found: Particles = measure([np.pad(np.ones((4, 8), dtype=np.int32), 4)])
    >>> found.weights
    array([1.])
    """

    centres: Array
    half: Array
    angles: Array
    weights: Array
    gap_values: Array
    gap_weights: Array


def separate(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the particles of a phase; touching ones are separated at their throats by the watershed of the distance.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        Pixels of the phase.

    Returns
    -------
    ndarray of int, shape (H, W)
        Number of the particle from 1; 0 outside the phase.

    Examples
    --------
    >>> y, x = np.mgrid[:20, :40]
    >>> touching = (np.hypot(y - 10, x - 10) < 8) | (np.hypot(y - 10, x - 24) < 8)
    >>> int(separate(touching).max())
    2
    """
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    # A particle that the border cuts must not seem to end there.
    depth = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
    depth = np.where(mask, ndimage.gaussian_filter(depth, 0.5), 0.0)
    centres = h_maxima(depth, _DEPTH) > 0
    clusters, count = ndimage.label(mask)
    seen = np.unique(clusters[centres & mask])
    flat = np.setdiff1d(np.arange(1, count + 1), seen)  # too small for a maximum of that height: one particle each
    centres |= np.isin(clusters, flat)
    markers, _ = ndimage.label(centres & mask, np.ones((3, 3)))
    return np.asarray(watershed(-depth, markers, mask=mask), dtype=np.int32)


def solidity(numbers: NDArray[np.int32]) -> float:
    """Compute the solidity of particles, the area over that of the convex hull, as a mean by area.

    Parameters
    ----------
    numbers : ndarray of int, shape (H, W)
        Result of `separate`.

    Returns
    -------
    float
        Solidity in [0, 1]; 0 if there is no particle.

    Examples
    --------
    >>> solidity(np.ones((5, 5), dtype=np.int32))
    1.0
    """
    from skimage.measure import regionprops

    found = [
        (region.area, region.image_convex.sum() if min(region.image.shape) > 1 else region.area)
        for region in regionprops(numbers)
    ]
    areas = np.array(found, dtype=float).reshape(-1, 2)
    return float(np.average(areas[:, 0] / areas[:, 1], weights=areas[:, 0])) if len(areas) else 0.0


def measure(fields: Sequence[NDArray[np.int32]]) -> Particles:
    """Measure the numbered particles of one or more fields.

    Parameters
    ----------
    fields : sequence of ndarray of int, shape (H, W)
        Results of `separate`.

    Returns
    -------
    Particles
        Ellipses, weights and gaps.

    Examples
    --------
    >>> numbers = np.zeros((20, 20), dtype=np.int32)
    >>> numbers[4:8, 4:12] = 1
    >>> found = measure([numbers])
    >>> found.centres.tolist(), (found.half[0] * 2).round(1).tolist()
    ([[5.5, 7.5]], [9.0, 4.5])
    """
    parts = [_measured(numbers) for numbers in fields]
    joined = [np.concatenate(values, axis=-1 if i > 3 else 0) for i, values in enumerate(zip(*parts))]
    joined[3] = joined[3] / joined[3].sum() if joined[3].any() else np.full(len(joined[3]), 1 / max(len(joined[3]), 1))
    return Particles(*joined)


def _measured(numbers: NDArray[np.int32]) -> tuple[Array, Array, Array, Array, Array, Array]:
    from skimage.measure import regionprops

    sides = np.array(numbers.shape, dtype=float)
    regions = regionprops(numbers)
    centres = np.array([region.centroid for region in regions]).reshape(-1, 2)
    half, angles = np.empty((len(regions), 2)), np.empty(len(regions))
    for i, region in enumerate(regions):
        half[i], angles[i] = _ellipse(region.coords, region.area)
    boxes = np.array([region.bbox for region in regions], dtype=float).reshape(-1, 4)
    inside = (boxes[:, :2] > 0).all(axis=1) & (boxes[:, 2:] < sides).all(axis=1)
    room = np.prod(sides - (boxes[:, 2:] - boxes[:, :2]) - 1, axis=1)
    weights = np.where(inside, sides.prod() / np.maximum(room, 1.0), 0.0)
    table = np.full((NEIGHBOURS, len(regions)), np.inf)
    for i in range(len(regions)):
        row = np.sort(np.delete(gaps(i, centres, half, angles), i))[:NEIGHBOURS]
        table[: len(row), i] = row
    border = np.minimum(centres, sides - 1 - centres).min(axis=1) + _CORNER - np.sqrt(half.prod(axis=1))
    known = np.isfinite(table) & (table <= border)
    room = np.prod(np.maximum(sides[:, None, None] - 2 * np.where(known, table, 0.0), 1.0), axis=0)
    return centres, half, angles, weights, np.where(known, table, 0.0), known * sides.prod() / room


def _ellipse(pixels: NDArray[np.intp], area: float) -> tuple[Array, float]:
    """Compute half lengths and direction of the ellipse with the second moments and the area of some pixels."""
    moments = np.cov(pixels.T, bias=True).reshape(2, 2) if len(pixels) > 1 else np.zeros((2, 2))
    values, vectors = np.linalg.eigh(moments + np.eye(2) / 12)  # pixels are squares, not points
    long, short = np.sqrt(values[1]), np.sqrt(values[0])
    scale = np.sqrt(area / (np.pi * long * short))
    return scale * np.array([long, short]), float(np.arctan2(vectors[0, 1], vectors[1, 1]))


def gaps(i: int, centres: Array, half: Array, angles: Array, period: Array | None = None) -> Array:
    """Compute the gaps between one ellipse and every ellipse along the lines of their centres.

    Parameters
    ----------
    i : int
        Number of the ellipse.
    centres, half, angles : ndarray
        Ellipses as in `Particles`.
    period : ndarray, shape (2,), optional
        Sides of the torus in pixels; by default the plane is not periodic.

    Returns
    -------
    ndarray, shape (N,)
        Gaps in pixels, negative where ellipses overlap.

    Examples
    --------
    >>> gaps(0, np.array([[0.0, 0.0], [0.0, 10.0]]), np.array([[3.0, 1.0], [2.0, 2.0]]), np.zeros(2))[1]
    np.float64(5.0)
    """
    apart = centres - centres[i]
    if period is not None:
        apart -= np.rint(apart / period) * period
    line = np.arctan2(apart[:, 0], apart[:, 1])
    own = _radius(half[i : i + 1], line - angles[i])
    return np.asarray(np.hypot(apart[:, 0], apart[:, 1]) - own - _radius(half, line - angles))


def _radius(half: Array, angle: Array) -> Array:
    """Compute the distance from an ellipse's centre to its edge in a direction from its long axis."""
    long, short = half[:, 0], half[:, 1]
    return np.asarray(long * short / np.hypot(short * np.cos(angle), long * np.sin(angle)))


def weighted_quantiles(values: Array, weights: Array, shares: Array) -> Array:
    """Compute quantiles of weighted values.

    Parameters
    ----------
    values, weights : ndarray, shape (n,)
        Values and their weights.
    shares : ndarray, shape (m,)
        Levels of the quantiles in [0, 1].

    Returns
    -------
    ndarray, shape (m,)
        Quantiles.

    Examples
    --------
    >>> weighted_quantiles(np.array([3.0, 1.0]), np.array([1.0, 3.0]), np.array([0.5, 0.9]))
    array([1., 3.])
    """
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return np.asarray(values[order][np.searchsorted(total, shares * total[-1]).clip(max=len(order) - 1)])
