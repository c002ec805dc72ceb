"""What every encoder is: weights, preprocessing and named layers as one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from matlens.errors import InputError

__all__ = ["Encoder", "Layer", "Padding", "pad"]

Padding = Literal["valid", "circular", "reflect"]


@dataclass(frozen=True)
class Layer:
    """A named place in an encoder where activations are read.

    Attributes
    ----------
    name : str
        For example ``"conv1_1"``, always after the rectifier.
    channels : int
        Number of feature maps C.
    stride : int
        Pixels of the image between neighbouring positions.
    receptive_field : int
        Side of the square of pixels one position sees.
    """

    name: str
    channels: int
    stride: int
    receptive_field: int


class Encoder(nn.Module, ABC):
    """Turns phase indicators into feature maps; fixed, never trained.

    Attributes
    ----------
    name : str
        Registry name.
    family : str
        Encoders of one family share layer names: ``"vgg19"`` or ``"filterbank"``.
    layers : tuple of Layer
        From shallow to deep.
    source : dict of str to str
        Provenance: where the weights come from and their SHA-256.
    """

    name: str
    family: str
    layers: tuple[Layer, ...]
    source: dict[str, str]

    @abstractmethod
    def prepare(self, indicators: Tensor) -> Tensor:
        """Preprocess ``batch x phase x height x width`` indicators into the network's input images.

        More than one image may stand for one structure: ``batch * passes x channels x height x width``.
        """

    @abstractmethod
    def forward_layers(self, images: Tensor, wanted: frozenset[str], padding: Padding) -> dict[str, Tensor]:
        """One pass over prepared images, stopped after the deepest wanted layer."""

    def features(self, indicators: Tensor, layers: Sequence[str], padding: Padding = "valid") -> dict[str, Tensor]:
        """Activations of the named layers in one shared pass.

        Parameters
        ----------
        indicators : Tensor
            ``batch x phase x height x width``, values in [0, 1] that sum to one over phases.
        layers : sequence of str
            Names among ``self.layers``.
        padding : {"valid", "circular", "reflect"}
            How borders are met: not at all, periodically, or by reflection.

        Returns
        -------
        dict of str to Tensor
            ``batch * passes x channels x h x w`` for every asked layer that has at least one position.
        """
        known = {layer.name for layer in self.layers}
        if unknown := [name for name in layers if name not in known]:
            raise InputError(
                f"encoder {self.name!r} has no layer {unknown[0]!r}; it has {', '.join(x.name for x in self.layers)}."
            )
        return self.forward_layers(self.prepare(indicators), frozenset(layers), padding)

    def adapted(self, exemplars: Sequence[Tensor]) -> Encoder:
        """Fit to the exemplars' indicators; a network with fixed weights is what it is."""
        return self

    def layer(self, name: str) -> Layer:
        """Look up a layer by name."""
        return next(layer for layer in self.layers if layer.name == name)


def pad(images: Tensor, width: int, padding: Padding) -> Tensor:
    """Pad height and width by ``width`` pixels, periodically or by reflection; ``"valid"`` pads nothing."""
    if padding == "valid" or width == 0:
        return images
    if width <= min(images.shape[-2:]) - (padding == "reflect"):
        return functional.pad(images, (width,) * 4, mode=padding)
    # By more than the image is wide, as on the coarsest pyramid levels.
    rows, columns = (_beyond(side, width, padding) for side in images.shape[-2:])
    return images[..., rows[:, None], columns]


def _beyond(side: int, width: int, padding: Padding) -> Tensor:
    """Places of ``side`` pixels that stand for those from ``-width`` to ``side + width``."""
    places = torch.arange(-width, side + width)
    if padding == "circular":
        return places % side
    period = max(2 * (side - 1), 1)
    places = places % period
    return torch.minimum(places, period - places).clamp(max=side - 1)
