"""What is matched: named, weighted, printable terms of the loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from matlens.microstructure.statistics import fraction_field, total_variation, two_point_field

__all__ = ["Fraction", "Gram", "PhaseRange", "Sample", "Sharpness", "Term", "TotalVariation", "TwoPoint", "gram"]


@dataclass(frozen=True)
class Sample:
    """What terms look at: the phase amounts ``1 x phase x height x width`` and the encoder's activations of them."""

    indicators: Tensor
    features: Mapping[str, Tensor]


class Term(ABC):
    """One named, weighted part of the loss; called with a sample it gives the unweighted mismatch.

    Examples
    --------
    >>> print(PhaseRange(0.1))
    0.1 x phase range
    """

    name: str
    weight: float

    @abstractmethod
    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""

    def __str__(self) -> str:
        return f"{self.weight:g} x {self.name}"


def gram(features: Tensor) -> Tensor:
    """Compute the Gram matrix V^T V / (H W) of each image: second moments of the features, blind to position.

    Parameters
    ----------
    features : Tensor, shape (B, C, *S)
        Feature maps.

    Returns
    -------
    Tensor, shape (B, C, C)
        Means over positions of the products of two channels (Gatys et al. 2015, NeurIPS).

    Examples
    --------
    >>> gram(torch.ones(1, 2, 3, 3))
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    v = features.flatten(2)
    return v @ v.transpose(1, 2) / v.shape[-1]


@dataclass(frozen=True)
class Gram(Term):
    """Squared distance of a layer's Gram matrix from the exemplar's, over ``scale``."""

    layer: str
    weight: float
    target: Tensor = field(repr=False)
    scale: float

    @property
    def name(self) -> str:  # type: ignore[override]
        """Gram and the layer."""
        return f"Gram {self.layer}"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        return (gram(sample.features[self.layer]) - self.target).square().sum() / self.scale


@dataclass(frozen=True)
class TwoPoint(Term):
    """Squared distance of the two-point functions, relative to the target's own variation.

    Sample and exemplar are seen by the same estimator, as windows of a larger whole: the wrapped estimate of a periodic
    sample is tied by a sum rule that no micrograph obeys. ``importance`` weighs offsets ``(2 h + 1) x (2 w + 1)``.
    """

    weight: float
    target: Tensor = field(repr=False)
    importance: Tensor = field(repr=False)
    scale: float
    name: str = "two-point"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        half = [side // 2 for side in self.importance.shape]
        found = two_point_field(sample.indicators, periodic=False, half=half)
        return (self.importance * (found - self.target).square()).sum() / self.scale


@dataclass(frozen=True)
class Fraction(Term):
    """Squared distance of the volume fractions from those asked for."""

    weight: float
    target: Tensor
    name: str = "fraction"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        return (fraction_field(sample.indicators) - self.target).square().sum()


@dataclass(frozen=True)
class TotalVariation(Term):
    """Squared relative distance of each phase's total variation: neither speckle nor blur."""

    weight: float
    target: Tensor
    name: str = "total variation"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        return (total_variation(sample.indicators, periodic=True) / self.target - 1).square().mean()


@dataclass(frozen=True)
class PhaseRange(Term):
    """A soft wall that keeps phase amounts within [0, 1]."""

    weight: float
    name: str = "phase range"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        p = sample.indicators
        return 4 * (torch.relu(-p) + torch.relu(p - 1)).square().mean()


@dataclass(frozen=True)
class Sharpness(Term):
    """A double well that drives amounts to 0 or 1, so that decoding changes little of what was matched."""

    weight: float
    name: str = "sharpness"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        p = sample.indicators
        return 4 * (p * (1 - p)).square().sum(dim=1).mean()
