"""The curves of one structure, computed once, and the errors between two structures' curves.

Both sides of every error are treated as windows of something larger, never as periodic, whatever they say of
themselves: then a generated (periodic) field and a micrograph are measured by the same rule.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure import Microstructure
from matlens.statistics.cluster import Connectivity, cluster_radial
from matlens.statistics.correlation_length import first_below
from matlens.statistics.lineal_path import lineal_path
from matlens.statistics.two_point import along_axes, half_sides, normalised_covariance, radial_mean, two_point_map

__all__ = ["Curves", "cluster_error", "fraction_error", "lineal_path_error", "s2_error"]

Array = NDArray[np.float64]


class Curves:
    """Statistics of one structure taken as a non-periodic window, each computed on first use and kept.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> curves = Curves(Microstructure(np.kron([[0, 1], [1, 0]], np.ones((8, 8), dtype=int))))
    >>> curves.two_point_radial.shape, curves.lineal_path.shape
    ((2, 9), (2, 2, 9))
    """

    def __init__(self, m: Microstructure) -> None:
        self.microstructure = m.with_labels(m.labels, periodic=False)

    @classmethod
    def of(cls, thing: Microstructure | Curves) -> Curves:
        """Wrap a microstructure; curves are passed through."""
        return thing if isinstance(thing, Curves) else cls(thing)

    @property
    def fractions(self) -> Array:
        """Volume fractions, shape (K,)."""
        return self.microstructure.volume_fractions

    @cached_property
    def _two_point(self) -> Array:
        return two_point_map(self.microstructure)

    @cached_property
    def two_point_radial(self) -> Array:
        """S2 by distance, shape (K, R)."""
        return radial_mean(self._two_point, half_sides(self.microstructure.shape))

    @cached_property
    def covariance(self) -> Array:
        """Normalised covariance, radial first and then along each axis, shape (K, 1 + ndim, R); NaN where unknown."""
        axes = along_axes(self._two_point, half_sides(self.microstructure.shape))
        curves = np.full((axes.shape[0], 1 + axes.shape[1], axes.shape[2]), np.nan)
        curves[:, 0, : self.two_point_radial.shape[1]] = self.two_point_radial
        curves[:, 1:] = axes
        return normalised_covariance(curves, self.fractions[:, None, None])

    @cached_property
    def correlation_length(self) -> Array:
        """Correlation length of the radial curve in pixels, shape (K,); NaN where there is none."""
        return first_below(self.covariance[:, 0])

    @cached_property
    def lineal_path(self) -> Array:
        """Lineal path, shape (K, ndim, R)."""
        return lineal_path(self.microstructure)

    @cached_property
    def cluster(self) -> Array:
        """Two-point cluster function of face-connected clusters by distance, shape (K, R)."""
        return cluster_radial(self.microstructure)

    @cached_property
    def cluster_full(self) -> Array:
        """Two-point cluster function of fully connected clusters by distance, shape (K, R)."""
        return cluster_radial(self.microstructure, connectivity="full")


Structure = Microstructure | Curves


def s2_error(result: Structure, target: Structure) -> float:
    """Compare the normalised covariances: sum |c - c*| / sum |c*| over 1 <= r <= rc.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Sizes may differ; both are taken as non-periodic windows.

    Returns
    -------
    float
        Mean over the radial curve and each axis, and over the phases where there are three or more. rc is three
        correlation lengths of the target's radial curve, at least 4 and below half of either side. White noise
        scores about 1; NaN where the target has only one phase.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> board = np.kron(np.indices((4, 4)).sum(axis=0) % 2, np.ones((8, 8), dtype=int))
    >>> noise = np.random.default_rng(0).permutation(board.ravel()).reshape(board.shape)
    >>> round(s2_error(Microstructure(noise), Microstructure(board)), 1)
    1.0
    """
    a, b = _pair(result, target)
    reach = np.array([min(_reach(a, b)), *_reach(a, b)])
    phases = range(b.microstructure.n_phases) if b.microstructure.n_phases > 2 else (1,)
    values = []
    for phase in phases:
        length = b.correlation_length[phase]
        limit = reach if np.isnan(length) else np.minimum(reach, max(4, 3 * int(length)))
        if not 0 < b.fractions[phase] < 1:
            continue  # nothing to compare with
        # a phase that is absent has no correlation at all
        mine = np.nan_to_num(a.covariance[phase])
        values += [_relative(mine[i], b.covariance[phase, i], int(stop)) for i, stop in enumerate(limit)]
    return float(np.mean(values)) if values else float("nan")


def lineal_path_error(result: Structure, target: Structure) -> float:
    """Compare the lineal paths: sum |L - L*| / sum L* over r >= 1 below half of either side, mean over phases and axes.

    Parameters, errors: as in `s2_error`.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> stripes = Microstructure(np.tile([0, 0, 1, 1], (16, 4)))
    >>> lineal_path_error(stripes, stripes)
    0.0
    """
    a, b = _pair(result, target)
    values = [
        _relative(a.lineal_path[phase, axis], b.lineal_path[phase, axis], _reach(a, b)[axis])
        for phase in range(b.microstructure.n_phases)
        for axis in range(b.microstructure.ndim)
        if b.fractions[phase] > 0
    ]
    return float(np.nanmean(values))


def cluster_error(result: Structure, target: Structure, *, connectivity: Connectivity = "face") -> float:
    """Compare the radial cluster functions: sum |C2 - C2*| / sum C2* over r >= 1 below half of either side.

    Mean over phases. Parameters, errors: as in `s2_error`; ``connectivity`` as in `cluster_radial`.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> board = Microstructure(np.kron([[0, 1], [1, 0]], np.ones((8, 8), dtype=int)))
    >>> cluster_error(board, board, connectivity="full")
    0.0
    """
    a, b = _pair(result, target)
    mine, theirs = (c.cluster if connectivity == "face" else c.cluster_full for c in (a, b))
    present = np.flatnonzero(b.fractions > 0)
    return float(np.nanmean([_relative(mine[k], theirs[k], min(_reach(a, b))) for k in present]))


def fraction_error(result: Structure, target: Structure) -> float:
    """Compare the volume fractions: the largest absolute difference over phases.

    Examples
    --------
    >>> from matlens.microstructure import Microstructure
    >>> fraction_error(Microstructure([[0, 1], [0, 1]]), Microstructure([[0, 1], [0, 0]]))
    0.25
    """
    a, b = _pair(result, target)
    return float(np.abs(a.fractions - b.fractions).max())


def _relative(mine: Array, theirs: Array, stop: int) -> float:
    scale = float(np.abs(theirs[1 : stop + 1]).sum())
    return float(np.abs(mine[1 : stop + 1] - theirs[1 : stop + 1]).sum()) / scale if scale > 0 else float("nan")


def _reach(a: Curves, b: Curves) -> list[int]:
    """Largest offset below half of either side, along each axis."""
    return [(min(sides) - 1) // 2 for sides in zip(a.microstructure.shape, b.microstructure.shape, strict=True)]


def _pair(result: Structure, target: Structure) -> tuple[Curves, Curves]:
    a, b = Curves.of(result), Curves.of(target)
    if a.microstructure.ndim != b.microstructure.ndim or a.microstructure.n_phases != b.microstructure.n_phases:
        raise InputError(
            f"cannot compare {a.microstructure!r} with {b.microstructure!r}: dimension and number of phases must agree."
        )
    return a, b
