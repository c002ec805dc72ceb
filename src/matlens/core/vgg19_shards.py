"""Conversion of VGG-19 as published for TensorFlow.js to one safetensors file with torchvision's names and input.

Each shard holds one convolution as little-endian float32: the kernel (3, 3, in, out), then the bias (out). The
published network expects the input of Caffe: blue, green, red in 0..255 minus the mean of ImageNet. MatLens feeds
torchvision's input: red, green, blue in 0..1, minus the mean and divided by the standard deviation of ImageNet. The
first convolution is rescaled and reordered to absorb the difference. Network: Simonyan and Zisserman (2014),
arXiv:1409.1556.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.errors import ResourceError

__all__ = ["join_shards"]

_CONVOLUTIONS = (
    (0, 3, 64),
    (2, 64, 64),
    (5, 64, 128),
    (7, 128, 128),
    (10, 128, 256),
    *((n, 256, 256) for n in (12, 14, 16)),
)
_CAFFE_MEAN = np.array([123.68, 116.779, 103.939])  # red, green, blue
_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
_METADATA = {
    "input": "RGB in [0,1], normalised by mean (0.485,0.456,0.406), std (0.229,0.224,0.225); conv1_1 weight and bias "
    "rescaled/reordered from the caffe convention (exact in the interior; zero padding equals the dataset mean to "
    "within 0.5/255)",
    "source": "github.com/DavidCai1993/vgg19-tensorflowjs-model@08d0905 (MIT), = keras.applications VGG19 = Oxford VGG "
    "(Simonyan & Zisserman 2014, CC BY 4.0)",
    "format": "pt",
    "layers": "conv1_1..conv3_4 of VGG-19 (8 of 16 conv layers), torchvision features.N naming",
}


def join_shards(shards: Sequence[bytes]) -> bytes:
    """Join the shards of the first eight convolutions of VGG-19 to the content of one safetensors file.

    Parameters
    ----------
    shards : sequence of bytes
        Contents of the files ``group1-shard1of1`` to ``group8-shard1of1``, in this order.

    Returns
    -------
    bytes
        Content of the file. Equal shards give equal bytes, so that the file has one SHA-256.

    Raises
    ------
    ResourceError
        If the size of a shard does not match its convolution.
    ValueError
        If the number of shards is not eight.

    Examples
    --------
    >>> sizes = [9 * i * o + o for _, i, o in _CONVOLUTIONS]
    >>> len(join_shards([bytes(4 * size) for size in sizes]))
    9304152
    """
    tensors: dict[str, NDArray[np.float32]] = {}
    for (index, inward, outward), shard in zip(_CONVOLUTIONS, shards, strict=True):
        if len(shard) != 4 * (9 * inward + 1) * outward:
            raise ResourceError(
                f"a shard of VGG-19 has {len(shard)} bytes, expected {4 * (9 * inward + 1) * outward}; fetch it again."
            )
        numbers = np.frombuffer(shard, dtype="<f4").astype(np.float64)
        weight = numbers[:-outward].reshape(3, 3, inward, outward).transpose(3, 2, 0, 1)
        bias = numbers[-outward:]
        if index == 0:
            weight = weight[:, ::-1]  # Caffe's order of channels is blue, green, red
            bias = bias + (weight * (255 * _MEAN - _CAFFE_MEAN)[None, :, None, None]).sum(axis=(1, 2, 3))
            weight = weight * (255 * _STD)[None, :, None, None]
        tensors[f"features.{index}.weight"] = np.ascontiguousarray(weight, dtype="<f4")
        tensors[f"features.{index}.bias"] = bias.astype("<f4")
    return _safetensors(dict(sorted(tensors.items())))


def _safetensors(tensors: dict[str, NDArray[np.float32]]) -> bytes:
    """The format by hand, since the library writes its metadata in no fixed order and the hash must be fixed."""
    header: dict[str, object] = {"__metadata__": _METADATA}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(tensor.tobytes() for tensor in tensors.values())
