"""Noise of the right volume fractions: negative controls for every comparison of structures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.fields import checked_shape, gaussian_scale, gaussian_values
from matlens.microstructure.structure import Microstructure

__all__ = ["blurred_noise", "white_noise"]


def white_noise(
    shape: Sequence[int], fractions: Sequence[float] | NDArray[np.float64], seed: int = 0
) -> Microstructure:
    """Scatter the phases at random, each pixel independently, with exact volume fractions.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    fractions : sequence of float, shape (K,)
        Volume fraction of each phase, summing to 1.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Microstructure
        K phases; its normalised covariance is zero beyond r = 0.

    Raises
    ------
    InputError
        If a size is not positive or the fractions do not sum to 1.

    Examples
    --------
    >>> white_noise((10, 10), (0.5, 0.3, 0.2)).volume_fractions
    array([0.5, 0.3, 0.2])
    """
    sides = checked_shape(shape)
    counts = _counts(fractions, int(np.prod(sides)))
    ordered = np.repeat(np.arange(counts.size, dtype=np.uint8), counts)
    labels = np.random.default_rng(seed).permutation(ordered).reshape(sides)
    return Microstructure(labels, phase_names=_names(counts.size), periodic=True)


def blurred_noise(
    shape: Sequence[int],
    fractions: Sequence[float] | NDArray[np.float64],
    correlation_length: float | Sequence[float],
    seed: int = 0,
) -> Microstructure:
    """Make level-cut Gaussian noise of the right volume fractions and correlation length.

    It is the simplest structure with these properties, and so a negative control.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis, two or three of them.
    fractions : sequence of float, shape (K,)
        Volume fraction of each phase, summing to 1.
    correlation_length : float or sequence of float
        Distance in pixels at which the normalised covariance falls to 0.1; one value, or one for each axis.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Microstructure
        K phases, periodic. With three or more, the most frequent is cut first and each further one from the rest, by an
        independent field, so that any two phases may touch.

    Raises
    ------
    InputError
        If a size or length is not positive or the fractions do not sum to 1.

    Examples
    --------
    >>> blurred_noise((20, 20), (0.5, 0.3, 0.2), 4.0).volume_fractions
    array([0.5, 0.3, 0.2])
    """
    sides = checked_shape(shape)
    counts = _counts(fractions, int(np.prod(sides)))
    order = [int(k) for k in np.argsort(-counts, kind="stable") if counts[k]]
    first = counts[order[0]] / counts.sum()
    scale = gaussian_scale(correlation_length, len(sides), first if first < 1 else 0.5)
    labels = np.full(int(counts.sum()), order[-1], dtype=np.uint8)
    free = np.arange(labels.size)
    for phase, stream in zip(order[:-1], np.random.SeedSequence(seed).spawn(len(order))):
        field = gaussian_values(sides, scale, np.random.default_rng(stream)).ravel()[free]
        chosen = np.argsort(field, kind="stable")[free.size - counts[phase] :]
        labels[free[chosen]] = phase
        free = np.delete(free, chosen)
    return Microstructure(labels.reshape(sides), phase_names=_names(counts.size), periodic=True)


def _counts(fractions: Sequence[float] | NDArray[np.float64], size: int) -> NDArray[np.int64]:
    values = np.asarray(fractions, dtype=float)
    if values.ndim != 1 or values.size < 2 or not (values >= 0).all() or abs(values.sum() - 1.0) > 1e-6:
        raise InputError(f"fractions must be two or more numbers that sum to 1, found {fractions!r}.")
    return np.asarray(np.diff(np.rint(np.cumsum(values) * size), prepend=0), dtype=np.int64)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"phase {k}" for k in range(count))
