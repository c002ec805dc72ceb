"""Pixel sizes in TIFF files: from ImageJ, OME and the metadata of instruments, never from the resolution of print."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from matlens.core.units import converted, in_handy_unit, is_length, normal_unit

__all__ = ["Scale", "print_resolution", "tiff_scale"]

_INCH, _CENTIMETRE = 2, 3
_UNKNOWN = math.nan


@dataclass(frozen=True)
class Scale:
    """Size of a voxel with its origin.

    Parameters
    ----------
    sizes : tuple of float
        Sizes along z, y and x in ``unit``; NaN where one is unknown.
    unit : str
        Unit of all three.
    source : str
        Where it was found, for the user.

    Examples
    --------
    >>> Scale.of([(2.0, "um"), (250.0, "nm"), (250.0, "nm")], "OME metadata").sizes
    (2000.0, 250.0, 250.0)
    """

    sizes: tuple[float, ...]
    unit: str
    source: str

    @classmethod
    def of(cls, sizes: list[tuple[float, str]], source: str) -> Scale | None:
        """Make a scale of sizes with a unit each, in the unit of the last one.

        Parameters
        ----------
        sizes : list of tuple of (float, str)
            Size and unit along z, y and x.
        source : str
            Where they were found.

        Returns
        -------
        Scale or None
            None where the unit of x is no unit of length; another size without such a unit is unknown.

        Examples
        --------
        >>> Scale.of([(1.0, "px")] * 3, "ImageJ metadata") is None
        True
        """
        unit = normal_unit(sizes[-1][1])
        if not is_length(unit):
            return None
        return cls(tuple(converted(s, u, unit) if is_length(u) else _UNKNOWN for s, u in sizes), unit, source)


def tiff_scale(file: Any, page: Any, series: int) -> Scale | None:
    """Find the pixel size that ImageJ, OME or an instrument has written.

    Parameters
    ----------
    file : tifffile.TiffFile
        The open file.
    page : tifffile.TiffPage
        First page of the series.
    series : int
        Number of the series.

    Returns
    -------
    Scale or None
        None where there is no such metadata.

    Examples
    --------
    >>> import tempfile, numpy, tifffile
    >>> path = f"{tempfile.mkdtemp()}/m.tif"
    >>> tifffile.imwrite(path, numpy.eye(4, dtype="u1"), imagej=True, resolution=(4, 4), metadata={"unit": "um"})
    >>> with tifffile.TiffFile(path) as file:
    ...     tiff_scale(file, file.pages[0], 0).sizes[1:]
    (0.25, 0.25)
    """
    if file.ome_metadata:
        return _ome(file.ome_metadata, series)
    if file.imagej_metadata:
        return _imagej(file.imagej_metadata, page)
    for read in _INSTRUMENTS:
        found = read(file, page)
        if found is not None:
            return found
    return None


def print_resolution(page: Any) -> str:
    """Say what the resolution tag of a page holds, and why it is not taken as a pixel size.

    Parameters
    ----------
    page : tifffile.TiffPage
        A page.

    Returns
    -------
    str
        A clause for the user; empty where the page has no such tag.

    Examples
    --------
    >>> import tempfile, numpy, tifffile
    >>> path = f"{tempfile.mkdtemp()}/m.tif"
    >>> tifffile.imwrite(path, numpy.eye(4, dtype="u1"), resolution=(300, 300), resolutionunit="INCH")
    >>> with tifffile.TiffFile(path) as file:
    ...     print_resolution(file.pages[0])
    'the TIFF resolution tag, 300 per inch, is a print resolution'
    """
    resolution, unit = _resolution(page), _tag(page, "ResolutionUnit", 0)
    if resolution is None or int(unit) not in (_INCH, _CENTIMETRE):
        return ""
    return (
        f"the TIFF resolution tag, {resolution[1]:g} per {'inch' if int(unit) == _INCH else 'cm'}, "
        "is a print resolution"
    )


def _tag(page: Any, name: str | int, default: Any = None) -> Any:
    tag = page.tags.get(name)
    return default if tag is None else tag.value


def _resolution(page: Any) -> tuple[float, float] | None:
    """Pixels per unit along y and x."""
    x, y = _tag(page, "XResolution"), _tag(page, "YResolution")
    if x is None or y is None:
        return None
    (xn, xd), (yn, yd) = x, y
    return (yn / yd, xn / xd) if xn and xd and yn and yd else None


def _imagej(metadata: dict[str, Any], page: Any) -> Scale | None:
    resolution = _resolution(page)
    unit = normal_unit(str(metadata.get("unit", "")))
    # ImageJ takes a print resolution over as its scale: in inches always, in centimetres as 72 per inch and the like.
    if resolution is None or unit == "inch" or (unit == "cm" and _whole_dpi(resolution[1] * 2.54)):
        return None
    if unit == "um" and any(abs(resolution[1] * 25400 - dpi) < 1e-3 * dpi for dpi in _OF_SCREENS):
        return None  # Bio-Formats turns what programs write that know no size into micrometres
    y, x = (1 / value for value in resolution)
    depth = metadata.get("spacing")
    sizes = [
        (float(depth) if depth is not None else _UNKNOWN, str(metadata.get("zunit", unit))),
        (y, str(metadata.get("yunit", unit))),
        (x, unit),
    ]
    return Scale.of(sizes, "ImageJ metadata")


_OF_SCREENS = (72, 96)  # pixels an inch


def _whole_dpi(value: float) -> bool:
    return 40 < value < 5000 and abs(value - round(value)) < 2e-3 * value


def _ome(text: str, series: int) -> Scale | None:
    found = ElementTree.fromstring(text).findall(".//{*}Pixels")
    if not found:
        return None
    pixels = found[min(series, len(found) - 1)]
    sizes = [
        (float(pixels.get(f"PhysicalSize{axis}") or _UNKNOWN), pixels.get(f"PhysicalSize{axis}Unit") or "um")
        for axis in "ZYX"
    ]
    return None if math.isnan(sizes[-1][0]) else Scale.of(sizes, "OME metadata")


def _instrument(y: float, x: float, unit: str, maker: str, z: tuple[float, str] = (_UNKNOWN, "px")) -> Scale | None:
    """The scale in a handy unit; None where the instrument has written zero for a size it does not know."""
    if not (math.isfinite(x) and x > 0 and math.isfinite(y) and y > 0):
        return None
    sizes, handy = in_handy_unit((y, x), unit)
    return Scale.of([z, *((size, handy) for size in sizes)], f"{maker} metadata")


def _fei(file: Any, page: Any) -> Scale | None:
    metadata = file.fei_metadata or {}
    scan, image = metadata.get("Scan", {}), metadata.get("Image", {})
    if scan.get("PixelWidth"):
        x = float(scan["PixelWidth"])
        return _instrument(float(scan.get("PixelHeight", x)), x, "m", "FEI/Thermo Fisher")
    field = metadata.get("IRBeam", {})  # the camera of the chamber, which has no scan
    if field.get("HFW") and image.get("ResolutionX"):
        x = float(field["HFW"]) / float(image["ResolutionX"])
        y = float(field["VFW"]) / float(image["ResolutionY"]) if field.get("VFW") and image.get("ResolutionY") else x
        return _instrument(y, x, "m", "FEI/Thermo Fisher")
    return None


def _zeiss(file: Any, page: Any) -> Scale | None:
    """Zeiss' "Pixel Size" is that of a display of 1024 pixels: the picture's own, or the width of the field, counts."""
    metadata = file.sem_metadata or {}
    size = metadata.get("ap_image_pixel_size", ())
    if len(size) == 3 and is_length(size[2]):
        return _instrument(float(size[1]), float(size[1]), size[2], "Zeiss")
    width = metadata.get("ap_width", ())
    if len(width) == 3 and is_length(width[2]):
        step = float(width[1]) / page.shape[1]
        return _instrument(step, step, width[2], "Zeiss")
    return None


def _gatan(file: Any, page: Any) -> Scale | None:
    """DigitalMicrograph writes sizes of x, y and z into the tags 65009 to 65011, their units into 65003 to 65005."""
    x, y, z = (_tag(page, code) for code in (65009, 65010, 65011))
    units = [str(_tag(page, code, "")) for code in (65003, 65004, 65005)]
    if x is None or y is None or not is_length(units[0]) or not is_length(units[1]):
        return None
    depth = (abs(float(z)), units[2]) if z is not None else (_UNKNOWN, "px")
    return Scale.of([depth, (abs(float(y)), units[1]), (abs(float(x)), units[0])], "DigitalMicrograph metadata")


def _olympus(file: Any, page: Any) -> Scale | None:
    for code in (33471, 33560):
        found = _tag(page, code)
        if isinstance(found, dict) and found.get("pixelsizex"):
            return _instrument(float(found["pixelsizey"]), float(found["pixelsizex"]), "m", "Olympus SIS")
    return None


def _jeol(file: Any, page: Any) -> Scale | None:
    """A JEOL transmission microscope writes the magnification; its resolution tag is that of the detector."""
    resolution = _resolution(page)
    if _tag(page, "Make") != "JEOL Ltd." or resolution is None:
        return None
    text = re.sub(r"[\x00-\x1f]", "", str(_tag(page, "ImageDescription", "")))
    values: dict[str, str] = {}
    for item in ElementTree.fromstring(text).iter():
        values.setdefault(item.tag.rpartition("}")[2], (item.text or "").strip())
    if values.get("EosMode") != "eosTEM" or values.get("ModeString") != "MAG":
        return None  # diffraction, or scanning: no length in the picture
    unit = 0.0254 if int(_tag(page, "ResolutionUnit", _INCH)) == _INCH else 0.01
    y, x = (unit / value / float(values["SelectorValue"]) for value in resolution)
    return _instrument(y, x, "m", "JEOL")


def _tescan(file: Any, page: Any) -> Scale | None:
    content = _tag(page, 50431, b"")
    text = content.decode("latin-1") if isinstance(content, bytes) else str(content)
    found = {axis: float(size) for axis, size in re.findall(r"PixelSize([XY])\s*=\s*([\d.]+(?:[eE][+-]?\d+)?)", text)}
    return _instrument(found.get("Y", found["X"]), found["X"], "m", "Tescan") if "X" in found else None


def _tvips(file: Any, page: Any) -> Scale | None:
    metadata = file.tvips_metadata or {}
    x, y = (float(metadata.get(f"PixelSize{axis}", 0)) for axis in "XY")
    return _instrument(y, x, "nm", "TVIPS")


def _lsm(file: Any, page: Any) -> Scale | None:
    metadata = file.lsm_metadata or {}
    x, y, z = (float(metadata.get(f"VoxelSize{axis}", 0)) for axis in "XYZ")
    return _instrument(y, x, "m", "Zeiss LSM", (z or _UNKNOWN, "m"))


_INSTRUMENTS: tuple[Callable[[Any, Any], Scale | None], ...] = (
    _fei,
    _zeiss,
    _gatan,
    _olympus,
    _jeol,
    _tescan,
    _tvips,
    _lsm,
)
