"""Layers of many small networks at once, each with its backward pass written by hand.

A layer holds the same layer of all m members: activations have shape (m, B, features), parameters (m, ...). What a
member computes does not depend on the others. Training of 1300 epochs dominates a whole `learn` of this preset, so that
what hand-written passes save is worth its price here, and here alone (docs/decisions/0042-members-side-by-side.md).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Convolution", "Dense", "Dropout", "Elu", "Layer"]

_BLOCK = 16  # positions of a convolution that one row of the banded product makes


class Layer:
    """Parameters and their gradients are views bound by the network; buffers are kept between steps.

    Examples
    --------
    >>> Layer().shapes
    {}
    """

    shapes: dict[str, tuple[int, ...]]

    def __init__(self) -> None:
        self.shapes = {}
        self.parameters: dict[str, Tensor] = {}
        self.gradients: dict[str, Tensor] = {}
        self._kept: dict[tuple[str, tuple[int, ...]], Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Output, shape (m, B, outputs), of x of shape (m, B, inputs); what `backward` needs is remembered."""
        raise NotImplementedError

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor | None:
        """Turn the loss' gradient in the output into that in x (if ``inputs``) and, where bound, in the parameters.

        ``gradient`` may be overwritten.
        """
        raise NotImplementedError

    def buffer(self, name: str, shape: Sequence[int], like: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """A tensor of zeros at first, later as it was left."""
        key = (name, tuple(shape))
        if key not in self._kept:
            self._kept[key] = torch.zeros(key[1], dtype=dtype or like.dtype, device=like.device)
        return self._kept[key]


class Dense(Layer):
    """Linear map with bias; weight (inputs, outputs).

    Examples
    --------
    >>> layer = Dense(2, 1)
    >>> layer.parameters = {"weight": torch.ones(3, 2, 1), "bias": torch.zeros(3, 1)}
    >>> layer.forward(torch.ones(3, 4, 2)).shape
    torch.Size([3, 4, 1])
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.shapes = {"weight": (inputs, outputs), "bias": (outputs,)}

    def forward(self, x: Tensor) -> Tensor:
        """Linear map."""
        self.x = x
        weight, bias = self.parameters["weight"], self.parameters["bias"]
        out = self.buffer("out", (*x.shape[:2], weight.shape[2]), x)
        return torch.baddbmm(bias[:, None], x, weight, out=out)

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor | None:
        """Transposed products."""
        if self.gradients:
            torch.bmm(self.x.mT, gradient, out=self.gradients["weight"])
            torch.sum(gradient, 1, out=self.gradients["bias"])
        if not inputs:
            return None
        return torch.bmm(gradient, self.parameters["weight"].mT, out=self.buffer("gradient", self.x.shape, gradient))


class Elu(Layer):
    """x where positive, exp(x) - 1 elsewhere.

    Examples
    --------
    >>> Elu().forward(torch.tensor([[[-1.0, 2.0]]])).round(decimals=2)
    tensor([[[-0.6300,  2.0000]]])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Exponential linear unit."""
        self.out = self.buffer("out", x.shape, x)
        torch.ops.aten.elu.out(x, out=self.out)
        return self.out

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor | None:
        """Gradient is 1 where positive, out + 1 elsewhere."""
        torch.ops.aten.elu_backward.grad_input(gradient, 1.0, 1.0, 1.0, True, self.out, grad_input=gradient)
        return gradient


class Dropout(Layer):
    """Drops each input with probability 2^-k and enlarges the others; does nothing without random bits.

    Bits come as whole words drawn beforehand. An input is kept if any of its k bits is set, so 32 inputs share k
    words: less than a tenth of the time that uniform numbers would take.

    Parameters
    ----------
    inputs : int
        Features of a sample.
    halvings : int
        k; 2 for a probability of 0.25.

    Examples
    --------
    >>> layer = Dropout(64)
    >>> layer.bits = torch.randint(-(2**63), 2**63 - 1, (1, layer.words(1000)))
    >>> kept = layer.forward(torch.ones(1, 1000, 64))
    >>> kept.unique()
    tensor([0.0000, 1.3333])
    >>> bool(abs(kept.mean() - 1) < 0.02)
    True
    """

    bits: Tensor | None = None

    def __init__(self, inputs: int, halvings: int = 2) -> None:
        super().__init__()
        self.inputs, self.halvings = inputs, halvings
        kept = 1 / (1 - 0.5**halvings)
        self._pattern = struct.unpack("i", struct.pack("f", kept))[0]  # the float's bits, to be cut out by a mask

    def words(self, batch: int) -> int:
        """Number of 64-bit words that a member needs for a batch."""
        return self.halvings * -(-batch * self.inputs // 64)

    def forward(self, x: Tensor) -> Tensor:
        """Product with 0 or 1 / (1 - probability)."""
        if self.bits is None:
            return x
        self.factor = self._factors(x, self.bits)
        return torch.mul(x, self.factor, out=self.buffer("out", x.shape, x))

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor | None:
        """The same product."""
        if self.bits is None or not inputs:
            return gradient
        return gradient.mul_(self.factor)

    def _factors(self, x: Tensor, bits: Tensor) -> Tensor:
        """Spread the bits over whole numbers, in which a set bit becomes the sign and then all ones."""
        members, batch, _ = x.shape
        count = self.words(batch) // self.halvings
        words = bits[:, :count]
        for draw in range(1, self.halvings):
            words = words | bits[:, draw * count : (draw + 1) * count]
        lanes = torch.arange(32, dtype=torch.int32, device=x.device)
        mask = self.buffer("mask", (members, 2 * count, 32), x, torch.int32)
        torch.bitwise_left_shift(words.contiguous().view(torch.int32)[..., None], lanes, out=mask)
        mask.bitwise_right_shift_(31).bitwise_and_(self._pattern)
        return mask.view(torch.float32).flatten(1)[:, : batch * self.inputs].view(x.shape)


class Convolution(Layer):
    """One channel to several along the axis, no padding; outputs ordered by position, then channel.

    Sixteen positions at a time are one product with a banded matrix, which holds the bias in a row of its own: three
    times the arithmetic of the sliding sum in a fifth of its time.

    Parameters
    ----------
    inputs : int
        Channels of the spectrum.
    filters, width : int
        Output channels, and taps.

    Examples
    --------
    >>> layer = Convolution(20, filters=1, width=3)
    >>> layer.parameters = {"weight": torch.ones(1, 3, 1), "bias": torch.ones(1, 1)}
    >>> layer.forward(torch.arange(20.0).view(1, 1, 20))[0, 0, :3]
    tensor([ 4.,  7., 10.])
    """

    def __init__(self, inputs: int, filters: int, width: int) -> None:
        super().__init__()
        self.shapes = {"weight": (width, filters), "bias": (filters,)}
        self.inputs, self.filters, self.width = inputs, filters, width
        self.positions = inputs - width + 1
        self.blocks = -(-self.positions // _BLOCK)
        self.outputs = self.positions * filters

    def forward(self, x: Tensor) -> Tensor:
        """Banded product."""
        members, batch, _ = x.shape
        self.windows, band = self._windows(x), self._band(x)
        out = self.buffer("out", (members, batch * self.blocks, _BLOCK * self.filters), x)
        torch.bmm(self.windows.flatten(1, 2), band, out=out)
        return out.view(members, batch, -1)[..., : self.outputs]

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor | None:
        """Transposed products; diagonals of the band's gradient are summed, windows of the input's overlap."""
        members, batch, _ = gradient.shape
        whole = self.buffer("whole", (members, batch, self.blocks * _BLOCK * self.filters), gradient)
        whole[..., : self.outputs] = gradient
        rows = whole.view(members, batch * self.blocks, -1)
        if self.gradients:
            band = torch.bmm(self.windows.flatten(1, 2).mT, rows)
            torch.sum(self._diagonals(band), 1, out=self.gradients["weight"])
            torch.sum(band[:, -1].view(members, _BLOCK, self.filters), 1, out=self.gradients["bias"])
        if not inputs:
            return None
        windows = torch.bmm(rows, self.parameters["band"].mT).view(members, batch, self.blocks, -1)
        out = gradient.new_zeros(members, batch, (self.blocks + 1) * _BLOCK)
        out[..., : self.blocks * _BLOCK] = windows[..., :_BLOCK].flatten(2)
        overlap = out[..., _BLOCK:].view(members, batch, self.blocks, _BLOCK)[..., : self.width - 1]
        overlap += windows[..., _BLOCK:-1]
        return out[..., : self.inputs]

    def _windows(self, x: Tensor) -> Tensor:
        """Windows of sixteen positions and their margin, and a one for the bias; zeros beyond the end."""
        members, batch, inputs = x.shape
        reach = _BLOCK + self.width - 1
        out = self.buffer("windows", (members, batch, self.blocks, reach + 1), x)
        whole = (inputs - reach) // _BLOCK + 1 if inputs >= reach else 0
        if whole:
            out[:, :, :whole, :-1] = x.unfold(2, reach, _BLOCK)
        for block in range(whole, self.blocks):
            rest = x[..., block * _BLOCK : block * _BLOCK + reach]
            out[:, :, block, : rest.shape[2]] = rest
        out[..., -1] = 1
        return out

    def _band(self, x: Tensor) -> Tensor:
        """The banded matrix, shape (m, window, positions x filters)."""
        weight, bias = self.parameters["weight"], self.parameters["bias"]
        band = self.buffer("band", (len(weight), _BLOCK + self.width, _BLOCK * self.filters), x)
        self._diagonals(band).copy_(weight[:, None].expand(-1, _BLOCK, -1, -1))
        band[:, -1] = bias.repeat(1, _BLOCK)
        self.parameters["band"] = band
        return band

    def _diagonals(self, band: Tensor) -> Tensor:
        """View of a band as (m, position, tap, filter): where each tap stands for each position."""
        row = _BLOCK * self.filters
        return band.as_strided(
            (len(band), _BLOCK, self.width, self.filters), (band.stride(0), row + self.filters, row, 1)
        )
