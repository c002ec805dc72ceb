"""An encoder without a weights file: patches of the exemplar and random filters on an image pyramid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from matlens.microstructure.encoders.base import Encoder, Layer, Loss, Padding
from matlens.microstructure.encoders.convolution import convolved
from matlens.microstructure.encoders.known import filled_in, known_pixels, untouched

__all__ = ["FilterBank"]

_LAYERS = {f"scale{2**s}": 1.0 for s in range(5)}
_PATCHES = 20_000  # patches to draw from; more of them only cost memory


class FilterBank(Encoder):
    """Filter every level of an image pyramid with zero-mean filters under a Gaussian window, followed by a rectifier.

    A new bank has random filters only and suits any material. `adapted` draws most filters from the exemplar: patches
    that differ from each other as much as possible, whose responses detect line ends and breaks that the exemplar does
    not have. Biases lie at quantiles of the responses, so that each filter responds to another part of their
    distribution.

    Parameters
    ----------
    n_phases : int
        Number of phases K of the structures; each filter sees all of them.
    filters : int
        Number of filters C.
    size : int
        Side length of a filter in pixels, odd.
    scales : int
        Levels of the pyramid, downsampled by averages of 2 x 2 pixels; layer ``scale1`` sees ``size`` pixels,
        ``scale2`` twice as many, and so on.
    share : float
        Share of the filters that `adapted` takes from the exemplar.
    seed : int
        Seed of the filters.

    Notes
    -----
    A single layer of random filters suffices for textures: Ustyuzhaninov et al., arXiv:1606.00021 (2016).

    Examples
    --------
    >>> bank = FilterBank(2, filters=8, scales=2)
    >>> [layer.receptive_field for layer in bank.layers]
    [7, 14]
    """

    losses: ClassVar[Mapping[str, Loss]] = {
        "default": Loss(_LAYERS, coarse=150, fine=200),
        "fast": Loss(_LAYERS, coarse=80, fine=80),
        "li2018": Loss(_LAYERS, coarse=150, fine=400),
    }
    citations: ClassVar[tuple[str, ...]] = ("ustyuzhaninov2016texture",)
    seconds_per_pixel: ClassVar[float] = 3.2e-6
    bytes_per_pixel: ClassVar[float] = 1.5e3
    multiscale: ClassVar[bool] = True

    def __init__(
        self,
        n_phases: int = 2,
        filters: int = 96,
        size: int = 7,
        scales: int = 5,
        # docs/decisions/0013-filter-bank-from-the-exemplar.md
        share: float = 0.75,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.name = "filterbank"
        self.source = {"filters": str(filters), "size": str(size), "share": str(share), "seed": str(seed)}
        self.n_phases, self.filters, self.size, self.share, self.seed = n_phases, filters, size, share, seed
        self.layers = tuple(Layer(f"scale{2**s}", filters, 2**s, size * 2**s) for s in range(scales))
        generator = torch.Generator().manual_seed(seed)
        for layer in self.layers:
            self._store(layer.name, self._random(filters, generator), torch.linspace(-0.5, 0.5, filters))

    @classmethod
    def build(cls, name: str, weights: Mapping[str, Tensor], source: dict[str, str]) -> FilterBank:
        """Build the bank with its default settings; it reads no weights.

        Returns
        -------
        FilterBank
            Two phases, random filters.
        """
        return cls()

    def for_phases(self, n_phases: int) -> FilterBank:
        """Return a bank of the same settings for ``n_phases`` phases.

        Returns
        -------
        FilterBank
            This bank if it has that number of phases already.
        """
        if n_phases == self.n_phases:
            return self
        bank = FilterBank(n_phases, self.filters, self.size, len(self.layers), self.share, self.seed)
        return bank.to(next(self.buffers()).device)

    def fingerprint(self, depth: str) -> str:
        """Compute the SHA-256 of the settings, which does not depend on ``depth``.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        # Filters are made, not read: their last digits may differ between machines.
        return hashlib.sha256(self.name.encode() + json.dumps(self.source, sort_keys=True).encode()).hexdigest()

    def adapted(self, exemplars: Sequence[Tensor]) -> FilterBank:
        """Draw the filters of a new bank from exemplars; the result is deterministic.

        Parameters
        ----------
        exemplars : sequence of Tensor, shape (1, K, H, W)
            Phase indicators, zero in all phases where a pixel is masked: patches are drawn where none is.

        Returns
        -------
        FilterBank
            A bank with the settings of this one.
        """
        phases, scales = exemplars[0].shape[1], len(self.layers)
        bank = FilterBank(phases, self.filters, self.size, scales, self.share, self.seed).to(exemplars[0].device)
        generator = torch.Generator().manual_seed(self.seed)
        pyramid = [filled_in(image.cpu()) for image in exemplars]
        known = [known_pixels(image.cpu()) for image in exemplars]
        for layer in self.layers:
            large = [min(image.shape[-2:]) >= self.size for image in pyramid]
            pyramid = [image for image, keep in zip(pyramid, large) if keep]
            known = [there for there, keep in zip(known, large) if keep]
            if not pyramid:
                break
            if max(float(image.std()) for image in pyramid) < 1e-3:
                break  # averaged to grey: nothing to draw, and the random filters stay
            places = [self._places(image, there, layer) for image, there in zip(pyramid, known)]
            drawn = _unlike_patches(pyramid, places, self.size, round(self.share * self.filters), generator)
            kernel = torch.cat([drawn, self._random(self.filters - len(drawn), generator, phases)])
            found = [functional.conv2d(image, kernel)[0].flatten(1) for image in pyramid]
            responses = torch.cat([_chosen(part, at, 1) for part, at in zip(found, places)], dim=1)
            low, high = torch.full((self.filters,), 0.1), torch.full((self.filters,), 0.9)
            low[: len(drawn)], high[: len(drawn)] = 0.3, 0.97
            level = low + (high - low) * torch.rand(self.filters, generator=generator)
            ranked = responses[:, :: -(-responses.shape[1] // _PATCHES)].sort(dim=1).values
            bias = -ranked.gather(1, (level * (ranked.shape[1] - 1)).long()[:, None])[:, 0]
            strength = torch.relu(responses + bias[:, None]).square().mean(dim=1).sqrt().clamp(min=1e-3)
            bank._store(layer.name, kernel / strength.reshape(-1, 1, 1, 1), bias / strength)
            pyramid = [functional.avg_pool2d(image, 2) for image in pyramid]
        return bank

    def _places(self, image: Tensor, known: Tensor | None, layer: Layer) -> Tensor | None:
        """Positions of a filter at a level of the pyramid that see no masked pixel, if there are enough; None for all.

        ``known`` is of the image before any downsampling.
        """
        if known is None:
            return None
        free = untouched(known, layer)
        return free.flatten() if int(free.sum()) >= self.filters else None

    def prepare(self, indicators: Tensor) -> Tensor:
        """Return the indicators unchanged: one channel per phase.

        Returns
        -------
        Tensor, shape (B, K, H, W)
            The indicators.
        """
        return indicators

    def forward_layers(self, images: Tensor, wanted: frozenset[str], padding: Padding) -> dict[str, Tensor]:
        """Filter each wanted level of the pyramid that is large enough.

        Parameters
        ----------
        images : Tensor, shape (B, K, H, W)
            Result of `prepare`.
        wanted : frozenset of str
            Names of layers.
        padding : {"valid", "circular", "reflect"}
            Treatment of borders: none, periodic, or reflection.

        Returns
        -------
        dict of str to Tensor, shape (B, C, h, w)
            Responses after the rectifier, by level.
        """
        found: dict[str, Tensor] = {}
        for layer in self.layers:
            if len(found) == len(wanted) or min(images.shape[-2:]) < (self.size if padding == "valid" else 2):
                break
            if layer.name in wanted:
                kernel, bias = self.get_buffer(f"kernel_{layer.name}"), self.get_buffer(f"bias_{layer.name}")
                found[layer.name] = convolved(images, kernel, bias, padding)
            if padding == "circular" and any(side % 2 for side in images.shape[-2:]):
                break  # pooling an odd side would cut the period
            images = functional.avg_pool2d(images, 2)
        return found

    def _store(self, name: str, kernel: Tensor, bias: Tensor) -> None:
        device = self.get_buffer(f"kernel_{name}").device if f"kernel_{name}" in self._buffers else kernel.device
        self.register_buffer(f"kernel_{name}", kernel.to(device))
        self.register_buffer(f"bias_{name}", bias.to(device))

    def _random(self, count: int, generator: torch.Generator, n_phases: int | None = None) -> Tensor:
        phases = self.n_phases if n_phases is None else n_phases
        return _normalised(torch.randn(count, phases, self.size, self.size, generator=generator) * _window(self.size))


def _chosen(values: Tensor, places: Tensor | None, dim: int) -> Tensor:
    return values if places is None else values.index_select(dim, places.nonzero()[:, 0])


def _unlike_patches(
    pyramid: Sequence[Tensor], places: Sequence[Tensor | None], size: int, count: int, generator: torch.Generator
) -> Tensor:
    """Draw patches of the images as filters; the weight of a patch grows with its distance from those drawn before."""
    phases = pyramid[0].shape[1]
    found = [_chosen(functional.unfold(image, size)[0].T, at, 0) for image, at in zip(pyramid, places)]
    rows = torch.cat(found).reshape(-1, phases, size, size)
    contrast = (rows - rows.mean(dim=(2, 3), keepdim=True)).flatten(1).norm(dim=1)
    rows = rows[contrast > 0.3 * contrast.max()]  # flat patches distinguish nothing
    rows = rows[:: -(-len(rows) // _PATCHES)]
    patches = _normalised((rows - rows.mean(dim=(2, 3), keepdim=True)) * _window(size))
    flat = patches.flatten(1)
    chosen = [int(torch.randint(len(flat), (1,), generator=generator))]
    distance = torch.full((len(flat),), 4.0)
    while len(chosen) < min(count, len(flat)):
        distance = torch.minimum(distance, (2 - flat @ flat[chosen[-1]]).clamp(min=0))
        weight = distance.square().cumsum(0)
        draw = torch.rand(1, generator=generator) * weight[-1]
        chosen.append(min(int(torch.searchsorted(weight, draw)), len(flat) - 1))
    return patches[chosen]


def _window(size: int) -> Tensor:
    offsets = torch.arange(size) - (size - 1) / 2
    line = torch.exp(-(offsets**2) / (2 * (size / 3.5) ** 2))
    return torch.outer(line, line)


def _normalised(kernel: Tensor) -> Tensor:
    """Scale filters to zero mean over space and over phases (indicators sum to one), and to squared norm 2."""
    kernel = kernel - kernel.mean(dim=(2, 3), keepdim=True)
    kernel = kernel - kernel.mean(dim=1, keepdim=True)
    norm: Tensor = kernel.flatten(1).norm(dim=1).clamp(min=1e-12).reshape(-1, 1, 1, 1)
    return kernel * (2**0.5 / norm)
