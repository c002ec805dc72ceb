"""What insight asks of a model of a library: predictions of its members, and their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.hooks import Progress

__all__ = ["GradientErrors", "Gradients", "Response"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]


@dataclass(frozen=True)
class Gradients:
    """Predictions of every member for every sample, and their derivatives.

    The derivatives are partial: each fraction, or each intensity, is moved with all the others held, so those with
    respect to fractions lead off the simplex until a compensation scheme brings them back.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        Predicted figure of merit of m members for n samples.
    composition : ndarray of float32, shape (m, n, D)
        Derivative per unit fraction (100 at%); zeros where the model does not use the composition.
    spectrum : ndarray of float32, shape (m, n, C), or None
        Derivative per unit of the intensities as they stand in the file, through any preprocessing; None where the
        model uses no spectrum.

    Examples
    --------
    >>> found = Gradients(np.zeros((2, 3)), np.zeros((2, 3, 4), np.float32), None)
    >>> found.members, found.samples, found.spectrum is None
    (2, 3, True)
    """

    values: Array
    composition: Single
    spectrum: Single | None = None

    @property
    def members(self) -> int:
        """Number of models, m."""
        return int(self.values.shape[0])

    @property
    def samples(self) -> int:
        """Number of samples, n."""
        return int(self.values.shape[1])


@dataclass(frozen=True)
class GradientErrors:
    """How well a model knows its slopes, in the few features that it sees of a sample.

    Parameters
    ----------
    features : Gradients
        Derivatives of each of the F features, as if it were a member.
    covariance : ndarray, shape (n, F, F)
        Of the errors of the figure of merit's derivatives with respect to the features.

    Examples
    --------
    >>> features = Gradients(np.zeros((2, 3)), np.zeros((2, 3, 4), np.float32), None)
    >>> GradientErrors(features, np.tile(np.eye(2), (3, 1, 1))).along(np.full((2, 3, 1), 3.0)).ravel().round(1).tolist()
    [4.2, 4.2, 4.2]
    """

    features: Gradients
    covariance: Array

    def along(self, steps: NDArray[np.floating]) -> Array:
        """Standard error of slopes along steps in the features, shape (F, n, ...); the result's is (n, ...)."""
        variance = np.empty(steps.shape[1:])
        for row, covariance in enumerate(self.covariance):
            own = steps[:, row].reshape(len(steps), -1).astype(np.float64)
            variance[row] = (own * (covariance @ own)).sum(0).reshape(variance.shape[1:])
        found: Array = np.sqrt(np.maximum(variance, 0))
        return found


@runtime_checkable
class Response(Protocol):
    """A fitted model of a library, be it an ensemble of networks or a baseline.

    Everything that explains, tests or suggests works through these names and nothing else.
    """

    components_: tuple[str, ...]
    """Names of the D components, in the order of the fractions."""
    axis_: Array | None
    """Axis of the spectra as in the file, shape (C,); None where the model uses no spectrum."""
    target_: str
    """Name of the figure of merit."""
    unit_: str
    """Its unit (of the transformed figure of merit, where there is a transform)."""
    members_: int
    """Number of models, 1 for a baseline."""
    uses_composition_: bool
    uses_spectrum_: bool
    preprocessing_: Any
    """The chain from the file's intensities to the model's (`Preprocessing`), or None."""

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Predict, shape (m, n), at fractions of shape (n, D) and file intensities of shape (n, C)."""
        ...

    def gradients(self, compositions: ArrayLike, spectra: ArrayLike | None, *, progress: Progress = ...) -> Gradients:
        """Predict, and differentiate with respect to fractions and file intensities."""
        ...
