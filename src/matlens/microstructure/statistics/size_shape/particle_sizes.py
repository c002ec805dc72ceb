"""Sizes of particles, grains or isolated pores: the connected pieces of a phase, corrected for the window's border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.cluster import Connectivity, label_clusters
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.size_shape.survival import share_at_least
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = [
    "PARTICLE_SIZE",
    "Edges",
    "ParticleSizes",
    "chance_in_window",
    "curves_and_means",
    "particle_sizes",
    "sizes_of_pieces",
]

Edges = Literal["weighted", "excluded", "all"]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class ParticleSizes:
    """Particles of one phase: equivalent diameters, weights and number density.

    Parameters
    ----------
    diameter : ndarray, shape (n,)
        Diameter of the disc or ball of the same area or volume, in units of the spacing.
    weight : ndarray, shape (n,)
        For how many particles of the material each one stands, so that ``weight.sum()`` is their expected number in
        the window.
    density : float
        Particles per area or volume; NaN if none could be measured.
    pixel : float
        Side of a pixel: the geometric mean of the spacings.

    Examples
    --------
    >>> found = ParticleSizes(np.array([2.0, 4.0]), np.array([3.0, 1.0]), density=0.01, pixel=1.0)
    >>> found.mean, found.at_least(4).tolist()
    (2.5, [1.0, 1.0, 1.0, 0.25])
    """

    diameter: Array
    weight: Array
    density: float
    pixel: float

    @property
    def mean(self) -> float:
        """Mean diameter by number; NaN without particles."""
        return float(np.average(self.diameter, weights=self.weight)) if self.diameter.size else float("nan")

    def at_least(self, length: int) -> Array:
        """Compute the share of particles, by number, whose diameter is at least 0, 1, ... length - 1 pixels.

        Parameters
        ----------
        length : int
            Number of diameters.

        Returns
        -------
        ndarray of float64, shape (length,)
            Shares; NaN without particles.
        """
        return share_at_least(self.diameter / self.pixel, length, self.weight)


def particle_sizes(
    m: Microstructure,
    phase: int,
    *,
    connectivity: Connectivity = "face",
    split: float | None = None,
    edges: Edges = "weighted",
    mask: ArrayLike | None = None,
) -> ParticleSizes:
    """Measure the equivalent diameters of a phase's particles.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional. If it is periodic, particles go on across borders and all of them are whole, except
        one that reaches around: it is measured as what the cell holds of it.
    phase : int
        Label of the particles.
    connectivity : {"face", "full"}
        Whether pixels that touch by an edge or a corner alone belong together.
    split : float, optional
        Also cut particles at throats, by watershed of the distance to the border: where, between two bulges, the
        inscribed radius falls by at least this many pixels (1 is usual) below the smaller bulge's.
    edges : {"weighted", "excluded", "all"}
        What is done about particles that touch the border of a window. "weighted" leaves them out and counts each whole
        one by the inverse of the chance that a particle of its extent lies inside, which is free of bias as long as
        none is as large as the window. "excluded" only leaves them out: small ones are then favoured. "all" takes cut
        ones as they are: sizes come out too small, and numbers too large.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask. What is hidden is treated
        as what lies outside a window; a periodic structure with a mask is taken as a window too.

    Returns
    -------
    ParticleSizes
        Without particles, and with NaN as density, for an absent phase or one whose every piece touches the border.

    Raises
    ------
    InputError
        If the phase does not exist, an option is unknown, or the mask does not fit or leaves nothing.

    Notes
    -----
    The weights are Miles' and Lantuejoul's; Serra, Image Analysis and Mathematical Morphology (1982).

    Examples
    --------
    >>> squares = np.zeros((8, 12), dtype=int)
    >>> squares[1:3, 1:3], squares[4:8, 6:10] = 1, 1
    >>> found = particle_sizes(Microstructure(squares), 1)
    >>> (np.pi / 4 * found.diameter**2).round(6).tolist(), found.weight.round(3).tolist()
    ([4.0], [2.133])
    """
    if phase not in range(m.n_phases):
        raise InputError(f"phase={phase!r} is not a phase of this microstructure; give a label in 0..{m.n_phases - 1}.")
    if edges not in ("weighted", "excluded", "all"):
        raise InputError(f"edges={edges!r} is not known; give 'weighted', 'excluded' or 'all'.")
    if split is not None and not split > 0:
        raise InputError(f"split must be a positive number of pixels, found {split!r}.")
    known = checked_mask(m, mask)
    if known is not None and m.periodic:
        m = m.with_labels(m.labels, periodic=False)
    shown = m.labels == phase if known is None else (m.labels == phase) & known
    if split is None:
        labels, count = label_clusters(shown, connectivity=connectivity, periodic=m.periodic)
        pixels, weight = _measured(labels.astype(np.intp, copy=False), count, "all" if m.periodic else edges, known)
    else:
        pixels, weight = _split_pieces(m, shown, connectivity, edges, split, known)
    return sizes_of_pieces(pixels, weight, m.spacing, m.labels.size if known is None else int(known.sum()))


def sizes_of_pieces(pixels: Array, weight: Array, spacing: Sequence[float], window: int) -> ParticleSizes:
    """Turn numbers of pixels into equivalent diameters.

    Parameters
    ----------
    pixels : ndarray, shape (n,)
        Number of pixels of each particle.
    weight : ndarray, shape (n,)
        For how many particles each one stands.
    spacing : sequence of float
        Size of a pixel along each axis.
    window : int
        Number of pixels that were looked at.

    Returns
    -------
    ParticleSizes
        The sizes.

    Examples
    --------
    >>> sizes_of_pieces(np.array([4.0]), np.array([1.0]), (1.0, 1.0), 64).density
    0.015625
    """
    cell = float(np.prod(spacing))
    volume = pixels * cell
    diameter = np.sqrt(4 * volume / np.pi) if len(spacing) == 2 else np.cbrt(6 * volume / np.pi)
    density = float(weight.sum()) / (window * cell) if weight.size else float("nan")
    return ParticleSizes(diameter, weight, density, float(np.exp(np.log(spacing).mean())))


def _chance_inside(labels: NDArray[np.intp], count: int, known: NDArray[np.bool_] | None) -> Array:
    """Chance that a piece of each one's extent, thrown anywhere, touches no border; 0 for those that touch one."""
    places = np.nonzero(labels)
    member = labels[places] - 1
    low, high = np.empty((2, labels.ndim, count), dtype=np.intp)
    for axis, (side, place) in enumerate(zip(labels.shape, places)):
        low[axis], high[axis] = side, -1
        np.minimum.at(low[axis], member, place)
        np.maximum.at(high[axis], member, place)
    inside = ((low > 0) & (high < np.array(labels.shape)[:, None] - 1)).all(axis=0)
    if known is None:
        return np.where(inside, chance_in_window(high - low + 1, labels.shape), 0.0)
    beside_hidden = np.zeros(count + 1, dtype=bool)
    beside_hidden[labels[ndimage.binary_dilation(~known, np.ones((3,) * labels.ndim))]] = True
    return np.where(inside & ~beside_hidden[1:], _room_in(known, high - low + 3), 0.0)


def chance_in_window(extents: NDArray[np.integer[Any]], shape: Sequence[int]) -> Array:
    """Compute the chance that a particle of each extent, thrown anywhere, lies inside a window and touches no border.

    Parameters
    ----------
    extents : ndarray of int, shape (ndim, n)
        Pixels of each particle along each axis, from its first to its last.
    shape : sequence of int
        Pixels of the window along each axis.

    Returns
    -------
    ndarray of float64, shape (n,)
        Chances.

    Examples
    --------
    >>> chance_in_window(np.array([[2], [1]]), (8, 4))
    array([0.3125])
    """
    sides = np.array(shape)[:, None]
    # first pixels 1, 2, ... that leave the last one inside
    return np.asarray((np.maximum(sides - 1 - extents, 0) / sides).prod(axis=0))


def _room_in(known: NDArray[np.bool_], extents: NDArray[np.intp]) -> Array:
    """Share of the known pixels at which a box of each extent, shape (ndim, n), lies among known pixels only."""
    sums: NDArray[np.intp] = np.pad((~known).astype(np.intp), [(1, 0)] * known.ndim)
    for axis in range(known.ndim):
        sums = np.cumsum(sums, axis=axis)
    distinct, which = np.unique(extents, axis=1, return_inverse=True)
    rooms = np.empty(distinct.shape[1])
    for number, extent in enumerate(distinct.T):
        hidden = sums
        for axis, step in enumerate(extent.tolist()):
            hidden = _span(hidden, axis, step)
        rooms[number] = np.count_nonzero(hidden == 0)
    return np.asarray(rooms[which.ravel()] / known.sum())


def _span(sums: NDArray[np.intp], axis: int, step: int) -> NDArray[np.intp]:
    """Differences of values ``step`` apart."""
    low = tuple(slice(None, -step) if i == axis else slice(None) for i in range(sums.ndim))
    high = tuple(slice(step, None) if i == axis else slice(None) for i in range(sums.ndim))
    return sums[high] - sums[low]


def _split_pieces(
    m: Microstructure,
    mask: NDArray[np.bool_],
    connectivity: Connectivity,
    edges: Edges,
    depth: float,
    known: NDArray[np.bool_] | None,
) -> tuple[Array, Array]:
    steps = np.asarray(m.spacing) / np.exp(np.log(m.spacing).mean())
    if not m.periodic:
        labels, count = _cut_at_throats(mask, connectivity, depth, steps)
        return _measured(labels, count, edges, known)
    # in the repeated array; of all copies of a particle the one counts whose centre lies in the middle
    rim = [side // 2 for side in mask.shape]
    labels, count = _cut_at_throats(np.pad(mask, [(r, r) for r in rim], mode="wrap"), connectivity, depth, steps)
    if count == 0:
        return np.zeros(0), np.zeros(0)
    centres = np.array(ndimage.center_of_mass(labels > 0, labels, np.arange(1, count + 1)))
    low = np.array(rim) - 0.25  # off the lattice of halves, so that no centre falls on the limit
    middle = ((centres >= low) & (centres < low + np.array(mask.shape))).all(axis=1)
    pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:].astype(np.float64)[middle]
    return pixels, np.ones(pixels.size)


def _measured(
    labels: NDArray[np.intp], count: int, edges: Edges, known: NDArray[np.bool_] | None
) -> tuple[Array, Array]:
    pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:].astype(np.float64)
    if edges == "all":
        return pixels, np.ones(count)
    chance = _chance_inside(labels, count, known)
    inside = chance > 0
    return pixels[inside], 1 / chance[inside] if edges == "weighted" else np.ones(int(inside.sum()))


def _cut_at_throats(
    mask: NDArray[np.bool_], connectivity: Connectivity, depth: float, steps: Array
) -> tuple[NDArray[np.intp], int]:
    if not mask.any() or mask.all():
        return mask.astype(np.intp), int(mask.any())
    distance = ndimage.distance_transform_edt(mask, sampling=steps)
    # on ridges of the pixel grid the distance has bumps of their own; a light blur keeps them from becoming bulges
    smooth = ndimage.gaussian_filter(distance, 0.5) * mask
    touching = np.ones((3,) * mask.ndim, dtype=bool)
    bulges, _ = ndimage.label(h_maxima(smooth, depth) > 0, touching)
    step = 1 if connectivity == "face" else mask.ndim
    pieces, _ = label_clusters(mask, connectivity=connectivity)
    # pieces shallower than ``depth`` hold no bulge and stay whole
    bare = np.setdiff1d(np.unique(pieces[mask]), np.unique(pieces[bulges > 0]))
    markers = np.where(np.isin(pieces, bare) & mask, pieces + int(bulges.max()), bulges)
    labels: NDArray[np.intp] = watershed(-smooth, markers, connectivity=step, mask=mask)
    distinct, dense = np.unique(labels, return_inverse=True)
    first = int(distinct[0] != 0)
    return dense.reshape(mask.shape) + first, int(distinct.size - 1 + first)


def _sizes_of_phases(m: Microstructure) -> tuple[Array, Array, Array]:
    return curves_and_means([particle_sizes(m, phase) for phase in range(m.n_phases)], max(m.shape) // 2 + 1)


def curves_and_means(particles: Sequence[ParticleSizes], length: int) -> tuple[Array, Array, Array]:
    """Put the particle sizes of all phases into the arrays of the data set.

    Parameters
    ----------
    particles : sequence of ParticleSizes
        Those of each phase.
    length : int
        Number of diameters.

    Returns
    -------
    shares : ndarray of float64, shape (K, length)
        Share of particles whose diameter is at least 0, 1, 2, ... pixels.
    means, densities : ndarray of float64, shape (K,)
        Mean diameter, and particles per area or volume.

    Examples
    --------
    >>> curves_and_means([sizes_of_pieces(np.array([4.0]), np.array([1.0]), (1.0, 1.0), 64)], 4)[0]
    array([[1., 1., 1., 0.]])
    """
    shares = np.stack([found.at_least(length) for found in particles])
    return shares, np.array([found.mean for found in particles]), np.array([found.density for found in particles])


_NONE_WHOLE = "the phase is absent or has no piece that lies inside the window"


PARTICLE_SIZE = Statistic(
    name="particle_size",
    long_name="particle size",
    compute=_sizes_of_phases,
    variables=(
        Variable(
            name="particle_size",
            dims=("phase", "r"),
            long_name="share of particles with diameter >= r",
            missing=_NONE_WHOLE,
            display=Display(
                section="sizes",
                place=2,
                caption="share of particles of at least an equivalent diameter, where the phase has whole ones",
                title="Particle size",
                label="share of particles larger",
            ),
            facts=Facts(least=0, most=1),
        ),
        Variable(
            name="mean_particle_size",
            dims=("phase",),
            long_name="mean equivalent diameter",
            units="{unit}",
            missing=_NONE_WHOLE,
            display=Display(section="connection", place=4, caption="mean equivalent diameter of the particles"),
            facts=Facts(least=0),
        ),
        Variable(
            name="particle_density",
            dims=("phase",),
            long_name="particles per volume",
            units="{unit}^-{ndim}",
            missing=_NONE_WHOLE,
            display=Display(
                section="connection",
                place=3,
                caption="particles per volume, those that the border cuts made up for by weights",
            ),
            facts=Facts(least=0),
        ),
    ),
    cost=Cost(seconds=(0.026, 0.032), bytes=(27, 31)),
    blocks="matlens.microstructure.statistics.blocks.clusters:PARTICLE_SIZE",
    cites=("serra1982image",),
)
