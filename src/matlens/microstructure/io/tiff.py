"""TIFF files: images and stacks, with the scale from ImageJ, OME or instruments."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from matlens.core.units import normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.image import (
    HIDDEN,
    PAGES,
    Image,
    OpenImage,
    attributes_text,
    image_with_attributes,
    valued,
)
from matlens.microstructure.io.parts import MappedValues, PartOf, SliceValues, stand_in
from matlens.microstructure.io.pictures import read_picture
from matlens.microstructure.io.tiff_parts import Part, layer_names, parse_part
from matlens.microstructure.io.tiff_pixels import series_pixels
from matlens.microstructure.io.tiff_scales import Scale, print_resolution, tiff_scale
from matlens.microstructure.structure import Microstructure

__all__ = ["open_tiff", "read_tiff", "write_tiff"]


def read_tiff(path: Path, dataset: str | None = None) -> Image:
    """Read a grey image, a stack or a colour image.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Part of the file, see `parse_part`: the number of a series, ``page=N``, ``channel=N`` or its name, ``time=N``.

    Returns
    -------
    Image
        The values as a viewer shows them, with the scale from ImageJ's, OME's or an instrument's metadata; a resolution
        of print is none. A file from `write_tiff` keeps all its attributes.

    Raises
    ------
    InputError
        If the file holds several series, channels or times and none is chosen, or the chosen one is not there.
    ValueError
        If a page of a stack is missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.tif"
    >>> with path.open("wb") as file:
    ...     write_tiff(Microstructure([[0, 1], [1, 1]], spacing=0.35, unit="um"), file)
    >>> image = read_tiff(path)
    >>> image.values.tolist(), image.spacing, image.unit
    ([[0, 1], [1, 1]], (0.35, 0.35), 'um')
    """
    import tifffile

    with _page_errors_raised(), tifffile.TiffFile(path) as file:
        part, index, notes, series = _asked(file, dataset, path.name)
        info = (file.imagej_metadata or {}).get("Info")
        scale, resolution = tiff_scale(file, series.keyframe, index), print_resolution(series.keyframe)
        try:
            names = {
                axis: layer_names(file, index, axis, n) for n, axis in zip(series.shape, series.axes) if axis in "CT"
            }
            pixels = series_pixels(series, path.name, part.layers, names)
        except NotImplementedError:  # colours at half the resolution, packed without JPEG
            return read_picture(path)
    values = pixels.values
    image = replace(
        image_with_attributes(values, info),
        colour=pixels.colour,
        palette=pixels.palette,
        lossy=pixels.lossy,
        notes=(*notes, *pixels.notes),
    )
    return _with_scale(image, scale, resolution, transposed=pixels.transposed)


def open_tiff(path: Path, dataset: str | None = None) -> OpenImage:
    """Open a grey picture or a stack, of which blocks are read.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Part of the file, as for `read_tiff`; no channel or time.

    Returns
    -------
    OpenImage
        The values, mapped where they lie one behind the other in the file, else read page by page.

    Raises
    ------
    InputError
        If pages hold colours, channels, inverted or turned pixels, which are read whole only, or masked pixels.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.tif"
    >>> with path.open("wb") as file:
    ...     write_tiff(Microstructure([[0, 1], [1, 1]], spacing=0.35, unit="um"), file)
    >>> opened = open_tiff(path)
    >>> opened.values[0:1, 0:2].tolist(), opened.image.spacing
    ([[0, 1]], (0.35, 0.35))
    """
    import tifffile

    with _page_errors_raised(), tifffile.TiffFile(path) as file:
        part, index, notes, series = _asked(file, dataset, path.name)
        page = series.keyframe
        info = (file.imagej_metadata or {}).get("Info")
        scale, resolution = tiff_scale(file, page, index), print_resolution(page)
        keep = [at for at, side in enumerate(series.shape) if side > 1 or series.axes[at] in "YX"]
        shape, axes = tuple(series.shape[at] for at in keep), "".join(series.axes[at] for at in keep)
        turned = page.tags.get("Orientation")
        found = {
            "channels, times or colours": part.layers or not 2 <= len(axes) <= 3 or any(axis in "CTS" for axis in axes),
            "colours or inverted grey values": getattr(page.photometric, "name", "") not in ("MINISBLACK", ""),
            "turned pages": turned is not None and int(turned.value) != 1,
            "masked pixels": '"masked"' in str(info),
            "pages of several slices": series.dataoffset is None and len(shape) == 3 and len(series.pages) != shape[0],
        }
        if said := next((what for what, there in found.items() if there), ""):
            raise InputError(
                f"{path.name} holds {said}, and is read whole only; save it as a plain stack of grey values to work in "
                "blocks."
            )
        dtype = np.dtype(series.dtype)
        image = image_with_attributes(stand_in(shape, dtype), info)
        several = (PAGES,) if len(axes) == 3 and "Z" not in axes else ()
        lossy = any(kind in getattr(page.compression, "name", "") for kind in ("JPEG", "WEBP"))
        image = replace(image, lossy=lossy, notes=(*notes, *several))
        image = _with_scale(image, scale, resolution)
        if series.dataoffset is not None:
            return OpenImage(MappedValues(path, shape, dtype.newbyteorder(file.byteorder), series.dataoffset), image)
    volume = SliceValues(_Pages(path, dataset), shape if len(shape) == 3 else (1, *shape), dtype)
    whole = [slice(0, side) for side in volume.shape]
    return OpenImage(volume if len(shape) == 3 else PartOf(volume, whole, dropped=(0,)), image)


class _Pages:
    """Pages of a series; the file is opened anew in each process that reads one."""

    def __init__(self, path: Path, dataset: str | None) -> None:
        self._path, self._dataset = path, dataset
        self._series: Any = None

    def read(self, number: int) -> NDArray[Any]:
        """Read a page."""
        import tifffile

        with _page_errors_raised():
            if self._series is None:
                self._series = _asked(tifffile.TiffFile(self._path), self._dataset, self._path.name)[-1]
            page = getattr(self._series, "pages", [self._series])[number]
            if page is None:
                raise ValueError(f"TiffPage {number} is missing")
            return np.asarray(page.asarray().squeeze())

    def name(self, number: int) -> str:
        """Say which page is meant."""
        return f"page {number} of {self._path.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _Pages, (self._path, self._dataset)


def _asked(file: Any, dataset: str | None, name: str) -> tuple[Part, int, tuple[str, ...], Any]:
    """The part that is asked for, the number of its series, notes on others, and the series or page."""
    part = parse_part(dataset, name)
    index, notes = _series_index(file, part, name)
    return part, index, notes, file.series[index] if part.page is None else _page(file, int(part.page), name)


def _with_scale(image: Image, scale: Scale | None, resolution: str, *, transposed: bool = False) -> Image:
    if scale is None:
        return replace(image, scale=resolution if image.spacing is None else image.scale)
    z, *plane = scale.sizes
    spacing = (z, *(plane[::-1] if transposed else plane))[-len(image.space) :]
    if image.unit == scale.unit and image.spacing and _close(image.spacing, spacing):
        return image  # our own comment holds the spacing to the last digit
    return replace(image, spacing=spacing, unit=scale.unit, scale=scale.source)


def write_tiff(microstructure: Microstructure, file: BinaryIO, values: Sequence[int] | None = None) -> None:
    """Write uint8 labels with spacing and unit as ImageJ reads them; other attributes go into ImageJ's Info field.

    Masked pixels have the value 255, which is no phase.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    file : binary file
        Open for writing.
    values : sequence of int, optional
        Value of each phase; by default its number.

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
        "max": float(max(microstructure.n_phases - 1, 1) if values is None else max(values)),
        "Info": attributes_text(microstructure, values),
    }
    if depth:
        metadata["spacing"] = depth[0]
    labels, mask = valued(microstructure, values), microstructure.mask
    shown = labels if mask is None else np.where(mask, labels, np.uint8(HIDDEN))
    tifffile.imwrite(file, shown, imagej=True, resolution=(1 / width, 1 / height), metadata=metadata)


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


def _page(file: Any, number: int, name: str) -> Any:
    """One page, which has what is read of a series."""
    if number >= len(file.pages):
        raise InputError(f"{name} has {len(file.pages)} pages, numbered from 0; there is no page {number}.")
    return file.pages[number]


def _series_index(file: Any, part: Part, name: str) -> tuple[int, tuple[str, ...]]:
    """Number of the asked series, else of the largest one where it is larger than all others, with a note on these."""
    series = file.series
    listed = ", ".join(f"{index} {found.shape} {found.dtype}" for index, found in enumerate(series))
    if part.page is not None:
        return 0, ()
    if part.series is not None:
        if int(part.series) < len(series):
            return int(part.series), ()
        raise InputError(f"{name} holds these series: {listed}; choose one by its number with --dataset.")
    sizes = [_area(found) for found in series]
    largest = sizes.index(max(sizes))
    if len(series) == 1:
        return 0, ()
    if sizes.count(max(sizes)) > 1:
        raise InputError(f"{name} holds these series: {listed}; choose one by its number with --dataset.")
    return largest, (f"The largest of {len(series)} pictures in the file was taken ({listed}).",)


def _area(series: Any) -> int:
    """Number of pixels of a page: samples and pages make no picture larger."""
    return int(np.prod([side for side, axis in zip(series.shape, series.axes) if axis in "YX"]))


def _close(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return len(a) == len(b) and all(abs(p - q) <= 1e-6 * abs(q) for p, q in zip(a, b))
