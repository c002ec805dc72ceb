"""PNG, JPEG and BMP files. Their resolution is that of a screen or printer, so it is not used as a spacing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from matlens.core.atomic import atomic_write
from matlens.microstructure.io.image import Image, attributes_text, image_with_attributes
from matlens.microstructure.structure import Microstructure

__all__ = ["grey_levels", "read_picture", "write_png"]

_COMMENT = "matlens"
_COLOUR = ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV")


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
    >>> write_png(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"), path)
    >>> read_picture(path).spacing
    (0.5, 0.5)
    """
    from PIL import Image as Pillow

    with Pillow.open(path) as picture:
        text = picture.info.get(_COMMENT)
        mode = "RGB" if picture.mode in _COLOUR else "L" if picture.mode in ("LA", "La") else picture.mode
        values = np.asarray(picture.convert(mode))
    image = image_with_attributes(values, text if isinstance(text, str) else None)
    if image.phase_names is None:
        return image
    labels = np.rint(values * ((len(image.phase_names) - 1) / 255)).astype(np.uint8)
    return Image(labels, image.spacing, image.unit, False, image.phase_names, image.periodic)


def write_png(microstructure: Microstructure, path: Path) -> None:
    """Write a 2-D microstructure as grey levels from black to white, with its attributes in a comment.

    Parameters
    ----------
    microstructure : Microstructure
        The structure, a plane.
    path : Path
        The file.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    See `read_picture`.
    """
    from PIL import Image as Pillow
    from PIL.PngImagePlugin import PngInfo

    comment = PngInfo()
    comment.add_text(_COMMENT, attributes_text(microstructure))
    levels = grey_levels(microstructure.n_phases)
    with atomic_write(path) as temporary:
        Pillow.fromarray(levels[microstructure.labels]).save(temporary, pnginfo=comment)


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
