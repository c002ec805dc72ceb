"""VGG-19 as a texture encoder: 3 x 3 convolutions, rectifiers, and average instead of maximum pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from matlens.errors import InputError
from matlens.microstructure.encoders.base import Encoder, Layer, Loss, Padding
from matlens.microstructure.encoders.convolution import convolved

__all__ = ["VGG19", "named_for_file", "phase_colours", "random_weights"]

# Convolutions per block; torchvision's index of each convolution counts the rectifiers and poolings between them.
_BLOCKS = (2, 2, 4, 4, 4)
_LAYERS = {"conv1_1": 1.0, "pool1": 1.0, "pool2": 1.0, "conv3_4": 1.0}
_LI_LAYERS = {"conv1_1": 1.0, "pool1": 1.0, "pool2": 1.0, "pool3": 1.0, "pool4": 1.0}  # Li et al. (2018)
_MOST_COLOURS = 4  # phases that have equidistant colours
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def _plan() -> list[tuple[str, int | None]]:
    """List the name of each layer and torchvision's index of its convolution, None for a pooling."""
    plan: list[tuple[str, int | None]] = []
    index = 0
    for block, count in enumerate(_BLOCKS, start=1):
        for conv in range(1, count + 1):
            plan.append((f"conv{block}_{conv}", index))
            index += 2
        plan.append((f"pool{block}", None))
        index += 1
    return plan


def phase_colours(n_phases: int) -> Tensor:
    """Return equidistant RGB colours for two to four phases.

    Two phases are black and white; three and four are corners of a regular tetrahedron inscribed in the colour cube.

    Parameters
    ----------
    n_phases : {2, 3, 4}
        Number of phases K.

    Returns
    -------
    Tensor, shape (K, 3)
        Colours in [-1, 1].

    Raises
    ------
    InputError
        If there are fewer than two or more than four phases.

    Examples
    --------
    >>> phase_colours(2).tolist()
    [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]
    """
    if n_phases == 2:
        return torch.tensor([[-1.0] * 3, [1.0] * 3])
    corners = torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    if n_phases not in (3, 4):
        raise InputError(f"equidistant colours exist for 2 to 4 phases, found {n_phases}; use one pass per phase.")
    return corners[:n_phases]


class VGG19(Encoder):
    """Compute the features of VGG-19's convolutional part, as deep as the given weights reach.

    Parameters
    ----------
    weights : mapping of str to Tensor
        ``features.N.weight`` and ``features.N.bias`` with torchvision's numbering, for the first one to 16
        convolutions.
    name : {"vgg19-oxford", "vgg19-torchvision"}
        Which of two trainings of the network the weights come from.
    source : dict of str to str, optional
        Provenance of the weights.

    Raises
    ------
    InputError
        If the weights lack the first convolution, or a tensor has another shape than VGG-19's.

    Notes
    -----
    Simonyan and Zisserman, arXiv:1409.1556 (2014); average pooling after Gatys, Ecker and Bethge, NeurIPS (2015).

    Examples
    --------
    >>> net = VGG19(random_weights(convolutions=2, seed=0))
    >>> [layer.name for layer in net.layers]
    ['conv1_1', 'conv1_2', 'pool1']
    >>> x = torch.rand(1, 1, 8, 8)
    >>> net.features(torch.cat([1 - x, x], 1), ["pool1"], "circular")["pool1"].shape
    torch.Size([1, 64, 4, 4])
    """

    losses: ClassVar[Mapping[str, Loss]] = {
        "default": Loss(_LAYERS, coarse=120, fine=140),
        "fast": Loss(_LAYERS, coarse=70, fine=50),
        "li2018": Loss(_LI_LAYERS, coarse=120, fine=400),
    }
    citations: ClassVar[tuple[str, ...]] = ("simonyan2014very",)
    seconds_per_pixel: ClassVar[float] = 1.05e-5
    bytes_per_pixel: ClassVar[float] = 1.8e3

    def __init__(
        self, weights: Mapping[str, Tensor], name: str = "vgg19-oxford", source: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self.name, self.source = name, source or {}
        self.steps: list[tuple[str, int | None]] = []
        layers: list[Layer] = []
        field, stride, channels = 1, 1, 3
        for step, index in _plan():
            if index is None:
                field, stride = field + stride, stride * 2
            elif f"features.{index}.weight" in weights:
                kernel, bias = weights[f"features.{index}.weight"], weights.get(f"features.{index}.bias")
                bias = _checked_bias(kernel, bias, channels, step)
                self.register_buffer(f"kernel{index}", kernel.detach().float().contiguous())
                self.register_buffer(f"bias{index}", bias.detach().float().contiguous())
                field, channels = field + 2 * stride, kernel.shape[0]
            else:
                break
            self.steps.append((step, index))
            layers.append(Layer(step, channels, stride, field))
        if not layers:
            raise InputError("the weights hold no tensor 'features.0.weight'; expected torchvision's names of VGG-19.")
        self.layers = tuple(layers)
        self.ends_at = [step for step, index in self.steps if index is not None][-1]
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).reshape(1, 3, 1, 1))

    @classmethod
    def build(cls, name: str, weights: Mapping[str, Tensor], source: dict[str, str]) -> VGG19:
        """Build the network as deep as the weights reach.

        Parameters
        ----------
        name : str
            Name in the registry.
        weights : mapping of str to Tensor
            Tensors of the file, with torchvision's names.
        source : dict of str to str
            Provenance of the weights.

        Returns
        -------
        VGG19
            The network, on the processor.
        """
        return cls(weights, name, source)

    def passes(self, n_phases: int) -> int:
        """Return the number of images per structure: one, or one per phase above four phases.

        Parameters
        ----------
        n_phases : int
            Number of phases K.

        Returns
        -------
        int
            1 or ``n_phases``.
        """
        return 1 if n_phases <= _MOST_COLOURS else n_phases

    def weights_to(self, depth: str) -> dict[str, Tensor]:
        """Return the kernels and biases up to a layer.

        Parameters
        ----------
        depth : str
            Name of the layer.

        Returns
        -------
        dict of str to Tensor
            ``kernel0``, ``bias0``, ``kernel2`` and so on.
        """
        steps = [name for name, _ in self.steps]
        reached = [index for _, index in self.steps[: steps.index(depth) + 1] if index is not None]
        names = [f"{part}{index}" for index in reached for part in ("kernel", "bias")]
        return {name: self.get_buffer(name) for name in names}

    def trainable(self, depth: str, seed: int | None = None) -> VGG19:
        """Copy the network up to a layer.

        Parameters
        ----------
        depth : str
            Name of the deepest layer.
        seed : int, optional
            Seed of random He-normal weights (He et al., ICCV 2015); by default, the weights of this network are copied.

        Returns
        -------
        VGG19
            The copy, on the device of this network.
        """
        weights = self.weights_to(depth)
        device = self.get_buffer("mean").device
        if seed is not None:
            return VGG19(random_weights(len(weights) // 2, seed), self.name).to(device)
        return VGG19(named_for_file({k: v.clone() for k, v in weights.items()}), self.name, self.source).to(device)

    @classmethod
    def restore(cls, name: str, weights: Mapping[str, Tensor]) -> VGG19:
        """Build a trained network from its kernels and biases.

        Parameters
        ----------
        name : str
            Name in the registry.
        weights : mapping of str to Tensor
            Result of `weights_to`.

        Returns
        -------
        VGG19
            The network, on the processor.
        """
        return cls(named_for_file(weights), name)

    def prepare(self, indicators: Tensor) -> Tensor:
        """Colour the phases and normalise with ImageNet's mean and standard deviation.

        Up to four phases become the colours of one image; above, every phase becomes a black-and-white image of its
        own.

        Parameters
        ----------
        indicators : Tensor, shape (B, K, H, W)
            Amounts of the phases in [0, 1].

        Returns
        -------
        Tensor, shape (B * passes, 3, H, W)
            Normalised images.
        """
        batch, phases, *space = indicators.shape
        if self.passes(phases) > 1:
            images = (2 * indicators - 1).reshape(batch * phases, 1, *space).expand(-1, 3, -1, -1)
        else:
            colours = phase_colours(phases).to(indicators)
            images = torch.einsum("bkhw,kc->bchw", indicators, colours)
        return ((images + 1) / 2 - self.get_buffer("mean")) / self.get_buffer("std")

    def read(self, layer: str, activations: Tensor) -> Tensor:
        """Return what is read of a layer: its activations.

        Parameters
        ----------
        layer : str
            Name of the layer.
        activations : Tensor, shape (B, C, h, w)
            Its activations.

        Returns
        -------
        Tensor, shape (B, C, h, w)
            The activations.
        """
        return activations

    def forward_layers(self, images: Tensor, wanted: frozenset[str], padding: Padding) -> dict[str, Tensor]:
        """Run the convolutions up to the deepest wanted layer.

        Parameters
        ----------
        images : Tensor, shape (B * passes, 3, H, W)
            Result of `prepare`.
        wanted : frozenset of str
            Names of layers.
        padding : {"valid", "circular", "reflect"}
            Treatment of borders: none, periodic, or reflection.

        Returns
        -------
        dict of str to Tensor, shape (B * passes, C, h, w)
            Activations by layer; a layer without a position is missing.
        """
        found: dict[str, Tensor] = {}
        remaining = len(wanted)
        for name, index in self.steps:
            if remaining == 0:
                break
            if min(images.shape[-2:]) < (
                2 if index is None or padding == "reflect" else 3 if padding == "valid" else 1
            ):
                break
            if index is None:
                images = functional.avg_pool2d(images, 2)
            else:
                kernel, bias = self.get_buffer(f"kernel{index}"), self.get_buffer(f"bias{index}")
                if kernel.shape[1] > images.shape[1]:  # a grey image: its colours would be equal
                    kernel = kernel.sum(1, keepdim=True)
                images = convolved(images, kernel, bias, padding)
            if name in wanted:
                found[name] = self.read(name, images)
                remaining -= 1
        return found


def random_weights(convolutions: int, seed: int) -> dict[str, Tensor]:
    """Draw He-normal weights for the first convolutions of VGG-19, as a negative control of the trained encoder.

    Parameters
    ----------
    convolutions : int
        Number of convolutions, 1 to 16.
    seed : int
        Seed of the weights.

    Returns
    -------
    dict of str to Tensor
        ``features.N.weight`` with variance 2 / (9 inputs), and ``features.N.bias``, which are zero.

    Notes
    -----
    He, Zhang, Ren and Sun, ICCV (2015).

    Examples
    --------
    >>> sorted(random_weights(1, seed=0))
    ['features.0.bias', 'features.0.weight']
    """
    generator = torch.Generator().manual_seed(seed)
    widths = [64, 64, 128, 128, *[256] * 4, *[512] * 8]
    weights: dict[str, Tensor] = {}
    inputs = 3
    for (_, index), width in zip([step for step in _plan() if step[1] is not None], widths[:convolutions]):
        scale = (2 / (9 * inputs)) ** 0.5
        weights[f"features.{index}.weight"] = scale * torch.randn(width, inputs, 3, 3, generator=generator)
        weights[f"features.{index}.bias"] = torch.zeros(width)
        inputs = width
    return weights


def named_for_file(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename ``kernelN`` and ``biasN`` to torchvision's ``features.N.weight`` and ``.bias``."""
    kernels = [name.removeprefix("kernel") for name in weights if name.startswith("kernel")]
    found = {f"features.{index}.weight": weights[f"kernel{index}"] for index in kernels}
    return found | {f"features.{index}.bias": weights[f"bias{index}"] for index in kernels}


def _checked_bias(kernel: Tensor, bias: Tensor | None, inputs: int, step: str) -> Tensor:
    if kernel.ndim != 4 or kernel.shape[1:] != (inputs, 3, 3):
        raise InputError(
            f"the weights of {step} have shape {tuple(kernel.shape)}, expected (channels, {inputs}, 3, 3); "
            "this file is not VGG-19."
        )
    if bias is None or bias.shape != kernel.shape[:1]:
        raise InputError(f"{step} has no bias for each of its {kernel.shape[0]} channels; this file is not VGG-19.")
    return bias
