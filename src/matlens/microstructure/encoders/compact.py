"""The encoder that MatLens ships: VGG-19's first eight convolutions with half of their channels or fewer.

Each layer ends in a read-out, a 1 x 1 convolution to coordinates in which distances are those of the teacher's
activations; so a distance of Gram matrices estimates the distance of VGG-19's Gram matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from matlens.errors import InputError
from matlens.microstructure.encoders.base import Loss
from matlens.microstructure.encoders.vgg19 import VGG19, named_for_file, phase_colours

__all__ = ["Compact"]

# docs/decisions/0048-an-encoder-of-our-own.md: the third block is for properties
_LAYERS = {"conv1_1": 1.0, "pool1": 1.0, "pool2": 1.0}


class Compact(VGG19):
    """Compute the features of a narrow network that was trained to see what VGG-19 sees.

    Two phases are one channel, three and four are colours, and above four every phase is an image of its own.

    Parameters
    ----------
    weights : mapping of str to Tensor
        ``features.N.weight`` and ``features.N.bias`` as for `VGG19` but for any number of channels, which take colours
        in [-1, 1]; and ``readN.weight``, shape (read-outs, channels), and ``readN.bias`` for
        convolutions with a read-out.
    name : str
        Name in the registry of encoders.
    source : dict of str to str, optional
        Provenance of the weights.

    Raises
    ------
    InputError
        If a tensor is missing or has a shape that does not fit the others.

    Notes
    -----
    Model pruning as in Li et al., Sci. Rep. 8, 13461 (2018), in width instead of depth; distillation after Hinton,
    Vinyals and Dean, arXiv:1503.02531 (2015). The model card is docs/encoder.md.

    Examples
    --------
    >>> from matlens.microstructure.encoders import load_encoder
    >>> net = load_encoder("matlens")
    >>> x = torch.rand(1, 1, 8, 8)
    >>> net.features(torch.cat([1 - x, x], 1), ["pool1"], "circular")["pool1"].shape
    torch.Size([1, 32, 4, 4])
    """

    losses: ClassVar[Mapping[str, Loss]] = {
        "default": Loss(_LAYERS, coarse=120, fine=80, coarsest=240),
        "fast": Loss(_LAYERS, coarse=70, fine=50),
    }
    citations: ClassVar[tuple[str, ...]] = ("simonyan2014very", "hinton2015distilling")
    seconds_per_pixel: ClassVar[float] = 1.2e-6
    bytes_per_pixel: ClassVar[float] = 1.1e3

    def __init__(
        self, weights: Mapping[str, Tensor], name: str = "matlens", source: dict[str, str] | None = None
    ) -> None:
        super().__init__(weights, name, source)
        for buffer in ("mean", "std"):
            self.get_buffer(buffer).fill_(0.5)  # so that colours from -1 to 1 are the input
        self._reads: dict[str, int] = {}
        index = 0
        for layer, convolution in self.steps:
            index = index if convolution is None else convolution  # a mean of read-outs is the read-out of the mean
            if f"read{index}.weight" not in weights:
                continue
            self._reads[layer] = index
            if convolution is not None:
                matrix, shift = weights[f"read{index}.weight"], weights[f"read{index}.bias"]
                channels = self.layer(layer).channels
                if matrix.shape[1:] != (channels,) or shift.shape != matrix.shape[:1]:
                    raise InputError(
                        f"the read-out of {layer} has shapes {tuple(matrix.shape)} and {tuple(shift.shape)}, expected "
                        f"(read-outs, {channels}) and (read-outs,)."
                    )
                self.register_buffer(f"read{index}", matrix.detach().float()[:, :, None, None].contiguous())
                self.register_buffer(f"shift{index}", shift.detach().float().contiguous())

    def weights_to(self, depth: str) -> dict[str, Tensor]:
        """Return the kernels and biases up to a layer, and the layer's read-out.

        Parameters
        ----------
        depth : str
            Name of the layer.

        Returns
        -------
        dict of str to Tensor
            ``kernel0``, ``bias0``, ``kernel2`` and so on; at the end ``readN`` and ``shiftN``.
        """
        found = super().weights_to(depth)
        if depth in self._reads:
            names = (f"read{self._reads[depth]}", f"shift{self._reads[depth]}")
            found |= {name: self.get_buffer(name) for name in names}
        return found

    def stored(self) -> dict[str, Tensor]:
        """Return all tensors under the names of a weights file, from which `Compact` builds the same network.

        Returns
        -------
        dict of str to Tensor
            ``features.N.weight``, ``features.N.bias``, ``readN.weight`` and ``readN.bias``.
        """
        found = named_for_file(super().weights_to(self.layers[-1].name))
        for index in dict.fromkeys(self._reads.values()):
            found[f"read{index}.weight"] = self.get_buffer(f"read{index}")[:, :, 0, 0].contiguous()
            found[f"read{index}.bias"] = self.get_buffer(f"shift{index}")
        return found

    def trainable(self, depth: str, seed: int | None = None) -> Compact:
        """Copy the network up to a layer, without read-outs: a network that is trained has an output of its own.

        Parameters
        ----------
        depth : str
            Name of the deepest layer.
        seed : int, optional
            Seed of random He-normal weights (He et al., ICCV 2015); by default, the weights of this network are copied.

        Returns
        -------
        Compact
            The copy, on the device of this network.
        """
        weights = named_for_file({name: value.clone() for name, value in super().weights_to(depth).items()})
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
            weights = {name: _he_normal(value, generator) for name, value in weights.items()}
        return Compact(weights, self.name, self.source).to(self.get_buffer("mean").device)

    def prepare(self, indicators: Tensor) -> Tensor:
        """Colour the phases; the two phases of one image need a single channel.

        Parameters
        ----------
        indicators : Tensor, shape (B, K, H, W)
            Amounts of the phases in [0, 1].

        Returns
        -------
        Tensor, shape (B * passes, 1 or 3, H, W)
            Images, in [-1, 1] where the indicators are in [0, 1].
        """
        batch, phases, *space = indicators.shape
        if self.passes(phases) > 1:
            return 2 * indicators.reshape(batch * phases, 1, *space) - 1
        colours = phase_colours(phases).to(indicators)
        return torch.einsum("bkhw,kc->bchw", indicators, colours[:, :1] if phases == 2 else colours)

    def read(self, layer: str, activations: Tensor) -> Tensor:
        """Return the read-out of a layer, or its activations where it has no read-out.

        Parameters
        ----------
        layer : str
            Name of the layer.
        activations : Tensor, shape (B, C, h, w)
            Its activations.

        Returns
        -------
        Tensor, shape (B, read-outs, h, w)
            The read-out.
        """
        if layer not in self._reads:
            return activations
        index = self._reads[layer]
        # A product of matrices: of 1 x 1 pixels PyTorch's convolution is several times slower, and keeps more.
        matrix, shift = self.get_buffer(f"read{index}").flatten(1), self.get_buffer(f"shift{index}")
        return functional.linear(activations.movedim(1, -1), matrix, shift).movedim(-1, 1)


def _he_normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a kernel of the shape of another with variance 2 / inputs; biases are zero."""
    if like.ndim == 1:
        return torch.zeros_like(like)
    drawn = torch.randn(like.shape, generator=generator).to(like.device)
    return drawn.mul_((2 / like[0].numel()) ** 0.5)
