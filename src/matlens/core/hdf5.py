"""Opening of HDF5 and netCDF-4 files that others made: data lie in the file itself, and fit the memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from matlens.core.memory import check_memory
from matlens.errors import InputError

__all__ = ["check_size", "open_hdf5", "read_netcdf"]

_COPIES = 4  # of a data set: as stored, as read, and what is computed from it


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """Open an HDF5 file for reading, and refuse one whose data lie in other files.

    External storage, virtual data sets and external links name files of the machine that opens them: a file that was
    received could show any file of this machine as a picture.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    h5py.File
        The open file.

    Raises
    ------
    InputError
        If data lie in other files.

    Examples
    --------
    >>> import tempfile, h5py
    >>> path = Path(tempfile.mkdtemp()) / "m.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["labels"] = [[0, 1]]
    >>> with open_hdf5(path) as file:
    ...     list(file)
    ['labels']
    """
    import h5py

    with h5py.File(path, "r") as file:
        names: list[str] = []

        def note(key: str, link: Any) -> None:
            if isinstance(link, h5py.ExternalLink):
                names.append(key)

        def look(key: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and (item.is_virtual or item.external):
                names.append(key)

        file.visititems_links(note)
        file.visititems(look)
        if names:
            raise InputError(
                f"{path.name} keeps {names[0]!r} in another file (external storage, a virtual data set or a link); "
                "copy the data into one file, for example by h5repack."
            )
        yield file


def check_size(item: Any, name: str) -> None:
    """Refuse a data set that does not fit the free memory; compressed or empty ones can be small files.

    Parameters
    ----------
    item : h5py.Dataset
        The data set.
    name : str
        File name, for messages.

    Raises
    ------
    InputError
        If it does not fit.

    Examples
    --------
    >>> import h5py
    >>> with h5py.File("example", "w", driver="core", backing_store=False) as file:
    ...     check_size(file.create_dataset("a", (10**9, 10**9), "f8", chunks=(1, 1)), "a.h5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.InputError: a.h5 (/a, 1000000000 x 1000000000) needs about ... GB of memory, and ... are free; save a
    part of it.
    """
    sides = " x ".join(str(side) for side in item.shape or ())
    check_memory(float(item.nbytes) * _COPIES, f"{name} ({item.name}, {sides})", "save a part of it")


def read_netcdf(path: Path) -> xr.Dataset:
    """Read a netCDF-4 file whole.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Dataset
        In memory; the file is closed.

    Raises
    ------
    InputError
        If data lie in other files, or do not fit the free memory.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "statistics.nc"
    >>> xr.Dataset({"volume_fraction": ("phase", [0.4, 0.6])}).to_netcdf(file, engine="h5netcdf")
    >>> read_netcdf(file)["volume_fraction"].values.tolist()
    [0.4, 0.6]
    """
    import h5py

    with open_hdf5(path) as file:

        def look(key: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                check_size(item, path.name)

        file.visititems(look)
    with xr.open_dataset(path, engine="h5netcdf", phony_dims="access") as dataset:
        return dataset.load()
