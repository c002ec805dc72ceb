"""Writing of a `Microstructure` to a file, in the format that its suffix names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from numpy.typing import ArrayLike

from matlens.core.arguments import checked_arguments
from matlens.core.atomic import atomic_write
from matlens.errors import InputError
from matlens.microstructure.io.formats import find_format, suffixes_of
from matlens.microstructure.io.image import HIDDEN
from matlens.microstructure.structure import Microstructure

__all__ = ["put_microstructure", "write_microstructure"]


@checked_arguments
def write_microstructure(
    microstructure: Microstructure | ArrayLike,
    path: str | os.PathLike[str],
    *,
    values: Sequence[int] | None = None,
    phase: int | str | None = None,
) -> Path:
    """Write a microstructure in the format that the suffix names.

    Parameters
    ----------
    microstructure : Microstructure, or array_like of int
        The structure, or its labels.
    path : path-like
        Target. An existing file is replaced only when the new one is complete.
    values : sequence of int, optional
        Value of each phase in an NPY, TIFF or VTI file, from 0 to 255, such as ``(0, 255)``; by default 0, 1, 2.
    phase : int or str, optional
        The phase whose surface an STL file holds, by number or name.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the suffix is unknown, the format cannot hold the structure, or an option does not fit.
    RunError
        If the disk is full or the file cannot be written; an existing file is kept.

    Notes
    -----
    NPZ, HDF5, TIFF and PNG keep spacing, unit, phase names and periodicity, and all but PNG keep a mask. NPY keeps the
    labels only, VTI all but the periodicity; a structure with a mask is refused. STL holds the closed surface of one
    phase of a volume, in the order x, y, z and the structure's unit of length, and is not read.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.microstructure.segmentation import read_microstructure
    >>> m = Microstructure([[0, 1], [1, 1]], spacing=0.35, unit="um")
    >>> read_microstructure(write_microstructure(m, Path(tempfile.mkdtemp()) / "m.tif"))
    Microstructure(2 x 2, 2 phases, 0.35 um)
    """
    target = Path(path)
    whole = microstructure if isinstance(microstructure, Microstructure) else Microstructure(microstructure)
    with atomic_write(target) as file:
        put_microstructure(whole, target.name, file, values=values, phase=phase)
    return target


def put_microstructure(
    microstructure: Microstructure,
    name: str,
    file: BinaryIO,
    *,
    values: Sequence[int] | None = None,
    phase: int | str | None = None,
) -> None:
    """Write a microstructure to an open file, in the format that the suffix of a name stands for.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    name : str
        Name of the file.
    file : binary file
        Open for writing.
    values, phase
        As in `write_microstructure`.

    Raises
    ------
    InputError
        If the suffix is unknown, the format cannot hold the structure, or an option does not fit.

    Examples
    --------
    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> put_microstructure(Microstructure([[0, 1], [1, 1]]), "m.npy", file)
    >>> file.getvalue()[:6]
    b'\x93NUMPY'
    """
    found = find_format(Path(name))
    writer = None if found is None else found.load("write")
    if found is None or writer is None:
        raise InputError(
            f"{name} has the suffix {Path(name).suffix!r}, which is not one MatLens writes: {suffixes_of('write')}."
        )
    if microstructure.ndim == 3 and "volumes" not in found.carries:
        raise InputError(
            f"{name} is to hold a volume, and a {found.name} file holds a plane only; choose one of "
            f"{suffixes_of('write', volumes=True)}."
        )
    if microstructure.mask is not None and "masks" not in found.carries:
        raise InputError(
            f"{name} is to hold a structure with masked pixels, which a {found.name} file cannot mark; choose one of "
            ".npz, .h5, .tif."
        )
    options: dict[str, object] = {}
    if values is not None:
        options["values"] = _checked_values(values, microstructure)
    if phase is not None:
        options["phase"] = phase
    if unknown := set(options) - set(found.options):
        raise InputError(
            f"{name} was given {' and '.join(sorted(unknown))}, which a {found.name} file does not take; leave it out "
            "or choose another format."
        )
    writer(microstructure, file, **options)


def _checked_values(values: Sequence[int], microstructure: Microstructure) -> tuple[int, ...]:
    whole = tuple(int(value) for value in values)
    if len(whole) != microstructure.n_phases or len(set(whole)) < len(whole) or not all(0 <= v <= 255 for v in whole):
        raise InputError(
            f"found the values {tuple(values)} for {microstructure.n_phases} phases; give each phase a value of its "
            "own, a whole number from 0 to 255."
        )
    if microstructure.mask is not None and HIDDEN in whole:
        raise InputError(f"the value {HIDDEN} stands for masked pixels; give the phases other values.")
    return whole
