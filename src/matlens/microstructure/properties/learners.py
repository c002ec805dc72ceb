"""Learners: models from structures to values on the scale on which the property is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matlens.hooks import Progress
from matlens.microstructure.properties.features import Features, Labels, Matrix
from matlens.microstructure.properties.heads import Head, HeadKind

__all__ = ["FeatureLearner", "Learner", "Training"]

Array = NDArray[np.float64]


class Learner(Protocol):
    """Fit values to structures and predict them; a protocol, which `FeatureLearner` and `NetworkLearner` follow.

    Examples
    --------
    >>> from matlens.microstructure.properties.features import VolumeFractions
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 12)[:, None, None]).astype(np.uint8)
    >>> learner: Learner = FeatureLearner(VolumeFractions(), "ridge")
    >>> learner.fit(labels, np.arange(2, 12) / 16).predict(labels[:1])[0].round(3).tolist()
    [0.125]
    """

    def fit(self, labels: Labels, values: Array, progress: Progress | None = None) -> Learner:
        """Fit the learner to these structures only.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.
        values : ndarray, shape (n,)
            Values to learn.
        progress : Progress, optional
            Called with structures or steps done and total.

        Returns
        -------
        Learner
            This object.
        """

    def predict(self, labels: Labels, progress: Progress | None = None) -> tuple[Array, Array]:
        """Predict the value of each structure.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.
        progress : Progress, optional
            Called with structures done and total.

        Returns
        -------
        mean, std : ndarray, shape (n,)
            Predicted values and standard deviations.
        """

    def embed(self, labels: Labels) -> Matrix:
        """Compute the positions of structures in the learner's feature space, in which distances are measured.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.

        Returns
        -------
        ndarray, shape (n, m)
            Positions.
        """

    def rows(self, labels: Labels) -> Matrix:
        """Compute the features that a stored model keeps, from which the learner can be fitted again.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.

        Returns
        -------
        ndarray, shape (n, features)
            Features.
        """


@dataclass(frozen=True, eq=False)
class Training:
    """Training data that a model keeps, to fit a regression again and to measure distances.

    Attributes
    ----------
    rows : ndarray, shape (n, features)
        Features of the structures.
    values : ndarray, shape (n,)
        Values on the scale on which the property is learned.
    groups : ndarray, shape (n,)
        Groups.
    natural : ndarray of bool, shape (n,)
        False for structures with exchanged phases, which were derived from others.
    examples : ndarray of uint8
        The first few structures, with which a stored model is checked.

    Examples
    --------
    >>> one = np.ones(1)
    >>> Training(one[:, None], one, one, one > 0, np.zeros((1, 4, 4), np.uint8)).rows.shape
    (1, 1)
    """

    rows: Matrix
    values: Array
    groups: NDArray[Any]
    natural: NDArray[np.bool_]
    examples: Labels


class FeatureLearner:
    """Compute features, then fit a regression.

    Parameters
    ----------
    features : Features
        Volume fractions, a two-point map, or pooled activations.
    head : {"ridge", "gp", "boosting"}
        Regression, see `Head`.
    columns : ndarray of bool, optional
        Columns of the features to use; by default all.

    Examples
    --------
    >>> from matlens.microstructure.properties.features import VolumeFractions
    >>> labels = np.arange(16, dtype=np.uint8).reshape(1, 4, 4) < np.arange(2, 12)[:, None, None]
    >>> learner = FeatureLearner(VolumeFractions(), "ridge").fit(labels.astype(np.uint8), np.arange(2, 12) / 16)
    >>> learner.predict(labels[:1].astype(np.uint8))[0].round(3).tolist()
    [0.125]
    """

    def __init__(self, features: Features, head: HeadKind, columns: NDArray[np.bool_] | None = None) -> None:
        self.features, self.columns = features, columns
        self.head = Head(head, standardise=not features.one_scale)

    def rows(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Compute the features of structures in the columns that are used.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.
        progress : Progress, optional
            Called with structures done and total.

        Returns
        -------
        ndarray, shape (n, features)
            Features.
        """
        found = self.features(labels, progress)
        return found if self.columns is None else found[:, self.columns]

    def fit(self, labels: Labels, values: Array, progress: Progress | None = None) -> FeatureLearner:
        """Fit the regression to these structures only.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.
        values : ndarray, shape (n,)
            Values to learn.
        progress : Progress, optional
            Called with structures done and total.

        Returns
        -------
        FeatureLearner
            This object.
        """
        return self.fit_rows(self.rows(labels, progress), values)

    def fit_rows(self, rows: Matrix, values: Array) -> FeatureLearner:
        """Fit the regression to features.

        Parameters
        ----------
        rows : ndarray, shape (n, features)
            Features in the columns that are used.
        values : ndarray, shape (n,)
            Values to learn.

        Returns
        -------
        FeatureLearner
            This object.
        """
        self.head.fit(rows, values)
        return self

    def predict(self, labels: Labels, progress: Progress | None = None) -> tuple[Array, Array]:
        """Predict the value of each structure.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.
        progress : Progress, optional
            Called with structures done and total.

        Returns
        -------
        mean, std : ndarray, shape (n,)
            Predicted values and standard deviations.
        """
        return self.head.predict(self.rows(labels, progress))

    def embed(self, labels: Labels) -> Matrix:
        """Compute the principal components of the features.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.

        Returns
        -------
        ndarray, shape (n, components)
            Principal components.
        """
        return self.head.reduced(self.rows(labels))
