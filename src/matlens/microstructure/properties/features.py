"""Features of structures: what a property model sees of them, whatever head then learns from it.

Every kind of features maps labels of shape (n, height, width) to a matrix of n rows, and volumes of shape
(n, depth, height, width) by their slices along the three axes. Features of an encoder take slices that hold the axis a
directional property is asked along apart from those across it; the other two axes are alike to them.
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
_PIXELS = 2**17  # of one batch through an encoder: some hundred megabytes of activations
_POOLING = "mean+spread"  # to be changed with what rows hold: it is part of the name they are kept by
_REACH = 12
SLICES = 16  # of a volume, along each axis: neighbours hardly differ


class Features(Protocol):
    """Turns structures into rows of numbers."""

    @property
    def name(self) -> str:
        """What it is, with all that its numbers depend on."""

    @property
    def one_scale(self) -> bool:
        """Whether columns may be compared as they are, without standardising each."""

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Features of labels of shape (n, *space), one row each."""

    def pooled(self, indicators: Tensor) -> Tensor:
        """Rows of phase indicators of shape (n, phases, *space), differentiable in them."""


def phase_indicators(labels: Labels, phases: int) -> Tensor:
    """One channel a phase, 1 where it is, of labels of shape (n, *space); float32, shape (n, phases, *space).

    Examples
    --------
    >>> phase_indicators(np.array([[0, 1, 1]], np.uint8), 2).tolist()
    [[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]
    """
    numbers = torch.arange(phases).reshape(1, -1, *[1] * (labels.ndim - 1))
    return (torch.tensor(labels)[:, None] == numbers).float()


@dataclass(frozen=True)
class VolumeFractions:
    """Volume fractions of all phases but the first: the least that a model can know.

    Examples
    --------
    >>> VolumeFractions(2)(np.array([[[0, 1], [0, 0]]], np.uint8))
    array([[0.25]])
    """

    phases: int = 2
    name: str = "volume fractions"
    one_scale: bool = True

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Fractions of labels of shape (n, *space)."""
        flat = labels.reshape(len(labels), -1)
        return np.stack([(flat == phase).mean(1) for phase in range(1, self.phases)], 1).astype(np.float64)

    def pooled(self, indicators: Tensor) -> Tensor:
        """Fractions of indicators of shape (n, phases, *space)."""
        return indicators[:, 1:].flatten(2).mean(2)


@dataclass(frozen=True)
class TwoPointMap:
    """The two-point probabilities of every phase but the first, one half of the offsets (the other mirrors it).

    Along each axis up to half the side; in volumes up to 12 voxels.

    The classical descriptor of structure-property work, to be followed by principal components.

    Parameters
    ----------
    phases : int
        Number of phases.
    periodic : bool
        Whether opposite borders continue each other; else offsets are averaged where both ends lie inside.

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
        """Its name."""
        return "two-point map" + (" (periodic)" if self.periodic else "")

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Maps of labels of shape (n, *space), one flat row each."""
        step = max(1, _PIXELS // int(np.prod(labels.shape[1:])))
        rows = [
            self.pooled(phase_indicators(labels[i : i + step], self.phases).double()).numpy()
            for i in range(0, len(labels), step)
        ]
        return np.concatenate(rows)

    def pooled(self, indicators: Tensor) -> Tensor:
        """Maps of indicators of shape (n, phases, *space), one flat row each."""
        space = indicators.shape[2:]
        # A volume's map of all offsets would be longer than any number of volumes could teach.
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
    """Pooled activations of an encoder's layers: channel means and spreads, optionally a compressed Gram matrix.

    Taken of the structure and of its average over 2 x 2 pixels, which doubles what the deepest layer sees for a
    quarter of the cost. Rows are kept by the content of the structure, so that folds and repeats cost nothing.

    Parameters
    ----------
    encoder : Encoder
        Filter bank or VGG-19.
    layers : tuple of str
        Layers to pool, shallow to deep.
    phases : int
        Number of phases.
    padding : {"circular", "reflect", "valid"}
        How borders are met; circular for periodic structures.
    gram : int
        Channels of the compressed Gram matrix (the layer's channels mixed by a fixed random matrix); 0 for none.
    axis : int
        Of volumes: the axis that a directional property is asked along.
    extras : tuple of Features
        Descriptors to stand behind the pooled activations, e.g. volume fractions.
    cache : mutable mapping of str to ndarray
        Rows already known; give one that lasts to keep them.

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
        """Encoder, layers and pooling."""
        weights = (self.encoder.source.get("sha256") or _digest(self.encoder))[:12]
        parts = [self.encoder.name, weights, "+".join(self.layers), self.padding, f"{self.phases} phases", _POOLING]
        options = [f"{name} {value}" for name, value in (("gram", self.gram), ("axis", self.axis)) if value]
        return " ".join([*parts, *options])

    def __call__(self, labels: Labels, progress: Progress | None = None) -> Matrix:
        """Features of labels of shape (n, *space); only those not yet known are computed."""
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
        """Which of ``width`` columns stay if the encoder is cut after the layer ``depth``; extras always do."""
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
        """Layers taken of the averaged structure too, unless the encoder holds a pyramid already."""
        if self.encoder.multiscale:
            return ()
        return tuple(name for name in self.layers if self.encoder.layer(name).stride > 1)

    def _sliced(self, volumes: Labels) -> NDArray[np.float32]:
        """Mean over slices that hold the axis asked along, as their first one, beside that over slices across it."""
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
        """Rows of indicators of shape (n, phases, height, width)."""
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
    """SHA-256 of the filters, for encoders that were made and not read from a file."""
    found = hashlib.sha256()
    for name, values in sorted(encoder.named_buffers()):
        found.update(name.encode() + values.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def layers_to(encoder: Encoder, depth: str) -> tuple[str, ...]:
    """Layers worth pooling up to a depth: the first, the last of each size of maps, and the depth itself.

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
    """Those layers, shallow to deep, that structures of a shape are large enough for; at least the first.

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
