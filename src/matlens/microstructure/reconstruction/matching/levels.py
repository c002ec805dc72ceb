"""Multiresolution levels: the sizes that are solved from coarse to fine, and the transfer between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from matlens.microstructure.encoders import known_pixels

__all__ = ["coarse_factors", "reduce", "refine", "shown", "variance"]

_SMALLEST = 32  # pixels on a side; a smaller level holds too little information
# docs/decisions/0014-coarse-to-fine.md
_VISIBLE = 0.3  # a level that keeps less of the exemplar's variance shows another structure


def reduce(indicators: Tensor, factor: int) -> Tensor:
    """Average blocks of ``factor`` x ``factor`` pixels over what is known; a block is masked if most of it is.

    Parameters
    ----------
    indicators : Tensor, shape (1, K, H, W)
        Phase indicators, zero in all phases where a pixel is masked.
    factor : int
        Side length of a block in pixels.

    Returns
    -------
    Tensor, shape (1, K, H // factor, W // factor)
        Amounts of the phases at the coarser level, zero in all of them where a block is masked.

    Examples
    --------
    >>> image = torch.tensor([[[[0.0, 1.0], [1.0, 1.0]]]])
    >>> reduce(torch.cat([1 - image, image], 1), 2).flatten()
    tensor([0.2500, 0.7500])
    """
    if factor == 1:
        return indicators
    amounts, known = functional.avg_pool2d(indicators, factor), known_pixels(indicators)
    if known is None:
        return amounts
    share = functional.avg_pool2d(known.to(indicators)[None, None], factor)
    return torch.where(share >= 0.5, amounts / share.clamp(min=1e-6), 0.0)


def shown(values: Tensor, image: Tensor) -> Tensor:
    """Return the values at the known pixels of an image.

    Parameters
    ----------
    values : Tensor, shape (1, C, H, W)
        Values of the image's pixels.
    image : Tensor, shape (1, K, H, W)
        Amounts of the phases, zero in all of them where a pixel is masked.

    Returns
    -------
    Tensor, shape (1, C, known pixels, 1)
        The values as they are if no pixel is masked.

    Examples
    --------
    >>> image = torch.tensor([[[[1.0, 0.0]], [[0.0, 0.0]]]])
    >>> shown(image, image).shape
    torch.Size([1, 2, 1, 1])
    """
    known = known_pixels(image)
    return values if known is None else values[..., known][..., None]


def variance(indicators: Tensor) -> float:
    """Compute the variance of indicators over known positions, summed over phases.

    Parameters
    ----------
    indicators : Tensor, shape (1, K, *S)
        Amounts of the phases, zero in all of them where a pixel is masked.

    Returns
    -------
    float
        Sum of the variances.

    Examples
    --------
    >>> variance(torch.tensor([[[[0.0, 1.0]], [[1.0, 0.0]]]]))
    0.5
    """
    known = shown(indicators, indicators)
    return float(known.var(dim=tuple(range(2, known.ndim)), correction=0).sum()) if known.numel() else 0.0


def coarse_factors(exemplars: Sequence[Tensor], shape: Sequence[int]) -> list[int]:
    """Choose the factors of reduction from coarse to fine; the last one is 1.

    A factor is used if the result keeps 32 pixels on a side and the exemplars keep 30 % of their variance: lamellae
    that are two pixels wide average to a uniform grey, which holds no information.

    Parameters
    ----------
    exemplars : sequence of Tensor, shape (1, K, H, W)
        Phase indicators.
    shape : sequence of int
        Sides of the result in pixels.

    Returns
    -------
    list of int
        Factors.

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


def refine(
    field: Tensor,
    factor: int,
    missing: float,
    generator: torch.Generator,
    shifts: Sequence[NDArray[np.float64]] | None = None,
) -> Tensor:
    """Enlarge a periodic field by interpolation, and add noise for detail that the coarse level lacks.

    Planes are interpolated by cubic polynomials, volumes by linear ones, as PyTorch has no others there.

    Parameters
    ----------
    field : Tensor, shape (1, C, H, W) or (1, C, D, H, W)
        Field of the coarse level.
    factor : int
        Factor of enlargement.
    missing : float
        Standard deviation of the noise.
    generator : torch.Generator
        Generator on the processor, so that the noise is the same on every device.
    shifts : sequence of ndarray, optional
        For each axis, by how many pixels of the finer level each of its pixels lies further along the axis than the
        block that it belongs to would place it.

    Returns
    -------
    Tensor
        Start of the finer level, each side ``factor`` times as long.

    Examples
    --------
    >>> refine(torch.ones(1, 1, 4, 4), 2, 0.0, torch.Generator()).shape
    torch.Size([1, 1, 8, 8])
    """
    if shifts is not None:
        for axis, shift in enumerate(shifts, start=2):
            field = _enlarged(field, axis, factor, shift)
        return field + missing * torch.randn(field.shape, generator=generator).to(field)
    margin, axes = 2, field.ndim - 2
    wide = functional.pad(field, (margin,) * 2 * axes, mode="circular")
    how = "bicubic" if axes == 2 else "trilinear"
    wide = functional.interpolate(wide, scale_factor=factor, mode=how, align_corners=False)
    cut = margin * factor
    large = wide
    for axis in range(2, field.ndim):
        large = large.narrow(axis, cut, large.shape[axis] - 2 * cut)
    return large + missing * torch.randn(large.shape, generator=generator).to(field)


def _enlarged(field: Tensor, axis: int, factor: int, shift: NDArray[np.float64]) -> Tensor:
    """Interpolate a periodic field linearly along one axis, at places that are shifted."""
    side = field.shape[axis]
    at = (np.arange(factor * side) - shift + 0.5) / factor - 0.5
    low = np.floor(at).astype(np.int64)
    part = torch.from_numpy(at - low).to(field).reshape(-1, *[1] * (field.ndim - axis - 1))
    below, above = (field.index_select(axis, torch.from_numpy((low + i) % side).to(field.device)) for i in (0, 1))
    return below * (1 - part) + above * part
