"""Pixels of a TIFF series as a viewer shows them: alpha, planes, colour spaces, inverted tables and orientation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io.image import PAGES, check_room
from matlens.microstructure.io.palettes import shown_palette
from matlens.microstructure.structure import MAX_PHASES, distinct_values

__all__ = ["Pixels", "series_pixels"]

_SAMPLES = {"RGB": 3, "YCBCR": 3, "CIELAB": 3, "ICCLAB": 3, "ITULAB": 3, "SEPARATED": 4}
_INVERTED = "The file stores white as zero; values are those that a viewer shows."
_KEPT = "ImageJ shows this file by an inverting look-up table: dark is the larger value; --invert exchanges the phases."
_LAYERS = {"C": "channels", "T": "times"}
_TRANSPOSED = (5, 6, 7, 8)  # orientations in which rows of the file are columns of the picture


@dataclass(frozen=True)
class Pixels:
    """Values of a series, with what happened to them.

    Parameters
    ----------
    values : ndarray
        Shape ([z,] y, x), with a last axis of colours if ``colour``.
    colour : bool
        Whether the last axis holds red, green and blue.
    palette : ndarray of uint8, shape (K, 3), optional
        Colour of each value.
    lossy : bool
        Whether the pages are compressed with loss.
    transposed : bool
        Whether rows and columns were exchanged, and so are their pixel sizes.
    notes : tuple of str
        Sentences for the user.

    Examples
    --------
    >>> Pixels(np.zeros((4, 6))).colour
    False
    """

    values: NDArray[Any]
    colour: bool = False
    palette: NDArray[np.uint8] | None = None
    lossy: bool = False
    transposed: bool = False
    notes: tuple[str, ...] = ()


def series_pixels(
    series: Any, name: str, layers: Mapping[str, str] | None = None, names: Mapping[str, Sequence[str]] | None = None
) -> Pixels:
    """Read the values of a series, and bring them into the order and the colours that a viewer shows.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
        The series.
    name : str
        File name, for messages.
    layers : mapping of str to str, optional
        Name or number of the layer to take along axis C (channels) or T (times).
    names : mapping of str to sequence of str, optional
        Names of the layers along these axes; by default their numbers.

    Returns
    -------
    Pixels
        The values.

    Raises
    ------
    InputError
        If the series holds several channels or times that differ and none is chosen, or the chosen one is not there.

    Examples
    --------
    >>> import tempfile, tifffile
    >>> path = f"{tempfile.mkdtemp()}/m.tif"
    >>> tifffile.imwrite(path, np.zeros((3, 8, 9), "u1"), photometric="rgb", planarconfig="separate")
    >>> with tifffile.TiffFile(path) as file:
    ...     series_pixels(file.series[0], "m.tif").values.shape
    (8, 9, 3)
    """
    page = series.keyframe
    check_room(series.shape, np.dtype(series.dtype).itemsize, name)
    values, axes = series.asarray(), series.axes
    keep = [k for k, side in enumerate(values.shape) if side > 1 or axes[k] in "YX"]
    values, axes = values.reshape([values.shape[k] for k in keep]), "".join(axes[k] for k in keep)
    for several in "CT":
        asked = (layers or {}).get(several)
        if several in axes:
            known = (names or {}).get(several, [])
            values, axes = _one_layer(values, axes, several, asked, known, name)
        elif asked is not None:
            raise InputError(f"{name} does not hold several {_LAYERS[several]} (axes {axes}); leave out {asked!r}.")
    if "S" in axes:
        values = np.moveaxis(values, axes.index("S"), -1)
    pixels = _in_colours(values, "S" in axes, page, name)
    packing = getattr(page.compression, "name", str(page.compression))  # a bare number where tifffile knows no name
    lossy = any(kind in packing for kind in ("JPEG", "WEBP"))
    if len(axes.replace("S", "")) == 3 and "Z" not in axes:
        pixels = replace(pixels, notes=(*pixels.notes, PAGES))
    return _oriented(replace(pixels, lossy=lossy), page)


def _one_layer(
    values: NDArray[Any], axes: str, axis: str, asked: str | None, names: Sequence[str], name: str
) -> tuple[NDArray[Any], str]:
    """Take the asked layer along an axis of channels or times, or the first of equal ones; others are refused."""
    place = axes.index(axis)
    count = values.shape[place]
    names = names if len(names) == count else [str(number) for number in range(count)]
    if asked is not None and asked in names:
        number = list(names).index(asked)
    elif asked is not None and asked.isdecimal() and int(asked) < count:
        number = int(asked)
    elif asked is None and (values == values.take([0], axis=place)).all():
        number = 0
    else:
        found = f"there is no {asked!r} among its" if asked is not None else "it holds several"
        listed = ", ".join(f"{k}" if k == str(n) else f"{n} ({k})" for n, k in enumerate(names))
        raise InputError(
            f"{name}: {found} {_LAYERS[axis]}, {listed}; choose the one that shows the phases, for example with "
            f"--dataset {_LAYERS[axis][:-1]}=0."
        )
    return values.take(number, axis=place), axes.replace(axis, "")


def _in_colours(values: NDArray[Any], sampled: bool, page: Any, name: str) -> Pixels:
    kind = getattr(page.photometric, "name", str(page.photometric))
    if not sampled:
        return _grey(values, kind, page)
    wanted = _SAMPLES.get(kind, 1)
    extra, notes = values[..., wanted:], []
    if extra.size and np.ptp(extra) > 0:
        if any(int(meaning) in (1, 2) for meaning in np.atleast_1d(page.extrasamples)):
            notes.append("Transparency was dropped; pixels count whether they are transparent or not.")
        elif wanted == 1 and values.shape[-1] in (3, 4):
            wanted = 3  # programs that do not say what three samples are mean red, green and blue
        elif wanted == 1:
            raise InputError(f"{name} holds {values.shape[-1]} channels without names; save the one with the phases.")
    values = values[..., :wanted]
    if wanted == 1:
        grey = _grey(values[..., 0], kind, page)
        return replace(grey, notes=(*grey.notes, *notes))
    if kind == "SEPARATED":
        values, notes = _from_inks(values), [*notes, "The inks of a CMYK picture were turned into red, green and blue."]
    elif kind.endswith("LAB"):
        values, notes = _from_lab(values, kind), [*notes, "A picture in Lab was turned into red, green and blue."]
    return Pixels(values, colour=True, notes=tuple(notes))


def _grey(values: NDArray[Any], kind: str, page: Any) -> Pixels:
    if kind == "PALETTE" and page.colormap is not None and not page.is_imagej:  # ImageJ's tables colour measured values
        shown, table = shown_palette(values, (np.asarray(page.colormap).T >> 8).astype(np.uint8))
        return Pixels(shown, colour=shown.ndim > values.ndim, palette=table)
    if kind == "MINISWHITE" and values.dtype.kind in "bu":
        # ImageJ's masks keep 255 for objects whatever the table shows, and what they mean is their values.
        if page.is_imagej and distinct_values(values).size <= MAX_PHASES:
            return Pixels(values, notes=(_KEPT,))
        top = values.dtype.type(1 if values.dtype.kind == "b" else 2**page.bitspersample - 1)
        return Pixels(top ^ values, notes=(_INVERTED,))
    return Pixels(values)


def _from_inks(values: NDArray[Any]) -> NDArray[Any]:
    """Red, green and blue of cyan, magenta, yellow and black: an ink takes away its part of the light."""
    top = float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else 1.0
    light = 1 - values.astype(np.float64) / top
    shown = light[..., :3] * light[..., 3:4] * top
    return np.rint(shown).astype(values.dtype) if values.dtype.kind in "ui" else shown.astype(values.dtype)


def _from_lab(values: NDArray[Any], kind: str) -> NDArray[np.uint8]:
    from skimage.color import lab2rgb

    bits = 8 * values.dtype.itemsize
    lightness = values[..., 0].astype(np.float64) * (100 / (2**bits - 1))
    chroma = values[..., 1:3].astype(np.float64)
    if kind == "CIELAB":  # signed numbers in unsigned fields
        chroma = np.where(chroma >= 2 ** (bits - 1), chroma - 2**bits, chroma)
    else:
        chroma = chroma - 2 ** (bits - 1)
    chroma /= 2 ** (bits - 8)
    lab = np.concatenate([lightness[..., None], chroma], axis=-1)
    return np.asarray(np.rint(255 * lab2rgb(lab)), dtype=np.uint8)


def _oriented(pixels: Pixels, page: Any) -> Pixels:
    """Turn the picture as its orientation tag asks, as every viewer does."""
    tag = page.tags.get("Orientation")
    orientation = 1 if tag is None else int(tag.value)
    if orientation not in range(2, 9):
        return pixels
    values, row = pixels.values, -3 if pixels.colour else -2
    if orientation in _TRANSPOSED:
        values = values.swapaxes(row, row + 1)
    turned = {2: (1,), 3: (0, 1), 4: (0,), 5: (), 6: (1,), 7: (0, 1), 8: (0,)}[orientation]
    values = np.ascontiguousarray(np.flip(values, tuple(row + axis for axis in turned)))
    note = "The picture was turned as its orientation tag says."
    return replace(pixels, values=values, transposed=orientation in _TRANSPOSED, notes=(*pixels.notes, note))
