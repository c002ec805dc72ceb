"""The content of an image file before a decision which values belong to which phase."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.structure import Microstructure

__all__ = ["Image", "attributes_text", "checked_values", "image_with_attributes", "pick"]


@dataclass(frozen=True, eq=False)
class Image:
    """Values read from a file, with the facts that the file gives about them.

    Parameters
    ----------
    values : ndarray
        Grey values or labels, shape (y, x) or (z, y, x); shape (y, x, 3) when ``colour``.
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

    @property
    def space(self) -> tuple[int, ...]:
        """Shape without the colour axis."""
        return self.values.shape[:2] if self.colour else self.values.shape


def checked_values(values: NDArray[Any], name: str) -> tuple[NDArray[Any], bool]:
    """Drop axes of length one, and check that the values are an image or a volume.

    Parameters
    ----------
    values : ndarray
        Values as read from a file.
    name : str
        File name, for messages.

    Returns
    -------
    values : ndarray
        Shape (y, x), (z, y, x), or (y, x, 3) for a colour image. A colour image without colours becomes grey.
    colour : bool
        Whether the last axis holds red, green and blue.

    Raises
    ------
    InputError
        If the array holds objects or complex numbers, NaN or infinity, or does not have two or three axes.

    Examples
    --------
    >>> checked_values(np.zeros((1, 5, 6, 1)), "a.npy")[0].shape
    (5, 6)
    """
    if values.dtype.kind not in "buif":
        raise InputError(f"{name} holds an array of dtype {values.dtype}; save plain numbers (integers or floats).")
    colour = _is_colour(values)
    if not colour and values.ndim > 2:
        values = _squeezed(values)
        colour = _is_colour(values)
    if values.size == 0 or (values.ndim not in (2, 3) and not colour):
        raise InputError(
            f"{name} holds an array of shape {values.shape}, expected 2-D or 3-D; save one picture or volume."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinite values; replace them before reading.")
    if colour:
        values = values[..., :3]  # transparency carries no phase
        if (values == values[..., :1]).all():
            return np.ascontiguousarray(values[..., 0]), False
    return values, colour


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
    listed = ", ".join(f"{key} {shape}" for key, shape in list(candidates.items())[:20]) or "none"
    for wanted in (dataset,) if dataset is not None else preferred:
        exact = wanted.strip("/")
        fits = [key for key in candidates if key == exact] or [
            key for key in candidates if key.rsplit("/", 1)[-1] == exact
        ]
        if len(fits) == 1:
            return fits[0]
    if dataset is not None:
        raise InputError(f"{name} has no single array {dataset!r}; name one of these with --dataset: {listed}.")
    if len(candidates) != 1:
        raise InputError(
            f"{name} holds {len(candidates)} arrays that could be the picture; name one with --dataset: {listed}."
        )
    return next(iter(candidates))


def attributes_text(microstructure: Microstructure) -> str:
    """Return everything but the labels as one line of JSON, for formats that hold text only as a comment.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.

    Returns
    -------
    str
        Shape, spacing, unit, phase names and periodicity.

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
    )


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
        The values with the attributes. When their shape differs from the stored one, only the phase names are kept.

    Examples
    --------
    >>> image_with_attributes(np.eye(2), "a comment").spacing is None
    True
    """
    try:
        found = json.loads(text or "")
        if tuple(found["shape"]) != values.shape:  # cropped or resized since: only the names still hold
            return Image(values, phase_names=tuple(found["phase_names"]))
        spacing = tuple(float(step) for step in found["spacing"])
        return Image(values, spacing, str(found["unit"]), False, tuple(found["phase_names"]), bool(found["periodic"]))
    except (ValueError, KeyError, TypeError):
        return Image(values)


def _is_colour(values: NDArray[Any]) -> bool:
    """Whether an array is a colour image, not a volume: (y, x, 3 or 4), uint8 or uint16, at least 8 pixels wide."""
    wide = values.ndim == 3 and values.shape[-1] in (3, 4) and min(values.shape[:2]) >= 8
    return wide and values.dtype in (np.uint8, np.uint16)


def _squeezed(values: NDArray[Any]) -> NDArray[Any]:
    keep = [side for side in values.shape if side != 1]
    return values.reshape(keep if len(keep) > 1 else values.shape)
