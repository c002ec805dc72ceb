"""Inverses of the discrete Laplacian of a homogeneous body, which precondition conduction in a heterogeneous one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import torch
from scipy import fft
from torch import Tensor

from matlens.microstructure.physics.faces import AxisKind

__all__ = ["inverse_laplacian"]

Operator = Callable[[Tensor], Tensor]
_LONG = 256  # cells along an axis


def inverse_laplacian(
    shape: Sequence[int], steps: Sequence[float], kinds: Sequence[AxisKind], *, like: Tensor, rotated: bool = False
) -> Operator:
    """Build the inverse of minus the Laplacian over the last axes of a tensor.

    Constants that no border fixes are mapped to zero.

    Parameters
    ----------
    shape : sequence of int
        Cells along each axis.
    steps : sequence of float
        Distance of cell centres along each axis.
    kinds : sequence of {"periodic", "insulated", "fixed"}
        Kind of border of each axis.
    like : Tensor
        Gives dtype and device.
    rotated : bool
        Whether the Laplacian is that of the rotated scheme, on periodic axes.

    Returns
    -------
    callable
        Maps tensors ``... x *space`` to tensors of the same shape: by FFT where all axes are periodic, else by the
        eigenvectors of each axis, which are sines and cosines. Products of matrices are faster than transforms up to
        some hundred cells along an axis; beyond, cosine and sine transforms take their place on the processor.

    Examples
    --------
    >>> r = torch.tensor([[1.0, -1.0]])
    >>> inverse_laplacian((1, 2), (1.0, 1.0), ("periodic", "periodic"), like=r)(r)
    tensor([[ 0.2500, -0.2500]])
    """
    if all(kind == "periodic" for kind in kinds):
        return _by_fourier(shape, steps, like, rotated)
    if max(shape) > _LONG and "periodic" not in kinds and like.device.type == "cpu":
        return _by_transforms(shape, steps, kinds, like)
    return _by_eigenvectors(shape, steps, kinds, like)


def _by_fourier(shape: Sequence[int], steps: Sequence[float], like: Tensor, rotated: bool) -> Operator:
    dims = tuple(range(-len(shape), 0))
    counts = [*shape[:-1], shape[-1] // 2 + 1]
    angles = [torch.pi / n * torch.arange(count, dtype=torch.float64) for n, count in zip(shape, counts)]
    spectra = [(2.0 / step * torch.sin(angle)) ** 2 for angle, step in zip(angles, steps)]
    inverse = _reciprocal(_rotated_sum(spectra, angles) if rotated else _outer_sum(spectra)).to(like)

    def apply(r: Tensor) -> Tensor:
        result: Tensor = torch.fft.irfftn(torch.fft.rfftn(r, dim=dims).mul_(inverse), s=tuple(shape), dim=dims)
        return result

    return apply


def _rotated_sum(spectra: Sequence[Tensor], angles: Sequence[Tensor]) -> Tensor:
    """Eigenvalues of the rotated scheme: differences along one axis are averaged along the others."""
    means = [torch.cos(angle) ** 2 for angle in angles]
    terms = []
    for axis in range(len(spectra)):
        factors = [spectra[i] if i == axis else means[i] for i in range(len(spectra))]
        terms.append(reduce(lambda a, b: a[..., None] * b, factors))
    return torch.stack(terms).sum(0)


def _by_eigenvectors(shape: Sequence[int], steps: Sequence[float], kinds: Sequence[AxisKind], like: Tensor) -> Operator:
    pairs = [torch.linalg.eigh(_second_difference(n, step, kind)) for n, step, kind in zip(shape, steps, kinds)]
    inverse = _reciprocal(_outer_sum([values for values, _ in pairs])).to(like)
    vectors = [vectors.to(like) for _, vectors in pairs]

    def apply(r: Tensor) -> Tensor:
        return _along_axes(_along_axes(r, [v.mT for v in vectors]).mul_(inverse), vectors)

    return apply


def _by_transforms(shape: Sequence[int], steps: Sequence[float], kinds: Sequence[AxisKind], like: Tensor) -> Operator:
    """The same by cosine transforms along insulated axes and sine transforms along fixed ones."""
    spectra = []
    for n, step, kind in zip(shape, steps, kinds):
        waves = torch.arange(n, dtype=torch.float64) + float(kind == "fixed")  # constants are possible where insulated
        spectra.append((2.0 / step * torch.sin(torch.pi * waves / (2 * n))) ** 2)
    inverse = _reciprocal(_outer_sum(spectra)).to(like).numpy()
    axes = {kind: [i - len(kinds) for i, one in enumerate(kinds) if one == kind] for kind in ("insulated", "fixed")}

    def apply(r: Tensor) -> Tensor:
        values = fft.dstn(fft.dctn(r.numpy(), axes=axes["insulated"], norm="ortho"), axes=axes["fixed"], norm="ortho")
        values *= inverse
        values = fft.idctn(fft.idstn(values, axes=axes["fixed"], norm="ortho"), axes=axes["insulated"], norm="ortho")
        return torch.from_numpy(values)

    return apply


def _second_difference(n: int, step: float, kind: AxisKind) -> Tensor:
    """Minus the second derivative along one axis as a dense (n, n) matrix."""
    forward = torch.roll(torch.eye(n, dtype=torch.float64), -1, 0) - torch.eye(n, dtype=torch.float64)
    if kind != "periodic":
        forward[-1] = 0.0
    matrix = forward.mT @ forward
    if kind == "fixed":  # half a cell to the border: twice the conductance
        matrix[0, 0] += 2.0
        matrix[-1, -1] += 2.0
    return matrix / step**2


def _along_axes(r: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Multiply the last axes by one matrix each."""
    for axis, matrix in enumerate(matrices, start=r.ndim - len(matrices)):
        r = r @ matrix.mT if axis == r.ndim - 1 else (matrix @ r.flatten(axis + 1)).view(r.shape)
    return r


def _outer_sum(spectra: Sequence[Tensor]) -> Tensor:
    return reduce(lambda a, b: a[..., None] + b, spectra)


def _reciprocal(values: Tensor) -> Tensor:
    """1 / values, and zero for eigenvalues that are zero up to rounding."""
    return torch.where(values > 1e-13 * values.max(), 1.0 / values, 0.0)
