"""What every encoder is: weights, preprocessing and named layers as one object."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from matlens.errors import InputError

__all__ = ["Encoder", "Layer", "Loss", "Padding", "pad"]

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


@dataclass(frozen=True)
class Loss:
    """What reconstruction matches in an encoder's features, and how long it tries.

    Attributes
    ----------
    layers : mapping of str to float
        Loss layers and their weights.
    coarse, fine : int
        Evaluations of the loss on each coarser level and on the full-size level.
    """

    layers: Mapping[str, float]
    coarse: int
    fine: int


class Encoder(nn.Module, ABC):
    """Turns phase indicators into feature maps; fixed, never trained in place.

    A new encoder is a subclass in a file of its own and one line in `matlens.microstructure.encoders.registry`.

    Attributes
    ----------
    losses : mapping of str to Loss
        Defaults of reconstruction by the name of a preset; ``"default"`` stands for presets that are not named.
    citations : tuple of str
        Keys in runs/citations.bib of what describes the encoder.
    seconds_per_pixel : float
        Processor time of an evaluation with its gradient for each pixel, in seconds (docs/results.md, one thread).
    multiscale : bool
        Whether the layers hold a pyramid of the structure, so that features of the reduced structure add nothing.
    name : str
        Name in the registry of encoders.
    layers : tuple of Layer
        From shallow to deep.
    source : dict of str to str
        Provenance: where the weights come from and their SHA-256, or the settings that the encoder was built with.
    ends_at : str or None
        The deepest layer with weights of its own, where a file of weights may end before the network does; the deepest
        layer then stands in for those beyond. None for an encoder that always has all its layers.
    """

    losses: ClassVar[Mapping[str, Loss]]
    citations: ClassVar[tuple[str, ...]] = ()
    seconds_per_pixel: ClassVar[float] = 2e-6
    multiscale: ClassVar[bool] = False
    name: str
    layers: tuple[Layer, ...]
    source: dict[str, str]
    ends_at: str | None = None

    @classmethod
    @abstractmethod
    def build(cls, name: str, weights: Mapping[str, Tensor], source: dict[str, str]) -> Encoder:
        """Build the encoder from the tensors of its weights file; empty for an encoder that has no file.

        Raises
        ------
        InputError
            If the tensors are not this encoder's.
        """

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

    def loss(self, preset: str) -> Loss:
        """Return the defaults of reconstruction under a preset."""
        return self.losses.get(preset, self.losses["default"])

    def passes(self, n_phases: int) -> int:
        """Return how many input images stand for one structure of ``n_phases`` phases."""
        return 1

    def for_phases(self, n_phases: int) -> Encoder:
        """Return the encoder for structures of ``n_phases`` phases; most encoders take any number."""
        return self

    def adapted(self, exemplars: Sequence[Tensor]) -> Encoder:
        """Fit to the exemplars' indicators; a network with fixed weights is what it is."""
        return self

    def weights_to(self, depth: str) -> dict[str, Tensor]:
        """Return the tensors that the features of layer ``depth`` depend on, from shallow to deep."""
        return dict(self.named_buffers())

    def fingerprint(self, depth: str) -> str:
        """Return the SHA-256 by which a stored model knows this encoder, cut after layer ``depth``, again."""
        found = hashlib.sha256(self.name.encode())
        for tensor in self.weights_to(depth).values():
            found.update(tensor.detach().cpu().numpy().tobytes())
        return found.hexdigest()

    def trainable(self, depth: str, seed: int | None = None) -> Encoder:
        """Copy the encoder, cut after layer ``depth``, for training; with a seed from random weights.

        Raises
        ------
        InputError
            If the encoder cannot be trained.
        """
        raise InputError(f"encoder {self.name!r} cannot be trained; choose a vgg19 encoder, or the heads ridge or gp.")

    @classmethod
    def restore(cls, name: str, weights: Mapping[str, Tensor]) -> Encoder:
        """Build a trained encoder from what `weights_to` returned.

        Raises
        ------
        InputError
            If the encoder cannot be trained, so that none is stored whole.
        """
        raise InputError(f"encoder {name!r} cannot be trained, so no trained weights of it can be restored.")

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
