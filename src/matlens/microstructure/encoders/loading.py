"""Loading of encoders by name: find the weights, check them and build the network."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from matlens.core.device import chosen_device
from matlens.core.guard import reading
from matlens.core.registry import locate, sha256_of
from matlens.errors import InputError, ResourceError
from matlens.microstructure.encoders.base import Encoder
from matlens.microstructure.encoders.registry import ENCODERS, EncoderEntry, find_encoder

__all__ = ["load_encoder", "resolve_encoder"]


def resolve_encoder(name: str = "auto") -> str:
    """Return the name of the encoder that ``name`` stands for on this machine.

    Parameters
    ----------
    name : str
        A key of ``ENCODERS``, or ``"auto"``: the first of them that can be built on this machine. That is ``matlens``,
        whose weights are part of the package.

    Returns
    -------
    str
        A key of ``ENCODERS``.

    Raises
    ------
    InputError
        If no encoder has this name.

    Examples
    --------
    >>> resolve_encoder("filterbank")
    'filterbank'
    """
    if name == "auto":
        return next(entry.name for entry in ENCODERS.values() if entry.at_hand())
    return find_encoder(name).name


def load_encoder(
    name: str = "auto", *, weights: str | os.PathLike[str] | None = None, device: str | torch.device = "cpu"
) -> Encoder:
    """Build an encoder by name.

    Parameters
    ----------
    name : str
        ``"auto"`` or a key of ``ENCODERS``.
    weights : path-like, optional
        A .safetensors or .pth file to use instead of the registered one; its hash is recorded, not checked.
    device : {"auto", "cpu", "cuda"} or torch.device
        Device that the encoder computes on.

    Returns
    -------
    Encoder
        The encoder on its device.

    Raises
    ------
    InputError
        If the name is unknown, or weights are given for an encoder that takes none.
    ResourceError
        If no weights are found, or the file cannot be read or belongs to another network.

    Examples
    --------
    >>> load_encoder("filterbank").layers[0].name
    'scale1'
    """
    where = chosen_device(device)
    if name == "auto" and weights is not None:
        entry = next(entry for entry in ENCODERS.values() if entry.weights is not None)
    else:
        entry = find_encoder(resolve_encoder(name))
    if entry.weights is None and entry.packaged is None:
        if weights is not None:
            readers = ", ".join(other.name for other in ENCODERS.values() if other.weights is not None)
            raise InputError(
                f"the encoder {entry.name} takes no weights file; leave weights out or choose one of {readers}."
            )
        return entry.load_class().build(entry.name, {}, {}).to(where)
    path = _weights_file(entry, weights)
    tensors = read_weights(path)
    source = {"file": path.name, "sha256": sha256_of(path)}
    try:
        return entry.load_class().build(entry.name, tensors, source).to(where)
    except InputError as error:
        raise ResourceError(f"the weights file {path.name} is another network's: {error}") from error


def _weights_file(entry: EncoderEntry, given: str | os.PathLike[str] | None) -> Path:
    if given is not None:
        return Path(given)
    if entry.packaged is not None:
        return _packaged(*entry.packaged)
    path = locate(str(entry.weights))
    if path is None:
        other = next(one.name for one in ENCODERS.values() if one.weights is None)
        raise ResourceError(
            f"the weights of {entry.name} are not on this machine; run 'matlens fetch {entry.weights}' once with a "
            f"network, point MATLENS_DATA at a folder that holds them, or use encoder='{other}' (--encoder {other})."
        )
    return path


def _packaged(file: str, sha256: str) -> Path:
    path = Path(__file__).with_name(file)
    if not path.is_file() or sha256_of(path) != sha256:
        state = "differs from the one that was published" if path.is_file() else "is missing"
        raise ResourceError(
            f"the weights file {file} inside the package {state}; install MatLens again "
            "(pip install --force-reinstall matlens)."
        )
    return path


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a .safetensors file or of a published .pth file; no code in the file is executed.

    Parameters
    ----------
    path : Path
        File of weights.

    Returns
    -------
    dict of str to Tensor
        Tensors on the processor, by name.

    Raises
    ------
    ResourceError
        If the file is missing, damaged, or holds anything else than tensors.

    Examples
    --------
    >>> read_weights(Path("nowhere.pth"))
    Traceback (most recent call last):
    matlens.errors.ResourceError: no weights file at nowhere.pth; give the path of a .safetensors or .pth file.
    """
    if not path.is_file():
        raise ResourceError(f"no weights file at {path}; give the path of a .safetensors or .pth file.")
    with reading(path, "a file of weights", "fetch it again or give another", ResourceError):
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        # Pickled files can run code when they are read: docs/decisions/0007-published-weights.md
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ResourceError(
            f"the weights file {path.name} holds no table of tensors; give the state dictionary of the network."
        )
    return loaded
