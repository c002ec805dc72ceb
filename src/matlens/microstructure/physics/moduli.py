"""Elastic constants of isotropic phases, from Young's modulus and Poisson's ratio.

Two dimensions mean plane strain: the in-plane part of the three-dimensional law, without strain out of plane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["VOIGT", "bulk_and_shear", "isotropic_stiffness", "lame"]

VOIGT: dict[int, tuple[tuple[int, int], ...]] = {
    2: ((0, 0), (1, 1), (0, 1)),
    3: ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)),
}
"""Pairs of array axes in Voigt's order, by the number of dimensions."""

Field = TypeVar("Field", NDArray[np.float64], "Tensor")


def lame(young: Field, poisson: Field) -> tuple[Field, Field]:
    """Compute Lamé's constants of isotropic material, of arrays or of tensors (differentiable).

    Parameters
    ----------
    young : ndarray or Tensor
        Young's modulus E, e.g. in GPa.
    poisson : ndarray or Tensor
        Poisson's ratio nu, between -1 and 0.5 (exclusive).

    Returns
    -------
    first : ndarray or Tensor
        Lamé's first constant, ``E nu / ((1 + nu) (1 - 2 nu))``, in the unit of ``young``.
    shear : ndarray or Tensor
        Shear modulus, ``E / (2 (1 + nu))``.

    Examples
    --------
    >>> lame(np.array(2.5), np.array(0.25))
    (np.float64(1.0), np.float64(1.0))
    """
    shear = young / (2 * (1 + poisson))
    return 2 * shear * poisson / (1 - 2 * poisson), shear


def bulk_and_shear(young: ArrayLike, poisson: ArrayLike, ndim: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute bulk and shear modulus of isotropic material.

    Parameters
    ----------
    young : array_like
        Young's modulus, zero or more.
    poisson : array_like
        Poisson's ratio, between -1 and 0.5 (exclusive).
    ndim : {2, 3}
        In two dimensions the bulk modulus is that of plane strain, which exceeds the three-dimensional one by a third
        of the shear modulus.

    Returns
    -------
    bulk, shear : ndarray of float64
        In the unit of ``young``.

    Raises
    ------
    InputError
        If a modulus or a ratio lies outside its range.

    Examples
    --------
    >>> bulk, shear = bulk_and_shear([2.5], [0.25], 2)
    >>> bulk, shear
    (array([2.]), array([1.]))
    """
    first, shear = lame(*_checked(young, poisson))
    return first + 2 * shear / ndim, shear


def isotropic_stiffness(young: ArrayLike, poisson: ArrayLike, ndim: int) -> NDArray[np.float64]:
    """Build the stiffness matrix of isotropic material in Voigt notation.

    Parameters
    ----------
    young : array_like
        Young's modulus, zero or more.
    poisson : array_like
        Poisson's ratio, between -1 and 0.5 (exclusive); its shape broadcasts with that of ``young``.
    ndim : {2, 3}
        2 for plane strain, 3 for three dimensions.

    Returns
    -------
    ndarray of float64, shape (..., n, n)
        n = 3 in the order 00, 11, 01, or n = 6 in the order 00, 11, 22, 12, 02, 01 (pairs of array axes), for
        engineering shear strains (twice the tensor's), in the unit of ``young``.

    Raises
    ------
    InputError
        If a modulus or a ratio lies outside its range.

    Examples
    --------
    >>> isotropic_stiffness(2.5, 0.25, 2)
    array([[3., 1., 0.],
           [1., 3., 0.],
           [0., 0., 1.]])
    """
    first, shear = lame(*_checked(young, poisson))
    count = len(VOIGT[ndim])
    normal = np.diag(np.arange(count) < ndim)
    dilatation = np.zeros((count, count))
    dilatation[:ndim, :ndim] = 1
    return first[..., None, None] * dilatation + shear[..., None, None] * (np.eye(count) + normal)


def _checked(young: ArrayLike, poisson: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    modulus, ratio = np.broadcast_arrays(np.asarray(young, dtype=float), np.asarray(poisson, dtype=float))
    if not (np.isfinite(modulus).all() and (modulus >= 0).all()):
        raise InputError(
            f"Young's modulus must be finite and not negative, found {modulus.tolist()}; check the phases."
        )
    if not ((ratio > -1) & (ratio < 0.5)).all():
        raise InputError(
            f"Poisson's ratio must lie between -1 and 0.5, found {ratio.tolist()}; take 0.499 for the incompressible."
        )
    return modulus, ratio
