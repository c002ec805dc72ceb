"""Terms of the loss, each with a name and a weight."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from matlens.microstructure.statistics import fraction_field, total_variation, two_point_field, unlike_neighbours

__all__ = [
    "Fraction",
    "Gram",
    "PhaseRange",
    "PlanarTerm",
    "Sample",
    "Sharpness",
    "Term",
    "TotalVariation",
    "TwoPoint",
    "UnlikeNeighbours",
    "gram",
]


@dataclass(frozen=True)
class Sample:
    """Structure that the terms evaluate: amounts of the phases, and the encoder's activations.

    Attributes
    ----------
    indicators : Tensor, shape (B, K, *S)
        Amounts of the phases, of planes or of one volume.
    features : mapping of str to Tensor, shape (B, C, h, w)
        Activations of planes by layer.

    Examples
    --------
    >>> Sample(torch.full((1, 2, 4, 4), 0.5), {}).indicators.shape
    torch.Size([1, 2, 4, 4])
    """

    indicators: Tensor
    features: Mapping[str, Tensor]


class Term(ABC):
    """Named, weighted part of the loss; called with a `Sample`, it returns the unweighted mismatch.

    Attributes
    ----------
    name : str
        Name in tables and figures.
    weight : float
        Factor of the mismatch in the loss.

    Examples
    --------
    >>> print(PhaseRange(0.1))
    0.1 x phase range
    """

    name: str
    weight: float

    @abstractmethod
    def __call__(self, sample: Sample) -> Tensor:
        """Compute the mismatch, a scalar."""

    def of_phases(self) -> Term:
        """Return the term that stands for this one where every pixel has one phase; by default the same."""
        return self

    def __str__(self) -> str:
        return f"{self.weight:g} x {self.name}"


class PlanarTerm(Term):
    """Term on planes: what it measures of each plane is averaged over planes before it is compared.

    A single plane of a volume scatters about the material's mean, so that every plane by itself must not be matched.

    Examples
    --------
    >>> term = TotalVariation(0.1, torch.ones(1, 2), torch.ones(1, 2))
    >>> isinstance(term, PlanarTerm), float(term.mismatch(torch.ones(1, 2)))
    (True, 0.0)
    """

    @abstractmethod
    def measure(self, sample: Sample) -> Tensor:
        """Measure every plane; the first axis of the result counts planes and the encoder's passes."""

    @abstractmethod
    def mismatch(self, measured: Tensor) -> Tensor:
        """Compare what was measured with the target, a scalar."""

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        return self.mismatch(self.measure(sample))


def gram(features: Tensor) -> Tensor:
    """Compute the Gram matrix V^T V / (H W) of each image: the second moments of the features over positions.

    Parameters
    ----------
    features : Tensor, shape (B, C, *S)
        Feature maps.

    Returns
    -------
    Tensor, shape (B, C, C)
        Mean over positions of the products of two channels.

    Notes
    -----
    Gatys, Ecker and Bethge, NeurIPS (2015).

    Examples
    --------
    >>> gram(torch.ones(1, 2, 3, 3))
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    found: Tensor = _Gram.apply(features)  # type: ignore[no-untyped-call]
    return found


class _Gram(torch.autograd.Function):
    """The matrix with its gradient in closed form: one product, in the order of memory that the features have."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        v = features.flatten(2)
        return v @ v.transpose(1, 2) / v.shape[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        rows = features.flatten(2).transpose(1, 2)
        spread: Tensor = rows @ ((gradient + gradient.transpose(1, 2)) / rows.shape[1])
        return spread.transpose(1, 2).view(features.shape)


@dataclass(frozen=True)
class Gram(PlanarTerm):
    """Squared distance of a layer's Gram matrix from the exemplar's, divided by ``scale``.

    Attributes
    ----------
    layer : str
        Layer of the encoder.
    weight : float
        Factor of the mismatch in the loss.
    target : Tensor, shape (1, C, C)
        Gram matrix of the exemplar.
    scale : float
        Squared norm of the target, or 4 C^2 as in Li et al.

    Notes
    -----
    Gatys, Ecker and Bethge, NeurIPS (2015); Li et al., Sci. Rep. 8, 13461 (2018).

    Examples
    --------
    >>> term = Gram("conv1_1", 1.0, torch.ones(1, 2, 2), 4.0)
    >>> term.name, float(term(Sample(torch.empty(0), {"conv1_1": torch.zeros(1, 2, 3, 3)})))
    ('Gram conv1_1', 1.0)
    """

    layer: str
    weight: float
    target: Tensor = field(repr=False)
    scale: float

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the term with its layer."""
        return f"Gram {self.layer}"

    def measure(self, sample: Sample) -> Tensor:
        """Gram matrices of the layer, shape (B, C, C)."""
        return gram(sample.features[self.layer])

    def mismatch(self, measured: Tensor) -> Tensor:
        """Mismatch, a scalar."""
        return (measured - self.target).square().sum() / self.scale


@dataclass(frozen=True)
class TwoPoint(Term):
    """Squared distance of the two-point probabilities, relative to the variation of the target.

    The same estimator measures sample and exemplar, as windows of a larger whole: the periodic estimate of a periodic
    sample obeys a sum rule that no micrograph obeys.

    Attributes
    ----------
    weight : float
        Factor of the mismatch in the loss.
    target : Tensor, shape (1, P, 2 h_1 + 1, ...)
        Two-point probability wanted of the last P phases, by offset along each axis.
    importance : Tensor, shape (2 h_1 + 1, ...)
        Weight of each offset.
    scale : float
        Weighted squared distance of the target from that of an uncorrelated structure.

    Notes
    -----
    The two-point probability as in Torquato, Random Heterogeneous Materials (2002).

    Examples
    --------
    >>> flat = torch.full((1, 2, 3, 3), 0.25)
    >>> term = TwoPoint(0.3, flat, torch.ones(3, 3), 1.0)
    >>> round(float(term(Sample(torch.full((1, 2, 8, 8), 0.5), {}))), 6)
    0.0
    """

    weight: float
    target: Tensor = field(repr=False)
    importance: Tensor = field(repr=False)
    scale: float
    name: str = "two-point"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        half = [side // 2 for side in self.importance.shape]
        phases = sample.indicators[:, -self.target.shape[1] :]
        found = two_point_field(phases, periodic=False, half=half)
        return (self.importance * (found - self.target).square()).sum() / self.scale


@dataclass(frozen=True)
class Fraction(Term):
    """Squared distance of the volume fractions from those wanted.

    Attributes
    ----------
    weight : float
        Factor of the mismatch in the loss.
    target : Tensor, shape (K,)
        Volume fractions wanted.

    Examples
    --------
    >>> term = Fraction(1.0, torch.tensor([0.5, 0.5]))
    >>> float(term(Sample(torch.full((1, 2, 4, 4), 0.5), {})))
    0.0
    """

    weight: float
    target: Tensor
    name: str = "fraction"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        return (fraction_field(sample.indicators) - self.target).square().sum()


# Matched and not minimised, which would make everything round: docs/decisions/0010-phase-field-on-a-simplex.md
@dataclass(frozen=True)
class TotalVariation(PlanarTerm):
    """Squared relative distance of each phase's total variation, against speckle and blur.

    Attributes
    ----------
    weight : float
        Factor of the mismatch in the loss.
    target : Tensor, shape (1, K)
        Total variation of each phase in the exemplar.
    unlike : Tensor, shape (1, K)
        Share of unlike neighbours of each phase in the exemplar.

    Examples
    --------
    >>> term = TotalVariation(0.1, torch.ones(1, 2), torch.ones(1, 2))
    >>> str(term), type(term.of_phases()).__name__
    ('0.1 x total variation', 'UnlikeNeighbours')
    """

    weight: float
    target: Tensor
    unlike: Tensor
    name: str = "total variation"

    def measure(self, sample: Sample) -> Tensor:
        """Total variation of each phase, shape (B, K)."""
        return total_variation(sample.indicators, periodic=True)

    def mismatch(self, measured: Tensor) -> Tensor:
        """Mismatch, a scalar."""
        return (measured / self.target - 1).square().mean()

    def of_phases(self) -> UnlikeNeighbours:
        """Return the share of unlike neighbours, whose gradient is exact for pure phases."""
        return UnlikeNeighbours(self.weight, self.unlike)


@dataclass(frozen=True)
class UnlikeNeighbours(PlanarTerm):
    """Squared relative distance of each phase's share of unlike neighbours, which stands for the length of interface.

    For pure phases it measures what total variation measures, and its gradient is exactly the effect of a change of one
    pixel. The gradient of total variation is not: a pixel that moves towards grey shortens an interface, while one that
    changes its phase may lengthen it.

    Attributes
    ----------
    weight : float
        Factor of the mismatch in the loss.
    target : Tensor, shape (1, K)
        Share of each phase in the exemplar.

    Examples
    --------
    >>> checks = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    >>> UnlikeNeighbours(0.1, torch.ones(1, 2)).measure(Sample(torch.cat([1 - checks, checks], 1), {}))
    tensor([[0.5858, 0.5858]])
    """

    weight: float
    target: Tensor
    name: str = "unlike neighbours"

    def measure(self, sample: Sample) -> Tensor:
        """Share of each phase, shape (B, K)."""
        return unlike_neighbours(sample.indicators, periodic=True)

    def mismatch(self, measured: Tensor) -> Tensor:
        """Mismatch, a scalar."""
        return (measured / self.target - 1).square().mean()


@dataclass(frozen=True)
class PhaseRange(Term):
    """Penalty on amounts of phases outside [0, 1].

    Attributes
    ----------
    weight : float
        Factor of the penalty in the loss.

    Examples
    --------
    >>> float(PhaseRange(0.1)(Sample(torch.tensor([[[[0.5, 1.0]]]]), {}))), float(
    ...     PhaseRange(0.1)(Sample(torch.tensor([[[[1.5]]]]), {}))
    ... )
    (0.0, 1.0)
    """

    weight: float
    name: str = "phase range"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        p = sample.indicators
        return 4 * (torch.relu(-p) + torch.relu(p - 1)).square().mean()


@dataclass(frozen=True)
class Sharpness(Term):
    """Double-well penalty that drives amounts to 0 or 1, so that decoding changes little of what was matched.

    Attributes
    ----------
    weight : float
        Factor of the penalty in the loss.

    Examples
    --------
    >>> float(Sharpness(0.1)(Sample(torch.tensor([[[[0.0, 1.0]], [[1.0, 0.0]]]]), {})))
    0.0
    """

    weight: float
    name: str = "sharpness"

    def __call__(self, sample: Sample) -> Tensor:
        """Mismatch, a scalar."""
        p = sample.indicators
        return 4 * (p * (1 - p)).square().sum(dim=1).mean()
