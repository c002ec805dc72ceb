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
        Of one size, because what is apparent depends on it; taken as windows, whatever they say of themselves.

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

    Parameters, errors: as in `conductivity_error`, whose estimate serves as the yardstick here too; contrast 100, see
    `apparent_stiffness`.

    Examples
    --------
    >>> thin, thick = (Microstructure(np.tile([0] * n + [1] * n, (16, 8 // n))) for n in (1, 4))
    >>> round(stiffness_error(thin, thick), 3)
    0.0
    """
    return _error(result, target, "stiffness")


def _error(result: Structure, target: Structure, name: str) -> float:
    a, b = Curves.of(result), Curves.of(target)
    if a.microstructure.shape != b.microstructure.shape or a.microstructure.n_phases != b.microstructure.n_phases:
        raise InputError(
            f"cannot compare the {name} of {a.microstructure!r} with that of {b.microstructure!r}: windows of one size "
            "and number of phases are needed; cut the larger."
        )
    return float(property_distances([a], [b], name)[0, 0])


def check_properties(names: Sequence[str]) -> None:
    """Raise InputError unless all names are known properties."""
    for name in names:
        if name not in PROPERTIES:
            raise InputError(f"unknown property {name!r}; choose from {', '.join(PROPERTIES)}.")


def property_distances(results: Sequence[Curves], windows: Sequence[Curves], name: str) -> Array:
    """Compute the error of every result against every window, shape (results, windows).

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
    """Bruggeman's estimate of the conductivity of a phase of this fraction and contrast among a rest that has 1.

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
    """Apparent property of windows of one size, all that are not known yet in one batch.

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
        Of one size.

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
    """Whether windows of this shape are left out.

    Examples
    --------
    >>> too_large((256, 256)), too_large((64, 64, 64))
    (False, True)
    """
    return prod(shape) > LARGEST


def _components(name: str, ndim: int) -> tuple[str, ...]:
    from matlens.microstructure.physics.summary import axis_names, voigt_names

    return axis_names(ndim) if name == "conductivity" else voigt_names(ndim)
