"""PNG, JPEG, BMP, GIF, WebP and PNM files, whose resolution is that of a screen or printer and no pixel size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.io.image import Image, attributes_text, check_room, image_with_attributes
from matlens.microstructure.io.palettes import shown_palette
from matlens.microstructure.structure import Microstructure

__all__ = ["grey_levels", "read_picture", "write_png"]

_COMMENT = "matlens"
_ORIENTATION = 0x0112  # EXIF
_WORD = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2}  # bytes of a value, where they are not one
_COLOUR = ("CMYK", "YCbCr", "LAB", "HSV")
_GREY = {"LA": "L", "La": "L"}


def read_picture(path: Path, dataset: str | None = None) -> Image:
    """Read a grey, colour or palette image; transparency is dropped.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because these files hold one image.

    Returns
    -------
    Image
        Grey values or colours; labels with all attributes if `write_png` wrote the file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.png"
    >>> with path.open("wb") as file:
    ...     write_png(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"), file)
    >>> read_picture(path).spacing
    (0.5, 0.5)
    """
    from PIL import Image as Pillow
    from PIL import ImageOps

    with Pillow.open(path) as picture:
        check_room(picture.size[::-1], len(picture.getbands()) * _WORD.get(picture.mode, 1), path.name)
        text = picture.info.get(_COMMENT)
        lossy = picture.format in ("JPEG", "MPO", "WEBP")
        frames = getattr(picture, "n_frames", 1)
        turned = picture.getexif().get(_ORIENTATION, 1) in range(2, 9)
        shown = ImageOps.exif_transpose(picture) if turned else picture
        values, table, notes = _values(shown)
    if turned:
        notes += ("The picture was turned as its EXIF orientation says.",)
    if frames > 1:
        notes += (f"The first of {frames} frames was taken.",)
    image = image_with_attributes(values, text if isinstance(text, str) else None)
    if image.phase_names is not None:
        labels = np.rint(values * ((len(image.phase_names) - 1) / 255)).astype(np.uint8)
        return replace(image, values=labels, notes=notes)
    said = "this format holds a resolution of print at most"
    return replace(image, colour=values.ndim == 3, palette=table, lossy=lossy, scale=said, notes=notes)


def _values(picture: Any) -> tuple[NDArray[Any], NDArray[np.uint8] | None, tuple[str, ...]]:
    """Values of a picture, its table of colours where they are indices, and notes."""
    mode: str = picture.mode
    notes: tuple[str, ...] = ()
    if mode in ("LA", "La", "RGBA", "PA", "RGBa") and np.ptp(np.asarray(picture.getchannel("A"))) > 0:
        notes = ("Transparency was dropped; pixels count whether they are transparent or not.",)
    if mode in ("P", "PA"):
        indices = np.asarray(picture.getchannel(0) if mode == "PA" else picture)
        table = np.zeros((256, 3), dtype=np.uint8)
        colours = np.array(picture.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
        table[: len(colours)] = colours
        values, kept = shown_palette(indices, table)
        return values, kept, notes
    mode = "RGB" if mode in (*_COLOUR, "RGBA", "RGBa", "RGBX") else _GREY.get(mode, mode)
    return np.asarray(picture if mode == picture.mode else picture.convert(mode)), None, notes


def write_png(microstructure: Microstructure, file: BinaryIO) -> None:
    """Write a 2-D microstructure as grey levels from black to white, with its attributes in a comment.

    Parameters
    ----------
    microstructure : Microstructure
        The structure, a plane.
    file : binary file
        Open for writing.

    Examples
    --------
    See `read_picture`.
    """
    from PIL import Image as Pillow
    from PIL.PngImagePlugin import PngInfo

    comment = PngInfo()
    comment.add_text(_COMMENT, attributes_text(microstructure))
    levels = grey_levels(microstructure.n_phases)
    Pillow.fromarray(levels[microstructure.labels]).save(file, format="PNG", pnginfo=comment)


def grey_levels(n_phases: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return the grey level of each phase, evenly distributed over 0..255.

    Parameters
    ----------
    n_phases : int
        Number of phases K.

    Returns
    -------
    ndarray of uint8, shape (K,)
        Grey levels in ascending order.

    Examples
    --------
    >>> grey_levels(3).tolist()
    [0, 128, 255]
    """
    return np.rint(np.linspace(0, 255, max(n_phases, 2))).astype(np.uint8)[:n_phases]
