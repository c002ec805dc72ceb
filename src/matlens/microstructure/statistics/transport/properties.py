"""Effective properties as statistics outside any loss: values of windows, distances between them, and a table.

Distances are taken at equal volume fraction: each value counts relative to the self-consistent estimate at its window's
own fractions. Fractions differ from window to window and have a statistic of their own; left in, they hide what the
arrangement of the phases makes of a property.

The definitions, which need torch, are in :mod:`matlens.microstructure.statistics.transport.apparent`; they load on
first use.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.equivalence.curves import Curves
from matlens.microstructure.structure import Microstructure

__all__ = [
    "CONTRASTS",
    "LARGEST",
    "PROPERTIES",
    "check_properties",
    "conductivity_error",
    "property_distances",
    "property_table",
    "property_values",
    "self_consistent",
    "stiffness_error",
    "too_large",
]

# docs/decisions/0020-conductivity-as-a-judge.md
CONTRASTS = {"conductivity": 50.0, "stiffness": 100.0}  # of each phase in turn over the others
PROPERTIES = tuple(CONTRASTS)
LARGEST = 1 << 16  # cells of a window; above, what is a statistic elsewhere would take minutes

Array = NDArray[np.float64]
Structure = Microstructure | Curves


def conductivity_error(result: Structure, target: Structure) -> float:
    """Compare the apparent conductivities at equal fraction, mean over axes and over each phase as the conductor.

    |ln (k / s) - ln (k* / s*)|, s being Bruggeman's self-consistent estimate at either side's own volume fractions.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Windows of one size, because apparent properties depend on it; both are taken as not periodic.

    Returns
    -------
    float
        0.1 is a difference of about 10 % in conductivity.

    Raises
    ------
    InputError
        If they differ in size or number of phases.

    Notes
    -----
    The conductor has 50 times the conductivity of the rest; see `apparent_conductivity`.

    Examples
    --------
    >>> thin, thick = (Microstructure(np.tile([0] * n + [1] * n, (16, 8 // n))) for n in (1, 4))
    >>> conductivity_error(thin, thick) < 1e-6  # a laminate conducts the same at any thickness
    True
    """
    return _error(result, target, "conductivity")


def stiffness_error(result: Structure, target: Structure) -> float:
    """Compare the apparent stiffnesses at equal fraction, mean over the diagonal and each phase as the stiff one.

    The error is that of `conductivity_error`, whose estimate from the fractions is used here, too.

    Parameters
    ----------
    result, target : Microstructure or Curves
        Windows of one size, because apparent properties depend on it; both are taken as not periodic.

    Returns
    -------
    float
        0.1 is a difference of about 10 % in stiffness.

    Raises
    ------
    InputError
        If they differ in size or number of phases.

    Notes
    -----
    The stiff phase has 100 times Young's modulus of the rest; see `apparent_stiffness`.

    Examples
    --------
    >>> thin, thick = (Microstructure(np.tile([0] * n + [1] * n, (16, 8 // n))) for n in (1, 4))
    >>> round(stiffness_error(thin, thick), 3)
    0.0
    """
    return _error(result, target, "stiffness")


def _error(result: Structure, target: Structure, name: str) -> float:
    a, b = Curves.wrap(result), Curves.wrap(target)
    if a.microstructure.shape != b.microstructure.shape or a.microstructure.n_phases != b.microstructure.n_phases:
        raise InputError(
            f"cannot compare the {name} of {a.microstructure!r} with that of {b.microstructure!r}: windows of one size "
            "and number of phases are needed; cut the larger."
        )
    return float(property_distances([a], [b], name)[0, 0])


def check_properties(names: Sequence[str]) -> None:
    """Check that all names are known properties.

    Parameters
    ----------
    names : sequence of str
        Names to check.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    for name in names:
        if name not in PROPERTIES:
            raise InputError(f"unknown property {name!r}; choose from {', '.join(PROPERTIES)}.")


def property_distances(results: Sequence[Curves], windows: Sequence[Curves], name: str) -> Array:
    """Compute the error of every result against every window.

    Parameters
    ----------
    results, windows : sequence of Curves
        Curves of structures of one size.
    name : str
        ``conductivity`` or ``stiffness``.

    Returns
    -------
    ndarray of float64, shape (results, windows)
        Errors at equal fraction.

    Examples
    --------
    >>> board = Curves(Microstructure(np.kron([[0, 1], [1, 0]], np.ones((4, 4), dtype=int))))
    >>> property_distances([board], [board, board], "conductivity")
    array([[0., 0.]])
    """
    mine, theirs = (_beyond_fractions(curves, name) for curves in (results, windows))
    distances: Array = np.abs(mine[:, None] - theirs[None]).mean(axis=-1)
    return distances


def _beyond_fractions(windows: Sequence[Curves], name: str) -> Array:
    """Logarithm of the values over the estimates from the fractions alone, shape (windows, phases x components)."""
    contrast = CONTRASTS[name]
    fractions = np.stack([curves.fractions for curves in windows])
    expected = self_consistent(fractions, contrast, windows[0].microstructure.ndim)
    return np.log(property_values(windows, name) / expected[..., None]).reshape(len(windows), -1)


def self_consistent(fraction: Array, contrast: float, ndim: int) -> Array:
    """Estimate the conductivity of a mixture of a phase with a rest of conductivity 1 (Bruggeman's estimate).

    Parameters
    ----------
    fraction : ndarray
        Volume fraction of the phase.
    contrast : float
        Conductivity of the phase.
    ndim : int
        Number of dimensions.

    Returns
    -------
    ndarray of float64
        Conductivity of the mixture, of the shape of ``fraction``.

    Notes
    -----
    Bruggeman, Ann. Phys. 24, 636 (1935).

    Examples
    --------
    >>> self_consistent(np.array([0.0, 0.5, 1.0]), 4.0, 2)
    array([1., 2., 4.])
    """
    a = ndim - 1
    b = (1 - fraction) * (a - contrast) + fraction * (a * contrast - 1)
    estimate: Array = (b + np.sqrt(b**2 + 4 * a * contrast)) / (2 * a)
    return estimate


def property_values(windows: Sequence[Curves], name: str) -> Array:
    """Compute the apparent property of windows, all that are unknown in one batch.

    Parameters
    ----------
    windows : sequence of Curves
        Curves of windows of one size; they keep the values.
    name : str
        ``conductivity`` or ``stiffness``.

    Returns
    -------
    ndarray
        Shape (windows, phases, components): the diagonal of the tensor when that phase is the conductor (the stiff
        one), in units of the other phases.

    Examples
    --------
    >>> board = Curves(Microstructure(np.kron([[0, 1], [1, 0]], np.ones((4, 4), dtype=int))))
    >>> property_values([board], "conductivity").shape
    (1, 2, 2)
    """
    from matlens.microstructure.statistics.transport.apparent import apparent_conductivity, apparent_stiffness

    unknown = [curves for curves in windows if name not in curves.properties]
    if unknown:
        measure = {"conductivity": apparent_conductivity, "stiffness": apparent_stiffness}[name]
        values = measure([curves.microstructure for curves in unknown], contrast=CONTRASTS[name])
        for curves, value in zip(unknown, values):
            curves.properties[name] = value
    return np.stack([curves.properties[name] for curves in windows])


def property_table(windows: Sequence[Curves]) -> pd.DataFrame:
    """Sum up what is known of the windows' properties.

    Parameters
    ----------
    windows : sequence of Curves
        Curves of windows of one size.

    Returns
    -------
    DataFrame
        Columns ``property``, ``phase`` (the conductor, or the stiff one), ``component`` (``"y"``, or ``"yx"`` of a
        stiffness), ``median``, ``low`` and ``high`` (5 % and 95 %) over the windows; in units of the other phases.

    Examples
    --------
    >>> board = Curves(Microstructure(np.kron([[0, 1], [1, 0]], np.ones((4, 4), dtype=int))))
    >>> values = property_values([board], "conductivity")
    >>> property_table([board])["component"].tolist()
    ['y', 'x', 'y', 'x']
    """
    rows = []
    for name in windows[0].properties if windows else ():
        values = property_values(windows, name)
        components = _components(name, windows[0].microstructure.ndim)
        for phase, phase_name in enumerate(windows[0].microstructure.phase_names):
            for index, component in enumerate(components):
                low, median, high = np.quantile(values[:, phase, index], (0.05, 0.5, 0.95))
                rows.append((name, phase_name, component, float(median), float(low), float(high)))
    return pd.DataFrame(rows, columns=["property", "phase", "component", "median", "low", "high"])


def too_large(shape: Sequence[int]) -> bool:
    """Tell whether windows of a shape are too large to compute their apparent properties.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each axis.

    Returns
    -------
    bool
        True above 65536 cells.

    Examples
    --------
    >>> too_large((256, 256)), too_large((64, 64, 64))
    (False, True)
    """
    return prod(shape) > LARGEST


def _components(name: str, ndim: int) -> tuple[str, ...]:
    from matlens.microstructure.physics.summary import axis_names, voigt_names

    return axis_names(ndim) if name == "conductivity" else voigt_names(ndim)
