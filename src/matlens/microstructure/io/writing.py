"""Writing of a `Microstructure` to a file: the table from suffixes to writers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from matlens.errors import InputError
from matlens.microstructure.io.hdf5 import write_hdf5
from matlens.microstructure.io.numpy_files import write_npy, write_npz
from matlens.microstructure.io.pictures import write_png
from matlens.microstructure.io.tiff import write_tiff
from matlens.microstructure.io.vti import write_vti
from matlens.microstructure.structure import Microstructure

__all__ = ["WRITERS", "write_microstructure"]

WRITERS: dict[str, Callable[[Microstructure, Path], None]] = {
    ".tif": write_tiff,
    ".tiff": write_tiff,
    ".npy": write_npy,
    ".npz": write_npz,
    ".png": write_png,
    ".vti": write_vti,
    ".h5": write_hdf5,
    ".hdf5": write_hdf5,
}


def write_microstructure(microstructure: Microstructure, path: str | os.PathLike[str]) -> Path:
    """Write a microstructure in the format that the suffix names.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    path : path-like
        Target. An existing file is replaced only when the new one is complete.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the suffix is unknown, or the format cannot hold the structure.
    RunError
        If the disk is full or the file cannot be written; an existing file is kept.

    Notes
    -----
    NPZ, HDF5, TIFF and PNG keep spacing, unit, phase names and periodicity. NPY keeps the labels only. VTI is meant for
    viewing in ParaView; MatLens does not read it.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.microstructure.segmentation import read_microstructure
    >>> m = Microstructure([[0, 1], [1, 1]], spacing=0.35, unit="um")
    >>> read_microstructure(write_microstructure(m, Path(tempfile.mkdtemp()) / "m.tif"))
    Microstructure(2 x 2, 2 phases, 0.35 um)
    """
    target = Path(path)
    writer = WRITERS.get(target.suffix.lower())
    if writer is None:
        known = ", ".join(WRITERS)
        raise InputError(f"{target.name} has the suffix {target.suffix!r}, which is not one MatLens writes: {known}.")
    writer(microstructure, target)
    return target
