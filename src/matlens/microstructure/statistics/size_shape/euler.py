"""Euler number: pieces minus tunnels plus cavities, counted from the blocks of 2^d pixels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.cluster import Connectivity
from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.size_shape.neighbours import block, share
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["EULER_DENSITY", "EULER_NUMBER", "euler_density", "euler_number"]


def euler_number(m: Microstructure, *, connectivity: Connectivity = "face") -> NDArray[np.int64]:
    """Count pieces minus holes (in 3-D: minus tunnels, plus cavities) of every phase, as the image stands.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; everything outside the image, and what is masked, counts as another phase, even if it
        is periodic.
    connectivity : {"face", "full"}
        Pixels of the phase are neighbours across a face, or across a corner too.

    Returns
    -------
    ndarray of int, shape (K,)
        The same integers as ``skimage.measure.euler_number`` with the lowest or highest connectivity.

    Raises
    ------
    InputError
        If ``connectivity`` is neither "face" nor "full".

    Notes
    -----
    Ohser & Muecklich, Statistical Analysis of Microstructures in Materials Science (2000).

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> ring = np.pad(np.zeros((1, 1), dtype=int), 1, constant_values=1)
    >>> euler_number(Microstructure(ring))
    array([1, 0])
    """
    padded = np.pad(m.indicators(), [(0, 0)] + [(1, 1)] * m.ndim)
    terms = [_terms(mask, False, connectivity) for mask in padded]
    return np.array([sum(sign * np.count_nonzero(found) for sign, found in phase) for phase in terms], dtype=np.int64)


def euler_density(
    m: Microstructure, *, connectivity: Connectivity = "face", mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Estimate the Euler number per area or volume of the material the image is a window of.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.
    connectivity : {"face", "full"}
        Pixels of the phase are neighbours across a face, or across a corner too.
    mask : array_like of bool, optional
        Shape of ``m``, True where the data are good: only blocks of pixels that are all good count.

    Returns
    -------
    ndarray of float64, shape (K,)
        Per unit^ndim. Free of edge bias: the frequency of each kind of block is taken over the positions where it fits;
        NaN where some kind fits nowhere, as in an image of one row.

    Raises
    ------
    InputError
        If ``connectivity`` is neither "face" nor "full", or the mask does not fit or leaves nothing.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> dots = np.zeros((8, 8), dtype=int)
    >>> dots[::4, ::4] = 1
    >>> euler_density(Microstructure(dots, periodic=True, spacing=0.5))
    array([-0.25,  0.25])
    """
    good = checked_mask(m, mask)
    terms = [_terms(phase, m.periodic, connectivity) for phase in m.indicators()]
    kinds = [axes for size in range(m.ndim + 1) for axes in combinations(range(m.ndim), size)]
    known = [None if good is None else block(good, axes, m.periodic, full=True) for axes in kinds]
    density = np.array([sum(sign * share(found, at) for (sign, found), at in zip(phase, known)) for phase in terms])
    return density / float(np.prod(m.spacing))


def _terms(mask: NDArray[np.bool_], periodic: bool, connectivity: Connectivity) -> list[tuple[int, NDArray[np.bool_]]]:
    """List the cells of the phase by kind, each with the sign of its dimension.

    Face connectivity: pixels are points, pairs that touch are edges, full 2 x 2 blocks faces. Full connectivity: pixels
    are closed squares or cubes, and whatever touches one of them belongs to it.
    """
    if connectivity not in ("face", "full"):
        raise InputError(f"connectivity={connectivity!r} is not known; give 'face' or 'full'.")
    face = connectivity == "face"
    terms = []
    for size in range(mask.ndim + 1):
        sign = (-1) ** (size if face else mask.ndim - size)
        for axes in combinations(range(mask.ndim), size):
            terms.append((sign, block(mask, axes, periodic, full=face)))
    return terms


def _numbers(m: Microstructure) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return euler_number(m), euler_number(m, connectivity="full")


def _densities(m: Microstructure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return euler_density(m), euler_density(m, connectivity="full")


EULER_NUMBER = Statistic(
    name="euler_number",
    long_name="Euler number",
    compute=_numbers,
    variables=(
        Variable(
            name="euler_number",
            dims=("phase",),
            long_name="Euler number, face-connected",
            facts=Facts(absent=0, shift=False),
        ),
        Variable(
            name="euler_number_full",
            dims=("phase",),
            long_name="Euler number, fully connected",
            facts=Facts(absent=0, shift=False),
        ),
    ),
    cost=Cost(seconds=(0.0065, 0.024), bytes=(10, 18)),
    blocks="matlens.microstructure.statistics.blocks.cells:EULER_NUMBER",
    cites=("ohser2000statistical",),
)
EULER_DENSITY = Statistic(
    name="euler_density",
    long_name="Euler density",
    compute=_densities,
    variables=(
        Variable(
            name="euler_density",
            dims=("phase",),
            long_name="Euler number per volume, face-connected",
            units="{unit}^-{ndim}",
            display=Display(
                section="shape",
                place=3,
                caption="pieces less tunnels (2-D: less holes) per volume, negative for a phase that hangs together",
            ),
            facts=Facts(absent=0, laminate=lambda w: 0.0),
        ),
        Variable(
            name="euler_density_full",
            dims=("phase",),
            long_name="Euler number per volume, fully connected",
            units="{unit}^-{ndim}",
            facts=Facts(absent=0, laminate=lambda w: 0.0),
        ),
    ),
    cost=Cost(seconds=(0.0054, 0.015), bytes=(9, 16)),
    blocks="matlens.microstructure.statistics.blocks.cells:EULER_DENSITY",
    cites=("ohser2000statistical",),
)
