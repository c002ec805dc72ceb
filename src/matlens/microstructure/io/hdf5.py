"""HDF5 files: any dataset with at least two axes, with spacing and unit where its attributes give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from matlens.core.hdf5 import check_size, open_hdf5
from matlens.core.units import normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.dream3d import is_dream3d, read_dream3d
from matlens.microstructure.io.ebsd import ebsd_scan, read_scan
from matlens.microstructure.io.image import Image, OpenImage, pick
from matlens.microstructure.io.parts import stand_in
from matlens.microstructure.structure import Microstructure

__all__ = ["DatasetValues", "described", "open_dataset", "read_hdf5", "write_hdf5"]


def read_hdf5(path: Path, dataset: str | None = None) -> Image:
    """Read one dataset of an HDF5 file; DREAM3D files and EBSD scans are recognised by their content.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Name of the dataset, or its last part where that is unique; by default ``labels``, else the only one.

    Returns
    -------
    Image
        The values, with spacing, unit, phase names and periodicity from the dataset's attributes.

    Raises
    ------
    InputError
        If no dataset or more than one dataset fits.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.h5"
    >>> with path.open("wb") as file:
    ...     write_hdf5(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"), file)
    >>> read_hdf5(path).spacing
    (0.5, 0.5)
    """
    with open_hdf5(path) as file:
        if is_dream3d(file):
            return read_dream3d(file, dataset, path.name)
        scan = ebsd_scan(file)
        if scan is not None and dataset is None:
            return read_scan(file, scan, path.name)
        chosen, mask = _chosen(file, dataset, path.name)
        found = file[chosen]
        check_size(found, path.name)
        valid = file[mask][()].astype(bool) if mask else None
        return replace(described(found, found.attrs), values=found[()], valid=valid)


def open_dataset(path: Path, dataset: str | None = None) -> OpenImage:
    """Open a dataset of an HDF5 file, of which blocks are read.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Name of the dataset, as for `read_hdf5`.

    Returns
    -------
    OpenImage
        The values, with what the dataset's attributes say.

    Raises
    ------
    InputError
        If no dataset or more than one dataset fits, or the file holds a mask, or is of DREAM3D or an EBSD scan, which
        are read whole.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.h5"
    >>> with path.open("wb") as file:
    ...     write_hdf5(Microstructure([[0, 1], [1, 1]], spacing=0.5, unit="um"), file)
    >>> opened = open_dataset(path)
    >>> opened.image.spacing, opened.values[1:2, 0:2].tolist()
    ((0.5, 0.5), [[1, 1]])
    """
    with open_hdf5(path) as file:
        if is_dream3d(file) or (dataset is None and ebsd_scan(file) is not None):
            raise InputError(
                f"{path.name} is a file of DREAM3D or an EBSD scan, which is read whole; crop or export it."
            )
        chosen, mask = _chosen(file, dataset, path.name)
        if mask:
            raise InputError(
                f"{path.name} holds masked pixels, and a structure in blocks takes none; crop to what is known."
            )
        found = file[chosen]
        return OpenImage(
            DatasetValues(path, chosen, found.shape, found.dtype, found.chunks), described(found, found.attrs)
        )


class DatasetValues:
    """A dataset of an HDF5 file that is open only while a block is read, so that other processes can read it too.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name of the dataset.
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its type.
    chunks : tuple of int, optional
        Shape of what is stored together.
    """

    def __init__(
        self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: tuple[int, ...] | None
    ) -> None:
        self.shape, self.dtype, self.layers = shape, dtype, chunks[0] if chunks else 1
        self._path, self._name = path, name

    def __getitem__(self, box: tuple[slice, ...]) -> NDArray[Any]:
        import h5py

        with h5py.File(self._path, "r") as file:
            return np.asarray(file[self._name][box])


def described(found: Any, attributes: Mapping[str, Any]) -> Image:
    """Read what the attributes of an array say.

    Parameters
    ----------
    found : h5py.Dataset or zarr.Array
        The array, of which shape and type are looked at.
    attributes : mapping
        Its attributes.

    Returns
    -------
    Image
        Spacing, unit, phase names and periodicity; the values only stand for those of the file.

    Examples
    --------
    >>> described(np.eye(4), {"spacing": [0.5, 0.5], "unit": "um"}).unit
    'um'
    """
    names = attributes.get("phase_names")
    spacing, unit = _scale(dict(attributes))
    return Image(
        stand_in(found.shape, found.dtype),
        spacing,
        unit,
        phase_names=None if names is None else tuple(_text(name) for name in names),
        periodic=bool(attributes.get("periodic", False)),
    )


def _chosen(file: Any, dataset: str | None, name: str) -> tuple[str, str]:
    """Name of the dataset, and of its mask; the latter is empty where there is none."""
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}

    def note(key: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and sum(side > 1 for side in item.shape or ()) >= 2:
            shapes[key] = item.shape

    file.visititems(note)
    chosen = pick(shapes, dataset, name, preferred=("labels",))
    mask = f"{chosen}_mask"
    return chosen, mask if shapes.get(mask) == shapes[chosen] else ""


def write_hdf5(microstructure: Microstructure, file: BinaryIO) -> None:
    """Write the dataset ``labels`` with spacing, unit, phase names and periodicity as attributes.

    A mask is written beside it as ``labels_mask``.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    file : binary file
        Open for writing.

    Examples
    --------
    See `read_hdf5`.
    """
    import h5py

    with h5py.File(file, "w") as content:
        labels = content.create_dataset("labels", data=microstructure.labels, compression="gzip", track_times=False)
        labels.attrs["spacing"] = np.array(microstructure.spacing)
        labels.attrs["unit"] = microstructure.unit
        labels.attrs["phase_names"] = list(microstructure.phase_names)
        labels.attrs["periodic"] = microstructure.periodic
        if microstructure.mask is not None:
            content.create_dataset("labels_mask", data=microstructure.mask, compression="gzip", track_times=False)


def _scale(attributes: dict[str, Any]) -> tuple[tuple[float, ...] | None, str | None]:
    """Spacing and unit from MatLens' attributes, or from ``element_size_um`` (z, y, x) of ImageJ and ilastik."""
    for key, unit in (("spacing", _text(attributes.get("unit", "px"))), ("element_size_um", "um")):
        if key in attributes:
            return tuple(np.atleast_1d(attributes[key]).astype(float).tolist()), normal_unit(unit)
    return None, None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
