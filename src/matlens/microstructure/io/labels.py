"""Conversion of the values of a segmented image to phase labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io.channels import CHANNELS
from matlens.microstructure.io.image import Image
from matlens.microstructure.io.palettes import LUMINANCE
from matlens.microstructure.structure import MAX_PHASES, Microstructure, distinct_values, map_labels

__all__ = ["colour_codes", "image_labels", "microstructure_from_labels", "single_channel"]


def single_channel(image: Image, channel: str | None, name: str = "the picture") -> Image:
    """Reduce a colour image to one value for each pixel; other images are returned unchanged.

    Parameters
    ----------
    image : Image
        The image.
    channel : str, optional
        ``"grey"`` (luminance of ITU-R BT.709), ``"red"``, ``"green"``, ``"blue"``, or ``"colours"``, which makes every
        colour a phase.
    name : str
        File name, for messages.

    Returns
    -------
    Image
        An image without a colour axis.

    Raises
    ------
    InputError
        If the picture is coloured and no channel is chosen, or the channel is unknown.

    Examples
    --------
    >>> red = np.zeros((8, 8, 3)); red[:4, :, 0] = 255
    >>> np.unique(single_channel(Image(red, colour=True), "colours").values)
    array([0, 1])
    """
    if channel is not None and channel not in CHANNELS:
        raise InputError(f"unknown channel {channel!r}; choose one of {', '.join(CHANNELS)}.")
    if image.palette is not None:
        if channel in (None, "colours"):
            return image
        image = replace(image, values=image.palette[image.values], colour=True, palette=None)
    if not image.colour:
        return image
    rgb = image.values
    if channel is None:
        count = distinct_values(colour_codes(rgb)).size
        said = f"{count} colours" if count <= MAX_PHASES else "many colours"
        raise InputError(
            f"{name} is a colour picture ({said}) where phase labels or grey values are expected; choose "
            "--channel colours if every colour is a phase, or --channel grey (red, green, blue) with --threshold otsu."
        )
    if channel == "colours":
        codes = colour_codes(rgb)
        known, first = _first_of_each(codes, name)
        table = rgb.reshape(-1, 3)[first]
        return replace(image, values=np.searchsorted(known, codes), colour=False, palette=table.astype(np.uint8))
    else:
        values = rgb @ LUMINANCE if channel == "grey" else rgb[..., CHANNELS.index(channel) - 1]
    return replace(image, values=values, colour=False)


def colour_codes(rgb: NDArray[Any]) -> NDArray[Any]:
    """Write each colour as one number, in the order of red, green and blue.

    Parameters
    ----------
    rgb : ndarray, shape (..., 3)
        Colours.

    Returns
    -------
    ndarray, shape (...)
        The numbers: of four bytes for colours of bytes.

    Examples
    --------
    >>> colour_codes(np.array([[1, 0, 2]], dtype=np.uint8)).tolist()
    [65538]
    """
    kind, base = (np.uint32, 256) if rgb.dtype == np.uint8 else (np.float64, 65536)
    codes: NDArray[Any] = rgb[..., 0].astype(kind)
    for k in (1, 2):
        codes = codes * kind(base) + rgb[..., k]
    return codes


def _first_of_each(codes: NDArray[Any], name: str) -> tuple[NDArray[Any], list[int]]:
    """The distinct colours, and a pixel of each."""
    known = distinct_values(codes)
    if known.size > MAX_PHASES:
        raise InputError(
            f"{name} has more than {MAX_PHASES} colours where every colour is a phase; choose --channel grey (red, "
            "green, blue) with --threshold otsu."
        )
    return known, [int(np.argmax(codes.ravel() == code)) for code in known]


def image_labels(image: Image, name: str = "the file") -> tuple[NDArray[np.uint8], dict[float, int], tuple[str, ...]]:
    """Map the values of a segmented image to labels 0..K-1.

    Parameters
    ----------
    image : Image
        An image without a colour axis.
    name : str
        File name, for messages.

    Returns
    -------
    labels : ndarray of uint8
        Phase of each pixel.
    mapping : dict of float to int
        Label of each original value; empty when the values were 0..K-1 already.
    phase_names : tuple of str
        Names from the file, or ``"phase 0"`` and so on.

    Raises
    ------
    InputError
        If there are more than 64 values.

    Examples
    --------
    >>> image_labels(Image(np.array([[0, 255]])))[1]
    {0.0: 0, 255.0: 1}
    """
    values, names = image.values, image.phase_names
    mapping: dict[float, int] = {}
    if names is not None and values.dtype.kind in "bui" and values.min() >= 0 and values.max() < len(names):
        labels = values.astype(np.uint8)  # a window may lack a phase that the file names
    else:
        labels, mapping = _mapped(values, name)
        names = tuple(image.value_names.get(int(value), f"phase {label}") for value, label in mapping.items())
        if all(value == label for value, label in mapping.items()):
            mapping = {}
    return labels, mapping, names


def require_phases(found: Microstructure, name: str) -> None:
    """Check that at least two phases are present.

    Parameters
    ----------
    found : Microstructure
        What was read.
    name : str
        File name, for messages.

    Raises
    ------
    InputError
        If there is only one phase.

    Examples
    --------
    >>> require_phases(Microstructure([[0, 1]]), "m.tif")
    """
    if np.count_nonzero(found.volume_fractions) < 2:
        masked = "" if found.mask is None else ", or give --unmasked, which masks nothing that holds a value"
        every = "every pixel" if found.mask is None else "every pixel that is not masked"
        raise InputError(
            f"{name} holds one phase only ({every} is the same); a microstructure needs at least two, "
            f"check the file, the threshold and the crop{masked}."
        )


def microstructure_from_labels(
    labels: NDArray[np.uint8],
    image: Image,
    phase_names: tuple[str, ...],
    *,
    whole: bool = True,
    mask: NDArray[np.bool_] | None = None,
) -> Microstructure:
    """Build a microstructure from labels and the scale of the image they come from.

    Parameters
    ----------
    labels : ndarray of uint8
        Phase of each pixel, of the image or of a part of it.
    image : Image
        Gives spacing, unit and periodicity.
    phase_names : tuple of str
        Name of each phase.
    whole : bool
        Whether the labels cover the whole image; a part is not periodic.
    mask : ndarray of bool, optional
        True where the labels are known; by default everywhere.

    Returns
    -------
    Microstructure
        The structure; 1 px when the image has no spacing.

    Raises
    ------
    InputError
        If labels, spacing and names do not fit each other.

    Examples
    --------
    >>> labels = np.array([[0, 1], [1, 1]], dtype=np.uint8)
    >>> microstructure_from_labels(labels, Image(labels, (0.5, 0.5), "um"), ("matrix", "particles"))
    Microstructure(2 x 2, 2 phases, 0.5 um)
    """
    spacing: Any = 1.0 if image.spacing is None else image.spacing
    return Microstructure(labels, spacing, image.unit or "px", phase_names, image.periodic and whole, mask)


def _mapped(values: NDArray[Any], name: str) -> tuple[NDArray[np.uint8], dict[float, int]]:
    try:
        return map_labels(values)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
