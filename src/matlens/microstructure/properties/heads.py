"""Regressions from features to a property with its standard deviation, for tens to hundreds of structures."""

from __future__ import annotations

import warnings
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
from sklearn.linear_model import BayesianRidge

from matlens.errors import InputError

__all__ = ["HEADS", "Head", "HeadKind"]

HeadKind = Literal["ridge", "gp", "boosting"]
HEADS: tuple[HeadKind, ...] = get_args(HeadKind)
Array = NDArray[np.float64]
# docs/decisions/0025-features-of-property-models.md
COMPONENTS = 80
_LEAST = 20
_MANY = 400  # rows above which only the first components are computed, as all would be costly
# docs/decisions/0026-intervals-and-storage-of-property-models.md
_ROWS = 300  # rows that kernel parameters are fitted to; more change them little at cubic cost


class Head:
    """Reduce standardised features to principal components, then fit a regression.

    Everything is fitted to the rows given to `fit` only.

    Parameters
    ----------
    kind : {"ridge", "gp", "boosting"}
        Bayesian ridge regression; Gaussian process (linear and RBF kernel, noise); gradient-boosted trees.
    components : int
        Largest number of principal components; there is at most one per four rows, but 20 for few rows.
    standardise : bool
        Whether each feature is divided by its standard deviation; features of a two-point map have one scale.
    theta : array_like, optional
        Logarithms of the kernel's parameters of a Gaussian process; by default, `fit` finds them.

    Raises
    ------
    InputError
        If the kind is unknown.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> mean, std = Head("gp").fit(x, x[:, 0] ** 2).predict(np.array([[0.5]]))
    >>> float(mean[0].round(2)), bool(std[0] < 0.05)
    (0.25, True)
    """

    def __init__(
        self, kind: HeadKind, components: int = COMPONENTS, *, standardise: bool = True, theta: Any = None
    ) -> None:
        if kind not in HEADS:
            raise InputError(f"head {kind!r} is not known; choose one of {', '.join(HEADS)}.")
        self.kind, self.components, self.standardise, self.theta = kind, components, standardise, theta

    def fit(self, rows: Array, values: Array) -> Head:
        """Fit the regression.

        Parameters
        ----------
        rows : ndarray, shape (n, features)
            Features.
        values : ndarray, shape (n,)
            Values to learn.

        Returns
        -------
        Head
            This object.
        """
        self.mean = rows.mean(0)
        std = rows.std(0)
        # A channel that hardly varies among the rows given must not be blown up where it does.
        least = max(1e-6 * float(std.mean()), 1e-12)
        self.std = np.maximum(std, least) if self.standardise else np.ones_like(std)
        standard = (rows - self.mean) / self.std
        kept = min(self.components, max(_LEAST, len(rows) // 4), len(rows) - 1, rows.shape[1])
        solver = "randomized" if len(rows) > _MANY else "full"
        with np.errstate(invalid="ignore"):  # features that are all alike, as fractions may be, have shares 0 / 0
            self.pca = PCA(kept, svd_solver=solver, iterated_power=7, random_state=0).fit(standard)
        self.unit = max(float(np.sqrt(self.pca.explained_variance_[0])), 1e-12)
        reduced = self.reduced(rows)
        if self.kind == "gp" and self.theta is None:
            self.theta = self._kernel_parameters(reduced, values)
        self.model = self._regression().fit(reduced, values)
        self.residual = float(np.std(values - self.model.predict(reduced)))
        return self

    def reduced(self, rows: Array) -> Array:
        """Compute the principal components of rows, scaled by the standard deviation of the first.

        Parameters
        ----------
        rows : ndarray, shape (n, features)
            Features.

        Returns
        -------
        ndarray, shape (n, components)
            Principal components.
        """
        found: Array = self.pca.transform((rows - self.mean) / self.std) / self.unit
        return found

    def predict(self, rows: Array) -> tuple[Array, Array]:
        """Predict the property.

        Parameters
        ----------
        rows : ndarray, shape (n, features)
            Features.

        Returns
        -------
        mean : ndarray, shape (n,)
            Predicted values.
        std : ndarray, shape (n,)
            Standard deviations; for trees, that of the residuals.
        """
        reduced = self.reduced(rows)
        if self.kind == "boosting":
            return self.model.predict(reduced), np.full(len(rows), max(self.residual, 1e-12))
        mean, std = self.model.predict(reduced, return_std=True)
        return mean, np.maximum(std, 1e-12)

    def _regression(self) -> Any:
        if self.kind == "ridge":
            return BayesianRidge()
        if self.kind == "boosting":
            return GradientBoostingRegressor(
                n_estimators=300, max_depth=3, learning_rate=0.05, subsample=0.7, random_state=0
            )
        kernel = _kernel().clone_with_theta(np.asarray(self.theta))
        return GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)

    def _kernel_parameters(self, reduced: Array, values: Array) -> Array:
        chosen = np.linspace(0, len(values) - 1, min(len(values), _ROWS)).round().astype(int)
        with warnings.catch_warnings():
            # A parameter at the end of its range is an answer here (no linear part, no noise, ...).
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = GaussianProcessRegressor(_kernel(), normalize_y=True).fit(reduced[chosen], values[chosen])
        theta: Array = fitted.kernel_.theta
        return theta


def _kernel() -> Any:
    """Return the kernel: smooth deviations from a linear trend, and noise."""
    smooth = ConstantKernel(1.0) * RBF(3.0, (0.1, 1e3))
    return smooth + ConstantKernel(1.0) * DotProduct(1.0) + WhiteKernel(1e-2, (1e-6, 1.0))
