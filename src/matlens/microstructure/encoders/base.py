"""Base class of the encoders: weights, preprocessing and named layers in one object."""

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
    """Layer of an encoder whose activations can be read.

    Attributes
    ----------
    name : str
        Name, e.g. ``"conv1_1"``; activations are read after the rectifier.
    channels : int
        Number of feature maps C.
    stride : int
        Distance of neighbouring positions, in pixels of the image.
    receptive_field : int
        Side length, in pixels, of the square of the image that one position depends on.

    Examples
    --------
    >>> Layer("conv1_1", channels=64, stride=1, receptive_field=3).channels
    64
    """

    name: str
    channels: int
    stride: int
    receptive_field: int


@dataclass(frozen=True)
class Loss:
    """Loss layers of reconstruction and the number of evaluations of the loss.

    Attributes
    ----------
    layers : mapping of str to float
        Loss layers and their weights.
    coarse, fine : int
        Evaluations of the loss on each coarser level and on the full-size level.
    coarsest : int, optional
        Evaluations on the first level of several, which decides on long-range order and costs least; by default as on
        the other coarser levels.

    Examples
    --------
    >>> Loss({"conv1_1": 1.0}, coarse=120, fine=140).fine
    140
    """

    layers: Mapping[str, float]
    coarse: int
    fine: int
    coarsest: int | None = None

    def evaluations(self, levels: int) -> list[int]:
        """Return the evaluations on each of some levels, from coarse to fine.

        Parameters
        ----------
        levels : int
            Number of levels.

        Returns
        -------
        list of int
            Evaluations on each level.

        Examples
        --------
        >>> Loss({}, coarse=120, fine=80, coarsest=240).evaluations(3)
        [240, 120, 80]
        """
        first = self.coarse if self.coarsest is None else self.coarsest
        return [first, *[self.coarse] * (levels - 2), self.fine] if levels > 1 else [self.fine]


class Encoder(nn.Module, ABC):
    """Turn phase indicators into feature maps with fixed weights, which training never changes in place.

    A new encoder is a subclass in a file of its own and one line in `matlens.microstructure.encoders.registry`.

    Attributes
    ----------
    losses : mapping of str to Loss
        Default loss layers and evaluations by the name of a preset; ``"default"`` holds for all other presets.
    citations : tuple of str
        Keys in runs/citations.bib of the publications that describe the encoder.
    seconds_per_pixel : float
        Processor time of an evaluation of the default loss with its gradient for each pixel of the picture, in seconds
        (benchmarks/engine.py, one thread).
    bytes_per_pixel : float
        Memory that such an evaluation takes at its peak for each pixel, in bytes, the optimiser's included.
    multiscale : bool
        Whether the layers hold a pyramid of the structure, so that features of the downsampled structure add nothing.
    name : str
        Name in the registry of encoders.
    layers : tuple of Layer
        Layers from shallow to deep.
    source : dict of str to str
        Provenance: origin of the weights and their SHA-256, or the settings that the encoder was built with.
    ends_at : str or None
        The deepest layer that has weights, where a file of weights ends before the network does; the deepest layer then
        replaces those beyond. None for an encoder that always has all its layers.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> bank: Encoder = FilterBank(filters=8, scales=2)
    >>> features = bank.features(torch.full((1, 2, 16, 16), 0.5), ["scale1", "scale2"], "circular")
    >>> {name: tuple(maps.shape) for name, maps in features.items()}
    {'scale1': (1, 8, 16, 16), 'scale2': (1, 8, 8, 8)}
    """

    losses: ClassVar[Mapping[str, Loss]]
    citations: ClassVar[tuple[str, ...]] = ()
    seconds_per_pixel: ClassVar[float] = 5e-6
    bytes_per_pixel: ClassVar[float] = 2e3
    multiscale: ClassVar[bool] = False
    name: str
    layers: tuple[Layer, ...]
    source: dict[str, str]
    ends_at: str | None = None

    @classmethod
    @abstractmethod
    def build(cls, name: str, weights: Mapping[str, Tensor], source: dict[str, str]) -> Encoder:
        """Build the encoder from the tensors of its weights file.

        Parameters
        ----------
        name : str
            Name in the registry.
        weights : mapping of str to Tensor
            Tensors of the file; empty for an encoder that has no file.
        source : dict of str to str
            Provenance of the weights.

        Returns
        -------
        Encoder
            The encoder, on the processor.

        Raises
        ------
        InputError
            If the tensors are not those of this encoder.
        """

    @abstractmethod
    def prepare(self, indicators: Tensor) -> Tensor:
        """Preprocess indicators into the network's input images.

        Parameters
        ----------
        indicators : Tensor, shape (B, K, H, W)
            Amounts of the phases in [0, 1].

        Returns
        -------
        Tensor, shape (B * passes, C, H, W)
            Images; several images may represent one structure.
        """

    @abstractmethod
    def forward_layers(self, images: Tensor, wanted: frozenset[str], padding: Padding) -> dict[str, Tensor]:
        """Compute the activations of prepared images in one pass that ends after the deepest wanted layer.

        Parameters
        ----------
        images : Tensor, shape (B * passes, C, H, W)
            Result of `prepare`.
        wanted : frozenset of str
            Names of layers.
        padding : {"valid", "circular", "reflect"}
            Treatment of borders: none, periodic, or reflection.

        Returns
        -------
        dict of str to Tensor
            Activations by layer; a layer without a position is missing.
        """

    def features(self, indicators: Tensor, layers: Sequence[str], padding: Padding = "valid") -> dict[str, Tensor]:
        """Compute the activations of the named layers in one pass.

        Parameters
        ----------
        indicators : Tensor, shape (B, K, H, W)
            Amounts of the phases in [0, 1], which sum to one over phases.
        layers : sequence of str
            Names among ``self.layers``.
        padding : {"valid", "circular", "reflect"}
            Treatment of borders: none, periodic, or reflection.

        Returns
        -------
        dict of str to Tensor, shape (B * passes, C, h, w)
            Activations of every wanted layer that has at least one position.

        Raises
        ------
        InputError
            If the encoder has no layer of such a name.
        """
        known = {layer.name for layer in self.layers}
        if unknown := [name for name in layers if name not in known]:
            raise InputError(
                f"encoder {self.name!r} has no layer {unknown[0]!r}; it has {', '.join(x.name for x in self.layers)}."
            )
        return self.forward_layers(self.prepare(indicators), frozenset(layers), padding)

    def loss(self, preset: str) -> Loss:
        """Return the default loss layers and evaluations of a preset.

        Parameters
        ----------
        preset : str
            Name of the preset.

        Returns
        -------
        Loss
            Those of ``"default"`` where the encoder has none for this preset.
        """
        return self.losses.get(preset, self.losses["default"])

    def passes(self, n_phases: int) -> int:
        """Return the number of input images that represent one structure.

        Parameters
        ----------
        n_phases : int
            Number of phases K.

        Returns
        -------
        int
            One, unless a subclass needs an image per phase.
        """
        return 1

    def for_phases(self, n_phases: int) -> Encoder:
        """Return the encoder for structures of ``n_phases`` phases; most encoders accept any number.

        Parameters
        ----------
        n_phases : int
            Number of phases K.

        Returns
        -------
        Encoder
            This encoder, or another with the same settings.
        """
        return self

    def adapted(self, exemplars: Sequence[Tensor]) -> Encoder:
        """Return the encoder adapted to exemplars; a network with fixed weights returns itself.

        Parameters
        ----------
        exemplars : sequence of Tensor, shape (1, K, H, W)
            Phase indicators.

        Returns
        -------
        Encoder
            The adapted encoder.
        """
        return self

    def weights_to(self, depth: str) -> dict[str, Tensor]:
        """Return the tensors that the activations of a layer depend on.

        Parameters
        ----------
        depth : str
            Name of the layer.

        Returns
        -------
        dict of str to Tensor
            Tensors from shallow to deep.
        """
        return dict(self.named_buffers())

    def fingerprint(self, depth: str) -> str:
        """Compute the SHA-256 of the weights up to a layer, by which a stored model recognises its encoder.

        Parameters
        ----------
        depth : str
            Name of the deepest layer used.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        found = hashlib.sha256(self.name.encode())
        for tensor in self.weights_to(depth).values():
            found.update(tensor.detach().cpu().numpy().tobytes())
        return found.hexdigest()

    def trainable(self, depth: str, seed: int | None = None) -> Encoder:
        """Copy the encoder up to a layer for training.

        Parameters
        ----------
        depth : str
            Name of the deepest layer.
        seed : int, optional
            Seed of random weights; by default, training starts from the weights of this encoder.

        Returns
        -------
        Encoder
            A copy that shares no tensor with this encoder.

        Raises
        ------
        InputError
            If the encoder cannot be trained.
        """
        raise InputError(f"encoder {self.name!r} cannot be trained; choose a vgg19 encoder, or the heads ridge or gp.")

    @classmethod
    def restore(cls, name: str, weights: Mapping[str, Tensor]) -> Encoder:
        """Build a trained encoder from stored weights.

        Parameters
        ----------
        name : str
            Name in the registry.
        weights : mapping of str to Tensor
            Result of `weights_to`.

        Returns
        -------
        Encoder
            The trained encoder.

        Raises
        ------
        InputError
            If encoders of this kind cannot be trained.
        """
        raise InputError(f"encoder {name!r} cannot be trained, so no trained weights of it can be restored.")

    def layer(self, name: str) -> Layer:
        """Return the layer of this name.

        Parameters
        ----------
        name : str
            Name of a layer.

        Returns
        -------
        Layer
            The layer.
        """
        return next(layer for layer in self.layers if layer.name == name)


def pad(images: Tensor, width: int, padding: Padding) -> Tensor:
    """Pad height and width of images, periodically or by reflection; ``"valid"`` pads nothing.

    Parameters
    ----------
    images : Tensor, shape (..., H, W)
        Images.
    width : int
        Pixels to add on each side; may exceed the image.
    padding : {"valid", "circular", "reflect"}
        How the added pixels are filled.

    Returns
    -------
    Tensor, shape (..., H + 2 width, W + 2 width)
        Padded images; ``images`` for ``"valid"``.

    Examples
    --------
    >>> pad(torch.tensor([[[[1.0, 2.0]]]]), 1, "circular")[0, 0, 1].tolist()
    [2.0, 1.0, 2.0, 1.0]
    """
    if padding == "valid" or width == 0:
        return images
    if width <= min(images.shape[-2:]) - (padding == "reflect"):
        return functional.pad(images, (width,) * 4, mode=padding)
    # By more than the image is wide, as on the coarsest pyramid levels.
    rows, columns = (_beyond(side, width, padding).to(images.device) for side in images.shape[-2:])
    return images[..., rows[:, None], columns]


def _beyond(side: int, width: int, padding: Padding) -> Tensor:
    """Return the pixels, of ``side``, that replace those from ``-width`` to ``side + width``."""
    places = torch.arange(-width, side + width)
    if padding == "circular":
        return places % side
    period = max(2 * (side - 1), 1)
    places = places % period
    return torch.minimum(places, period - places).clamp(max=side - 1)
