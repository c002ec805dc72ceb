"""Pixel sizes that instruments write into a text file beside the picture: JEOL, Hitachi and Tescan."""

from __future__ import annotations

import re
from pathlib import Path

from matlens.core.units import in_handy_unit, is_length, normal_unit

__all__ = ["scale_beside"]

_SUFFIXES = (".txt", ".TXT", ".hdr", ".HDR")
_LONGEST = 1_000_000  # bytes; a text beside a picture that is longer is something else
_NUMBER = r"([\d.]+(?:[eE][+-]?\d+)?)"


def scale_beside(picture: Path, width: int) -> tuple[float, str, str] | None:
    """Read the pixel size from the text file that an instrument has written beside a picture.

    Parameters
    ----------
    picture : Path
        The picture; the text has the same name with the suffix .txt or .hdr.
    width : int
        Width of the picture in pixels.

    Returns
    -------
    size : float
        Size of a pixel.
    unit : str
        Its unit.
    source : str
        Where it was found, for the user. None instead of the three where no such file gives a size.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.tif"
    >>> _ = path.with_suffix(".txt").write_text("$$SM_MICRON_BAR 50\\n$$SM_MICRON_MARKER 100nm\\n")
    >>> scale_beside(path, 1280)
    (2.0, 'nm', 'JEOL metadata in a.txt')
    """
    for suffix in _SUFFIXES:
        beside = picture.with_suffix(suffix)
        if beside == picture or not beside.is_file() or beside.stat().st_size > _LONGEST:
            continue
        content = beside.read_bytes()
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
        text = content.decode(encoding, errors="replace")
        for maker, read in (("JEOL", _jeol), ("Hitachi", _hitachi), ("Tescan", _tescan)):
            found = read(text, width)
            if found is not None:
                return *found, f"{maker} metadata in {beside.name}"
    return None


def _jeol(text: str, width: int) -> tuple[float, str] | None:
    """The bar is ``SM_MICRON_BAR`` pixels long in an image of ``CM_FULL_SIZE`` and stands for ``SM_MICRON_MARKER``."""
    bar = re.search(rf"SM_MICRON_BAR\s+{_NUMBER}", text)
    marker = re.search(rf"SM_MICRON_MARKER\s+{_NUMBER}\s*([^\s\d]+)", text)
    if not bar or not marker or float(bar[1]) <= 0 or not is_length(marker[2]):
        return None
    full = re.search(r"CM_FULL_SIZE\s+(\d+)", text)
    zoom = int(full[1]) / width if full and int(full[1]) > 0 else 1.0  # a picture saved at half size has larger pixels
    return float(marker[1]) / float(bar[1]) * zoom, normal_unit(marker[2])


def _hitachi(text: str, width: int) -> tuple[float, str] | None:
    if "[SemImageFile]" not in text:
        return None
    size, full = re.search(rf"PixelSize\s*=\s*{_NUMBER}", text), re.search(r"DataSize\s*=\s*(\d+)", text)
    if not size or float(size[1]) <= 0:
        return None
    zoom = int(full[1]) / width if full and int(full[1]) > 0 else 1.0
    return float(size[1]) * zoom, "nm"


def _tescan(text: str, width: int) -> tuple[float, str] | None:
    size = re.search(rf"PixelSizeX\s*=\s*{_NUMBER}", text)
    if not size or float(size[1]) <= 0:
        return None
    (handy,), unit = in_handy_unit((float(size[1]),), "m")
    return handy, unit
