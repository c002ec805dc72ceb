"""Bounds of effective properties.

The Wiener, Voigt-Reuss and trace bounds hold for the tensor of every periodic sample. The Hashin-Shtrikman bounds hold
for isotropic tensors only, that is for the ensemble mean of an isotropic material, not for its samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.microstructure.physics.moduli import bulk_and_shear, isotropic_stiffness

__all__ = [
    "hashin_shtrikman",
    "hashin_shtrikman_elastic",
    "keller_dykhne",
    "trace_means",
    "voigt_reuss",
    "wiener",
]

Interval = tuple[float, float]


def wiener(fractions: ArrayLike, conductivities: ArrayLike) -> Interval:
    """Compute the Wiener bounds of every eigenvalue of an effective conductivity: the harmonic and the arithmetic mean.

    Parameters
    ----------
    fractions : array_like, shape (K,)
        Volume fractions, sum 1.
    conductivities : array_like, shape (K,)
        Conductivities of the phases; zero is allowed, and makes the harmonic mean zero.

    Returns
    -------
    lower, upper : float
        ``1 / sum(f_i / k_i)`` and ``sum(f_i k_i)``, in the unit of ``conductivities``. A laminate attains both.

    Raises
    ------
    InputError
        If the two do not fit each other, a value is negative, or the fractions do not sum to 1.

    Notes
    -----
    Wiener, Abh. Sächs. Akad. Wiss. 32, 509 (1912).

    Examples
    --------
    >>> wiener([0.5, 0.5], [1.0, 3.0])
    (1.5, 2.0)
    """
    share, value = present_phases(fractions, conductivities)
    return _shifted_mean(share, value, 0.0), float(share @ value)


def hashin_shtrikman(fractions: ArrayLike, conductivities: ArrayLike, ndim: int) -> Interval:
    """Compute the Hashin-Shtrikman bounds of the conductivity of an isotropic material with any number of phases.

    Parameters
    ----------
    fractions : array_like, shape (K,)
        Volume fractions, sum 1.
    conductivities : array_like, shape (K,)
        Conductivities of the phases; zero is allowed.
    ndim : {2, 3}
        Number of dimensions.

    Returns
    -------
    lower, upper : float
        ``1 / sum(f_i / (k_i + (d - 1) k)) - (d - 1) k`` with the smallest and the largest conductivity for k. A single
        sample, being anisotropic, may lie outside.

    Raises
    ------
    InputError
        If the two do not fit each other, a value is negative, or the fractions do not sum to 1.

    Notes
    -----
    Hashin and Shtrikman, J. Appl. Phys. 33, 3125 (1962). Coated discs and spheres attain the bounds.

    Examples
    --------
    >>> lower, upper = hashin_shtrikman([0.5, 0.5], [1.0, 3.0], 2)
    >>> round(lower, 4), round(upper, 4)
    (1.6667, 1.8)
    """
    share, value = present_phases(fractions, conductivities)
    lower, upper = (_shifted_mean(share, value, (ndim - 1) * float(k)) for k in (value.min(), value.max()))
    return lower, upper


def trace_means(tensor: ArrayLike, conductivities: ArrayLike) -> Interval:
    """Compute the means of the eigenvalues of a conductivity that the trace bounds limit.

    Parameters
    ----------
    tensor : array_like, shape (d, d)
        Effective conductivity.
    conductivities : array_like, shape (K,)
        Conductivities of the phases that are present.

    Returns
    -------
    low : float
        Smallest conductivity of the phases plus the harmonic mean of the eigenvalues' distances above it.
    high : float
        Largest conductivity of the phases minus the harmonic mean of the eigenvalues' distances below it.

    Raises
    ------
    InputError
        If the tensor is not square or holds NaN.

    Notes
    -----
    The trace bounds on sum 1 / (k_i - k_min) and sum 1 / (k_max - k_i) of Lurie and Cherkaev, Proc. R. Soc. Edinb. A
    99, 71 (1984), and Murat and Tartar (1985), are equivalent to this: for any periodic sample, however anisotropic,
    ``low`` is not below the lower Hashin-Shtrikman bound, and ``high`` is not above the upper one. Laminates of any
    rank attain them for two phases. For more phases they follow from the Hashin-Shtrikman principle with isotropic
    polarisations (Milton and Kohn, J. Mech. Phys. Solids 36, 597, 1988).

    Examples
    --------
    >>> low, high = trace_means(np.diag([1.5, 2.0]), [1.0, 3.0])  # a laminate: equal to hashin_shtrikman
    >>> round(low, 4), round(high, 4)
    (1.6667, 1.8)
    """
    eigenvalues = eigenvalues_of(tensor)
    smallest, largest = float(np.min(conductivities)), float(np.max(conductivities))
    return smallest + _harmonic(eigenvalues - smallest), largest - _harmonic(largest - eigenvalues)


def keller_dykhne(first: float, second: float) -> float:
    """Compute the conductivity of a plane material whose two phases are statistically interchangeable.

    Parameters
    ----------
    first, second : float
        Conductivities of the phases.

    Returns
    -------
    float
        Their geometric mean. It is the conductivity of an isotropic material, and the root of the determinant of any
        such periodic tensor.

    Notes
    -----
    Keller, J. Math. Phys. 5, 548 (1964); Dykhne, Sov. Phys. JETP 32, 63 (1971).

    Examples
    --------
    >>> keller_dykhne(1.0, 100.0)
    10.0
    """
    return float(np.sqrt(first * second))


def voigt_reuss(
    fractions: ArrayLike, young: ArrayLike, poisson: ArrayLike, ndim: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the Voigt and Reuss bounds of an effective stiffness as a quadratic form.

    For every strain the elastic energy lies between those of the two tensors.

    Parameters
    ----------
    fractions : array_like, shape (K,)
        Volume fractions, sum 1.
    young : array_like, shape (K,)
        Young's moduli of the phases.
    poisson : array_like, shape (K,)
        Poisson's ratios of the phases.
    ndim : {2, 3}
        2 for plane strain, 3 for three dimensions.

    Returns
    -------
    reuss, voigt : ndarray of float64, shape (n, n)
        In the Voigt notation of :func:`matlens.microstructure.physics.isotropic_stiffness`; ``reuss`` is zero if a
        phase has no stiffness.

    Raises
    ------
    InputError
        If a value lies outside its range or the fractions do not sum to 1.

    Notes
    -----
    Hill, Proc. Phys. Soc. A 65, 349 (1952).

    Examples
    --------
    >>> reuss, voigt = voigt_reuss([0.5, 0.5], [1.0, 3.0], [0.0, 0.0], 2)
    >>> reuss[0, 0], voigt[0, 0]
    (np.float64(1.5), np.float64(2.0))
    """
    share, modulus = present_phases(fractions, young)
    present = np.asarray(fractions, dtype=float) > 0
    stiffness = isotropic_stiffness(modulus, np.broadcast_to(poisson, present.shape)[present], ndim)
    voigt = np.tensordot(share, stiffness, 1)
    if (modulus == 0).any():
        return np.zeros_like(voigt), voigt
    return np.linalg.inv(np.tensordot(share, np.linalg.inv(stiffness), 1)), voigt


def hashin_shtrikman_elastic(
    fractions: ArrayLike, young: ArrayLike, poisson: ArrayLike, ndim: int
) -> tuple[Interval, Interval]:
    """Compute the Hashin-Shtrikman bounds of bulk and shear modulus of an isotropic material with well-ordered phases.

    Parameters
    ----------
    fractions : array_like, shape (K,)
        Volume fractions, sum 1.
    young : array_like, shape (K,)
        Young's moduli of the phases.
    poisson : array_like, shape (K,)
        Poisson's ratios of the phases.
    ndim : {2, 3}
        2 for plane strain (a transversely isotropic fibre material), 3 for three dimensions.

    Returns
    -------
    bulk, shear : tuple of (float, float)
        Lower and upper bound, in the unit of ``young``; ``bulk`` is the plane-strain bulk modulus in two dimensions.

    Raises
    ------
    InputError
        If a value lies outside its range, or one phase has the larger bulk modulus and another the larger shear
        modulus, where these bounds are not attained and Walpole's apply.

    Notes
    -----
    Hashin and Shtrikman, J. Mech. Phys. Solids 11, 127 (1963); in the plane: Hashin, ibid. 13, 119 (1965).

    Examples
    --------
    >>> bulk, shear = hashin_shtrikman_elastic([0.5, 0.5], [1.0, 10.0], [0.25, 0.25], 3)
    >>> [round(value, 4) for value in bulk]
    [1.5238, 2.6667]
    """
    share, modulus = present_phases(fractions, young)
    present = np.asarray(fractions, dtype=float) > 0
    bulk, shear = bulk_and_shear(modulus, np.broadcast_to(poisson, present.shape)[present], ndim)
    if (np.diff(bulk[np.lexsort((bulk, shear))]) < 0).any():
        raise InputError(
            "Hashin-Shtrikman bounds need the stiffer phase stiffer in both moduli, "
            f"found bulk {bulk.round(4).tolist()} and shear {shear.round(4).tolist()}; use voigt_reuss."
        )
    bounds = []
    for k, g in ((bulk.min(), shear.min()), (bulk.max(), shear.max())):
        resisting = g * (ndim * k / 2 + (ndim + 1) * (ndim - 2) * g / ndim) / (k + 2 * g) if g > 0 else 0.0
        bounds.append((_shifted_mean(share, bulk, 2 * (ndim - 1) / ndim * g), _shifted_mean(share, shear, resisting)))
    (bulk_low, shear_low), (bulk_high, shear_high) = bounds
    return (bulk_low, bulk_high), (shear_low, shear_high)


def present_phases(fractions: ArrayLike, values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fractions and values of the phases that are present, because an absent phase must not widen the bounds.

    Parameters
    ----------
    fractions : array_like, shape (K,)
        Volume fractions, sum 1.
    values : array_like, shape (K,)
        A property of the phases, zero or more.

    Returns
    -------
    fractions, values : ndarray of float
        Those of phases with a positive fraction; the fractions are scaled to sum to 1 exactly.

    Raises
    ------
    InputError
        If the two do not fit each other, a value is negative or not finite, or the fractions do not sum to 1.

    Examples
    --------
    >>> present_phases([0.5, 0.0, 0.5], [1.0, 9.0, 3.0])
    (array([0.5, 0.5]), array([1., 3.]))
    """
    share, value = np.asarray(fractions, dtype=float), np.asarray(values, dtype=float)
    if share.ndim != 1 or share.shape != value.shape:
        raise InputError(f"found {share.size} fractions and {value.size} values; give one of each for every phase.")
    if not (share >= 0).all() or abs(share.sum() - 1) > 1e-6:
        raise InputError(f"volume fractions must not be negative and sum to 1, found {share.tolist()}.")
    share, value = share[share > 0] / share.sum(), value[share > 0]
    if not (np.isfinite(value).all() and (value >= 0).all()):
        raise InputError(f"the phases' values must be finite and not negative, found {value.tolist()}.")
    return share, value


def _shifted_mean(share: NDArray[np.float64], value: NDArray[np.float64], shift: float) -> float:
    """Harmonic mean of the values raised by ``shift``, lowered again: the form all these bounds share."""
    raised = value + shift
    return float(1 / (share / raised).sum() - shift) if (raised > 0).all() else 0.0


def _harmonic(values: NDArray[np.float64]) -> float:
    """Harmonic mean; zero as soon as one value is (or rounding made it negative)."""
    return float(len(values) / (1 / values).sum()) if (values > 0).all() else 0.0


def eigenvalues_of(tensor: ArrayLike) -> NDArray[np.float64]:
    """Compute the eigenvalues of the symmetric part of a tensor.

    Parameters
    ----------
    tensor : array_like, shape (d, d)
        A square tensor.

    Returns
    -------
    ndarray of float64, shape (d,)
        Eigenvalues in ascending order.

    Raises
    ------
    InputError
        If the tensor is not square, or holds NaN or infinity.

    Examples
    --------
    >>> eigenvalues_of([[2.0, 1.0], [1.0, 2.0]]).round(6)
    array([1., 3.])
    """
    matrix = np.asarray(tensor, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise InputError(f"a tensor must be square and of finite numbers, found {matrix.tolist()}.")
    return np.linalg.eigvalsh((matrix + matrix.T) / 2)
