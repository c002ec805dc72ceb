"""The yardstick of small encoders: VGG-19 pruned to a sixteenth and distilled on photographs by others.

It stays outside the package, in which no weights of others are shipped but VGG-19's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from material_kinds import AbsentError, in_data_folders
from matlens.core.registry import sha256_of
from matlens.microstructure.encoders import VGG19
from matlens.microstructure.encoders.loading import read_weights

FILE = "vgg19_16x_small_encoder.safetensors"
# The file's names of the convolutions from conv1_1 to conv3_4, and torchvision's numbers of them.
_CONVOLUTIONS = {"11": 0, "12": 2, "21": 5, "22": 7, "31": 10, "32": 12, "33": 14, "34": 16}


class PrunedByOthers(VGG19):
    """VGG-19 of 16, 32 and 64 channels with mean pooling: loss layers, colours and padding are VGG-19's.

    Notes
    -----
    Wang et al., Collaborative Distillation, CVPR (2020), arXiv:2003.08436; trained with maximum pooling.
    """

    seconds_per_pixel: ClassVar[float] = 0.5e-6

    @classmethod
    def build(cls, name: str, weights: Mapping[str, Tensor], source: dict[str, str]) -> PrunedByOthers:
        """Rename the tensors, and fold the first 1 x 1 convolution into the one behind it."""
        found = {
            f"features.{index}.{part}": weights[f"conv{layer}.{part}"]
            for layer, index in _CONVOLUTIONS.items()
            for part in ("weight", "bias")
        }
        network = cls(found, name, source)
        # The file's first convolution takes colours in [0, 1]; `VGG19.prepare` gives (colour - mean) / std.
        mean, std = (network.get_buffer(part).ravel() for part in ("mean", "std"))
        mixing = weights["conv0.weight"][:, :, 0, 0]
        offset = mixing @ mean + weights["conv0.bias"]
        kernel = weights["conv11.weight"]
        network.kernel0 = torch.einsum("oihw,ij,j->ojhw", kernel, mixing, std).contiguous()
        network.bias0 = weights["conv11.bias"] + torch.einsum("oihw,i->o", kernel, offset)
        return network


def pruned_by_others(name: str) -> PrunedByOthers:
    """The encoder, from its file; raises AbsentError."""
    path = weights_file()
    return PrunedByOthers.build(name, read_weights(path), {"file": path.name, "sha256": sha256_of(path)})


def weights_file() -> Path:
    path = next(iter(in_data_folders(FILE)), None)
    if path is None:
        raise AbsentError(f"{FILE} (github.com/MingSun-Tse/Collaborative-Distillation, MIT) is in no folder that "
                          "MATLENS_DATA names")  # fmt: skip
    return path
