"""The part of a TIFF file that is asked for: a series, a page, a channel or a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matlens.errors import InputError

__all__ = ["Part", "layer_names", "parse_part"]

_AXES = {"channel": "C", "time": "T"}


@dataclass(frozen=True)
class Part:
    """A part of a TIFF file.

    Parameters
    ----------
    series : str, optional
        Number of the series.
    page : str, optional
        Number of the page.
    layers : dict of str to str
        Name or number of a layer along axis C (channels) or T (times).

    Examples
    --------
    >>> Part(page="3").layers
    {}
    """

    series: str | None = None
    page: str | None = None
    layers: dict[str, str] = field(default_factory=dict)


def parse_part(dataset: str | None, name: str) -> Part:
    """Parse ``"1"`` (a series), ``"page=3"``, ``"channel=BSE"``, ``"time=0"``, or several of them with commas.

    Parameters
    ----------
    dataset : str, optional
        The text of --dataset.
    name : str
        File name, for messages.

    Returns
    -------
    Part
        What is asked for.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> parse_part("0,channel=BSE", "m.tif")
    Part(series='0', page=None, layers={'C': 'BSE'})
    """
    found: dict[str, str] = {}
    for word in [] if dataset is None else dataset.split(","):
        kind, given, value = (text.strip() for text in word.rpartition("="))
        kind = kind.lower() if given else "series"
        if kind not in ("series", "page", *_AXES) or (kind in ("series", "page") and not value.isdecimal()):
            raise InputError(
                f"{name}: the part {dataset!r} is not understood; write the number of a series, page=N, channel=N (or "
                "its name), or time=N."
            )
        found[kind] = value
    layers = {axis: found[kind] for kind, axis in _AXES.items() if kind in found}
    return Part(found.get("series"), found.get("page"), layers)


def layer_names(file: Any, index: int, axis: str, count: int) -> list[str]:
    """Give the names of channels, as OME's or ImageJ's metadata hold them, else their numbers.

    Parameters
    ----------
    file : tifffile.TiffFile
        The file.
    index : int
        Number of the series.
    axis : str
        ``"C"`` for channels, ``"T"`` for times, which have no names.
    count : int
        Number of layers.

    Returns
    -------
    list of str
        One name each.

    Examples
    --------
    >>> import tempfile, tifffile
    >>> path = f"{tempfile.mkdtemp()}/m.ome.tif"
    >>> named = {"axes": "CYX", "Channel": {"Name": ["SE", "BSE"]}}
    >>> tifffile.imwrite(path, np.zeros((2, 8, 9), "u1"), ome=True, photometric="minisblack", metadata=named)
    >>> with tifffile.TiffFile(path) as file:
    ...     layer_names(file, 0, "C", 2)
    ['SE', 'BSE']
    """
    import tifffile

    names: list[str] = []
    if axis == "C" and file.is_ome:
        images = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
        image = images[index] if isinstance(images, list) else images
        channels = image["Pixels"].get("Channel", [])
        names = [str(one.get("Name", "")) for one in (channels if isinstance(channels, list) else [channels])]
    elif axis == "C" and file.is_imagej:
        names = [str(label) for label in np.atleast_1d((file.imagej_metadata or {}).get("Labels", []))]
    numbers = [str(number) for number in range(count)]
    return names if len(names) == count and all(names) and len(set(names)) == count else numbers
