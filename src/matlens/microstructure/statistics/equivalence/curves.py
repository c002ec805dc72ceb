"""The curves of one structure, computed once, and the errors between two structures' curves.

Both sides of every error are treated as windows of something larger, never as periodic, whatever they say of
themselves: then a generated (periodic) field and a micrograph are measured by the same rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.cluster import Connectivity, cluster_radial
from matlens.microstructure.statistics.correlation.correlation_length import first_below, length_of
from matlens.microstructure.statistics.correlation.offsets import along_axes, half_sides, radial_mean
from matlens.microstructure.statistics.correlation.two_point import normalised_covariance, two_point_map
from matlens.microstructure.statistics.lines.chord_length import chord_length_distribution
from matlens.microstructure.statistics.lines.lineal_path import lineal_path
from matlens.microstructure.statistics.size_shape.euler import euler_density
from matlens.microstructure.statistics.size_shape.specific_surface import specific_surface
from matlens.microstructure.structure import Microstructure

__all__ = [
    "Curves",
    "chord_length_error",
    "cluster_error",
    "errors",
    "euler_density_error",
    "fraction_error",
    "lineal_path_error",
    "s2_error",
    "specific_surface_error",
]

Array = NDArray[np.float64]


class Curves:
    """Compute statistics of one structure as a non-periodic window, in pixels, each on first use.

    Parameters
    ----------
    m : Microstructure
        Two- or three-dimensional.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> curves = Curves(Microstructure(np.kron([[0, 1], [1, 0]], np.ones((8, 8), dtype=int))))
    >>> curves.two_point_radial.shape, curves.lineal_path.shape
    ((2, 9), (2, 2, 9))
    """

    def __init__(self, m: Microstructure) -> None:
        self.microstructure = Microstructure(m.labels, phase_names=m.phase_names, mask=m.mask)
        self.properties: dict[
            str, Array
        ] = {}  # apparent ones, by matlens.microstructure.statistics.transport.properties

    @classmethod
    def wrap(cls, structure: Microstructure | Curves) -> Curves:
        """Wrap a microstructure; return curves unchanged.

        Parameters
        ----------
        structure : Microstructure or Curves
            The structure, or its curves.

        Returns
        -------
        Curves
            The curves.
        """
        return structure if isinstance(structure, Curves) else cls(structure)

    @cached_property
    def fractions(self) -> Array:
        """Volume fractions, shape (K,)."""
        return self.microstructure.volume_fractions

    @cached_property
    def _two_point(self) -> Array:
        return two_point_map(self.microstructure)

    @cached_property
    def two_point_radial(self) -> Array:
        """Two-point probabilities S2 by distance, shape (K, R)."""
        return radial_mean(self._two_point, half_sides(self.microstructure.shape), self.microstructure.spacing)

    @cached_property
    def covariance(self) -> Array:
        """Normalised covariance, shape (K, 1 + ndim, R): radial, then along each axis; NaN where unknown."""
        axes = along_axes(self._two_point, half_sides(self.microstructure.shape))
        curves = np.full((axes.shape[0], 1 + axes.shape[1], axes.shape[2]), np.nan)
        curves[:, 0, : self.two_point_radial.shape[1]] = self.two_point_radial
        curves[:, 1:] = axes
        return normalised_covariance(curves, self.fractions[:, None, None])

    @cached_property
    def covariance_reach(self) -> Array:
        """First distance (px) at which each phase's radial covariance is small, shape (K,); NaN where there is none."""
        return first_below(self.covariance[:, 0])

    @cached_property
    def correlation_length(self) -> Array:
        """Correlation length of the radial curve in pixels, shape (K,), one for two phases; NaN where there is none."""
        return length_of(self.covariance[:, 0])

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

    @cached_property
    def euler_density(self) -> Array:
        """Euler number of the face-connected phases per pixel (voxel), shape (K,)."""
        return euler_density(self.microstructure)

    @cached_property
    def specific_surface(self) -> Array:
        """Crofton surface of each phase, per pixel length, shape (K,)."""
        return specific_surface(self.microstructure)

    @cached_property
    def chord_length(self) -> Array:
        """Cumulative distribution of chord lengths, shape (K, ndim, R): share of chords of at most r pixels."""
        return np.cumsum(chord_length_distribution(self.microstructure), axis=-1)


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
        times the reach of the target's radial covariance, at least 4 and below half of either side. White noise
        scores about 1; NaN where the target has only one phase.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
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
        length = b.covariance_reach[phase]
        limit = reach if np.isnan(length) else np.minimum(reach, max(4, 3 * int(length)))
        if not 0 < b.fractions[phase] < 1:
            continue  # nothing to compare with
        # a phase that is absent has no correlation at all
        mine = np.nan_to_num(a.covariance[phase])
        values += [_relative(mine[i], b.covariance[phase, i], int(stop)) for i, stop in enumerate(limit)]
    return _known_mean(values)


def lineal_path_error(result: Structure, target: Structure) -> float:
    """Compare the lineal paths: sum |L - L*| / sum L* over r >= 1 below half of either side.

    Parameters, errors: as in `s2_error`.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Sizes may differ; both are taken as non-periodic windows.

    Returns
    -------
    float
        Mean over phases and axes; NaN where nothing can be compared.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
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
    return _known_mean(values)


def cluster_error(result: Structure, target: Structure, *, connectivity: Connectivity = "face") -> float:
    """Compare the radial cluster functions: sum |C2 - C2*| / sum C2* over r >= 1 below half of either side.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Sizes may differ; both are taken as non-periodic windows.
    connectivity : {"face", "full"}
        Whether pixels that touch by an edge or a corner alone belong to one cluster (full) or not (face).

    Returns
    -------
    float
        Mean over the phases that the target has; NaN where nothing can be compared.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> board = Microstructure(np.kron([[0, 1], [1, 0]], np.ones((8, 8), dtype=int)))
    >>> cluster_error(board, board, connectivity="full")
    0.0
    """
    a, b = _pair(result, target)
    mine, theirs = (c.cluster if connectivity == "face" else c.cluster_full for c in (a, b))
    present = np.flatnonzero(b.fractions > 0)
    return _known_mean([_relative(mine[k], theirs[k], min(_reach(a, b))) for k in present])


def chord_length_error(result: Structure, target: Structure) -> float:
    """Compare the chord lengths: distance between the cumulative distributions over the target's mean chord.

    The error is sum |F - F*| / sum (1 - F*) over lengths below half of either side; a phase without chords on one side
    only scores 1.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Sizes may differ; both are taken as non-periodic windows.

    Returns
    -------
    float
        Mean over phases and axes.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> thin, thick = (Microstructure(np.tile([0] * n + [1] * n, (32, 16 // n))) for n in (2, 4))
    >>> round(chord_length_error(thin, thick), 1)
    0.3
    """
    a, b = _pair(result, target)
    values = []
    for axis, stop in enumerate(_reach(a, b)):
        # no chord at all: every chord is longer than any length listed
        mine, theirs = (np.nan_to_num(c.chord_length[:, axis, : stop + 1]) for c in (a, b))
        values += list(np.abs(mine - theirs).sum(axis=1) / np.maximum(np.abs(1 - theirs).sum(axis=1), 1e-12))
    return float(np.mean(values))


def euler_density_error(result: Structure, target: Structure) -> float:
    """Compare the Euler densities by their absolute difference per pixel (voxel).

    The difference is not relative, because the density of a bicontinuous material is near zero.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Sizes may differ; both are taken as non-periodic windows.

    Returns
    -------
    float
        Mean over phases, per pixel (voxel).

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> dots = np.zeros((16, 16), dtype=int)
    >>> dots[1::4, 1::4] = 1
    >>> round(euler_density_error(Microstructure(1 - dots), Microstructure(dots)), 3)
    0.143
    """
    a, b = _pair(result, target)
    return float(np.abs(a.euler_density - b.euler_density).mean())


def specific_surface_error(result: Structure, target: Structure) -> float:
    """Compare the specific surfaces by their relative difference.

    Parameters, errors: as in `s2_error`.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Sizes may differ; both are taken as non-periodic windows.

    Returns
    -------
    float
        Mean over the phases that the target has; NaN if it has no interface.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> thin, thick = (Microstructure(np.tile([0] * n + [1] * n, (32, 32 // n))) for n in (2, 4))
    >>> round(specific_surface_error(thin, thick), 1)
    1.1
    """
    a, b = _pair(result, target)
    present = b.specific_surface > 0
    if not present.any():
        return float("nan")
    return float(np.abs(a.specific_surface / np.where(present, b.specific_surface, 1) - 1)[present].mean())


def fraction_error(result: Structure, target: Structure) -> float:
    """Compare the volume fractions by their largest absolute difference over phases.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Sizes may differ; both are taken as non-periodic windows.

    Returns
    -------
    float
        Difference, from 0 to 1.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> fraction_error(Microstructure([[0, 1], [0, 1]]), Microstructure([[0, 1], [0, 0]]))
    0.25
    """
    a, b = _pair(result, target)
    return float(np.abs(a.fractions - b.fractions).max())


def errors(result: Structure, target: Structure) -> dict[str, float]:
    """Compute every error of one structure against another.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Pass `Curves` to compute each structure's curves only once over many comparisons.

    Returns
    -------
    dict
        ``s2_error``, ``lineal_path_error``, ``cluster_error`` (face-connected), ``cluster_error_full``,
        ``euler_density_error``, ``specific_surface_error``, ``chord_length_error``, ``fraction_error``.

    Raises
    ------
    InputError
        If the two differ in dimension or number of phases.

    Examples
    --------
    >>> from matlens.microstructure.structure import Microstructure
    >>> board = Microstructure(np.kron([[0, 1], [1, 0]], np.ones((8, 8), dtype=int)))
    >>> set(errors(board, board).values())
    {0.0}
    """
    a, b = _pair(result, target)
    return {name: measure(a, b) for name, measure in MEASURES.items()} | {"fraction_error": fraction_error(a, b)}


def _relative(mine: Array, theirs: Array, stop: int) -> float:
    difference = mine[1 : stop + 1] - theirs[1 : stop + 1]
    known = ~np.isnan(difference)  # a mask may leave an offset without a pair
    scale = float(np.abs(theirs[1 : stop + 1][known]).sum())
    return float(np.abs(difference[known]).sum()) / scale if scale > 0 else float("nan")


def _known_mean(values: Sequence[float]) -> float:
    """Mean of what is known: a side of one or two pixels has no offset to compare at, a lone pixel no segment."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _reach(a: Curves, b: Curves) -> list[int]:
    """Largest offset below half of either side, along each axis."""
    return [(min(sides) - 1) // 2 for sides in zip(a.microstructure.shape, b.microstructure.shape, strict=True)]


def _pair(result: Structure, target: Structure) -> tuple[Curves, Curves]:
    a, b = Curves.wrap(result), Curves.wrap(target)
    if a.microstructure.ndim != b.microstructure.ndim or a.microstructure.n_phases != b.microstructure.n_phases:
        raise InputError(
            f"cannot compare {a.microstructure!r} with {b.microstructure!r}: dimension and number of phases must agree."
        )
    return a, b


def _cluster_error_full(result: Curves, target: Curves) -> float:
    return cluster_error(result, target, connectivity="full")


MEASURES = {
    "s2_error": s2_error,
    "lineal_path_error": lineal_path_error,
    "cluster_error": cluster_error,
    "cluster_error_full": _cluster_error_full,
    "euler_density_error": euler_density_error,
    "specific_surface_error": specific_surface_error,
    "chord_length_error": chord_length_error,
}
