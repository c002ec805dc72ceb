"""The content of an image file before a decision which values belong to which phase."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.memory import check_memory
from matlens.errors import InputError
from matlens.microstructure.large import BlockArray
from matlens.microstructure.structure import Microstructure

__all__ = [
    "ASSUMED",
    "HIDDEN",
    "NOT_INDEXED",
    "PAGES",
    "Image",
    "OpenImage",
    "attributes_text",
    "check_room",
    "checked_image",
    "checked_spacing",
    "image_with_attributes",
    "pick",
    "valued",
]

ASSUMED = ", distance between slices assumed"
"""End of the origin of a pixel size, where the file does not give the one along z."""

HIDDEN = 255
"""Value of masked pixels in formats that hold whole numbers only; phases stay far below."""

NOT_INDEXED = "not indexed"
"""Name of the value of points whose phase the measurement did not find."""

PAGES = "The pages were taken as slices of a volume, whose distance the file does not give; --slice z=0 takes one."
"""Note on pages of which nothing says what they are."""

_COPIES = 4  # of a picture: its values, their grey or labels, and what telling phases from grey values takes


@dataclass(frozen=True, eq=False)
class Image:
    """Values read from a file, with the facts that the file gives about them.

    Parameters
    ----------
    values : ndarray
        Grey values or labels, shape (y, x) or (z, y, x); with a last axis of three when ``colour``.
    spacing : tuple of float, optional
        Size of a pixel along each axis, in ``unit``; None when the file does not give it.
    unit : str, optional
        Unit of ``spacing``.
    colour : bool
        Whether the last axis holds red, green and blue.
    phase_names : tuple of str, optional
        Names of the phases, when the file gives them; ``values`` are then labels 0..K-1.
    periodic : bool
        Whether opposite borders continue each other, according to the file.
    notes : tuple of str
        Assumptions of the reader, one sentence each.
    scale : str
        Where ``spacing`` comes from, e.g. ``"OME metadata"``; where it is unknown, why no number of the file
        is taken.
    palette : ndarray of uint8, shape (K, 3), optional
        Colour of each value, where the values are indices into a colour table.
    lossy : bool
        Whether the values went through a compression such as JPEG, which does not keep labels.
    valid : ndarray of bool, optional
        False where the file holds no value (a round field of view, points that were not indexed); by default, all are
        valid.
    value_names : mapping of int to str
        Names of the phases by the file's own values.
    format : str
        Name of the format, see `FileFormat`.

    Examples
    --------
    >>> Image(np.zeros((4, 6))).space
    (4, 6)
    """

    values: NDArray[Any]
    spacing: tuple[float, ...] | None = None
    unit: str | None = None
    colour: bool = False
    phase_names: tuple[str, ...] | None = None
    periodic: bool = False
    notes: tuple[str, ...] = ()
    scale: str = ""
    palette: NDArray[np.uint8] | None = None
    lossy: bool = False
    valid: NDArray[np.bool_] | None = None
    value_names: Mapping[int, str] = field(default_factory=dict)
    format: str = ""

    @property
    def space(self) -> tuple[int, ...]:
        """Shape without the colour axis."""
        return self.values.shape[:-1] if self.colour else self.values.shape


@dataclass(frozen=True, eq=False)
class OpenImage:
    """An image or volume in a file, of which blocks are read.

    Parameters
    ----------
    values : BlockArray
        Grey values or labels, shape (y, x) or (z, y, x).
    image : Image
        What the file says about them; its values only stand for those of the file, in shape and type.

    Examples
    --------
    >>> OpenImage(np.eye(4), Image(np.eye(4))).values[0:1, 0:2]
    array([[1., 0.]])
    """

    values: BlockArray
    image: Image


def checked_image(image: Image, name: str) -> Image:
    """Drop axes of length one, and check that the values are an image or a volume and the spacing is one.

    Parameters
    ----------
    image : Image
        What a reader found.
    name : str
        File name, for messages.

    Returns
    -------
    Image
        Values of shape (y, x) or (z, y, x), or colours with a last axis of three. A colour image without colours is
        grey. Values that are no numbers are masked. Pixel sizes are positive.

    Raises
    ------
    InputError
        If the array holds objects or complex numbers, no finite number, or does not have two or three axes.

    Examples
    --------
    >>> checked_image(Image(np.zeros((1, 5, 6, 1))), "a.npy").values.shape
    (5, 6)
    """
    values = image.values
    if values.dtype.kind not in "buif":
        raise InputError(f"{name} holds an array of dtype {values.dtype}; save plain numbers (integers or floats).")
    colour = image.colour or _is_colour(values)
    if not colour and values.ndim > 2:
        values = _squeezed(values)
        colour = _is_colour(values)
    ndim = values.ndim - colour
    if values.size == 0 or ndim not in (2, 3):
        raise InputError(
            f"{name} holds an array of shape {values.shape}, expected 2-D or 3-D; save one picture or volume."
        )
    if colour:
        values = values[..., :3]  # transparency carries no phase
        if (values == values[..., :1]).all():
            values, colour = np.ascontiguousarray(values[..., 0]), False
    values, valid, notes = _finite(values, image.valid, name)
    if valid is not None and valid.shape != values.shape[:ndim]:
        valid = valid.reshape(values.shape[:ndim])
    spacing = image.spacing
    if spacing is not None and len(spacing) != ndim:
        spacing = _fitting(spacing, image.values.shape, ndim)
    found = replace(image, values=values, colour=colour, spacing=spacing, valid=valid, notes=(*image.notes, *notes))
    return checked_spacing(found)


def check_room(shape: Sequence[int], itemsize: int, name: str) -> None:
    """Refuse an array whose header says more than fits the free memory; call it before the values are read.

    Parameters
    ----------
    shape : sequence of int
        Shape by the header.
    itemsize : int
        Bytes of a value.
    name : str
        File name, for messages.

    Raises
    ------
    InputError
        If it does not fit, with the copies that finding the phases takes.

    Examples
    --------
    >>> check_room((10**6, 10**6, 10**6), 8, "m.h5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.InputError: m.h5 (1000000 x 1000000 x 1000000 values) needs about ... GB of memory, and ... are free;
    save a part of it, or a smaller copy.
    """
    sides = " x ".join(str(side) for side in shape)
    what = f"{name} ({sides} values)" if len(shape) > 1 else name
    check_memory(math.prod(shape) * itemsize * _COPIES, what, "save a part of it, or a smaller copy")


def pick(
    candidates: dict[str, tuple[int, ...]], dataset: str | None, name: str, preferred: tuple[str, ...] = ()
) -> str:
    """Choose one of several arrays of a file: the asked, the preferred, or the only one.

    Parameters
    ----------
    candidates : dict of str to tuple of int
        Shape of each array that could be an image, by name.
    dataset : str, optional
        Asked name, or its last part where that is unique.
    name : str
        File name, for messages.
    preferred : tuple of str
        Last parts of names that are taken when no name is asked.

    Returns
    -------
    str
        Name of the chosen array.

    Raises
    ------
    InputError
        If no array or more than one array fits; the message lists the candidates.

    Examples
    --------
    >>> pick({"a/grey": (4, 4), "a/labels": (4, 4)}, "labels", "x.h5")
    'a/labels'
    """
    listed = ", ".join(f"{key} {shape}" for key, shape in list(candidates.items())[:20])
    for wanted in (dataset,) if dataset is not None else preferred:
        exact = wanted.strip("/")
        fits = [key for key in candidates if key == exact] or [
            key for key in candidates if key.rsplit("/", 1)[-1] == exact
        ]
        if len(fits) == 1:
            return fits[0]
    if not candidates:
        raise InputError(f"{name} holds no array that could be a picture; save one with two or three axes of space.")
    if dataset is not None:
        raise InputError(f"{name} has no single array {dataset!r}; name one of these with --dataset: {listed}.")
    if len(candidates) != 1:
        raise InputError(
            f"{name} holds {len(candidates)} arrays that could be the picture; name one with --dataset: {listed}."
        )
    return next(iter(candidates))


def attributes_text(microstructure: Microstructure, values: Sequence[int] | None = None) -> str:
    """Return everything but the labels as one line of JSON, for formats that hold text only as a comment.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    values : sequence of int, optional
        Value of each phase in the file; by default its number.

    Returns
    -------
    str
        Shape, spacing, unit, phase names, periodicity and, where pixels are masked, the value that stands for them.

    Examples
    --------
    >>> text = attributes_text(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"))
    >>> image_with_attributes(np.eye(2), text).spacing
    (0.5, 0.5)
    """
    return json.dumps(
        {
            "shape": microstructure.shape,
            "spacing": microstructure.spacing,
            "unit": microstructure.unit,
            "phase_names": microstructure.phase_names,
            "periodic": microstructure.periodic,
        }
        | ({} if microstructure.mask is None else {"masked": HIDDEN})
        | ({} if values is None else {"values": list(values)})
    )


def valued(microstructure: Microstructure, values: Sequence[int] | None) -> NDArray[np.uint8]:
    """Return the labels as they stand in a file.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    values : sequence of int, optional
        Value of each phase, from 0 to 255; by default its number.

    Returns
    -------
    ndarray of uint8
        The values.

    Examples
    --------
    >>> valued(Microstructure([[0, 1]]), (0, 255)).tolist()
    [[0, 255]]
    """
    return microstructure.labels if values is None else np.array(values, dtype=np.uint8)[microstructure.labels]


def image_with_attributes(values: NDArray[Any], text: str | None) -> Image:
    """Build an image from values and the JSON of `attributes_text`; any other text is ignored.

    Parameters
    ----------
    values : ndarray
        The values.
    text : str, optional
        A comment from the file.

    Returns
    -------
    Image
        The values with the attributes. When their shape differs from the stored one, only the phase names and what is
        masked are kept.

    Examples
    --------
    >>> image_with_attributes(np.eye(2), "a comment").spacing is None
    True
    """
    try:
        found = json.loads(text or "")
        valid = values != found["masked"] if "masked" in found else None
        values = values if valid is None else np.where(valid, values, values.dtype.type(0))
        names: dict[str, Any] = {"phase_names": tuple(found["phase_names"])}
        if "values" in found:
            names = {"value_names": dict(zip(found["values"], found["phase_names"], strict=True))}
        if tuple(found["shape"]) != values.shape:  # cropped or resized since: only the names still hold
            return Image(values, valid=valid, **names)
        spacing, periodic = tuple(float(step) for step in found["spacing"]), bool(found["periodic"])
        return Image(values, spacing, str(found["unit"]), periodic=periodic, valid=valid, **names)
    except (ValueError, KeyError, TypeError):
        return Image(values)


def _is_colour(values: NDArray[Any]) -> bool:
    """Whether an array is a colour image, not a volume: (y, x, 3 or 4), at least 8 pixels wide, and of pictures' types.

    Three equal layers are a grey picture in the layout of a colour picture, whatever their type.
    """
    wide = values.ndim == 3 and values.shape[-1] in (3, 4) and min(values.shape[:2]) >= 8
    return wide and (values.dtype in (np.uint8, np.uint16) or bool((values[..., :3] == values[..., :1]).all()))


def _squeezed(values: NDArray[Any]) -> NDArray[Any]:
    keep = [side for side in values.shape if side != 1]
    return values.reshape(keep if len(keep) > 1 else values.shape)


def _finite(
    values: NDArray[Any], valid: NDArray[np.bool_] | None, name: str
) -> tuple[NDArray[Any], NDArray[np.bool_] | None, tuple[str, ...]]:
    """Mask values that are no numbers, as tomographs write outside their round field of view."""
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return values, valid, ()
    known = np.isfinite(values) if values.ndim < 4 else np.isfinite(values).all(axis=-1)
    if not known.any():
        raise InputError(f"{name} holds NaN or infinite values only; save numbers.")
    filled = np.where(np.isfinite(values), values, values[known].flat[0])  # a value that is there: no phase is added
    note = "Pixels that hold no number (NaN or infinity) are masked."
    return filled, known if valid is None else valid & known, (note,)


def _fitting(spacing: tuple[float, ...], shape: tuple[int, ...], ndim: int) -> tuple[float, ...] | None:
    """Drop the spacing of the axes of length one, which were dropped from the values."""
    kept = tuple(step for step, side in zip(spacing, shape) if side != 1)
    return kept if len(kept) == ndim else None


def checked_spacing(image: Image) -> Image:
    """Take absolute pixel sizes, and treat sizes that are zero or no number as unknown.

    Parameters
    ----------
    image : Image
        What a reader found.

    Returns
    -------
    Image
        The image with positive pixel sizes, or none.

    Examples
    --------
    >>> checked_spacing(Image(np.eye(2), (-0.5, 0.5), "um")).spacing
    (0.5, 0.5)
    """
    if image.spacing is None:
        return replace(image, unit=None)
    notes: list[str] = list(image.notes)
    steps = [abs(step) for step in image.spacing]
    if min(image.spacing) < 0:
        notes.append(
            "The file gives a negative pixel size, which says in which order slices were taken; it is positive."
        )
    known = [np.isfinite(step) and step > 0 for step in steps]
    if not all(known[-2:]):
        said = "the pixel size in the file is zero or no number"
        return replace(image, spacing=None, unit=None, scale=said, notes=tuple(notes))
    if not known[0]:
        steps[0] = steps[-1]
        image = replace(image, scale=f"{image.scale or 'from the file'}{ASSUMED}")
    return replace(image, spacing=tuple(steps), notes=tuple(notes))
