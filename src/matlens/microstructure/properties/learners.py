"""Learners: what turns labelled structures into predictions on the scale of the property."""

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
    """Fits structures of shape (n, *space) and values of shape (n,)."""

    def fit(self, labels: Labels, values: Array, progress: Progress | None = None) -> Learner:
        """Learn from these structures and nothing else."""

    def predict(self, labels: Labels, progress: Progress | None = None) -> tuple[Array, Array]:
        """Mean and spread of the value of each structure."""

    def embed(self, labels: Labels) -> Matrix:
        """Where structures lie as the learner sees them, shape (n, m)."""

    def rows(self, labels: Labels) -> Matrix:
        """What the learner sees of structures before it learned anything it could lose, shape (n, features)."""


@dataclass(frozen=True, eq=False)
class Training:
    """What a model keeps of its training: enough to fit a regression again, or to judge what is near.

    Attributes
    ----------
    rows : ndarray, shape (n, features)
        What the learner saw.
    values : ndarray, shape (n,)
        On the scale of the property.
    groups : ndarray, shape (n,)
        Groups.
    natural : ndarray of bool, shape (n,)
        False for structures that were only derived, with exchanged phases.
    examples : ndarray of uint8
        The first few structures themselves, to check a stored model with.
    """

    rows: Matrix
    values: Array
    groups: NDArray[Any]
    natural: NDArray[np.bool_]
    examples: Labels


class FeatureLearner:
    """Features, then a head.

    Parameters
    ----------
    features : Features
        Volume fractions, a two-point map, or pooled activations.
    head : {"ridge", "gp", "boosting"}
        The regression.
    columns : ndarray of bool, optional
        The columns of the features that are used.

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
        """Features of the structures, the columns that are used."""
        found = self.features(labels, progress)
        return found if self.columns is None else found[:, self.columns]

    def fit(self, labels: Labels, values: Array, progress: Progress | None = None) -> FeatureLearner:
        """Learn from these structures and nothing else."""
        return self.fit_rows(self.rows(labels, progress), values)

    def fit_rows(self, rows: Matrix, values: Array) -> FeatureLearner:
        """Learn from features already taken."""
        self.head.fit(rows, values)
        return self

    def predict(self, labels: Labels, progress: Progress | None = None) -> tuple[Array, Array]:
        """Mean and spread of the value of each structure."""
        return self.head.predict(self.rows(labels, progress))

    def embed(self, labels: Labels) -> Matrix:
        """Principal components of the features."""
        return self.head.reduced(self.rows(labels))
