"""Inverses of the discrete Laplacian of a homogeneous body: what preconditions conduction through any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from matlens.physics.faces import AxisKind

__all__ = ["inverse_laplacian"]


def inverse_laplacian(
    shape: Sequence[int], steps: Sequence[float], kinds: Sequence[AxisKind], like: Tensor
) -> Callable[[Tensor], Tensor]:
    """Inverse of minus the Laplacian on the last axes of a tensor, zero for what the Laplacian maps to zero."""
    return _periodic(shape, steps, like)


def _periodic(shape: Sequence[int], steps: Sequence[float], like: Tensor) -> Callable[[Tensor], Tensor]:
    dims = tuple(range(-len(shape), 0))
    counts = [*shape[:-1], shape[-1] // 2 + 1]
    spectra = [_periodic_spectrum(n, m, step) for n, m, step in zip(shape, counts, steps)]
    inverse = _inverse_sum(spectra, like)

    def apply(r: Tensor) -> Tensor:
        result: Tensor = torch.fft.irfftn(torch.fft.rfftn(r, dim=dims).mul_(inverse), s=tuple(shape), dim=dims)
        return result

    return apply


def _periodic_spectrum(n: int, count: int, step: float) -> Tensor:
    return (2.0 / step * torch.sin(torch.pi / n * torch.arange(count, dtype=torch.float64))) ** 2


def _inverse_sum(spectra: Sequence[Tensor], like: Tensor) -> Tensor:
    """1 / (a_i + b_j + ...) with zero for the constant mode, where there is one."""
    total = spectra[0]
    for spectrum in spectra[1:]:
        total = total[..., None] + spectrum
    largest = sum(float(spectrum.max()) for spectrum in spectra)
    return torch.where(total > 1e-12 * largest, 1.0 / total, 0.0).to(like)
