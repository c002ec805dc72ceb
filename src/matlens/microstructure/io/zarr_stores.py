"""Zarr stores: folders of chunks, with spacing and unit from attributes of MatLens or OME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.units import is_length, normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.hdf5 import described
from matlens.microstructure.io.image import Image, OpenImage, check_room, pick

__all__ = ["open_zarr", "read_zarr"]


def read_zarr(path: Path, dataset: str | None = None) -> Image:
    """Read an array of a Zarr store whole.

    Parameters
    ----------
    path : Path
        The folder.
    dataset : str, optional
        Name of the array, or its last part where that is unique; by default ``labels``, the finest level of an OME
        image, else the only one.

    Returns
    -------
    Image
        The values, with spacing, unit, phase names and periodicity from the attributes.

    Raises
    ------
    InputError
        If zarr is not installed, or no array or more than one array fits.

    Examples
    --------
    >>> import tempfile, zarr
    >>> path = Path(tempfile.mkdtemp()) / "m.zarr"
    >>> zarr.create_array(path, shape=(2, 3), chunks=(2, 2), dtype="u1")[:] = 1
    >>> read_zarr(path).values.tolist()
    [[1, 1, 1], [1, 1, 1]]
    """
    opened = open_zarr(path, dataset)
    check_room(opened.values.shape, opened.values.dtype.itemsize, path.name)
    whole = tuple(slice(0, side) for side in opened.values.shape)
    return replace(opened.image, values=opened.values[whole])


def open_zarr(path: Path, dataset: str | None = None) -> OpenImage:
    """Open an array of a Zarr store, of which blocks are read.

    Parameters
    ----------
    path : Path
        The folder.
    dataset : str, optional
        Name of the array, as for `read_zarr`.

    Returns
    -------
    OpenImage
        The values.

    Raises
    ------
    InputError
        As for `read_zarr`.

    Examples
    --------
    >>> import tempfile, zarr
    >>> path = Path(tempfile.mkdtemp()) / "m.zarr"
    >>> zarr.create_array(path, shape=(2, 3), chunks=(2, 2), dtype="u1")[:] = [[0, 1, 2], [3, 4, 5]]
    >>> open_zarr(path).values[1:2, 1:3].tolist()
    [[4, 5]]
    """
    if find_spec("zarr") is None:
        raise InputError(
            "Zarr stores need zarr, which is not installed; install matlens[volumes], or save the volume as TIFF, NPY "
            "or HDF5."
        )
    import zarr

    found: Any = zarr.open(path, mode="r")
    attributes = dict(found.attrs)
    name = ""
    if isinstance(found, zarr.Group):
        arrays = {key: array.shape for key, array in found.members(max_depth=None) if isinstance(array, zarr.Array)}
        levels = _levels(attributes)
        finest = (levels[0]["path"],) if levels else ()
        shapes = {key: shape for key, shape in arrays.items() if sum(side > 1 for side in shape) >= 2}
        name = pick(shapes, dataset, path.name, preferred=("labels", *finest))
        scale = _ome_scale(attributes, name)
        found = found[name]
        attributes = scale | dict(found.attrs)
    values = ZarrValues(path, name, found.shape, np.dtype(found.dtype), found.chunks[0])
    return OpenImage(values, described(found, attributes))


class ZarrValues:
    """An array of a Zarr store, opened anew in each process that reads it.

    Parameters
    ----------
    path : Path
        The folder.
    name : str
        Name of the array; empty if the store is one.
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its type.
    layers : int
        Pixels along the first axis that are stored together.
    """

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], layers: int) -> None:
        self.shape, self.dtype, self.layers = shape, dtype, layers
        self._path, self._name = path, name
        self._array: Any = None

    def __getitem__(self, box: tuple[slice, ...]) -> NDArray[Any]:
        import zarr

        if self._array is None:
            self._array = zarr.open_array(self._path, path=self._name, mode="r")
        return np.asarray(self._array[box])

    def __reduce__(self) -> tuple[Any, ...]:
        return ZarrValues, (self._path, self._name, self.shape, self.dtype, self.layers)


def _levels(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Levels of an OME image, from the finest (OME-NGFF 0.4 and 0.5)."""
    images = attributes.get("ome", attributes).get("multiscales") or [{}]
    levels: list[dict[str, Any]] = images[0].get("datasets", [])
    return levels


def _ome_scale(attributes: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Spacing and unit of a level of an OME image; empty where the attributes give none."""
    level = next((level for level in _levels(attributes) if level["path"] == name), None)
    if level is None:
        return {}
    axes = attributes.get("ome", attributes)["multiscales"][0]["axes"]
    scales = [one["scale"] for one in level.get("coordinateTransformations", []) if one["type"] == "scale"]
    units = {axis.get("unit", "") for axis in axes if axis.get("type") == "space"}
    unit = units.pop() if len(units) == 1 else ""
    if not scales or not is_length(unit):
        return {}
    return {"spacing": scales[0], "unit": normal_unit(unit)}
