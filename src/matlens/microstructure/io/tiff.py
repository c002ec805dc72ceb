"""TIFF files: images and stacks, with the scale from ImageJ, OME, microscopes or resolution tags."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from matlens.core.atomic import atomic_write
from matlens.core.units import normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.image import Image, attributes_text, image_with_attributes
from matlens.microstructure.structure import Microstructure

__all__ = ["read_tiff", "write_tiff"]

# docs/decisions/0006-reading-micrographs.md
_PRINT_DPI = (72, 96, 100, 150, 200, 300, 600, 1200)  # resolutions that programs write when they know no scale
_INCH, _CENTIMETRE = 2, 3
_Scale = tuple[tuple[float, ...], str] | None


def read_tiff(path: Path, dataset: str | None = None) -> Image:
    """Read a grey image, a stack or a colour image.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Number of the series, in files with several.

    Returns
    -------
    Image
        The values, with the scale from ImageJ's, OME's or the microscope's metadata or from resolution tags in a unit
        of length; a resolution that is usual in print is ignored. A file from `write_tiff` keeps all its attributes.

    Raises
    ------
    InputError
        If the file holds several series and none is chosen, or several channels or times.
    ValueError
        If a page of a stack is missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.tif"
    >>> write_tiff(Microstructure([[0, 1], [1, 1]], spacing=0.35, unit="um"), path)
    >>> image = read_tiff(path)
    >>> image.values.tolist(), image.spacing, image.unit
    ([[0, 1], [1, 1]], (0.35, 0.35), 'um')
    """
    import tifffile

    with _page_errors_raised(), tifffile.TiffFile(path) as file:
        series = file.series[_series_index(file, dataset, path.name)]
        values, axes = series.asarray(), series.axes
        info = (file.imagej_metadata or {}).get("Info")
        scale = _imagej_scale(file) or _ome_scale(file) or _instrument_scale(file) or _tag_scale(series.pages[0])
    keep = [k for k, side in enumerate(values.shape) if side > 1 or axes[k] in "YX"]
    values, axes = values.reshape([values.shape[k] for k in keep]), "".join(axes[k] for k in keep)
    if "C" in axes or "T" in axes or (axes[:1] == "S"):
        raise InputError(f"{path.name} holds several channels or times (axes {axes}, shape {values.shape}); save one.")
    image = image_with_attributes(values, info)
    if axes[-1:] == "S":
        values = values[..., :3] if values.shape[-1] > 2 else values[..., 0]  # grey + transparency
    spatial = values.ndim - (axes[-1:] == "S" and values.ndim == 3)
    if scale is None or (image.unit == scale[1] and image.spacing and _close(image.spacing, scale[0][-spatial:])):
        return image  # our own comment holds the spacing to the last digit
    return Image(values, scale[0][-spatial:], scale[1], axes[-1:] == "S", image.phase_names, image.periodic)


def write_tiff(microstructure: Microstructure, path: Path) -> None:
    """Write uint8 labels with spacing and unit as ImageJ reads them; other attributes go into ImageJ's Info field.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    path : Path
        The file.

    Raises
    ------
    RunError
        If the file cannot be written.

    Examples
    --------
    See `read_tiff`.
    """
    import tifffile

    *depth, height, width = microstructure.spacing
    metadata: dict[str, Any] = {
        "axes": "ZYX"[-microstructure.ndim :],
        "unit": normal_unit(microstructure.unit).encode("ascii", "backslashreplace").decode(),  # as ImageJ writes it
        "min": 0.0,
        "max": float(max(microstructure.n_phases - 1, 1)),
        "Info": attributes_text(microstructure),
    }
    if depth:
        metadata["spacing"] = depth[0]
    with atomic_write(path) as temporary:
        tifffile.imwrite(
            temporary, microstructure.labels, imagej=True, resolution=(1 / width, 1 / height), metadata=metadata
        )


class _PageErrors(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "TiffPage" in message:  # other broken tags need not harm the image
            raise ValueError(message)


@contextmanager
def _page_errors_raised() -> Iterator[None]:
    """Raise what tifffile only logs: a truncated stack must not be read as if it were complete."""
    logger, handler = logging.getLogger("tifffile"), _PageErrors(logging.ERROR)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _series_index(file: Any, dataset: str | None, name: str) -> int:
    if dataset is None and (len(file.series) == 1 or len({series.shape for series in file.series}) > 1):
        return 0  # series of other shapes after the first are thumbnails
    if dataset is not None and dataset.isdigit() and int(dataset) < len(file.series):
        return int(dataset)
    listed = ", ".join(f"{index} {series.shape}" for index, series in enumerate(file.series))
    raise InputError(f"{name} holds these series: {listed}; choose one by its number with --dataset.")


def _resolution(page: Any) -> tuple[float, float] | None:
    """Pixels per unit along y and x."""
    tags = page.tags
    if "XResolution" not in tags or "YResolution" not in tags:
        return None
    (xn, xd), (yn, yd) = tags["XResolution"].value, tags["YResolution"].value
    return (yn / yd, xn / xd) if xn and xd and yn and yd else None


def _imagej_scale(file: Any) -> _Scale:
    metadata = file.imagej_metadata or {}
    unit, resolution = normal_unit(str(metadata.get("unit", ""))), _resolution(file.pages[0])
    if not metadata or unit == "px" or resolution is None:
        return None
    y, x = (1 / value for value in resolution)
    return (float(metadata.get("spacing", x)), y, x), unit


def _ome_scale(file: Any) -> _Scale:
    if not file.ome_metadata:
        return None
    pixels = ElementTree.fromstring(file.ome_metadata).find(".//{*}Pixels")
    if pixels is None or pixels.get("PhysicalSizeX") is None:
        return None
    x = float(pixels.get("PhysicalSizeX", 1))
    y, z = float(pixels.get("PhysicalSizeY", x)), float(pixels.get("PhysicalSizeZ", x))
    return (z, y, x), normal_unit(pixels.get("PhysicalSizeXUnit", "um"))


def _instrument_scale(file: Any) -> _Scale:
    """Pixel size that FEI/Thermo Fisher and Zeiss scanning electron microscopes write."""
    if file.fei_metadata:
        scan = file.fei_metadata.get("Scan", {})
        if scan.get("PixelWidth"):
            return (
                *[float(scan.get("PixelHeight", scan["PixelWidth"])) * 1e6] * 2,
                float(scan["PixelWidth"]) * 1e6,
            ), "um"
    if file.sem_metadata and len(file.sem_metadata.get("ap_image_pixel_size", ())) == 3:
        _, size, unit = file.sem_metadata["ap_image_pixel_size"]
        return (float(size),) * 3, normal_unit(unit)
    return None


def _tag_scale(page: Any) -> _Scale:
    resolution = _resolution(page)
    unit = int(page.tags["ResolutionUnit"].value) if "ResolutionUnit" in page.tags else 0
    if resolution is None or unit not in (_INCH, _CENTIMETRE):
        return None
    micrometres = 25400.0 if unit == _INCH else 10000.0
    if any(abs(value * 25400.0 / micrometres - dpi) < 0.5 for value in resolution for dpi in _PRINT_DPI):
        return None
    y, x = (micrometres / value for value in resolution)
    return (x, y, x), "um"


def _close(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return len(a) == len(b) and all(abs(p - q) <= 1e-6 * abs(q) for p, q in zip(a, b))
