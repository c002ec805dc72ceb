"""The table that a command starts from: read as its options say, and the same one when a run is resumed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from matlens.errors import InputError
from matlens.library.io import LibraryOptions, read_library
from matlens.library.table import MaterialsLibrary
from matlens.runs.sources import kind_of_source

__all__ = ["library_digest", "read_table"]


def read_table(
    path: str,
    options: LibraryOptions,
    *,
    target: str | None = None,
    command: str = "",
    known: str = "",
    learned: bool = True,
) -> MaterialsLibrary:
    """Read a library from a table or a folder.

    Parameters
    ----------
    path : str
        The table or folder.
    options : LibraryOptions
        How it is read.
    target : str, optional
        Figure of merit that the command is about, which is never taken for a component.
    command : str
        The command for structures that a user means who names pictures; empty where the run starts again.
    known : str
        Digest of what was read when the run started; empty where it starts now.
    learned : bool
        Whether the library is learned from: then its compositions must vary.

    Returns
    -------
    MaterialsLibrary

    Raises
    ------
    InputError
        If the file cannot be used, holds structures, or has changed.
    """
    if command and Path(path).exists() and kind_of_source(path) == "structures":
        raise InputError(f"{path} holds structures (pictures or arrays), no table; use 'matlens {command}'.")
    found = read_library(Path(path), options=options, target=target, varied=learned)
    if known and known != library_digest(found):
        raise InputError(f"{path} has changed since the run started; put the old one back or start a new run.")
    return found


def library_digest(library: MaterialsLibrary) -> str:
    """Compute the SHA-256 of all numbers and names that a model learns from.

    Parameters
    ----------
    library : MaterialsLibrary
        The library.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> one, other = (MaterialsLibrary([[1.0]], ("Fe",), {"P": [value]}) for value in (1, 2))
    >>> len(library_digest(one)), library_digest(one) == library_digest(other)
    (64, False)
    """
    found = hashlib.sha256()
    names: tuple[object, ...] = (library.components, library.samples, tuple(library.merits), library.fraction_name)
    names += (library.sites,) if library.sites else ()  # so that digests of other libraries stay what they were
    found.update(repr(names).encode())
    arrays = (library.compositions, library.merits.to_numpy(np.float64), library.spectra, library.axis)
    for array in arrays:
        if array is not None:
            found.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    if library.censored is not None:
        found.update(library.censored.to_numpy(np.int8).tobytes())
    return found.hexdigest()
