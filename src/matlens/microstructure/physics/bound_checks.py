"""Checks of a computed tensor against the bounds that hold for every periodic sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from matlens.core.numbers import shown
from matlens.microstructure.physics.bounds import (
    eigenvalues_of,
    hashin_shtrikman,
    present_phases,
    trace_means,
    voigt_reuss,
    wiener,
)

__all__ = ["BoundCheck", "check_conductivity", "check_stiffness"]


@dataclass(frozen=True)
class BoundCheck:
    """The bound that a tensor violates most, or comes closest to violating.

    Parameters
    ----------
    bound : str
        Name of the bound, e.g. ``"Wiener, upper"``.
    excess : float
        Distance of the tensor beyond the bound, relative to the arithmetic mean of the phases; negative inside.
    tolerance : float
        Excess that the tolerance of the solver explains.

    Examples
    --------
    >>> BoundCheck("Wiener, upper", 0.02, 1e-6).sentence
    'violates the bound of Wiener, upper, by 0.02 of the arithmetic mean'
    """

    bound: str
    excess: float
    tolerance: float

    @property
    def satisfied(self) -> bool:
        """Whether the tensor lies within every bound, up to the tolerance."""
        return self.excess <= self.tolerance

    @property
    def sentence(self) -> str:
        """The result of the check, in words."""
        if self.satisfied:
            return "keeps all bounds"
        return f"violates the bound of {self.bound}, by {shown(self.excess)} of the arithmetic mean"


def check_conductivity(
    tensor: ArrayLike, fractions: ArrayLike, conductivities: ArrayLike, *, tolerance: float = 1e-6
) -> BoundCheck:
    """Check an effective conductivity against the bounds that hold for every periodic sample.

    Parameters
    ----------
    tensor : array_like, shape (d, d)
        Effective conductivity; only its symmetric part is used.
    fractions : array_like, shape (K,)
        Volume fractions of the phases, sum 1.
    conductivities : array_like, shape (K,)
        Conductivities of the phases, in the unit of the tensor.
    tolerance : float
        Allowed excess, relative to the arithmetic mean.

    Returns
    -------
    BoundCheck
        The bound (Wiener or trace, lower or upper) that the tensor exceeds most or lies closest to.

    Raises
    ------
    InputError
        If fractions and conductivities do not fit each other, a value is negative, the fractions do not sum to 1, or
        the tensor holds NaN.

    Notes
    -----
    Wiener, Abh. Sächs. Akad. Wiss. 32, 509 (1912); Lurie and Cherkaev, Proc. R. Soc. Edinb. A 99, 71 (1984); Murat and
    Tartar (1985). See `wiener` and `trace_means`.

    Examples
    --------
    >>> check_conductivity(np.diag([1.6, 1.9]), [0.5, 0.5], [1.0, 3.0]).satisfied
    True
    >>> check_conductivity(np.diag([1.5, 1.9]), [0.5, 0.5], [1.0, 3.0]).bound  # each eigenvalue alone is possible
    'trace, lower'
    """
    share, value = present_phases(fractions, conductivities)
    eigenvalues = eigenvalues_of(tensor)
    harmonic, arithmetic = wiener(share, value)
    lower, upper = hashin_shtrikman(share, value, len(eigenvalues))
    low, high = trace_means(tensor, value)
    excess = {
        "trace, lower": lower - low,
        "trace, upper": high - upper,
        "Wiener, lower": harmonic - eigenvalues[0],
        "Wiener, upper": eigenvalues[-1] - arithmetic,
    }
    return _worst(excess, arithmetic, tolerance)


def check_stiffness(
    tensor: ArrayLike, fractions: ArrayLike, young: ArrayLike, poisson: ArrayLike, *, tolerance: float = 1e-6
) -> BoundCheck:
    """Check an effective stiffness against the bounds of Voigt and Reuss, which hold for every periodic sample.

    Parameters
    ----------
    tensor : array_like, shape (n, n)
        Effective stiffness in the Voigt notation of :func:`matlens.microstructure.physics.isotropic_stiffness`; n = 3
        is plane strain.
    fractions : array_like, shape (K,)
        Volume fractions of the phases, sum 1.
    young : array_like, shape (K,)
        Young's moduli of the phases, in the unit of the tensor.
    poisson : array_like, shape (K,)
        Poisson's ratios of the phases.
    tolerance : float
        Allowed excess, relative to the largest eigenvalue of the Voigt mean.

    Returns
    -------
    BoundCheck
        The bound that is exceeded most or lies closest. The excess is the energy above or below the bound at the worst
        strain of norm 1.

    Raises
    ------
    InputError
        If a value lies outside its range, the fractions do not sum to 1, or the tensor holds NaN.

    Notes
    -----
    Hill, Proc. Phys. Soc. A 65, 349 (1952).

    Examples
    --------
    >>> check_stiffness(1.8 * np.diag([1, 1, 0.5]), [0.5, 0.5], [1.0, 3.0], [0.0, 0.0]).satisfied
    True
    """
    stiffness = np.asarray(tensor, dtype=float)
    ndim = 2 if len(stiffness) == 3 else 3
    reuss, voigt = voigt_reuss(fractions, young, poisson, ndim)
    # The weights of Kelvin's notation make the matrix a tensor, so that its eigenvalues do not depend on the axes.
    weight = np.sqrt(np.where(np.arange(len(voigt)) < ndim, 1, 2))
    kelvin = weight[:, None] * weight
    excess = {
        "Reuss": float(eigenvalues_of((reuss - stiffness) * kelvin)[-1]),
        "Voigt": float(eigenvalues_of((stiffness - voigt) * kelvin)[-1]),
    }
    return _worst(excess, float(eigenvalues_of(voigt * kelvin)[-1]), tolerance)


def _worst(excess: dict[str, float], scale: float, tolerance: float) -> BoundCheck:
    name = max(excess, key=lambda key: excess[key])
    return BoundCheck(name, float(excess[name]) / scale if scale > 0 else float(excess[name]), tolerance)
