"""Coarse to fine: which sizes are solved, and how one level starts the next."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["coarse_factors", "reduce", "refine", "variance"]

_SMALLEST = 32  # a coarsest level with fewer pixels on a side has too little to say
# docs/decisions/0014-coarse-to-fine.md
_VISIBLE = 0.3  # a level that keeps less of the exemplar's variance shows another structure


def reduce(indicators: Tensor, factor: int) -> Tensor:
    """Average blocks of ``factor`` pixels: ``batch x phase x height x width`` at a coarser level.

    Examples
    --------
    >>> reduce(torch.tensor([[[[0.0, 1.0], [1.0, 1.0]]]]), 2)
    tensor([[[[0.7500]]]])
    """
    return indicators if factor == 1 else functional.avg_pool2d(indicators, factor)


def variance(indicators: Tensor) -> float:
    """Variance over positions, summed over phases."""
    return float(indicators.var(dim=(2, 3), correction=0).sum())


def coarse_factors(exemplars: Sequence[Tensor], shape: Sequence[int]) -> list[int]:
    """Reduction factors from coarse to fine, ending with 1.

    A factor is used where the result keeps 32 pixels on a side and the exemplars keep 30 % of their variance: lamellae
    two pixels wide average to grey, and nothing is learned from grey.

    Examples
    --------
    >>> blocks = torch.zeros(1, 1, 64, 64)
    >>> blocks[..., :32] = 1
    >>> coarse_factors([blocks], (128, 128))
    [2, 1]
    """
    factors = [1]
    while min(shape) // (2 * factors[0]) >= _SMALLEST:
        factor = 2 * factors[0]
        if min(min(image.shape[-2:]) for image in exemplars) < _SMALLEST * factor:
            break
        kept = sum(variance(reduce(image, factor)) for image in exemplars)
        if kept < _VISIBLE * sum(variance(image) for image in exemplars):
            break
        factors.insert(0, factor)
    return factors


def refine(field: Tensor, factor: int, missing: float, generator: torch.Generator) -> Tensor:
    """Enlarge a periodic field and add noise in place of the detail the coarse level could not have.

    Parameters
    ----------
    field : Tensor
        ``1 x channel x height x width``.
    factor : int
        How many times larger.
    missing : float
        Standard deviation of the noise.
    generator : torch.Generator
        On the CPU, so that the noise is the same on every device.
    """
    margin = 2
    wide = functional.pad(field, (margin,) * 4, mode="circular")
    wide = functional.interpolate(wide, scale_factor=factor, mode="bicubic", align_corners=False)
    cut = margin * factor
    large = wide[..., cut:-cut, cut:-cut]
    return large + missing * torch.randn(large.shape, generator=generator).to(field)
