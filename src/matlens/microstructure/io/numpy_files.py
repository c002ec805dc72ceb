"""NumPy files: NPY holds labels only, NPZ also spacing, unit, phase names and periodicity."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from matlens.microstructure.io.image import Image, pick
from matlens.microstructure.structure import Microstructure

__all__ = ["read_npy", "read_npz", "write_npy", "write_npz"]


def read_npy(path: Path, dataset: str | None = None) -> Image:
    """Read the array of an NPY file; pickled objects are refused.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because an NPY file holds one array.

    Returns
    -------
    Image
        The values, without a spacing.

    Raises
    ------
    ValueError
        If the file holds pickled objects.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.npy"
    >>> with path.open("wb") as file:
    ...     write_npy(Microstructure([[0, 1], [1, 1]]), file)
    >>> read_npy(path).values.tolist()
    [[0, 1], [1, 1]]
    """
    values = np.load(path, allow_pickle=False)
    return Image(values)


def read_npz(path: Path, dataset: str | None = None) -> Image:
    """Read one array of an NPZ file, with the attributes that `write_npz` stores beside it.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Name of the array; by default ``labels``, else the only one with two axes or more.

    Returns
    -------
    Image
        The values, with spacing, unit, phase names and periodicity where the file has them.

    Raises
    ------
    InputError
        If no array or more than one array fits.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.npz"
    >>> with path.open("wb") as file:
    ...     write_npz(Microstructure([[0, 1], [1, 1]], spacing=2.0, unit="nm"), file)
    >>> read_npz(path).spacing
    (2.0, 2.0)
    """
    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    shapes = {key: array.shape for key, array in arrays.items() if array.ndim >= 2}
    values = arrays[pick(shapes, dataset, path.name, preferred=("labels",))]
    names = arrays.get("phase_names")
    return Image(
        values,
        tuple(np.atleast_1d(arrays["spacing"]).astype(float).tolist()) if "spacing" in arrays else None,
        str(arrays["unit"]) if "unit" in arrays else None,
        phase_names=None if names is None else tuple(str(name) for name in names),
        periodic=bool(arrays.get("periodic", False)),
    )


def write_npy(microstructure: Microstructure, file: BinaryIO) -> None:
    """Write the labels as uint8, without spacing and names.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    file : binary file
        Open for writing.

    Examples
    --------
    See `read_npy`.
    """
    np.save(file, microstructure.labels, allow_pickle=False)


def write_npz(microstructure: Microstructure, file: BinaryIO) -> None:
    """Write labels, spacing, unit, phase names and periodicity, compressed.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    file : binary file
        Open for writing.

    Examples
    --------
    See `read_npz`.
    """
    np.savez_compressed(
        file,
        labels=microstructure.labels,
        spacing=np.array(microstructure.spacing),
        unit=np.array(microstructure.unit),
        phase_names=np.array(microstructure.phase_names),
        periodic=np.array(microstructure.periodic),
    )
