"""Interface of fitted models that explanations and suggestions use: predictions of members and their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.hooks import Progress

__all__ = ["GradientErrors", "Gradients", "Mixed", "Response"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]


@dataclass(frozen=True)
class Gradients:
    """Predictions of all members for all samples, with partial derivatives.

    Each derivative holds all other fractions and intensities constant. Those with respect to fractions lead off the
    simplex; a compensation scheme brings them back.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        Predicted figure of merit of m members for n samples.
    composition : ndarray of float32, shape (m, n, D)
        Derivative per unit fraction (100 at%); zeros if the model does not use the composition.
    spectrum : ndarray of float32, shape (m, n, C), or None
        Derivative per unit of the intensities in the file, through any preprocessing; None if the model uses no
        spectra.

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
    """Error covariance of gradients with respect to the F inputs of a model.

    Parameters
    ----------
    features : Gradients
        Inputs with their derivatives; each input stands in place of a member.
    covariance : ndarray, shape (n, F, F)
        Error covariance of the derivatives of the figure of merit with respect to the inputs.

    Examples
    --------
    >>> features = Gradients(np.zeros((2, 3)), np.zeros((2, 3, 4), np.float32), None)
    >>> GradientErrors(features, np.tile(np.eye(2), (3, 1, 1))).along(np.full((2, 3, 1), 3.0)).ravel().round(1).tolist()
    [4.2, 4.2, 4.2]
    """

    features: Gradients
    covariance: Array

    def along(self, steps: NDArray[np.floating]) -> Array:
        """Compute standard errors of derivatives along directions.

        Parameters
        ----------
        steps : ndarray, shape (F, n, ...)
            Changes of the inputs along each direction.

        Returns
        -------
        ndarray, shape (n, ...)
            Standard errors.
        """
        variance = np.empty(steps.shape[1:])
        for row, covariance in enumerate(self.covariance):
            own = steps[:, row].reshape(len(steps), -1).astype(np.float64)
            variance[row] = (own * (covariance @ own)).sum(0).reshape(variance.shape[1:])
        found: Array = np.sqrt(np.maximum(variance, 0))
        return found


@runtime_checkable
class Response(Protocol):
    """Interface of fitted models of a library, both ensembles and baselines.

    Explanations, tests and suggestions use only these names.

    Attributes
    ----------
    components_ : tuple of str
        Names of the D components, in the order of the fractions.
    axis_ : ndarray, shape (C,), or None
        Axis of the spectra as in the file; None if the model uses no spectra.
    target_ : str
        Name of the figure of merit.
    unit_ : str
        Unit of the figure of merit, after any transform.
    members_ : int
        Number of models; 1 for a baseline.
    uses_composition_, uses_spectrum_ : bool
        Whether each is an input.
    preprocessing_ : Preprocessing or None
        Preprocessing of the intensities in the file.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> from matlens.library.table import MaterialsLibrary
    >>> library = MaterialsLibrary([[1, 0], [0, 1]] * 5, ("A", "B"), {"P": np.arange(10.0)})
    >>> isinstance(BASELINES["ridge"]().fit(library), Response)
    True
    """

    components_: tuple[str, ...]
    axis_: Array | None
    target_: str
    unit_: str
    members_: int
    uses_composition_: bool
    uses_spectrum_: bool
    preprocessing_: Any

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Return predictions, shape (m, n), for fractions of shape (n, D) and file intensities of shape (n, C)."""
        ...

    def gradients(self, compositions: ArrayLike, spectra: ArrayLike | None, *, progress: Progress = ...) -> Gradients:
        """Return predictions with their derivatives with respect to fractions and file intensities."""
        ...


@runtime_checkable
class Mixed(Protocol):
    """Interface of models that are weighted means of K models of several kinds.

    Attributes
    ----------
    parts_ : tuple of str
        Names of the K models.

    Examples
    --------
    >>> isinstance(object(), Mixed)
    False
    """

    parts_: tuple[str, ...]

    def gradients_by_part(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Gradients:
        """Return predictions and gradients of each model (mean over its members), in place of those of members."""
        ...

    def gradient_errors(
        self, compositions: ArrayLike, spectra: ArrayLike | None, *, by_part: Gradients | None = None
    ) -> GradientErrors | None:
        """Return the error covariance of the mean gradients; ``by_part`` is what `gradients_by_part` returned."""
        ...

    def left_out_moments(self) -> tuple[Array, int]:
        """Return mean products of the models' errors for left-out compositions, (K, K), and how many these are."""
        ...
