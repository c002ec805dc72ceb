"""NumPy files: NPY holds labels only, NPZ also spacing, unit, phase names, periodicity and mask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.io.image import Image, OpenImage, check_room, pick, valued
from matlens.microstructure.io.parts import MappedValues, stand_in
from matlens.microstructure.structure import Microstructure

__all__ = ["open_npy", "read_npy", "read_npz", "write_npy", "write_npz"]


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
    with path.open("rb") as file:
        _check_header(file, path.name)
    return Image(np.load(path, allow_pickle=False))


def open_npy(path: Path, dataset: str | None = None) -> OpenImage:
    """Open an NPY file, of which blocks are read.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because an NPY file holds one array.

    Returns
    -------
    OpenImage
        The values, without a spacing.

    Raises
    ------
    InputError
        If the file is truncated, or holds objects.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.npy"
    >>> np.save(path, np.arange(12).reshape(3, 4))
    >>> open_npy(path).values[1:2, 1:3].tolist()
    [[5, 6]]
    """
    with path.open("rb") as file:
        shape, fortran, dtype = _header(file)
        offset = file.tell()
    if dtype.hasobject:
        raise InputError(f"{path.name} holds an array of dtype {dtype}; save plain numbers (integers or floats).")
    values = MappedValues(path, shape, dtype, offset, "F" if fortran else "C")
    return OpenImage(values, Image(stand_in(shape, values.dtype)))


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
        The values, with spacing, unit, phase names, periodicity and mask where the file has them.

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
        shapes = {key: shape for key in archive.files if len(shape := _shape(archive, key, path.name)) >= 2}
        chosen = pick(shapes, dataset, path.name, preferred=("labels",))
        beside = ("phase_names", "spacing", "unit", "periodic", "mask")
        values, arrays = archive[chosen], {key: archive[key] for key in beside if key in archive.files}
    mask = arrays.get("mask")
    names = arrays.get("phase_names")
    return Image(
        values,
        tuple(np.atleast_1d(arrays["spacing"]).astype(float).tolist()) if "spacing" in arrays else None,
        str(arrays["unit"]) if "unit" in arrays else None,
        phase_names=None if names is None else tuple(str(name) for name in names),
        periodic=bool(arrays.get("periodic", False)),
        valid=mask.astype(bool) if mask is not None and chosen == "labels" and mask.shape == values.shape else None,
    )


def _shape(archive: Any, key: str, name: str) -> tuple[int, ...]:
    """Shape of an array of an NPZ file by its header, so that only the one that is wanted is read."""
    member = key if key in archive.zip.namelist() else f"{key}.npy"
    with archive.zip.open(member) as file:
        return _check_header(file, name)


def _check_header(file: IO[bytes], name: str) -> tuple[int, ...]:
    shape, _, dtype = _header(file)
    check_room(shape, dtype.itemsize, name)
    return shape


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    found: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(file)
    return found


def write_npy(microstructure: Microstructure, file: BinaryIO, values: Sequence[int] | None = None) -> None:
    """Write the labels as uint8, without spacing and names.

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
    See `read_npy`.
    """
    np.save(file, valued(microstructure, values), allow_pickle=False)


def write_npz(microstructure: Microstructure, file: BinaryIO) -> None:
    """Write labels, spacing, unit, phase names, periodicity and, where there is one, the mask, compressed.

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
    mask: dict[str, Any] = {} if microstructure.mask is None else {"mask": microstructure.mask}
    np.savez_compressed(
        file,
        labels=microstructure.labels,
        spacing=np.array(microstructure.spacing),
        unit=np.array(microstructure.unit),
        phase_names=np.array(microstructure.phase_names),
        periodic=np.array(microstructure.periodic),
        **mask,
    )
