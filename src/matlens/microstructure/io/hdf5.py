"""HDF5 files: any dataset with at least two axes, with spacing and unit where its attributes give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from matlens.core.hdf5 import check_size, open_hdf5
from matlens.core.units import normal_unit
from matlens.microstructure.io.dream3d import is_dream3d, read_dream3d
from matlens.microstructure.io.ebsd import ebsd_scan, read_scan
from matlens.microstructure.io.image import Image, pick
from matlens.microstructure.structure import Microstructure

__all__ = ["read_hdf5", "write_hdf5"]


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
    import h5py

    with open_hdf5(path) as file:
        if is_dream3d(file):
            return read_dream3d(file, dataset, path.name)
        scan = ebsd_scan(file)
        if scan is not None and dataset is None:
            return read_scan(file, scan, path.name)
        shapes: dict[str, tuple[int, ...]] = {}

        def note(key: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and sum(side > 1 for side in item.shape or ()) >= 2:
                shapes[key] = item.shape

        file.visititems(note)
        chosen = pick(shapes, dataset, path.name, preferred=("labels",))
        found, mask = file[chosen], f"{chosen}_mask"
        check_size(found, path.name)
        attributes = dict(found.attrs)
        names = attributes.get("phase_names")
        spacing, unit = _scale(attributes)
        return Image(
            found[()],
            spacing,
            unit,
            phase_names=None if names is None else tuple(_text(name) for name in names),
            periodic=bool(attributes.get("periodic", False)),
            valid=file[mask][()].astype(bool) if shapes.get(mask) == found.shape else None,
        )


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
