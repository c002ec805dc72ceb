"""From a name to an encoder: find weights, check them, build the network."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from matlens.core.device import chosen_device
from matlens.core.registry import locate, sha256_of
from matlens.errors import InputError, ResourceError
from matlens.microstructure.encoders.base import Encoder
from matlens.microstructure.encoders.filterbank import FilterBank
from matlens.microstructure.encoders.vgg19 import VGG19

__all__ = ["ENCODERS", "load_encoder", "resolve_encoder"]

ENCODERS = ("filterbank", "vgg19-oxford", "vgg19-torchvision")


def resolve_encoder(name: str = "auto") -> str:
    """Name of the encoder that ``name`` stands for on this machine.

    ``"auto"`` takes VGG-19 where weights are at hand (Oxford's before torchvision's) and the filter bank otherwise.

    Examples
    --------
    >>> resolve_encoder("filterbank")
    'filterbank'
    """
    if name == "auto":
        at_hand = [vgg for vgg in ("vgg19-oxford", "vgg19-torchvision") if locate(vgg) is not None]
        return (at_hand or ["filterbank"])[0]
    if name not in ENCODERS:
        raise InputError(f"encoder {name!r} is not known; choose one of auto, {', '.join(ENCODERS)}.")
    return name


def load_encoder(
    name: str = "auto", *, weights: str | os.PathLike[str] | None = None, device: str | torch.device = "cpu"
) -> Encoder:
    """Build an encoder by name.

    Parameters
    ----------
    name : str
        ``"auto"`` or one of ``ENCODERS``.
    weights : path-like, optional
        A .safetensors or .pth file to use instead of the registered one; not hash-checked, but recorded by its hash.
    device : {"auto", "cpu", "cuda"} or torch.device
        Where it runs.

    Returns
    -------
    Encoder

    Raises
    ------
    InputError
        If the name is unknown or weights are given for an encoder that takes none.
    ResourceError
        If no weights are at hand, or the file is unreadable or another one.

    Examples
    --------
    >>> load_encoder("filterbank").layers[0].name
    'scale1'
    """
    where = chosen_device(device)
    name = "vgg19-oxford" if name == "auto" and weights is not None else resolve_encoder(name)
    if name == "filterbank":
        if weights is not None:
            raise InputError("the filter bank takes no weights file; leave weights out or choose a vgg19 encoder.")
        return FilterBank().to(where)
    path = Path(weights) if weights is not None else locate(name)
    if path is None:
        raise ResourceError(
            f"the weights of {name} are not on this machine; run 'matlens fetch {name}' once with a network, point "
            "MATLENS_DATA at a folder that holds them, or use encoder='filterbank' (--encoder filterbank)."
        )
    tensors = read_weights(path)
    try:
        return VGG19(tensors, name, {"file": path.name, "sha256": sha256_of(path)}).to(where)
    except InputError as error:
        raise ResourceError(f"the weights file {path.name} is another network's: {error}") from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a .safetensors file or of a published .pth file (weights only, nothing is executed).

    Raises
    ------
    ResourceError
        If the file is missing, of another kind, or damaged.
    """
    if not path.is_file():
        raise ResourceError(f"no weights file at {path}; give the path of a .safetensors or .pth file.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ResourceError(
            f"the weights file {path.name} cannot be read ({type(error).__name__}); fetch it again or give another."
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ResourceError(f"the weights file {path.name} holds no table of tensors; give VGG-19's state dictionary.")
    return loaded
