"""What the eye sees first, as numbers: grains of a polycrystal, and how long and how regular lamellae are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from matlens.microstructure.statistics import label_clusters

Array = NDArray[np.float64]
# The phase that grains consist of, and the phase of lamellae, by material.
GRAINS = {"alloy": 1, "walls": 0, "ferrite": 0, "hsla": 0}
LAMELLAE = {"copolymer": 1, "labyrinth": 1}
SMALLEST_GRAIN = 9  # pixels; what is smaller is a flaw of a boundary
REACH = 32  # pixels; the largest distance along and across
LEVEL = 0.1  # of the covariance, as in `matlens.microstructure.statistics.correlation_length`
_GRADIENT, _NEIGHBOURHOOD = 1.0, 3.0  # pixels; standard deviations of the structure tensor


def grains_per_area(m: Any, phase: int) -> float:
    """Connected pieces of a phase, joined by faces and of nine pixels or more, on 10 000 pixels.

    Pieces that the border cuts count too, and none continues across it, so that windows compare.
    """
    labels, _ = label_clusters(m.labels == phase, connectivity="face", periodic=False)
    sizes = np.bincount(labels.ravel())[1:]
    return float((sizes >= SMALLEST_GRAIN).sum() / m.labels.size * 1e4)


@dataclass(frozen=True)
class Lamellae:
    """Lengths of a lamellar phase in pixels; NaN where the covariance does not come down within `REACH`.

    Attributes
    ----------
    along, across : float
        First distance at which the covariance along and across the local lamella has fallen to 0.1: how far a lamella
        goes on straight, and about a quarter of the spacing.
    spacing : float
        First maximum of the covariance across, which is the distance from lamella to lamella.
    """

    along: float
    across: float
    spacing: float


def lamellae(m: Any, phase: int) -> Lamellae:
    """Measure lamellae in their own directions, which may differ from place to place.

    The direction of the lamella at each pixel is the eigenvector of the structure tensor of the indicator f with the
    smaller eigenvalue (gradients at a standard deviation of 1 pixel, averaged at 3 pixels). The covariance at distance
    r is the mean of (f(x) - phi) (f(x + r n) - phi) / (phi (1 - phi)) over all pixels x and both senses of the
    direction n at x, with f between pixels by linear interpolation; points outside the window are left out.
    """
    indicator = (m.labels == phase).astype(np.float64)
    angle = _lamella_angle(indicator)
    along = _covariance(indicator, np.sin(angle), np.cos(angle))
    across = _covariance(indicator, np.cos(angle), -np.sin(angle))
    return Lamellae(_first_at_level(along), _first_at_level(across), _first_maximum(across))


def _lamella_angle(indicator: Array) -> Array:
    """Direction of the lamella at each pixel, from the second axis towards the first, in radians."""
    down, right = (gaussian_filter(indicator, _GRADIENT, order=order) for order in ((1, 0), (0, 1)))
    dd, rr, dr = (gaussian_filter(product, _NEIGHBOURHOOD) for product in (down * down, right * right, down * right))
    across = 0.5 * np.arctan2(2 * dr, rr - dd)  # of the larger eigenvalue: the direction of the gradient
    found: Array = across + np.pi / 2
    return found


def _covariance(indicator: Array, down: Array, right: Array) -> Array:
    """Covariance at distances 0 to `REACH` along unit vectors given at each pixel."""
    phi = indicator.mean()
    rows, columns = np.indices(indicator.shape, dtype=np.float64)
    found = []
    for distance in range(REACH + 1):
        products = []
        for sense in (-distance, distance):
            ends = np.stack([rows + sense * down, columns + sense * right])
            last = np.array(indicator.shape).reshape(2, 1, 1) - 1
            inside = ((ends >= 0) & (ends <= last)).all(axis=0)
            far = map_coordinates(indicator, ends[:, inside], order=1)
            products.append((indicator[inside] - phi) * (far - phi))
        found.append(np.concatenate(products).mean() / (phi * (1 - phi)))
    return np.array(found)


def _first_at_level(covariance: Array) -> float:
    """Distance at which the covariance first falls to `LEVEL`, between pixels by linear interpolation."""
    below = np.flatnonzero(covariance <= LEVEL)
    if not below.size or below[0] == 0:
        return float("nan")
    end = int(below[0])
    high, low = covariance[end - 1 : end + 1]
    return float(end - 1 + (high - LEVEL) / (high - low))


def _first_maximum(covariance: Array) -> float:
    """Distance of the first maximum behind the first minimum, by a parabola through three values."""
    inner = np.arange(1, len(covariance) - 1)
    rising = np.diff(covariance) > 0
    minima = inner[~rising[:-1] & rising[1:]]
    maxima = inner[rising[:-1] & ~rising[1:]]
    behind = maxima[maxima > minima[0]] if minima.size else minima
    if not behind.size:
        return float("nan")
    left, top, right = covariance[behind[0] - 1 : behind[0] + 2]
    return float(behind[0] + 0.5 * (left - right) / (left - 2 * top + right))


def measured(m: Any, material: str) -> dict[str, float]:
    """What is measured of this material, by name; nothing of most."""
    found = {}
    if material in GRAINS:
        found["grains per 10 000 px"] = grains_per_area(m, GRAINS[material])
    if material in LAMELLAE:
        lengths = lamellae(m, LAMELLAE[material])
        found |= {
            "along lamellae, px": lengths.along,
            "across lamellae, px": lengths.across,
            "lamellar spacing, px": lengths.spacing,
        }
    return found
