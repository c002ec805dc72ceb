"""Tables that explain a homogenisation: principal values, engineering moduli, bounds, transport factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from matlens.microstructure.axes import AXES
from matlens.microstructure.physics.bounds import hashin_shtrikman, trace_means, voigt_reuss, wiener
from matlens.microstructure.physics.moduli import VOIGT
from matlens.microstructure.physics.result import Homogenization
from matlens.microstructure.structure import Microstructure

__all__ = [
    "axis_names",
    "bounds_of_conductivity",
    "bounds_of_stiffness",
    "engineering_moduli",
    "principal_conductivities",
    "transport_factors",
    "voigt_names",
]


def axis_names(ndim: int) -> tuple[str, ...]:
    """Return the names of the array axes.

    Parameters
    ----------
    ndim : {2, 3}
        Number of axes.

    Returns
    -------
    tuple of str
        ``("y", "x")`` or ``("z", "y", "x")``.

    Examples
    --------
    >>> axis_names(2)
    ('y', 'x')
    """
    return tuple(AXES[-ndim:])


def voigt_names(ndim: int) -> tuple[str, ...]:
    """Return the names of the strain components in Voigt's order of array axes.

    Parameters
    ----------
    ndim : {2, 3}
        Number of axes.

    Returns
    -------
    tuple of str
        Three or six names.

    Examples
    --------
    >>> voigt_names(2)
    ('yy', 'xx', 'yx')
    """
    names = axis_names(ndim)
    return tuple(names[i] + names[j] for i, j in VOIGT[ndim])


def principal_conductivities(tensor: ArrayLike) -> pd.DataFrame:
    """Compute the principal conductivities, largest first, with their directions.

    Parameters
    ----------
    tensor : array_like, shape (d, d)
        Effective conductivity, symmetric.

    Returns
    -------
    DataFrame
        Column ``value``, and columns ``y``, ``x`` (and ``z``) with the unit vector; empty if an entry of the tensor is
        NaN.

    Examples
    --------
    >>> principal_conductivities([[2.0, 1.0], [1.0, 2.0]]).round(3).values.tolist()
    [[3.0, 0.707, 0.707], [1.0, -0.707, 0.707]]
    """
    matrix = np.asarray(tensor, dtype=float)
    names = axis_names(len(matrix))
    if np.isnan(matrix).any():
        return pd.DataFrame(columns=["value", *names])
    values, vectors = np.linalg.eigh(matrix)
    vectors = vectors * np.where(vectors[-1] < 0, -1.0, 1.0)  # the sign of a direction is free: make x positive
    rows = np.column_stack([values, vectors.T])[::-1]
    return pd.DataFrame(rows, columns=["value", *names])


def engineering_moduli(stiffness: ArrayLike) -> pd.DataFrame:
    """Compute Young's moduli, shear moduli and Poisson's ratios along the array axes, from the compliance.

    Parameters
    ----------
    stiffness : array_like, shape (3, 3) or (6, 6)
        In Voigt's order of array axes; (3, 3) is plane strain, and so are then the moduli.

    Returns
    -------
    DataFrame
        Columns ``modulus`` and ``value``; empty where the stiffness has no inverse.

    Examples
    --------
    >>> from matlens.microstructure.physics import isotropic_stiffness
    >>> engineering_moduli(isotropic_stiffness(2.0, 0.25, 3)).round(3).iloc[[0, 3, 6]].values.tolist()
    [["Young's modulus along z", 2.0], ["Poisson's ratio, strain along y under stress along z", 0.25],
     ['shear modulus yx', 0.8]]
    """
    matrix = np.asarray(stiffness, dtype=float)
    ndim = 2 if len(matrix) == 3 else 3
    if not np.isfinite(matrix).all() or np.linalg.cond(matrix) > 1e12:
        return pd.DataFrame(columns=["modulus", "value"])
    compliance, names = np.linalg.inv(matrix), axis_names(ndim)
    kind = "Plane-strain modulus" if ndim == 2 else "Young's modulus"
    rows = [(f"{kind} along {name}", 1 / compliance[i, i]) for i, name in enumerate(names)]
    rows += [
        (
            f"Poisson's ratio, strain along {names[j]} under stress along {names[i]}",
            -compliance[j, i] / compliance[i, i],
        )
        for i in range(ndim)
        for j in range(i + 1, ndim)
    ]
    rows += [(f"shear modulus {name}", 1 / compliance[i, i]) for i, name in enumerate(voigt_names(ndim)) if i >= ndim]
    return pd.DataFrame(rows, columns=["modulus", "value"])


def bounds_of_conductivity(tensor: ArrayLike, fractions: ArrayLike, values: ArrayLike) -> pd.DataFrame:
    """Tabulate the bounds of an effective conductivity beside the values that they bound.

    Parameters
    ----------
    tensor : array_like, shape (d, d)
        Effective conductivity.
    fractions : array_like, shape (K,)
        Volume fractions of the phases, sum 1.
    values : array_like, shape (K,)
        Conductivities of the phases.

    Returns
    -------
    DataFrame
        Columns ``bound``, ``holds_for``, ``lower``, ``least`` and ``greatest`` (of the tensor), ``upper``.

    Raises
    ------
    InputError
        If fractions and values do not fit each other, a value is negative, or the fractions do not sum to 1.

    Examples
    --------
    >>> bounds_of_conductivity(np.diag([1.6, 1.9]), [0.5, 0.5], [1.0, 3.0])[["lower", "upper"]].iloc[0].tolist()
    [1.5, 2.0]
    """
    matrix = np.asarray(tensor, dtype=float)
    share, value = np.asarray(fractions, dtype=float), np.asarray(values, dtype=float)
    known = np.diag(matrix)[~np.isnan(np.diag(matrix))]
    principal = np.linalg.eigvalsh(matrix) if not np.isnan(matrix).any() else known
    ends = (float(principal.min()), float(principal.max())) if principal.size else (np.nan, np.nan)
    hs = hashin_shtrikman(share, value, len(matrix))
    means = trace_means(matrix, value) if not np.isnan(matrix).any() else (np.nan, np.nan)
    rows = [
        ("Wiener", "each principal value of every periodic sample", *_between(wiener(share, value), ends)),
        ("trace (Murat-Tartar, Lurie-Cherkaev)", "means of the principal values of every periodic sample",
         *_between(hs, means)),
        ("Hashin-Shtrikman", "isotropic means only; a single sample may lie outside", *_between(hs, ends)),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["bound", "holds_for", "lower", "least", "greatest", "upper"])


def _between(bounds: tuple[float, float], ends: tuple[float, float]) -> tuple[float, float, float, float]:
    return bounds[0], ends[0], ends[1], bounds[1]


def bounds_of_stiffness(
    stiffness: ArrayLike, fractions: ArrayLike, young: ArrayLike, poisson: ArrayLike
) -> pd.DataFrame:
    """Tabulate the bounds of Reuss and Voigt on the diagonal of an effective stiffness.

    Parameters
    ----------
    stiffness : array_like, shape (3, 3) or (6, 6)
        Effective stiffness, in Voigt's order of array axes.
    fractions : array_like, shape (K,)
        Volume fractions of the phases, sum 1.
    young : array_like, shape (K,)
        Young's moduli of the phases.
    poisson : array_like, shape (K,)
        Poisson's ratios of the phases.

    Returns
    -------
    DataFrame
        Columns ``component``, ``lower`` (Reuss), ``value``, ``upper`` (Voigt).

    Raises
    ------
    InputError
        If a value lies outside its range, or the fractions do not sum to 1.

    Examples
    --------
    >>> bounds_of_stiffness(1.8 * np.diag([1, 1, 0.5]), [0.5, 0.5], [1.0, 3.0], [0.0, 0.0])["upper"].tolist()
    [2.0, 2.0, 1.0]
    """
    matrix = np.asarray(stiffness, dtype=float)
    ndim = 2 if len(matrix) == 3 else 3
    reuss, voigt = voigt_reuss(fractions, young, poisson, ndim)
    columns = {"lower": np.diag(reuss), "value": np.diag(matrix), "upper": np.diag(voigt)}
    return pd.DataFrame({"component": voigt_names(ndim), **columns})


def transport_factors(
    result: Homogenization, microstructure: Microstructure, conductivities: NDArray[np.float64]
) -> pd.DataFrame:
    """Tabulate the formation factor and the tortuosity factor along each axis, where only one phase conducts.

    Parameters
    ----------
    result : Homogenization
        Homogenised conductivity.
    microstructure : Microstructure
        The structure.
    conductivities : ndarray, shape (K,)
        Conductivities of the phases; NaN for phases without cells.

    Returns
    -------
    DataFrame
        Columns ``axis``, ``percolates``, ``formation_factor`` (conductivity of the phase over the effective one),
        ``tortuosity_factor`` (volume fraction times formation factor); infinite where the phase does not connect the
        ends. Empty if no phase has zero conductivity or more than one conducts, and under uniform flux, where the cells
        at the border block it.

    Notes
    -----
    Cooper et al., SoftwareX 5, 203 (2016).

    Examples
    --------
    >>> from matlens.microstructure.physics import homogenize
    >>> stripes = Microstructure([[0, 1, 1, 1]] * 4)
    >>> result = homogenize(stripes, conductivity={0: 1.0, 1: 0.0})
    >>> transport_factors(result, stripes, np.array([1.0, 0.0])).values.tolist()
    [['y', True, 4.0, 1.0], ['x', False, inf, inf]]
    """
    columns = ["axis", "percolates", "formation_factor", "tortuosity_factor"]
    there = np.flatnonzero(microstructure.volume_fractions)
    conducting = there[conductivities[there] > 0]
    if len(conducting) != 1 or len(there) < 2 or result.boundary == "flux":
        return pd.DataFrame(columns=columns)
    phase = int(conducting[0])
    rows = []
    for axis, (name, value) in enumerate(zip(axis_names(microstructure.ndim), np.diag(result.tensor))):
        factor = float(conductivities[phase] / value) if value > 0 else np.nan if np.isnan(value) else np.inf
        fraction = float(microstructure.volume_fractions[phase])
        rows.append((name, result.percolates[axis], factor, fraction * factor))
    return pd.DataFrame(rows, columns=columns)
