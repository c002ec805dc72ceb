"""Local thickness: the diameter of the largest ball that fits into a phase and covers a point; of a pore, its size.

Balls that lie inside a neighbour's ball are left out beforehand (most of them do), by tables that hold for the pixel
grid; the rest are painted in ascending order. The result is that of painting every ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.microstructure.statistics.correlation.two_point import checked_mask
from matlens.microstructure.statistics.size_shape.distance import integer_weights, squared_distance
from matlens.microstructure.statistics.size_shape.survival import share_at_least
from matlens.microstructure.statistics.statistic import Cost, Display, Facts, Statistic, Variable
from matlens.microstructure.structure import Microstructure

__all__ = ["LOCAL_THICKNESS", "largest_balls", "local_thickness", "local_thickness_map", "mean_local_thickness"]

Squares = NDArray[np.int32]

_PIXELS_AT_ONCE = 1 << 20
_SEEDS_AT_ONCE = 1 << 16  # they and what is looked up for them stay in the cache


def local_thickness_map(
    m: Microstructure, *, whole: bool = False, mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compute the diameter of the largest inscribed ball of its own phase that covers each pixel.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; balls go through the border only if it is periodic. Unequal spacings are allowed.
    whole : bool
        Round radii down to whole (smallest) pixels, which is coarser, but what PoreSpy's ``local_thickness`` does.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask. The rim of what is hidden
        is no boundary, as a window's is none.

    Returns
    -------
    ndarray of float64, shape of ``m``
        In units of the spacing; NaN where it is hidden, or the phase fills all that is known and nothing bounds its
        balls.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    Notes
    -----
    A ball around a pixel reaches to the nearest pixel of another phase, both taken at their centres, and covers pixels
    nearer than that. So a slab of w pixels has thickness w if w is even and w + 1 if it is odd: half a pixel too much
    on average. A ball whose centre lies between pixels comes out up to sqrt(d) pixels too thin. A window's border is no
    boundary: what the window cuts looks thicker than it is, if another phase follows outside, and thinner, if the
    ball's centre lies outside. Hildebrand & Ruegsegger, J. Microsc. 185, 67 (1997).

    Examples
    --------
    >>> stripes = Microstructure(np.tile([0, 0, 1, 1, 1, 1], (4, 2)), spacing=0.5, periodic=True)
    >>> local_thickness_map(stripes)[0, :6].tolist()
    [1.0, 1.0, 2.0, 2.0, 2.0, 2.0]
    """
    weights, unit = integer_weights(m.spacing)
    thickness, known = np.full(m.shape, np.nan), checked_mask(m, mask)
    for phase in m.indicators():
        if known is None:
            shown = open_to = phase
        else:
            shown, open_to = phase & known, phase | ~known
        if shown.any() and not open_to.all():
            largest = _painted(shown, open_to, weights, m.periodic, whole)
            thickness[shown] = 2 * unit * np.sqrt(largest[shown])
    return thickness


def local_thickness(
    m: Microstructure, *, thickness: NDArray[np.float64] | None = None, mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compute the share of each phase whose local thickness is at least r pixels (cumulative pore sizes).

    Parameters
    ----------
    m, mask
        As for :func:`local_thickness_map`.
    thickness : ndarray, optional
        Result of `local_thickness_map` with this mask, if it has been computed already.

    Returns
    -------
    ndarray of float64, shape (K, R), R = max(side) // 2 + 1
        For r = 0, 1, 2, ... pixels (of the geometric mean spacing); 1 at r = 0 and falling. NaN for a phase that is
        absent or fills everything.

    Notes
    -----
    Hildebrand & Ruegsegger, J. Microsc. 185, 67 (1997).

    Examples
    --------
    >>> local_thickness(Microstructure(np.tile([0, 0, 1, 1, 1, 1], (4, 2)), periodic=True))[1]
    array([1., 1., 1., 1., 1., 0., 0.])
    """
    found = local_thickness_map(m, mask=mask) if thickness is None else thickness
    size, pixel = max(m.shape) // 2 + 1, float(np.exp(np.log(m.spacing).mean()))
    return np.stack([share_at_least(found[shown] / pixel, size) for shown in _shown(m, mask)])


def mean_local_thickness(
    m: Microstructure, *, thickness: NDArray[np.float64] | None = None, mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compute the mean local thickness of each phase, weighted by volume.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; balls go through the border only if it is periodic.
    thickness : ndarray of float64, optional
        Result of `local_thickness_map` with this mask, if it has been computed already.
    mask : array_like of bool, optional
        True where the label is known, of the microstructure's shape; by default its own mask.

    Returns
    -------
    ndarray of float64, shape (K,)
        In units of the spacing; NaN for a phase that is absent or fills everything.

    Raises
    ------
    InputError
        If the mask does not fit or leaves nothing.

    See Also
    --------
    local_thickness : parameters.

    Notes
    -----
    Hildebrand & Ruegsegger, J. Microsc. 185, 67 (1997).

    Examples
    --------
    >>> mean_local_thickness(Microstructure(np.tile([0, 0, 1, 1, 1, 1], (4, 2)), periodic=True))
    array([2., 4.])
    """
    found = local_thickness_map(m, mask=mask) if thickness is None else thickness
    return np.array([found[shown].mean() if shown.any() else np.nan for shown in _shown(m, mask)])


def _shown(m: Microstructure, mask: ArrayLike | None) -> NDArray[np.bool_]:
    known = checked_mask(m, mask)
    return m.indicators() if known is None else m.indicators() & known


def _painted(
    shown: NDArray[np.bool_], open_to: NDArray[np.bool_], weights: NDArray[np.int64], periodic: bool, whole: bool
) -> Squares:
    """Squared radius of the largest ball over each pixel, centred where the phase is shown, in what is open to it."""
    squares = _periodic_distance(open_to, weights) if periodic else squared_distance(open_to, weights.tolist())
    if shown is not open_to:
        squares[~shown] = 0
    if whole:
        pixel = int(weights.min())
        squares = np.asarray(np.sqrt(squares / pixel).astype(np.int32) ** 2 * pixel, dtype=np.int32)
    return largest_balls(squares, weights, periodic)


def largest_balls(squares: Squares, weights: NDArray[np.int64], periodic: bool) -> Squares:
    """Paint a ball around every pixel, and return the squared radius of the largest over each.

    Parameters
    ----------
    squares : ndarray of int32
        Squared radius of the ball around each pixel, 0 for none, some above 0.
    weights : ndarray of int, shape (ndim,)
        Squared spacing of each axis.
    periodic : bool
        Whether balls go through the border.

    Returns
    -------
    ndarray of int32
        Squared radii; 0 where no ball is.

    Examples
    --------
    >>> largest_balls(np.array([[0, 1, 4, 1, 0]], dtype=np.int32), np.array([1, 1]), False).tolist()
    [[0, 4, 4, 4, 0]]
    """
    reach = [int(np.sqrt(int(squares.max()) / weight)) + 1 for weight in weights]
    around = [(step, step) for step in reach]
    # a rim as wide as the largest ball: painting needs no clipping
    canvas = np.pad(squares, around, mode="wrap") if periodic else np.pad(squares, around)
    inner = tuple(slice(step, -step) for step in reach)
    seeds = _seeds(canvas, inner, weights)
    radii = canvas.ravel()[seeds]
    canvas[...] = 0
    order = np.argsort(radii, kind="stable")
    levels, first = np.unique(radii[order], return_index=True)
    for level, places in zip(levels.tolist(), np.split(seeds[order], first[1:])):
        _paint(canvas, places, level, weights)
    return _folded(canvas, reach) if periodic else canvas[inner]


def _periodic_distance(mask: NDArray[np.bool_], weights: NDArray[np.int64]) -> Squares:
    """Squared distance in the repeated array: with a rim around it that is wide enough for what was found."""
    width = 16
    while True:
        rim = [min(width, side // 2 + 1) for side in mask.shape]
        inner = tuple(slice(step, step + side) for step, side in zip(rim, mask.shape))
        found = squared_distance(np.pad(mask, [(r, r) for r in rim], mode="wrap"), weights.tolist())[inner]
        wide = all(
            step > side // 2 or weight * (step + 1) ** 2 >= int(found.max())
            for step, side, weight in zip(rim, mask.shape, weights)
        )
        if wide:
            return found
        width *= 2


def _seeds(canvas: Squares, inner: tuple[slice, ...], weights: NDArray[np.int64]) -> NDArray[np.intp]:
    """Flat places of the balls that lie in no neighbour's ball."""
    candidates = np.zeros(canvas.shape, dtype=bool)
    candidates[inner] = canvas[inner] > 0
    places, flat = np.flatnonzero(candidates), canvas.ravel()
    levels = _levels(canvas)
    strides = [stride // canvas.itemsize for stride in canvas.strides]
    needs, tests = {}, []
    for offset in product((0, -1, 1), repeat=canvas.ndim):
        kind = tuple(abs(step) for step in offset)
        if any(offset) and kind not in needs:
            needs[kind] = _needed(levels, kind, weights)
        if any(offset):
            tests.append((int(np.dot(offset, strides)), needs[kind]))
    kept = []
    for start in range(0, places.size, _SEEDS_AT_ONCE):
        seeds = places[start : start + _SEEDS_AT_ONCE]
        level = np.searchsorted(levels, flat[seeds])
        for step, need in tests:
            keep = flat[seeds + step] < need[level]
            seeds, level = seeds[keep], level[keep]
        kept.append(seeds)
    return np.concatenate(kept)


def _levels(squares: Squares) -> NDArray[np.int32]:
    """Distinct squared radii in ascending order."""
    largest = int(squares.max())
    if largest >= 1 << 24:
        return np.unique(squares[squares > 0])
    seen = np.zeros(largest + 1, dtype=bool)
    seen[squares.ravel()] = True
    seen[0] = False
    return np.flatnonzero(seen).astype(np.int32)


def _needed(levels: NDArray[np.int32], kind: Sequence[int], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Squared radius from which a ball, ``kind`` steps away, holds all pixels of the ball of each level."""
    reach = [int(np.sqrt(int(levels[-1]) / weight)) + 1 for weight in weights]
    # of all pixels in a ball the farthest from a centre at +kind lie where no coordinate is positive
    lines = [np.arange(r + 1, dtype=np.int64) for r in reach]
    own = _squared_sum(lines, weights)
    other = _squared_sum([line + step for line, step in zip(lines, kind)], weights)
    needed = np.zeros(levels.size + 1, dtype=np.int64)
    np.maximum.at(needed, np.searchsorted(levels, own.ravel(), side="right"), other.ravel())
    return np.maximum.accumulate(needed)[:-1] + 1


def _squared_sum(lines: Sequence[NDArray[np.int64]], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    total = np.zeros([1] * len(lines), dtype=np.int64)
    for axis, (line, weight) in enumerate(zip(lines, weights)):
        total = total + (weight * line**2).reshape([-1 if i == axis else 1 for i in range(len(lines))])
    return total


def _paint(canvas: Squares, places: NDArray[np.intp], level: int, weights: NDArray[np.int64]) -> None:
    reach = [int(np.sqrt(level / weight)) + 1 for weight in weights]
    lines = [np.arange(-r, r + 1) for r in reach]
    inside = np.nonzero(_squared_sum(lines, weights) < level)
    strides = [stride // canvas.itemsize for stride in canvas.strides]
    offsets = sum((axis - r) * stride for axis, r, stride in zip(inside, reach, strides))
    flat = canvas.reshape(-1)
    many = max(1, _PIXELS_AT_ONCE // len(inside[0]))
    for start in range(0, places.size, many):
        flat[places[start : start + many, None] + offsets] = level


def _folded(canvas: Squares, reach: Sequence[int]) -> Squares:
    """Bring what was painted on the rim back to the pixels it stands for."""
    for axis, step in enumerate(reach):
        side = canvas.shape[axis] - 2 * step
        moved = np.moveaxis(canvas, axis, 0)
        whole = np.zeros((side, *moved.shape[1:]), dtype=canvas.dtype)
        for start in range(-(-step // side) * -side, step + side, side):
            low, high = max(start, -step), min(start + side, side + step)
            part = whole[low - start : high - start]
            np.maximum(part, moved[low + step : high + step], out=part)
        canvas = np.moveaxis(whole, 0, axis)
    return canvas


def _shares_and_mean(m: Microstructure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    thickness = local_thickness_map(m)
    return local_thickness(m, thickness=thickness), mean_local_thickness(m, thickness=thickness)


_UNBOUNDED = "the phase is absent or fills everything"


LOCAL_THICKNESS = Statistic(
    name="local_thickness",
    long_name="local thickness",
    compute=_shares_and_mean,
    variables=(
        Variable(
            name="local_thickness",
            dims=("phase", "r"),
            long_name="share with local thickness >= r",
            missing=_UNBOUNDED,
            display=Display(
                section="sizes",
                place=1,
                caption="share of the phase in balls of at least a diameter that fit into it",
                title="Local thickness",
                label="share of volume thicker",
            ),
            facts=Facts(least=0, most=1, layers=True, laminate=lambda w: np.ones(w + 1)),
        ),
        Variable(
            name="mean_local_thickness",
            dims=("phase",),
            long_name="mean local thickness",
            units="{unit}",
            missing=_UNBOUNDED,
            display=Display(section="shape", place=7, caption="mean diameter of the largest balls that fit in"),
            facts=Facts(least=0, layers=True, laminate=lambda w: w),
        ),
    ),
    cost=Cost(seconds=(0.082, 0.18), bytes=(29, 46)),
    blocks="matlens.microstructure.statistics.blocks.thickness:LOCAL_THICKNESS",
    cites=("hildebrand1997thickness",),
)
