"""Differentiable statistics of phase fields, in torch: their limits on 0/1 input are the exact forms.

Fields are ``batch x phase x *space`` and may take any real values; float64 passes gradcheck, float32 is for speed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.offsets import overlap_counts

__all__ = [
    "cross_field",
    "fraction_field",
    "lineal_path_field",
    "total_variation",
    "two_point_field",
    "unlike_neighbours",
]

_PAIRS = ((0, 1), (1, 0), (1, 1), (1, -1))


def two_point_field(field: Tensor, *, periodic: bool, half: Sequence[int]) -> Tensor:
    """Auto-correlate every phase: the two-point probability as a function of the field.

    Parameters
    ----------
    field : Tensor, shape (B, K, *S)
        Phase fields, float32 or float64; S has two or three axes.
    periodic : bool
        Whether opposite borders continue each other; otherwise zero-padded and divided by the overlap.
    half : sequence of int
        Largest offset along each axis.

    Returns
    -------
    Tensor, shape (B, K, 2 half_1 + 1, ...)
        Mean over x of field(x) field(x + r); the centre is r = 0.

    Raises
    ------
    InputError
        If ``half`` does not fit the field: one number per axis, at most half the side.

    Examples
    --------
    >>> field = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    >>> two_point_field(field, periodic=True, half=(1, 1))[0, 0, 1].tolist()
    [0.0, 0.5, 0.0]
    """
    return _correlate(field, field, periodic, half)


def cross_field(first: Tensor, second: Tensor, *, periodic: bool, half: Sequence[int]) -> Tensor:
    """Cross-correlate fields of one shape: mean over x of first(x) second(x + r).

    Pair phases by indexing, e.g. ``field[:, [0, 0, 1]]`` and ``field[:, [1, 2, 2]]``.

    Parameters
    ----------
    first, second : Tensor, shape (B, K, *S)
        Phase fields of one shape, float32 or float64.
    periodic : bool
        Whether positions are wrapped; otherwise only those count where both ends are inside.
    half : sequence of int
        Largest offset along each axis.

    Returns
    -------
    Tensor, shape (B, K, 2 half_1 + 1, ...)
        Mean over x of first(x) second(x + r); the centre is r = 0.

    Raises
    ------
    InputError
        If the shapes differ, or ``half`` does not fit: one number for each axis, at most half the side.

    Examples
    --------
    >>> field = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    >>> cross_field(field, 1 - field, periodic=True, half=(1, 1))[0, 0, 1].tolist()
    [0.5, 0.0, 0.5]
    """
    if first.shape != second.shape:
        raise InputError(f"fields of one shape are needed, found {tuple(first.shape)} and {tuple(second.shape)}.")
    return _correlate(first, second, periodic, half)


def fraction_field(field: Tensor) -> Tensor:
    """Average over space, which gives the volume fractions.

    Parameters
    ----------
    field : Tensor, shape (B, K, *S)
        Phase fields.

    Returns
    -------
    Tensor, shape (B, K)
        Volume fraction of each phase.

    Examples
    --------
    >>> fraction_field(torch.tensor([[[[0.0, 1.0], [1.0, 1.0]]]])).tolist()
    [[0.75]]
    """
    return field.flatten(2).mean(-1)


def lineal_path_field(field: Tensor, *, periodic: bool, reach: int) -> Tensor:
    """Soften the lineal path: the mean product of the field over segments of r + 1 pixels.

    Parameters
    ----------
    field : Tensor, shape (B, K, *S)
        Phase fields with values in [0, 1].
    periodic : bool
        Whether segments continue across the border; otherwise only those that fit are counted.
    reach : int
        Largest r, below every side.

    Returns
    -------
    Tensor, shape (B, K, ndim, reach + 1)
        Entry r = 0 is the volume fraction.

    Raises
    ------
    InputError
        If ``reach`` is negative or not below every side.

    Examples
    --------
    >>> field = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]] * 4]])
    >>> lineal_path_field(field, periodic=False, reach=2)[0, 0, 0].tolist()
    [0.5, 0.5, 0.5]
    """
    if not 0 <= reach < min(field.shape[2:]):
        raise InputError(f"reach={reach} does not fit a field of {tuple(field.shape[2:])}; give 0 up to side - 1.")
    axes = []
    for axis in range(2, field.ndim):
        segment = field
        values = [fraction_field(field)]
        for r in range(1, reach + 1):
            if periodic:
                segment = segment * field.roll(-r, axis)
            else:
                side = field.shape[axis] - r
                segment = segment.narrow(axis, 0, side) * field.narrow(axis, r, side)
            values.append(fraction_field(segment))
        axes.append(torch.stack(values, dim=-1))
    return torch.stack(axes, dim=2)


def total_variation(field: Tensor, *, periodic: bool, eps: float = 1e-6, known: Tensor | None = None) -> Tensor:
    """Average the isotropic gradient magnitude sqrt(sum_i (d_i v)^2 + eps) of every phase.

    Parameters
    ----------
    field : Tensor, shape (B, K, *S)
        Phase fields, float32 or float64.
    periodic : bool
        Whether differences are taken across the border; otherwise only where every forward neighbour exists.
    eps : float
        Keeps the gradient finite in flat parts, where the magnitude is sqrt(eps).
    known : Tensor of bool, shape (*S,), optional
        Positions count where they and all their forward neighbours are known; not for ``periodic``.

    Returns
    -------
    Tensor, shape (B, K)
        Mean over positions, per pixel length. (|dx| + |dy| instead would favour edges along the axes and make blocks.)

    Examples
    --------
    >>> field = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]] * 4]], dtype=torch.float64)
    >>> total_variation(field, periodic=True, eps=0.0).tolist()
    [[0.5]]
    """
    square = torch.full((), eps, dtype=field.dtype, device=field.device)
    axes = range(2, field.ndim)
    for axis in axes:
        difference = field.roll(-1, axis) - field if periodic else field.diff(dim=axis)
        if not periodic:
            difference = _inner(difference, [other for other in axes if other != axis])
        square = square + difference.square()
    if known is None:
        return square.sqrt().flatten(2).mean(-1)
    there = known[None, None]
    both = _inner(there, axes)
    for axis in axes:
        both = both & _inner(there.narrow(axis, 1, field.shape[axis] - 1), [other for other in axes if other != axis])
    return square.sqrt()[..., both[0, 0]].mean(-1)


def unlike_neighbours(planes: Tensor, *, periodic: bool, known: Tensor | None = None) -> Tensor:
    """Average over pairs of neighbours the share of those of which one is in a phase and the other is not.

    Pairs along rows and columns count once, those along diagonals by 1 / sqrt(2), their distance; the sum is then
    proportional to the length of interface with an error below 8 % in any direction. It is linear in every single
    pixel, so that its gradient on 0/1 input is the exact effect of a change of one pixel.

    Parameters
    ----------
    planes : Tensor, shape (B, K, H, W)
        Phase fields, float32 or float64.
    periodic : bool
        Whether opposite borders continue each other; otherwise pairs inside count.
    known : Tensor of bool, shape (H, W), optional
        Pairs count whose ends are both known; not for ``periodic``.

    Returns
    -------
    Tensor, shape (B, K)
        Weighted mean of p + q - 2 p q over pairs of values p and q.

    Examples
    --------
    >>> stripes = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(1, 1, 4, 4)
    >>> round(float(unlike_neighbours(stripes, periodic=True)), 4)
    0.3536
    """
    found = torch.zeros((), dtype=planes.dtype, device=planes.device)
    for down, right in _PAIRS:
        if periodic:
            first, second = planes, planes.roll((-down, -right), (2, 3))
        else:
            first, second = _pair(planes, down, right)
        unlike = first + second - 2 * first * second
        if known is None:
            mean = unlike.flatten(2).mean(-1)
        else:
            both = torch.logical_and(*_pair(known[None, None], down, right))[0, 0]
            mean = unlike[..., both].mean(-1)
        found = found + mean / math.hypot(down, right)
    return found / sum(1 / math.hypot(*pair) for pair in _PAIRS)


def _pair(values: Tensor, down: int, right: int) -> tuple[Tensor, Tensor]:
    """Values of which both ends of a pair lie inside, and those at the other end."""
    height, width = values.shape[2:]
    left = slice(max(0, -right), width - max(0, right))
    there = slice(max(0, right), width - max(0, -right))
    return values[..., : height - down, left], values[..., down:, there]


def _inner(values: Tensor, axes: Sequence[int]) -> Tensor:
    """Leave out the last position along axes, which has no forward neighbour."""
    for axis in axes:
        values = values.narrow(axis, 0, values.shape[axis] - 1)
    return values


def _correlate(first: Tensor, second: Tensor, periodic: bool, half: Sequence[int]) -> Tensor:
    space = first.shape[2:]
    if len(half) != len(space) or any(not 0 <= h <= n // 2 for h, n in zip(half, space)):
        raise InputError(f"half={tuple(half)} does not fit a field of {tuple(space)}; give one number up to side // 2.")
    size = [n if periodic else next_fast_len(n + h, real=True) for n, h in zip(space, half, strict=True)]
    axes = tuple(range(2, first.ndim))
    values: Tensor
    if first is second:
        values = _AutoCorrelation.apply(first, size, axes)  # type: ignore[no-untyped-call]
    else:
        power = torch.fft.rfftn(first, s=size, dim=axes).conj() * torch.fft.rfftn(second, s=size, dim=axes)
        values = torch.fft.irfftn(power, s=size, dim=axes)
    for axis, (n, h) in enumerate(zip(size, half, strict=True), start=2):
        order = torch.arange(-h, h + 1, device=first.device) % n
        values = values.index_select(axis, order)
    counts = torch.as_tensor(overlap_counts(space, half, periodic), dtype=first.dtype, device=first.device)
    return values / counts


class _AutoCorrelation(torch.autograd.Function):
    """Sum over x of field(x) field(x + r) on a periodic grid; its gradient takes two real transforms.

    PyTorch's own gradient of a real transform is a complex one of twice the size.
    """

    @staticmethod
    def forward(ctx: Any, field: Tensor, size: list[int], axes: tuple[int, ...]) -> Tensor:
        spectrum = torch.fft.rfftn(field, s=size, dim=axes)
        ctx.save_for_backward(field, spectrum)
        ctx.size, ctx.axes = size, axes
        values: Tensor = torch.fft.irfftn(spectrum.real.square() + spectrum.imag.square(), s=size, dim=axes)
        return values

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        field, spectrum = ctx.saved_tensors
        if torch.is_grad_enabled():  # for a second derivative, which has to know where the spectrum comes from
            spectrum = torch.fft.rfftn(field, s=ctx.size, dim=ctx.axes)
        both = 2 * torch.fft.rfftn(gradient, dim=ctx.axes).real  # offsets r and -r
        found: Tensor = torch.fft.irfftn(spectrum * both, s=ctx.size, dim=ctx.axes)
        for axis in ctx.axes:
            found = found.narrow(axis, 0, field.shape[axis])
        return found, None, None
