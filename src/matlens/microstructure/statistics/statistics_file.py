"""Reading ``statistics.nc``."""

from __future__ import annotations

import os
from pathlib import Path

import xarray as xr

from matlens.core.guard import reading
from matlens.core.hdf5 import read_netcdf
from matlens.errors import InputError

__all__ = ["read_statistics"]


def read_statistics(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a data set of statistics, as `matlens characterize` writes it.

    Parameters
    ----------
    path : path-like
        A netCDF-4 file.

    Returns
    -------
    Dataset
        In memory; the file is closed.

    Raises
    ------
    InputError
        If there is no such file, or it is not netCDF-4.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "statistics.nc"
    >>> xr.Dataset({"volume_fraction": ("phase", [0.4, 0.6])}).to_netcdf(file, engine="h5netcdf")
    >>> read_statistics(file)["volume_fraction"].values.tolist()
    [0.4, 0.6]
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file} is not a file; name the statistics.nc of a characterize run.")
    with reading(file, "netCDF-4", "name the statistics.nc of a characterize run"):
        return read_netcdf(file)
