"""Padding, convolution and rectifier as one operation, which keeps nothing for its gradient but its result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from matlens.microstructure.encoders.base import Padding, pad

__all__ = ["convolved"]


def convolved(images: Tensor, kernel: Tensor, bias: Tensor, padding: Padding) -> Tensor:
    """Pad images, convolve them and set negative values to zero.

    With fixed weights, the gradient needs only to know where the result is positive. It is computed once: it has no
    derivative itself. Weights that are trained, and borders wider than the image, take PyTorch's own operations.

    Parameters
    ----------
    images : Tensor, shape (B, C, H, W)
        Images.
    kernel : Tensor, shape (D, C, 2 p + 1, 2 p + 1)
        Filters; their odd size gives the width p of the border.
    bias : Tensor, shape (D,)
        Value added to each response.
    padding : {"valid", "circular", "reflect"}
        Treatment of borders: none, periodic, or reflection.

    Returns
    -------
    Tensor, shape (B, D, H, W), or (B, D, H - 2 p, W - 2 p) for ``"valid"``
        Responses, on the processor with the channels last in memory.

    Examples
    --------
    >>> image, sums = torch.eye(3)[None, None], torch.ones(1, 1, 3, 3)
    >>> convolved(image, sums, torch.tensor([-2.0]), "circular")[0, 0].tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    border = 0 if padding == "valid" else kernel.shape[-1] // 2
    trained = torch.is_grad_enabled() and (kernel.requires_grad or bias.requires_grad)
    if trained or border > min(images.shape[-2:]) - (padding == "reflect"):
        return functional.relu(functional.conv2d(pad(images, border, padding), kernel, bias))
    found: Tensor = _Convolved.apply(images, kernel, bias, padding, border)  # type: ignore[no-untyped-call]
    return found


class _Convolved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, kernel: Tensor, bias: Tensor, padding: Padding, border: int) -> Tensor:
        kernel = _laid_out(kernel)
        found = functional.conv2d(_widened(images, padding, border), kernel, bias).relu_()
        ctx.save_for_backward(found, kernel)
        ctx.padding, ctx.border = padding, border
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        found, kernel = ctx.saved_tensors
        padding, border = ctx.padding, ctx.border
        # A periodic convolution is transposed by another one: its result is whole, where that of PyTorch's transposed
        # convolution has borders to be folded, cut off and copied.
        periodic, alone = padding == "circular", kernel.shape[1] == 1 and _last(found)
        wide, inside = _framed(found, border if periodic and not alone else 0)
        torch.ops.aten.threshold_backward.grad_input(gradient, found, 0, grad_input=inside)
        if not periodic:
            back = _folded(functional.conv_transpose2d(wide, kernel), border)
        elif alone:
            back = _gathered(wide, kernel)
        else:
            _fill_borders(wide, padding, border)
            back = functional.conv2d(wide, _laid_out(kernel.transpose(0, 1).flip(2, 3)))
        return back, None, None, None, None


def _last(images: Tensor) -> bool:
    """Return whether channels are last in memory, which is the fast order on the processor."""
    return images.device.type == "cpu"


def _laid_out(images: Tensor) -> Tensor:
    """Return the images in the order of memory that is fast on their device."""
    if not _last(images):
        return images.contiguous()
    if images.stride(1) == 1 and images.stride(3) == images.shape[1]:
        return images
    # Not `contiguous`: of one channel both orders are the same numbers, but only strides tell PyTorch which one it is.
    return torch.empty_like(images, memory_format=torch.channels_last).copy_(images)


def _framed(images: Tensor, border: int) -> tuple[Tensor, Tensor]:
    """Return an empty tensor like the images with a border, and the part of it inside the border."""
    batch, channels, height, width = images.shape
    order = torch.channels_last if _last(images) else torch.contiguous_format
    size = (batch, channels, height + 2 * border, width + 2 * border)
    wide = torch.empty(size, dtype=images.dtype, device=images.device, memory_format=order)
    return wide, wide[:, :, border : border + height, border : border + width]


def _widened(images: Tensor, padding: Padding, border: int) -> Tensor:
    """Return the images with their borders."""
    if border == 0:
        return _laid_out(images)
    wide, inside = _framed(images, border)
    inside.copy_(images)
    _fill_borders(wide, padding, border)
    return wide


def _fill_borders(wide: Tensor, padding: Padding, border: int) -> None:
    """Copy the pixels that the borders repeat."""
    for axis in (2, 3):
        for rim, source in _borders(wide, axis, padding, border):
            rim.copy_(source.flip(axis) if padding == "reflect" else source)


def _folded(wide: Tensor, border: int) -> Tensor:
    """Add reflected borders to the pixels that they repeat, in place, and cut them off."""
    if border == 0:
        return wide
    for axis in (3, 2):
        for rim, source in _borders(wide, axis, "reflect", border):
            source += rim.flip(axis)
    return wide[:, :, border:-border, border:-border]


def _borders(wide: Tensor, axis: int, padding: Padding, border: int) -> Iterator[tuple[Tensor, Tensor]]:
    """List both borders along an axis, each with the pixels that it repeats, which reflection repeats in reverse."""
    inside = wide.shape[axis] - 2 * border
    before, after = (border + 1, inside - 1) if padding == "reflect" else (inside, border)
    yield wide.narrow(axis, 0, border), wide.narrow(axis, before, border)
    yield wide.narrow(axis, inside + border, border), wide.narrow(axis, after, border)


def _gathered(gradient: Tensor, kernel: Tensor) -> Tensor:
    """Transpose a periodic convolution of a single channel: one product for all offsets, and a shift of each.

    PyTorch's convolution computes as many channels as a register of the processor holds, and here keeps one of them.
    """
    size, (batch, channels, height, width) = kernel.shape[-1], gradient.shape
    rows = gradient.permute(0, 2, 3, 1).reshape(-1, channels)
    shares = (kernel.reshape(channels, -1).T @ rows.T).reshape(size, size, batch, 1, height, width)
    total = torch.zeros_like(shares[0, 0])
    for y in range(size):
        for x in range(size):
            total += shares[y, x].roll((y - size // 2, x - size // 2), (2, 3))
    return total
