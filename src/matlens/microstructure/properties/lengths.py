"""Correlation lengths along each axis as features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.properties.features import Labels, Matrix
from matlens.microstructure.statistics import normalised_covariance, two_point_axes
from matlens.microstructure.statistics.correlation.correlation_length import first_below
from matlens.microstructure.structure import Microstructure

__all__ = ["CorrelationLengths"]


@dataclass(frozen=True)
class CorrelationLengths:
    """Compute the correlation length of every phase but the first along every axis; half the side if it is longer.

    Parameters
    ----------
    phases : int
        Number of phases K.
    periodic : bool
        Whether opposite borders continue each other.
    name : str
        Name of the features.
    one_scale : bool
        Whether columns have one scale.

    Examples
    --------
    >>> stripes = np.repeat([[0, 0, 0, 0, 1, 1, 1, 1]], 8, axis=0).astype(np.uint8)
    >>> CorrelationLengths()(stripes[None]).tolist()
    [[4.0, 2.0]]
    """

    phases: int = 2
    periodic: bool = True
    name: str = "correlation lengths"
    one_scale: bool = False

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Compute the lengths of labels, shape (n, *space), in pixels."""
        names = [f"phase {phase}" for phase in range(self.phases)]
        rows = []
        for one in labels:
            m = Microstructure(one, phase_names=names, periodic=self.periodic)
            # Each phase by its own estimate: models that were stored learned from these numbers.
            rows.append(first_below(normalised_covariance(two_point_axes(m), m.volume_fractions[:, None, None])))
        halves = np.array(labels.shape[1:]) // 2
        found: Matrix = np.where(np.isnan(rows), halves, rows)[:, 1:].reshape(len(labels), -1)
        return found

    def pooled(self, indicators: Tensor) -> Tensor:
        """Raise an error, as the first crossing of a threshold has no gradient.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError("correlation lengths have no gradient in the pixels; explain a model without them.")
