"""Two-point probabilities: auto- and cross-correlation of the phase indicators, by FFT.

S_ab(r) = P{x lies in phase a, x + r lies in phase b}; the average runs over the positions where both ends are known,
so a micrograph is never wrapped: it is zero-padded and divided by the number of overlapping positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from matlens.errors import InputError
from matlens.microstructure import Microstructure

__all__ = ["normalised_covariance", "two_point_axes", "two_point_map", "two_point_radial"]

Array = NDArray[np.float64]


def half_sides(shape: Sequence[int]) -> tuple[int, ...]:
    """Largest offset along each axis, half the side.

    Examples
    --------
    >>> half_sides((5, 8))
    (2, 4)
    """
    return tuple(side // 2 for side in shape)


def overlap_counts(shape: Sequence[int], half: Sequence[int], periodic: bool) -> Array:
    """Count the positions x with both x and x + r inside, for every offset |r_i| <= half_i; shape (2 half_i + 1, ...).

    Examples
    --------
    >>> overlap_counts((4, 4), (1, 1), False)
    array([[ 9., 12.,  9.],
           [12., 16., 12.],
           [ 9., 12.,  9.]])
    """
    counts = np.ones([1] * len(shape))
    for axis, (side, reach) in enumerate(zip(shape, half, strict=True)):
        line = side - (0 if periodic else 1) * np.abs(np.arange(-reach, reach + 1.0))
        counts = counts * np.broadcast_to(
            line.reshape([-1 if i == axis else 1 for i in range(len(shape))]),
            [2 * h + 1 if i == axis else 1 for i, h in enumerate(half)],
        )
    return counts


def centred(values: Array, half: Sequence[int]) -> Array:
    """Cut offsets -half..half out of the trailing axes of an FFT-ordered correlation.

    Examples
    --------
    >>> centred(np.arange(5.0), (1,)).tolist()
    [4.0, 0.0, 1.0]
    """
    first = values.ndim - len(half)
    for axis, reach in enumerate(half, start=first):
        values = np.take(values, np.arange(-reach, reach + 1) % values.shape[axis], axis=axis)
    return values


def radial_mean(values: Array, half: Sequence[int]) -> Array:
    """Average a centred map over shells round(|r|) = 0, 1, ..., min(half); shape (*leading, R).

    Examples
    --------
    >>> radial_mean(np.array([[0.0, 1, 0], [1, 5, 1], [0, 1, 0]]), (1, 1))
    array([5. , 0.5])
    """
    squares = np.zeros([1] * len(half))
    for axis, reach in enumerate(half):
        line = np.arange(-reach, reach + 1.0) ** 2
        squares = squares + line.reshape([-1 if i == axis else 1 for i in range(len(half))])
    shell = np.rint(np.sqrt(squares)).astype(np.intp).ravel()
    size = min(half) + 1
    keep = shell < size
    leading = values.shape[: values.ndim - len(half)]
    flat = values.reshape(-1, shell.size)
    sums = [np.bincount(shell[keep], weights=row[keep], minlength=size) for row in flat]
    return np.stack(sums).reshape(*leading, size) / np.bincount(shell[keep], minlength=size)


def along_axes(values: Array, half: Sequence[int]) -> Array:
    """Read a centred map along the positive axes; shape (*leading, ndim, R), NaN beyond an axis' own half side.

    Examples
    --------
    >>> along_axes(np.array([[0.0, 1, 0], [2, 5, 2], [0, 1, 0]]), (1, 1)).tolist()
    [[5.0, 1.0], [5.0, 2.0]]
    """
    leading = values.ndim - len(half)
    curves = np.full((*values.shape[:leading], len(half), max(half) + 1), np.nan)
    for axis, reach in enumerate(half):
        index = tuple(slice(h, None) if i == axis else h for i, h in enumerate(half))
        curves[..., axis, : reach + 1] = values[(..., *index)]
    return curves


def correlate_counts(first: Array, second: Array | None, half: Sequence[int], periodic: bool) -> Array:
    """Count pairs first(x) second(x + r) over the trailing ``len(half)`` axes; ``second=None`` means ``first`` again.

    Examples
    --------
    >>> correlate_counts(np.array([[1.0, 1.0, 0.0, 0.0]]), None, (2,), False).round(9) + 0.0
    array([[0., 1., 2., 1., 0.]])
    """
    axes = tuple(range(first.ndim - len(half), first.ndim))
    sides = [first.shape[axis] for axis in axes]
    size = sides if periodic else [fft.next_fast_len(n + h, real=True) for n, h in zip(sides, half, strict=True)]
    spectrum = fft.rfftn(first, s=size, axes=axes)
    if second is None:
        power = spectrum.real**2 + spectrum.imag**2
    else:
        power = spectrum.conj() * fft.rfftn(second, s=size, axes=axes)
    return centred(fft.irfftn(power, s=size, axes=axes, overwrite_x=True), half)


def two_point_map(m: Microstructure, *, other: int | None = None) -> Array:
    """Compute the two-point probabilities of every phase for all offsets up to half the side.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional; wrapped only if it is periodic.
    other : int, optional
        Phase at the far end; without it each phase is paired with itself.

    Returns
    -------
    ndarray of float64, shape (K, 2 h_1 + 1, ..., 2 h_d + 1), h_i = side_i // 2
        ``result[a]`` at offset r (the centre is r = 0) is P{x in phase a, x + r in phase other or a}.

    Raises
    ------
    InputError
        If ``other`` is not a phase of ``m``.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> m = Microstructure([[0, 1], [1, 0]], periodic=True)
    >>> two_point_map(m)[1]
    array([[0.5, 0. , 0.5],
           [0. , 0.5, 0. ],
           [0.5, 0. , 0.5]])
    """
    if other is not None and not 0 <= other < m.n_phases:
        raise InputError(f"other={other} is not a phase of this microstructure; give a label in 0..{m.n_phases - 1}.")
    half = half_sides(m.shape)
    indicators = m.indicators().astype(np.float64)
    second = None if other is None else indicators[other : other + 1]
    counts = correlate_counts(indicators, second, half, m.periodic)
    # the counts are integers: rounding removes the last trace of FFT noise
    return np.rint(counts) / overlap_counts(m.shape, half, m.periodic)


def two_point_axes(m: Microstructure, *, other: int | None = None) -> Array:
    """Compute the two-point probabilities along each axis.

    Returns
    -------
    ndarray of float64, shape (K, ndim, R), R = max(side) // 2 + 1
        Offsets 0, 1, 2, ... in pixels; NaN beyond an axis' own half side.

    See Also
    --------
    two_point_map : parameters and errors.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> two_point_axes(Microstructure([[0, 0, 1, 1]] * 4))[1].tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.3333333333333333, 0.0]]
    """
    return along_axes(two_point_map(m, other=other), half_sides(m.shape))


def two_point_radial(m: Microstructure, *, other: int | None = None) -> Array:
    """Compute the two-point probabilities averaged over shells of round(|r|) pixels.

    Returns
    -------
    ndarray of float64, shape (K, R), R = min(side) // 2 + 1
        Distances 0, 1, 2, ... in pixels.

    See Also
    --------
    two_point_map : parameters and errors.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> two_point_radial(Microstructure([[0, 1], [1, 0]], periodic=True))[1].tolist()
    [0.5, 0.25]
    """
    return radial_mean(two_point_map(m, other=other), half_sides(m.shape))


def normalised_covariance(two_point: Array, fraction: float | Array) -> Array:
    """Normalise two-point probabilities: c(r) = (S2 - phi^2) / (phi (1 - phi)).

    Parameters
    ----------
    two_point : ndarray, shape (*leading, R) or any
        Auto-correlation values.
    fraction : float or ndarray
        The same image's volume fraction phi, broadcastable against ``two_point``.

    Returns
    -------
    ndarray of float64
        Same shape; NaN where the phase is absent or fills everything.

    Examples
    --------
    >>> normalised_covariance(np.array([0.5, 0.25, 0.0]), 0.5)
    array([ 1.,  0., -1.])
    """
    phi = np.asarray(fraction, dtype=np.float64)
    variance = phi * (1 - phi)
    safe = np.where(variance > 0, variance, np.nan)
    result: Array = (np.asarray(two_point) - phi**2) / safe
    return result
