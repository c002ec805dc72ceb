"""Whether a computed tensor keeps the bounds that hold for every periodic sample, and if not, by how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

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
    """Which bound a tensor comes closest to violating, and by how much.

    Parameters
    ----------
    bound : str
        Name of the bound, e.g. ``"Wiener, upper"``.
    excess : float
        How far the tensor lies beyond it, as a share of the arithmetic mean of the phases; negative when inside.
    tolerance : float
        Excess still put down to the solver.

    Examples
    --------
    >>> BoundCheck("Wiener, upper", 0.02, 1e-6).sentence
    'violates the bound of Wiener, upper, by 2.00e-02 of the arithmetic mean'
    """

    bound: str
    excess: float
    tolerance: float

    @property
    def satisfied(self) -> bool:
        """Whether every bound is kept within the tolerance."""
        return self.excess <= self.tolerance

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if self.satisfied:
            return "keeps all bounds"
        return f"violates the bound of {self.bound}, by {self.excess:.2e} of the arithmetic mean"


def check_conductivity(
    tensor: ArrayLike, fractions: ArrayLike, conductivities: ArrayLike, *, tolerance: float = 1e-6
) -> BoundCheck:
    """Check an effective conductivity against the bounds that hold for every periodic sample.

    Parameters
    ----------
    tensor : array_like, shape (d, d)
        Effective conductivity; its symmetric part counts.
    fractions, conductivities : array_like, shape (K,)
        Of the phases.
    tolerance : float
        Excess allowed, as a share of the arithmetic mean.

    Returns
    -------
    BoundCheck
        The bound (Wiener or trace, lower or upper) that the tensor exceeds most or lies closest to.

    Raises
    ------
    InputError
        As :func:`wiener`, or if the tensor holds NaN.

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
    fractions, young, poisson : array_like, shape (K,)
        Of the phases.
    tolerance : float
        Excess allowed, as a share of the largest eigenvalue of Voigt's mean.

    Returns
    -------
    BoundCheck
        The excess is the energy that is too much or missing at the worst strain of norm 1.

    Raises
    ------
    InputError
        As :func:`voigt_reuss`, or if the tensor holds NaN.

    Examples
    --------
    >>> check_stiffness(1.8 * np.diag([1, 1, 0.5]), [0.5, 0.5], [1.0, 3.0], [0.0, 0.0]).satisfied
    True
    """
    stiffness = np.asarray(tensor, dtype=float)
    ndim = 2 if len(stiffness) == 3 else 3
    reuss, voigt = voigt_reuss(fractions, young, poisson, ndim)
    # Kelvin's weights make the matrix a tensor, so that eigenvalues do not depend on how the axes lie
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
