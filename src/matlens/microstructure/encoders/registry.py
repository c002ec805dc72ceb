"""The encoders by name. Importing this module loads no encoder, and neither torch nor scipy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matlens.core.late import imported
from matlens.errors import InputError

if TYPE_CHECKING:
    from matlens.microstructure.encoders.base import Encoder

__all__ = ["ENCODERS", "ENCODER_NAMES", "EncoderEntry", "find_encoder"]


@dataclass(frozen=True)
class EncoderEntry:
    """Entry of an encoder in the registry; loss layers, defaults and citation stand with the encoder's class.

    Attributes
    ----------
    name : str
        Value of ``encoder=`` and ``--encoder``.
    where : str
        Class of the encoder, a subclass of `Encoder`, as ``"module:Class"``; imported when the encoder is first used.
    weights : str or None
        Name of its weights in the registry of data and weights (`matlens.core.registry`); None for an encoder whose
        weights are not fetched.
    packaged : (str, str), optional
        Weights file beside this module, which is part of the package, and its SHA-256.

    Examples
    --------
    >>> EncoderEntry("filterbank", "matlens.microstructure.encoders.filterbank:FilterBank").load_class().__name__
    'FilterBank'
    """

    name: str
    where: str
    weights: str | None = None
    packaged: tuple[str, str] | None = None

    def at_hand(self) -> bool:
        """Return whether the encoder can be built on this machine now.

        Returns
        -------
        bool
            True if its weights are found or need not be fetched.
        """
        from matlens.core.registry import locate

        return self.weights is None or locate(self.weights) is not None

    def load_class(self) -> type[Encoder]:
        """Import the class of the encoder.

        Returns
        -------
        type
            Subclass of `Encoder`.
        """
        found: type[Encoder] = imported(self.where)
        return found


_MATLENS = ("matlens.safetensors", "15f61a6eb69d80e961f2437da10339bcd526da0a12bc7a6738b71180a1c29ff9")
_VGG19 = "matlens.microstructure.encoders.vgg19:VGG19"

# In order of preference: ``auto`` is the first of them that is at hand.
ENCODERS: dict[str, EncoderEntry] = {
    entry.name: entry
    for entry in (
        EncoderEntry("matlens", "matlens.microstructure.encoders.compact:Compact", packaged=_MATLENS),
        EncoderEntry("vgg19-oxford", _VGG19, weights="vgg19-oxford"),
        EncoderEntry("vgg19-torchvision", _VGG19, weights="vgg19-torchvision"),
        EncoderEntry("filterbank", "matlens.microstructure.encoders.filterbank:FilterBank"),
    )
}
ENCODER_NAMES: tuple[str, ...] = tuple(ENCODERS)


def find_encoder(name: str) -> EncoderEntry:
    """Return the entry of an encoder.

    Parameters
    ----------
    name : str
        A key of ``ENCODERS``.

    Returns
    -------
    EncoderEntry
        The entry.

    Raises
    ------
    InputError
        If no encoder has this name.

    Examples
    --------
    >>> find_encoder("vgg19-oxford").weights
    'vgg19-oxford'
    """
    if name not in ENCODERS:
        raise InputError(f"encoder {name!r} is not known; choose one of auto, {', '.join(ENCODERS)}.")
    return ENCODERS[name]
