"""Features of structures, from which a regression learns a property.

Every kind of features maps labels of shape (n, height, width) to a matrix of n rows, and volumes of shape (n, depth,
height, width) by their slices along the three axes. Features of an encoder separate slices that contain the axis of a
directional property from slices across it; the other two axes are equivalent.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.encoders import Encoder, Padding

__all__ = [
    "EncoderFeatures",
    "Features",
    "Labels",
    "Matrix",
    "TwoPointMap",
    "VolumeFractions",
    "layers_to",
    "layers_within",
    "phase_indicators",
]

Labels = NDArray[np.uint8]
Matrix = NDArray[np.float64]
_PIXELS = 2**17  # pixels of one batch through an encoder: some hundred megabytes of activations
_POOLING = "mean+spread"  # part of the names of cached rows: change it when the content of rows changes
_REACH = 12  # voxels: largest offset of the two-point map of a volume
SLICES = 16  # slices of a volume along each axis; neighbouring slices hardly differ


class Features(Protocol):
    """Map structures to rows of numbers; a protocol.

    Attributes
    ----------
    name : str
        Name that holds all settings that the numbers depend on.
    one_scale : bool
        Whether columns have one scale, so that they are not standardised.

    Examples
    --------
    >>> features: Features = VolumeFractions(2)
    >>> features.name, features.one_scale
    ('volume fractions', True)
    """

    @property
    def name(self) -> str:
        """Name that holds all settings that the numbers depend on."""

    @property
    def one_scale(self) -> bool:
        """Whether columns have one scale, so that they are not standardised."""

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Compute the features of labels, shape (n, *space), as one row per structure."""

    def pooled(self, indicators: Tensor) -> Tensor:
        """Compute the features of phase indicators, differentiably.

        Parameters
        ----------
        indicators : Tensor, shape (n, K, *space)
            Amounts of the phases.

        Returns
        -------
        Tensor, shape (n, m)
            One row per structure.
        """


def phase_indicators(labels: Labels, phases: int) -> Tensor:
    """Convert labels to phase indicators.

    Parameters
    ----------
    labels : ndarray of uint8, shape (n, *space)
        Phase labels.
    phases : int
        Number of phases K.

    Returns
    -------
    Tensor of float32, shape (n, K, *space)
        1 where the phase is, 0 elsewhere.

    Examples
    --------
    >>> phase_indicators(np.array([[0, 1, 1]], np.uint8), 2).tolist()
    [[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]
    """
    numbers = torch.arange(phases).reshape(1, -1, *[1] * (labels.ndim - 1))
    return (torch.tensor(labels)[:, None] == numbers).float()


@dataclass(frozen=True)
class VolumeFractions:
    """Compute the volume fractions of all phases but the first.

    Parameters
    ----------
    phases : int
        Number of phases K.
    name : str
        Name of the features.
    one_scale : bool
        Whether columns have one scale.

    Examples
    --------
    >>> VolumeFractions(2)(np.array([[[0, 1], [0, 0]]], np.uint8))
    array([[0.25]])
    """

    phases: int = 2
    name: str = "volume fractions"
    one_scale: bool = True

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Compute the fractions of labels, shape (n, *space), as rows of shape (n, K - 1)."""
        flat = labels.reshape(len(labels), -1)
        return np.stack([(flat == phase).mean(1) for phase in range(1, self.phases)], 1).astype(np.float64)

    def pooled(self, indicators: Tensor) -> Tensor:
        """Compute the fractions of phase indicators, differentiably.

        Parameters
        ----------
        indicators : Tensor, shape (n, K, *space)
            Amounts of the phases.

        Returns
        -------
        Tensor, shape (n, K - 1)
            Volume fractions.
        """
        return indicators[:, 1:].flatten(2).mean(2)


@dataclass(frozen=True)
class TwoPointMap:
    """Compute the two-point probabilities of every phase but the first, as a map of offsets.

    The map holds offsets up to half the side along each axis, in volumes up to 12 voxels; the half that mirrors the
    other is left out. It is the classical descriptor of structure-property models, followed by principal components.

    Parameters
    ----------
    phases : int
        Number of phases K.
    periodic : bool
        Whether opposite borders continue each other; else each offset is averaged over the places where both ends lie
        inside.
    one_scale : bool
        Whether columns have one scale.

    Notes
    -----
    The two-point probability is defined in Torquato, Random Heterogeneous Materials (2002).

    Examples
    --------
    >>> TwoPointMap(2)(np.eye(4, dtype=np.uint8)[None]).shape
    (1, 15)
    """

    phases: int = 2
    periodic: bool = True
    one_scale: bool = True

    @property
    def name(self) -> str:
        """Name of the features."""
        return "two-point map" + (" (periodic)" if self.periodic else "")

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Compute the maps of labels, shape (n, *space), as one flat row per structure."""
        step = max(1, _PIXELS // int(np.prod(labels.shape[1:])))
        rows = [
            self.pooled(phase_indicators(labels[i : i + step], self.phases).double()).numpy()
            for i in range(0, len(labels), step)
        ]
        return np.concatenate(rows)

    def pooled(self, indicators: Tensor) -> Tensor:
        """Compute the maps of phase indicators, differentiably.

        Parameters
        ----------
        indicators : Tensor, shape (n, K, *space)
            Amounts of the phases.

        Returns
        -------
        Tensor, shape (n, m)
            One flat row per structure.
        """
        space = indicators.shape[2:]
        # A volume's map of all offsets would have more entries than any data set could train.
        halves = [side // 2 if len(space) == 2 else min(side // 2, _REACH) for side in space]
        # Zeros as wide as the longest offset keep ends from meeting.
        size = tuple(side if self.periodic else side + half for side, half in zip(space, halves))
        found = _autocorrelation(indicators[:, 1:], size)
        if self.periodic:
            found = found / prod(space)
        else:
            found = found / _autocorrelation(torch.ones_like(indicators[:1, :1]), size).clamp_min(0.5)
        # Offsets -half..half of the last axes; of the first only 0..half, the rest being its mirror image.
        found = found[:, :, : halves[0] + 1]
        for axis, half in enumerate(halves[1:], start=3):
            offsets = torch.arange(-half, half + 1 if half else 1) % found.shape[axis]
            found = found.index_select(axis, offsets.to(found.device))
        return found.flatten(1)


def _autocorrelation(values: Tensor, size: tuple[int, ...]) -> Tensor:
    axes = tuple(range(2, values.ndim))
    spectrum = torch.fft.rfftn(values, size, axes)
    found: Tensor = torch.fft.irfftn(spectrum * spectrum.conj(), size, axes)
    return found


@dataclass(frozen=True, eq=False)
class EncoderFeatures:
    """Pool the activations of an encoder's layers: mean and standard deviation of each channel, and a Gram matrix.

    Features are computed for the structure and for its average over 2 x 2 pixels, which doubles the receptive field of
    the deepest layer at a quarter of the cost. Rows are cached by the content of the structure, so that folds and
    repetitions cost nothing.

    Parameters
    ----------
    encoder : Encoder
        Filter bank or VGG-19.
    layers : tuple of str
        Layers to pool, from shallow to deep.
    phases : int
        Number of phases K.
    padding : {"circular", "reflect", "valid"}
        Treatment of borders; circular for periodic structures.
    gram : int
        Channels of the compressed Gram matrix, to which a fixed random matrix mixes those of the layer; 0 for no Gram
        matrix.
    axis : int
        For volumes, the axis of a directional property.
    extras : tuple of Features
        Further features, e.g. volume fractions.
    cache : mutable mapping of str to ndarray
        Rows computed before; by default a new dictionary.
    one_scale : bool
        Whether columns have one scale.

    Notes
    -----
    Li et al., Sci. Rep. 8, 13461 (2018), transfer the layers of VGG-19 to property prediction. Gram matrices after
    Gatys, Ecker and Bethge, NeurIPS (2015).

    Examples
    --------
    >>> from matlens.microstructure.encoders import load_encoder
    >>> features = EncoderFeatures(load_encoder("filterbank"), ("scale1",), padding="circular")
    >>> features(np.eye(16, dtype=np.uint8)[None]).shape
    (1, 192)
    """

    encoder: Encoder
    layers: tuple[str, ...]
    phases: int = 2
    padding: Padding = "circular"
    gram: int = 0
    axis: int = 0
    extras: tuple[Features, ...] = ()
    cache: MutableMapping[str, NDArray[np.float32]] = field(default_factory=dict)
    one_scale: bool = False

    @property
    def name(self) -> str:
        """Name with encoder, weights, layers and pooling."""
        weights = (self.encoder.source.get("sha256") or _digest(self.encoder))[:12]
        parts = [self.encoder.name, weights, "+".join(self.layers), self.padding, f"{self.phases} phases", _POOLING]
        options = [f"{name} {value}" for name, value in (("gram", self.gram), ("axis", self.axis)) if value]
        return " ".join([*parts, *options])

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Compute the features of labels, shape (n, *space); rows in the cache are not computed again."""
        name = self.name
        keys = [f"{name} {labels.shape[1:]} {hashlib.sha256(one.tobytes()).hexdigest()}" for one in labels]
        missing = list({key: row for row, key in enumerate(keys) if key not in self.cache}.values())
        progress = progress or Silent()
        progress.begin(len(missing), f"features of {self.encoder.name}")
        step = max(1, _PIXELS // int(np.prod(labels.shape[1:])))
        for start in range(0, len(missing), step):
            rows = missing[start : start + step]
            found = self._pooled(labels[rows]) if labels.ndim == 3 else self._sliced(labels[rows])
            self.cache.update({keys[row]: one for row, one in zip(rows, found)})
            progress.update(start + len(rows), "structures")
        progress.end()
        pooled = np.stack([self.cache[key] for key in keys]).astype(np.float64)
        return np.concatenate([pooled, *(extra(labels) for extra in self.extras)], axis=1)

    def columns(self, depth: str, width: int) -> NDArray[np.bool_]:
        """Find the columns that remain if the encoder is cut after a layer; further features always remain.

        Parameters
        ----------
        depth : str
            Layer after which the encoder is cut.
        width : int
            Number of columns.

        Returns
        -------
        ndarray of bool, shape (width,)
            True for columns that remain.

        Raises
        ------
        InputError
            If a layer up to this depth is not among those pooled.
        """
        kept = layers_to(self.encoder, depth)
        if unknown := [name for name in kept if name not in self.layers]:
            raise InputError(f"layer {unknown[0]} is not among those pooled ({', '.join(self.layers)}).")
        passes = self.encoder.passes(self.phases)
        widths = [(name, self._width(name, passes)) for name in (*self.layers, *self._coarse())]
        found = np.concatenate([np.full(width, name in kept) for name, width in widths])
        found = np.tile(found, width // len(found))  # twice for volumes
        return np.append(found, np.full(width - len(found), True))

    def _width(self, layer: str, passes: int) -> int:
        return 2 * passes * self.encoder.layer(layer).channels + self.gram * (self.gram + 1) // 2

    def _coarse(self) -> tuple[str, ...]:
        """Average over slices that contain the axis of the property, as first axis, and over slices across it."""
        if self.encoder.multiscale:
            return ()
        return tuple(name for name in self.layers if self.encoder.layer(name).stride > 1)

    def _sliced(self, volumes: Labels) -> NDArray[np.float32]:
        """Average over slices that contain the axis of the property, as their first axis, and over slices across."""
        volumes = np.moveaxis(volumes, self.axis + 1, 1)
        return np.stack([np.concatenate([self._mean(v, (2, 1)), self._mean(v, (0,))]) for v in volumes])

    def _mean(self, volume: Labels, across: tuple[int, ...]) -> NDArray[np.float32]:
        rows = []
        for axis in across:
            side = volume.shape[axis]
            places = np.unique(np.linspace(0, side - 1, min(side, SLICES)).round().astype(int))
            slices = np.ascontiguousarray(np.moveaxis(volume.take(places, axis), axis, 0))
            step = max(1, _PIXELS // slices[0].size)
            rows += [
                self._pooled(slices[i : i + step]).mean(0) * (len(slices[i : i + step]) / len(slices))
                for i in range(0, len(slices), step)
            ]
        mean: NDArray[np.float32] = np.sum(rows, 0) / len(across)
        return mean

    @torch.no_grad()
    def _pooled(self, labels: Labels) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._layers_pooled(phase_indicators(labels, self.phases)).cpu().numpy()
        return found

    def pooled(self, indicators: Tensor) -> Tensor:
        """Compute the features of phase indicators of two-dimensional structures, differentiably.

        Parameters
        ----------
        indicators : Tensor, shape (n, K, H, W)
            Amounts of the phases.

        Returns
        -------
        Tensor, shape (n, m)
            One row per structure.

        Raises
        ------
        InputError
            If the structures are too small for a layer.
        """
        rows = self._layers_pooled(indicators)
        return torch.cat([rows, *(extra.pooled(indicators).to(rows) for extra in self.extras)], 1)

    def _layers_pooled(self, indicators: Tensor) -> Tensor:
        indicators = indicators.to(next(self.encoder.buffers()))
        rows = self._statistics(indicators, self.layers)
        if coarse := self._coarse():
            rows += self._statistics(functional.avg_pool2d(indicators, 2), coarse)
        return torch.cat(rows, 1)

    def _statistics(self, indicators: Tensor, layers: tuple[str, ...]) -> list[Tensor]:
        activations = self.encoder.features(indicators, layers, self.padding)
        if lost := [name for name in layers if name not in activations]:
            raise InputError(
                f"structures of {indicators.shape[-2]} x {indicators.shape[-1]} pixels are too small for layer "
                f"{lost[0]} of {self.encoder.name}; choose a shallower depth or larger structures."
            )
        rows = []
        for name in layers:
            found = activations[name].flatten(2)
            found = found.reshape(len(indicators), -1, found.shape[-1])  # the passes of one structure together
            rows += [found.mean(2), found.std(2, correction=0)]  # of a single position too, and alike in any size
            if self.gram:
                rows.append(self._gram(found))
        return rows

    def _gram(self, activations: Tensor) -> Tensor:
        channels = activations.shape[1]
        mixing = torch.randn(self.gram, channels, generator=torch.Generator().manual_seed(0)) / channels**0.5
        mixed = mixing.to(activations) @ activations
        upper = torch.triu_indices(self.gram, self.gram)
        found: Tensor = (mixed @ mixed.mT / activations.shape[2])[:, upper[0], upper[1]]
        return found


def _digest(encoder: Encoder) -> str:
    """Compute the SHA-256 of the filters, for encoders without a weights file."""
    found = hashlib.sha256()
    for name, values in sorted(encoder.named_buffers()):
        found.update(name.encode() + values.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def layers_to(encoder: Encoder, depth: str) -> tuple[str, ...]:
    """Choose the layers to pool up to a depth: the first, the last of each resolution, and the depth itself.

    Parameters
    ----------
    encoder : Encoder
        The encoder.
    depth : str
        Name of the deepest layer.

    Returns
    -------
    tuple of str
        Layers from shallow to deep.

    Raises
    ------
    InputError
        If the encoder has no such layer.

    Examples
    --------
    >>> from matlens.microstructure.encoders import VGG19, random_weights
    >>> layers_to(VGG19(random_weights(8, seed=0)), "conv3_2")
    ('conv1_1', 'conv1_2', 'conv2_2', 'conv3_2')
    """
    names = [layer.name for layer in encoder.layers]
    if depth not in names:
        raise InputError(f"encoder {encoder.name!r} has no layer {depth!r}; it has {', '.join(names)}.")
    reached = encoder.layers[: names.index(depth) + 1]
    ends = [a.name for a, b in pairwise(reached) if b.stride > a.stride]
    return tuple(dict.fromkeys([names[0], *ends, depth]))


def layers_within(
    encoder: Encoder, layers: tuple[str, ...], padding: Padding, phases: int, shape: tuple[int, ...]
) -> tuple[str, ...]:
    """Keep the layers for which structures of a shape are large enough; the first is always kept.

    Parameters
    ----------
    encoder : Encoder
        The encoder.
    layers : tuple of str
        Layers from shallow to deep.
    padding : {"circular", "reflect", "valid"}
        Treatment of borders.
    phases : int
        Number of phases K.
    shape : tuple of int
        Pixels of a structure along each axis.

    Returns
    -------
    tuple of str
        Layers from shallow to deep.

    Examples
    --------
    >>> from matlens.microstructure.encoders import load_encoder
    >>> layers_within(load_encoder("filterbank"), ("scale1", "scale8", "scale16"), "circular", 2, (20, 20))
    ('scale1',)
    """
    whole = {shape} if len(shape) == 2 else {shape[:axis] + shape[axis + 1 :] for axis in range(3)}
    found = set(layers)
    for height, width in whole:
        found &= set(
            encoder.features(torch.zeros(1, phases, height, width).to(next(encoder.buffers())), layers, padding)
        )
    return tuple(name for index, name in enumerate(layers) if index == 0 or set(layers[: index + 1]) <= found)
