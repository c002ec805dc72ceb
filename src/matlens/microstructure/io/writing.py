"""Writing of a `Microstructure` to a file, in the format that its suffix names."""

from __future__ import annotations

import os
from pathlib import Path

from matlens.errors import InputError
from matlens.microstructure.io.formats import find_format, suffixes_of
from matlens.microstructure.structure import Microstructure

__all__ = ["write_microstructure"]


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
    NPZ, HDF5, TIFF and PNG keep spacing, unit, phase names and periodicity. NPY keeps the labels only, VTI
    all but the periodicity.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.microstructure.segmentation import read_microstructure
    >>> m = Microstructure([[0, 1], [1, 1]], spacing=0.35, unit="um")
    >>> read_microstructure(write_microstructure(m, Path(tempfile.mkdtemp()) / "m.tif"))
    Microstructure(2 x 2, 2 phases, 0.35 um)
    """
    target = Path(path)
    found = find_format(target)
    writer = None if found is None else found.load("write")
    if found is None or writer is None:
        raise InputError(
            f"{target.name} has the suffix {target.suffix!r}, which is not one MatLens writes: {suffixes_of('write')}."
        )
    if microstructure.ndim == 3 and "volumes" not in found.carries:
        raise InputError(
            f"{target.name} is to hold a volume, and a {found.name} file holds a plane only; choose one of "
            f"{suffixes_of('write', volumes=True)}."
        )
    writer(microstructure, target)
    return target
