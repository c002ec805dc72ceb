"""The volume fractions of a realisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.structure import Microstructure

__all__ = ["FractionRule", "asked_fractions", "check_fraction"]

FractionRule = str | Sequence[float]


def check_fraction(fraction: FractionRule, n_phases: int) -> None:
    """Check a rule of volume fractions.

    Parameters
    ----------
    fraction : {"exact", "sampled"} or sequence of float
        Rule, or one fraction per phase.
    n_phases : int
        Number of phases K.

    Raises
    ------
    InputError
        If the rule is unknown, or the numbers are not one per phase, positive, and of sum 1.

    Examples
    --------
    >>> check_fraction([0.3, 0.7], 2)
    """
    if isinstance(fraction, str):
        if fraction not in ("exact", "sampled"):
            raise InputError(f"fraction={fraction!r} is not known; give 'exact', 'sampled' or one number a phase.")
        return
    values = np.asarray(fraction, dtype=float)
    if values.shape != (n_phases,) or not np.isfinite(values).all():
        raise InputError(f"fraction gives {values.size} numbers, but the exemplar has {n_phases} phases.")
    if (values <= 0).any() or abs(values.sum() - 1) > 1e-3:
        raise InputError(f"fractions {values.tolist()} must be positive and sum to 1, but sum to {values.sum():g}.")


def asked_fractions(
    exemplars: Sequence[Microstructure], shape: Sequence[int], fraction: FractionRule, seed: int, realisation: int
) -> NDArray[np.float64]:
    """Return the volume fractions wanted for one realisation.

    ``"exact"`` is the exemplars' mean. ``"sampled"`` adds the variability that windows of the result's size have: its
    covariance is measured on quarters of the exemplars and scaled with the window's area.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Exemplars.
    shape : sequence of int
        Pixels of the result along each axis.
    fraction : {"exact", "sampled"} or sequence of float
        Rule, or one fraction per phase.
    seed, realisation : int
        Seed and number of the realisation.

    Returns
    -------
    ndarray, shape (K,)
        Volume fractions, sum 1.

    Examples
    --------
    >>> m = Microstructure([[0, 1], [1, 1]])
    >>> asked_fractions([m], (8, 8), "exact", seed=0, realisation=0)
    array([0.25, 0.75])
    """
    if not isinstance(fraction, str):
        values = np.asarray(fraction, dtype=float)
        return np.asarray(values / values.sum())
    areas = np.array([m.n_known for m in exemplars], dtype=float)
    own = np.array([m.volume_fractions for m in exemplars])
    mean = areas @ own / areas.sum()
    if fraction == "exact":
        return np.asarray(mean)
    random = np.random.default_rng([seed, realisation, 1])
    windows = [tile for m in exemplars for tile in m.tiles([max(side // 2, 1) for side in m.shape], masked=True)]
    parts = np.array([tile.volume_fractions for tile in windows])
    covariance = np.atleast_2d(np.cov(parts.T)) * np.mean([w.n_known for w in windows]) / np.prod(shape)
    drawn = random.multivariate_normal(mean, covariance, method="eigh")
    drawn = np.clip(drawn, 0.2 * mean, None)
    return np.asarray(drawn / drawn.sum())
