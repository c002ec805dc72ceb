"""Scales on which a property is learned: errors are homogeneous there, and no prediction is impossible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError

__all__ = ["Scale", "ScaleKind"]

ScaleKind = Literal["linear", "log", "bounds"]
Array = NDArray[np.float64]
_FAR = 50.0  # beyond it a logit is a bound
_EDGE = 1e-3  # laminates lie on a bound, where the logit is infinite
_BEYOND = 0.05  # of the logarithm: more than this outside of the bounds is no error of measurement


@dataclass(frozen=True)
class Scale:
    """Monotone map of a property, which may depend on the volume fractions.

    Parameters
    ----------
    kind : {"linear", "log", "bounds"}
        ``log`` for positive properties; ``bounds`` for effective properties of known phases: the logit of the relative
        position of log y between the harmonic and the arithmetic mean of the phases' values.
    phase_values : tuple of float
        For ``bounds``: the property of each phase alone, all positive.

    Raises
    ------
    InputError
        If ``bounds`` lacks positive values of the phases.

    Notes
    -----
    Wiener's bounds (1912) hold for the diagonal of every conductivity tensor; those of Voigt (1889) and Reuss (1929)
    for that of every stiffness, with the same means if the phases have one Poisson's ratio.

    Examples
    --------
    >>> scale = Scale("bounds", (1.0, 50.0))
    >>> half = np.array([[0.5, 0.5]])
    >>> place = scale.forward(np.array([50**0.5]), half)  # as Keller's checkerboard: halfway
    >>> float(abs(place[0])) < 1e-12, scale.inverse(place, half).round(4).tolist()
    (True, [7.0711])
    """

    kind: ScaleKind = "linear"
    phase_values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.kind == "bounds" and (not self.phase_values or min(self.phase_values) <= 0):
            raise InputError(
                "the scale 'bounds' needs a positive value of the property for each phase alone, found "
                f"{list(self.phase_values)}; give phase_values, or choose the scale 'log'."
            )

    def forward(self, values: ArrayLike, fractions: Array) -> Array:
        """Map properties to the scale.

        Parameters
        ----------
        values : array_like, shape (n,)
            Properties.
        fractions : ndarray, shape (n, K)
            Volume fractions of the structures.

        Returns
        -------
        ndarray, shape (n,)
            Values on the scale.

        Raises
        ------
        InputError
            If a value is not positive, or lies outside the bounds, or the number of phases is not that of
            ``phase_values``.
        """
        y = np.asarray(values, dtype=np.float64)
        if self.kind == "linear":
            return y
        if (bad := np.flatnonzero(y <= 0)).size:
            raise InputError(
                f"{bad.size} of {y.size} values are not positive (first: row {bad[0]}, {y[bad[0]]:g}), and have no "
                "logarithm; choose the scale 'linear'."
            )
        if self.kind == "log":
            return np.log(y)
        low, high = self._bounds(fractions)
        outside = np.flatnonzero((np.log(y) < low - _BEYOND) | (np.log(y) > high + _BEYOND))
        if outside.size:
            row = outside[0]
            raise InputError(
                f"{outside.size} of {y.size} values lie outside of what phases of {list(self.phase_values)} allow "
                f"(first: row {row}, {y[row]:g} where {np.exp(low[row]):g} to {np.exp(high[row]):g} is possible); "
                "check the phases' values, their order and unit, or choose the scale 'log'."
            )
        place = np.clip((np.log(y) - low) / np.maximum(high - low, 1e-12), _EDGE, 1 - _EDGE)
        return np.log(place / (1 - place))

    def inverse(self, scaled: Array, fractions: Array) -> Array:
        """Map values from the scale to properties; as the map is monotone, it applies to ends of intervals too.

        Parameters
        ----------
        scaled : ndarray, shape (n,)
            Values on the scale.
        fractions : ndarray, shape (n, K)
            Volume fractions of the structures.

        Returns
        -------
        ndarray, shape (n,)
            Properties.

        Raises
        ------
        InputError
            If the number of phases is not that of ``phase_values``.
        """
        if self.kind == "linear":
            return scaled
        if self.kind == "log":
            return np.exp(scaled)
        low, high = self._bounds(fractions)
        found: Array = np.exp(low + (high - low) / (1 + np.exp(-np.clip(scaled, -_FAR, _FAR))))
        return found

    def _bounds(self, fractions: Array) -> tuple[Array, Array]:
        phases = np.array(self.phase_values)
        if fractions.shape[1] != phases.size:
            raise InputError(
                f"structures of {fractions.shape[1]} phases need as many phase values, found {phases.size}."
            )
        return -np.log(fractions @ (1 / phases)), np.log(fractions @ phases)
