"""From a `Microstructure` to a file: one table from suffix to writer; every writer is atomic."""

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
    """Write a microstructure in the format its suffix names.

    Parameters
    ----------
    microstructure : Microstructure
        What to write.
    path : path-like
        Target; an existing file is replaced, and only once the new one is whole.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the suffix is unknown or the format cannot hold the microstructure.
    RunError
        If the disk is full or the place cannot be written; the old file survives.

    Notes
    -----
    NPZ, HDF5, TIFF and PNG keep spacing, unit, phase names and periodicity, NPY the labels alone; VTI is for looking.

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
