"""What the values of a picture are: labels of phases, a blurred mask of them, numbers of grains, or grey values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.io.image import Image
from matlens.microstructure.structure import MAX_PHASES, distinct_values

__all__ = ["Kind", "kind_of"]

_NEAR = 0.08  # of the range: values that close to a level are that level, blurred
_SPIKE = 0.25  # share of a level's pixels that still have its exact value; noise leaves less
_PURE = 0.6  # share of the pixels that are near a level; the rest is between levels
_MOST = 5  # levels of a mask; what has more is a grey picture of few values
_RARE = 0.03  # a level is at least this share of the pixels
_FULL = 1.5  # times that blocks within a phase are more frequent than those of any mixture
_DEEP, _DEEP_VOLUME = 5, 2  # pixels from another level, beyond which hardly a blur reaches
_FLAT = 0.02  # share of the pixels there that have the value of all their neighbours; noise leaves less
_ENOUGH = 50  # pixels there, to tell
_HIDDEN = 0.01  # share of the pixels that may be assigned to the wrong one of two phases


@dataclass(frozen=True)
class Kind:
    """Kind of a picture's values.

    Parameters
    ----------
    name : {"labels", "blended", "instances", "grey"}
        Labels: every value is a phase. Blended: a mask of a few levels that went through JPEG, anti-aliasing or
        averaging. Instances: every value is a grain or particle of its own.
    levels : tuple of float
        The levels of a blended mask, in ascending order; empty for others.

    Examples
    --------
    >>> Kind("grey").levels
    ()
    """

    name: Literal["labels", "blended", "instances", "grey"]
    levels: tuple[float, ...] = ()


def kind_of(image: Image) -> Kind:
    """Tell labels, blended masks, instance labels and grey values apart.

    Parameters
    ----------
    image : Image
        An image without a colour axis.

    Returns
    -------
    Kind
        The kind; where few values could be either, labels.

    Examples
    --------
    >>> disc = np.hypot(*np.indices((64, 64)) - 32) < 20
    >>> kind_of(Image(disc * 255)).name, kind_of(Image(np.random.default_rng(0).normal(size=(64, 64)))).name
    ('labels', 'grey')
    >>> halved = disc.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    >>> kind_of(Image(halved))
    Kind(name='blended', levels=(0.0, 1.0))
    """
    values = image.values
    distinct = distinct_values(values)
    if image.phase_names is not None or image.palette is not None or distinct.size <= 2:
        return Kind("labels")
    few = distinct.size <= MAX_PHASES
    if few and not image.lossy:
        consecutive = values.dtype.kind in "bui" and int(distinct[-1]) - int(distinct[0]) == distinct.size - 1
        if consecutive or distinct.size == 3:
            return Kind("labels")
        if _averaged(values, distinct):
            return Kind("blended", (float(distinct[0]), float(distinct[-1])))
        levels = _solid(values, distinct)
        between = len(levels) + 2 <= distinct.size
        if 2 <= len(levels) <= _MOST and between:
            reach = _NEAR * float(distinct[-1] - distinct[0])
            pure = sum(float((np.abs(values.astype(float) - level) <= reach).mean()) for level in levels)
            noisy = any(_noisy_inside(values, level, reach) for level in levels)
            return Kind("blended", levels) if pure >= _PURE and not noisy else Kind("grey")
        if len(levels) > _MOST and between and _gradual(values, distinct):
            return Kind("grey")
        # A flat background alone makes most neighbours agree, however noisy the rest is.
        noisy = distinct.size > 4 and (_agreement(values) < 0.5 or _noisy_beside(values, levels))
        return Kind("grey" if noisy else "labels")
    whole = values.dtype.kind in "ui" or bool((distinct == np.rint(distinct)).all())
    if not few and whole and not image.lossy and _one_region_each(values, distinct.size):
        return Kind("instances")
    levels_found = _spikes(values)
    return Kind("blended", levels_found) if len(levels_found) >= 2 else Kind("grey")


def _averaged(values: NDArray[Any], distinct: NDArray[Any]) -> bool:
    """Whether the values are means of blocks of a two-phase mask: multiples of one over the pixels of a block.

    Most blocks lie within a phase, so that the ends are more frequent than all values between them.
    """
    low, high = float(distinct[0]), float(distinct[-1])
    part = (distinct.astype(np.float64) - low) / (high - low)
    rounding = 0.6 / (high - low) if values.dtype.kind in "ui" else 1e-6
    sides = range(2, 8) if values.ndim == 2 else range(2, 4)
    if not any(np.abs(part - np.rint(part * n) / n).max() <= rounding for n in (side**values.ndim for side in sides)):
        return False
    counts = np.bincount(np.searchsorted(distinct, values).ravel(), minlength=distinct.size)
    return bool(counts[[0, -1]].min() > _FULL * counts[1:-1].max())


def _solid(values: NDArray[Any], distinct: NDArray[Any]) -> tuple[float, ...]:
    """Values that somewhere fill a pixel with all its neighbours; what blending makes lies in thin borders only.

    Of two such values close to each other, the first counts.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    ranks = np.searchsorted(distinct, values).astype(np.uint8)
    inside = maximum_filter(ranks, 3, mode="nearest") == minimum_filter(ranks, 3, mode="nearest")
    levels: list[float] = []
    for level in distinct[np.unique(ranks[inside])].astype(float).tolist():
        if not levels or level - levels[-1] > _NEAR * float(distinct[-1] - distinct[0]):
            levels.append(level)
    return tuple(levels)


def _agreement(values: NDArray[Any]) -> float:
    """Share of horizontal neighbours with one value."""
    return float((values[..., 1:] == values[..., :-1]).mean())


def _gradual(values: NDArray[Any], distinct: NDArray[Any]) -> bool:
    """Whether most neighbours that differ do so by one step, as in a grey picture of few values, and not at random."""
    steps = np.abs(np.diff(np.searchsorted(distinct, values), axis=-1))
    return bool((steps == 1).sum() > 0.5 * (steps > 0).sum())


def _one_region_each(values: NDArray[Any], count: int) -> bool:
    """Whether nearly every value forms a single connected region, which grey values never do.

    Regions go on at the opposite side, as they do in periodic models. The lowest value may be that of the borders
    between grains, and is left out.
    """
    if _agreement(values) < 0.5:  # cheap, and true of any noise
        return False
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from skimage.measure import label

    regions = label(np.where(values == values.min(), 0, values), connectivity=1, background=0)
    faces = [(regions.take(0, axis), regions.take(-1, axis)) for axis in range(values.ndim)]
    same = [values.take(0, axis) == values.take(-1, axis) for axis in range(values.ndim)]
    first, last = (np.concatenate([face[side][one] for face, one in zip(faces, same)]) for side in (0, 1))
    joined = coo_array((np.ones(first.size), (first, last)), shape=(int(regions.max()) + 1,) * 2)
    return bool(connected_components(joined)[0] <= 1.5 * count)


def _spikes(values: NDArray[Any]) -> tuple[float, ...]:
    """The levels of a mask: a few narrow peaks that hold most pixels; none where noise has widened them."""
    low, high = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, bins=256, range=(low, high))
    left, reach = counts / values.size, round(_NEAR * 256)
    levels: list[float] = []
    held = 0.0
    while left.max() > 0 and len(levels) <= _MOST:
        top = int(left.argmax())
        near = slice(max(top - reach, 0), top + reach + 1)
        share = float(left[near].sum())
        if share < _RARE:
            break
        spiky = left[max(top - 1, 0) : top + 2].sum() >= _SPIKE * share
        if not spiky and len(levels) < 2:
            return ()
        if spiky:
            found, counted = np.unique(values[(values >= edges[top]) & (values <= edges[top + 1])], return_counts=True)
            levels.append(float(found[counted.argmax()]))
            held += share
        left = left.copy()
        left[near] = 0
    levels.sort()
    if held < _PURE or len(levels) < 2 or any(_noisy_inside(values, level, _NEAR * (high - low)) for level in levels):
        return ()
    low, high = levels[0], levels[-1]
    inner = [level for level in levels[1:-1] if _has_inside(values, level, _NEAR * (high - low))]
    return (low, *(inner or _hidden(values, low, high)), high)


def _hidden(values: NDArray[Any], low: float, high: float) -> tuple[float, ...]:
    """A level that JPEG has spread between two others; what blurs a border spreads evenly, and makes no such level."""
    part = (values.astype(np.float32) - low) / (high - low)
    middle = part[(part > 0.25) & (part < 0.75)]
    if middle.size <= _HIDDEN * values.size:
        return ()
    centre = float(np.median(middle))
    return (low + centre * (high - low),) if (np.abs(middle - centre) <= _NEAR).mean() > 0.5 else ()


def _noisy_inside(values: NDArray[Any], level: float, tolerance: float) -> bool:
    """Whether pixels far inside a level differ from their neighbours, as noise does and what blurs borders does not.

    False where the level has no inside that is wide enough to tell.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    there = np.abs(values.astype(np.float32) - level) <= tolerance
    inside = minimum_filter(there, 2 * (_DEEP if values.ndim == 2 else _DEEP_VOLUME) + 1, mode="nearest")
    if inside.sum() < _ENOUGH:
        return False
    flat = maximum_filter(values, 3, mode="nearest") == minimum_filter(values, 3, mode="nearest")
    return bool(flat[inside].mean() < _FLAT)


def _noisy_beside(values: NDArray[Any], levels: tuple[float, ...]) -> bool:
    """Whether hardly a pixel beside one flat background has the value of its neighbour."""
    if len(levels) != 1:
        return False
    beside = values != levels[0]
    pairs = beside[..., 1:] & beside[..., :-1]
    return bool(pairs.any() and (values[..., 1:] == values[..., :-1])[pairs].mean() < 0.5)


def _has_inside(values: NDArray[Any], level: float, tolerance: float) -> bool:
    """Whether a tenth of a level's pixels have all neighbours at the level; those of a blurred border have not."""
    from scipy.ndimage import minimum_filter

    there = np.abs(values.astype(np.float32) - level) <= tolerance
    inside = minimum_filter(there, 3, mode="nearest")
    return bool(inside.sum() > 0.1 * there.sum())
