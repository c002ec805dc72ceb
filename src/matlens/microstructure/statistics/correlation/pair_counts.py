"""Counting pairs of pixels by offset: FFT correlations without the work that padding and symmetry make needless.

A window of n pixels is padded to 1.5 n, as offsets up to n / 2 need. One third of the padded lines along every axis
is empty and skipped on the way in; on the way back only the wanted offsets are transformed. Along the first axis
columns are taken forth and back a few at a time, so that the whole padded spectrum never exists. Of an
auto-correlation one half is computed, for the other is its mirror image.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from matlens.microstructure.statistics.correlation.offsets import take_offsets

__all__ = ["auto_counts", "cross_counts", "window_sums", "worker_count"]

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

_CHUNK = 1 << 17  # values in a batch of columns: they stay in the cache
_SMALL = 1 << 18  # below so many pixels threads cost more than they save


def worker_count(size: int) -> int:
    """Return the number of threads for an array: PyTorch's if it is loaded, else OMP_NUM_THREADS or all cores.

    Results are the same to the byte whatever the number is, because counts are whole numbers.

    Parameters
    ----------
    size : int
        Number of values in the array; small arrays are worked on by one thread.

    Returns
    -------
    int
        Number of threads.

    Examples
    --------
    >>> worker_count(64)
    1
    """
    if size < _SMALL:
        return 1
    torch = sys.modules.get("torch")  # where it is loaded it holds what the user chose with --threads
    if torch is not None and hasattr(torch, "get_num_threads"):
        return max(1, int(torch.get_num_threads()))
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(asked)) if asked.isdecimal() else (os.cpu_count() or 1)


def auto_counts(field: NDArray[np.generic], half: Sequence[int], periodic: bool) -> Array:
    """Count pairs field(x) field(x + r) of a 0/1 field, for every offset |r_i| <= half_i.

    Parameters
    ----------
    field : ndarray of bool or 0/1
        Two or more axes.
    half : sequence of int
        Largest offset along each axis, at most half the side.
    periodic : bool
        Whether the field is wrapped; otherwise it is zero outside.

    Returns
    -------
    ndarray of float64, shape (2 half_1 + 1, ...)
        Whole numbers; the centre is r = 0.

    Examples
    --------
    >>> auto_counts(np.array([[1, 1, 0, 0]]), (0, 2), False)
    array([[0., 1., 2., 1., 0.]])
    """
    size = _padded(field.shape, half, periodic)
    counts = _back(_power_back(field, half[0], size), half, size)
    mirrored = counts[:0:-1][(slice(None), *[slice(None, None, -1)] * (field.ndim - 1))]
    return np.concatenate([mirrored, counts])


def cross_counts(first: NDArray[np.generic], second: NDArray[np.generic], half: Sequence[int], periodic: bool) -> Array:
    """Count pairs first(x) second(x + r) of 0/1 fields, for every offset |r_i| <= half_i.

    Parameters
    ----------
    first, second : ndarray of bool or 0/1
        Fields of one shape, with two or more axes.
    half : sequence of int
        Largest offset along each axis, at most half the side.
    periodic : bool
        Whether the fields are wrapped; otherwise they are zero outside.

    Returns
    -------
    ndarray of float64, shape (2 half_1 + 1, ...)
        Whole numbers; the centre is r = 0.

    Examples
    --------
    >>> cross_counts(np.array([[1, 1, 0, 0]]), np.array([[0, 0, 1, 0]]), (0, 2), False)
    array([[0., 0., 0., 1., 1.]])
    """
    size = _padded(first.shape, half, periodic)
    columns, others = _without_first(first, size), _without_first(second, size)

    def forth_and_back(part: slice) -> Spectrum:
        product = fft.fft(columns[:, part], n=size[0], axis=0).conj()
        product *= fft.fft(others[:, part], n=size[0], axis=0)
        pairs: Spectrum = fft.ifft(product, axis=0, norm="forward", overwrite_x=True)
        return take_offsets(pairs, half[0], 0)

    return _back(_by_columns(forth_and_back, columns, 2 * half[0] + 1, size[0]), half, size)


def window_sums(field: NDArray[np.generic], half: Sequence[int], periodic: bool) -> Array:
    """Sum a field over the positions x with x + r inside the window, for every offset |r_i| <= half_i.

    Parameters
    ----------
    field : ndarray
        Any values.
    half : sequence of int
        Largest offset along each axis, at most half the side.
    periodic : bool
        Whether x + r is wrapped, so that every position counts.

    Returns
    -------
    ndarray of float64, shape (2 half_1 + 1, ...)
        Sums; the centre is r = 0.

    Examples
    --------
    >>> window_sums(np.array([[1, 2, 4]]), (0, 1), False)
    array([[6., 7., 3.]])
    """
    sums = np.asarray(field)
    small = field.dtype == bool and field.size < 2**31
    dtype = np.float64 if field.dtype.kind == "f" else np.int32 if small else np.int64
    for axis, reach in enumerate(half):
        side = field.shape[axis]
        offsets = np.arange(-reach, reach + 1) * (0 if periodic else 1)
        running = np.cumsum(sums, axis=axis, dtype=dtype)
        running = np.concatenate([np.zeros_like(np.take(running, [0], axis=axis)), running], axis=axis)
        sums = np.take(running, side - np.maximum(offsets, 0), axis=axis)
        sums -= np.take(running, np.maximum(-offsets, 0), axis=axis)
    return sums.astype(np.float64)


def _power_back(field: NDArray[np.generic], reach: int, size: Sequence[int]) -> Spectrum:
    """Power spectrum, transformed back along the first axis; offsets 0..reach."""
    columns = _without_first(field, size)

    def forth_and_back(part: slice) -> Spectrum:
        ahead = fft.fft(columns[:, part], n=size[0], axis=0)
        power = ahead.real**2 + ahead.imag**2
        # the power is real, so this transform back takes half the work and gives the offsets from 0 on
        return np.asarray(fft.rfft(power, axis=0)[: reach + 1].conj())

    return _by_columns(forth_and_back, columns, reach + 1, size[0])


def _padded(sides: Sequence[int], half: Sequence[int], periodic: bool) -> list[int]:
    if periodic:
        return list(sides)
    return [fft.next_fast_len(side + reach, real=True) for side, reach in zip(sides, half, strict=True)]


def _without_first(field: NDArray[np.generic], size: Sequence[int]) -> Spectrum:
    """Transform along all axes but the first; shape (side, other frequencies)."""
    workers = worker_count(field.size)
    spectrum = fft.rfft(np.asarray(field, dtype=np.float64), n=size[-1], axis=-1, workers=workers)
    for axis in range(1, field.ndim - 1):
        spectrum = fft.fft(spectrum, n=size[axis], axis=axis, workers=workers)
    return np.asarray(spectrum.reshape(field.shape[0], -1))


def _by_columns(work: Callable[[slice], Spectrum], columns: Spectrum, rows: int, height: int) -> Spectrum:
    """Do the work on batches of columns, which may be done side by side."""
    count = columns.shape[1]
    step = max(1, _CHUNK // height)
    result = np.empty((rows, count), dtype=np.complex128)
    parts = [slice(start, start + step) for start in range(0, count, step)]

    def fill(part: slice) -> None:
        result[:, part] = work(part)

    workers = worker_count(columns.size)
    if workers == 1 or len(parts) == 1:
        for part in parts:
            fill(part)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(fill, parts))
    return result


def _back(spectrum: Spectrum, half: Sequence[int], size: Sequence[int]) -> Array:
    """Transform back along all axes but the first and keep the wanted offsets; rounding removes the last FFT noise."""
    workers = worker_count(spectrum.size)
    spectrum = spectrum.reshape(spectrum.shape[0], *size[1:-1], -1)
    for axis in range(1, len(size) - 1):
        turned: Spectrum = fft.ifft(spectrum, axis=axis, norm="forward", overwrite_x=True, workers=workers)
        spectrum = take_offsets(turned, half[axis], axis)
    values: Array = fft.irfft(spectrum, n=size[-1], axis=-1, norm="forward", overwrite_x=True, workers=workers)
    counts = take_offsets(values, half[-1], -1)
    counts /= float(np.prod(size))
    np.rint(counts, out=counts)
    return counts
