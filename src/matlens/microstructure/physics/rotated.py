"""Willot's rotated scheme: displacements at the corners of the voxels, strains at their centres.

The gradient in a voxel is that of linear elements with one integration point: the difference along an axis, averaged
over the edges that run along it. In two dimensions this is the plain difference on a grid rotated by 45 degrees, hence
the name (Willot, C. R. Mécanique 343, 232, 2015). Displacements that alternate in sign along two or more axes have no
gradient; on even sizes they are periodic, and the Green operator leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor

__all__ = ["divergence", "gradient", "green_operator"]


def gradient(u: Tensor, steps: Sequence[float]) -> list[Tensor]:
    """Compute the gradient of a periodic displacement at the centre of each voxel.

    Parameters
    ----------
    u : Tensor
        Displacement, shape ``batch x components x *space``; entry k is that of the lower corner of voxel k.
    steps : sequence of float
        Size of a voxel along each axis.

    Returns
    -------
    list of Tensor
        Derivative along each axis, shaped as ``u``.

    Examples
    --------
    >>> u = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 3.0], [0.0, 0.0, 0.0]])[None, None]
    >>> gradient(u, (1.0, 1.0))[0][0, 0, 0].tolist()
    [1.0, 2.0, 2.0]
    """
    ndim = len(steps)
    mean, derivatives = u, list[Tensor]()
    for axis in range(ndim):
        dim = axis - ndim
        derivatives = [_between(derivative, dim) for derivative in derivatives]
        derivatives.append(_step(mean, dim, steps[axis]))
        if axis < ndim - 1:
            mean = _between(mean, dim)
    return derivatives


def divergence(columns: Sequence[Tensor], steps: Sequence[float]) -> Tensor:
    """Apply minus the transpose of :func:`gradient`: forces at the corners from stresses at the centres.

    Parameters
    ----------
    columns : sequence of Tensor
        Stress vectors on the faces across each axis, each of shape ``batch x components x *space``.
    steps : sequence of float
        Size of a voxel along each axis.

    Returns
    -------
    Tensor
        Forces, shape ``batch x components x *space``.

    Examples
    --------
    >>> stress = torch.zeros(1, 1, 2, 2)
    >>> stress[..., 0, 0] = 1.0
    >>> divergence([stress, torch.zeros_like(stress)], (1.0, 1.0))[0, 0].tolist()
    [[0.5, 0.5], [-0.5, -0.5]]
    """
    ndim = len(steps)
    derivatives, mean = list(columns), torch.zeros(())
    for axis in reversed(range(ndim)):
        dim = axis - ndim
        fall = _step_back(derivatives.pop(), dim, steps[axis])
        mean = fall if axis == ndim - 1 else fall.add_(_between_back(mean, dim))
        derivatives = [_between_back(derivative, dim) for derivative in derivatives]
    return mean


def green_operator(shape: Sequence[int], steps: Sequence[float], coupling: Tensor) -> Callable[[Tensor], Tensor]:
    """Build the solution operator of a homogeneous medium of shear modulus 1 under given forces.

    Parameters
    ----------
    shape : sequence of int
        Voxels along each axis.
    steps : sequence of float
        Size of a voxel along each axis.
    coupling : Tensor, shape (B,) or (1,)
        (first + shear) / (first + 2 shear) of Lamé's constants of each medium; 0 uncouples the components.

    Returns
    -------
    callable
        Maps forces ``batch x ndim x *space`` to displacements of the same shape, without mean and without alternating
        parts.

    Examples
    --------
    >>> solve = green_operator((4, 4), (1.0, 1.0), torch.zeros(1))
    >>> force = torch.zeros(1, 2, 4, 4)
    >>> force[0, 0] = torch.tensor([1.0, 0.0, -1.0, 0.0])[:, None]
    >>> solve(force)[0, 0, :, 0].tolist()
    [0.5, 0.0, -0.5, 0.0]
    """
    ndim, axes = len(shape), tuple(range(-len(shape), 0))
    inverse = _inverse(shape, steps, coupling)

    def solve(force: Tensor) -> Tensor:
        """Multiply the force by the inverse acoustic tensor at each frequency."""
        spectrum = torch.view_as_real(torch.fft.rfftn(force, dim=axes))
        moved = torch.empty_like(spectrum)
        for i in range(ndim):
            out = torch.mul(spectrum[:, 0], inverse[0, i], out=moved[:, i])
            for j in range(1, ndim):
                out.addcmul_(spectrum[:, j], inverse[min(i, j), max(i, j)])
        result: Tensor = torch.fft.irfftn(torch.view_as_complex(moved), s=tuple(shape), dim=axes)
        return result

    return solve


def _inverse(shape: Sequence[int], steps: Sequence[float], coupling: Tensor) -> dict[tuple[int, int], Tensor]:
    """Inverse of the acoustic tensor at each frequency, each entry twice: for real and for imaginary part."""
    waves = [torch.from_numpy(wave) for wave in _waves(shape, steps)]
    squared = sum((wave.square() for wave in waves), torch.zeros((), dtype=torch.float64))
    weight = torch.where(squared > 0, 1 / squared, 0.0)
    share = coupling.cpu().double().view(-1, *([1] * len(shape)))
    entries = {
        (i, j): weight * (float(i == j) - share * waves[i] * waves[j] * weight)
        for i, j in combinations_with_replacement(range(len(shape)), 2)
    }
    return {pair: torch.stack([entry, entry], -1).to(coupling) for pair, entry in entries.items()}


def _waves(shape: Sequence[int], steps: Sequence[float]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Modified wave vectors; their common phase is left out, it cancels in the acoustic tensor."""
    angles = [2 * np.pi * np.fft.fftfreq(size) for size in shape[:-1]] + [2 * np.pi * np.fft.rfftfreq(shape[-1])]
    # at the Nyquist frequency the cosine must be zero, not 6e-17: its modes have no gradient at all
    cosines = [np.where(np.abs(angle) < np.pi, np.cos(angle / 2), 0.0) for angle in angles]
    sines = [2 * np.sin(angle / 2) / step for angle, step in zip(angles, steps)]
    waves = []
    for axis in range(len(shape)):
        factors = np.ix_(*(sines[k] if k == axis else cosines[k] for k in range(len(shape))))
        waves.append(np.asarray(np.broadcast_arrays(*factors)).prod(axis=0))
    return waves


def _step(x: Tensor, dim: int, step: float) -> Tensor:
    wrapped = torch.cat([x, x.narrow(dim, 0, 1)], dim)
    size = x.shape[dim]
    out = wrapped.narrow(dim, 1, size) - wrapped.narrow(dim, 0, size)
    return out if step == 1 else out.div_(step)


def _between(x: Tensor, dim: int) -> Tensor:
    wrapped = torch.cat([x, x.narrow(dim, 0, 1)], dim)
    size = x.shape[dim]
    return torch.lerp(wrapped.narrow(dim, 0, size), wrapped.narrow(dim, 1, size), 0.5)


def _step_back(x: Tensor, dim: int, step: float) -> Tensor:
    size = x.shape[dim]
    wrapped = torch.cat([x.narrow(dim, size - 1, 1), x], dim)
    out = wrapped.narrow(dim, 1, size) - wrapped.narrow(dim, 0, size)
    return out if step == 1 else out.div_(step)


def _between_back(x: Tensor, dim: int) -> Tensor:
    size = x.shape[dim]
    wrapped = torch.cat([x.narrow(dim, size - 1, 1), x], dim)
    return torch.lerp(wrapped.narrow(dim, 0, size), wrapped.narrow(dim, 1, size), 0.5)
