"""What users give for a microstructure: a `Microstructure`, an array, or the path of a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.segmentation.loading import load
from matlens.microstructure.structure import Microstructure

__all__ = ["StructureLike", "StructuresLike", "as_structure", "as_structures"]

StructureLike: TypeAlias = Microstructure | ArrayLike | os.PathLike[str]
StructuresLike: TypeAlias = StructureLike | Sequence[StructureLike]


def as_structure(given: StructureLike, progress: Progress | None = None) -> Microstructure:
    """Return the microstructure that is meant.

    Parameters
    ----------
    given : Microstructure, array_like of shape (y, x) or (z, y, x), or path-like
        An array and a file may hold labels or grey values; grey values are segmented as ``matlens inspect`` proposes.
    progress : Progress, optional
        Shows what was understood of an array or a file.

    Returns
    -------
    Microstructure
        The structure.

    Raises
    ------
    InputError
        If the file cannot be read, or the array is neither an image nor a volume.

    Examples
    --------
    >>> as_structure(np.eye(3) * 255)
    Microstructure(3 x 3, 2 phases, 1 px)
    """
    if isinstance(given, Microstructure):
        return given
    if not isinstance(given, str | os.PathLike) and (np.asarray(given).dtype == object or np.ndim(given) < 2):
        raise InputError(
            f"found a {type(given).__name__}; expected a Microstructure, an array of labels or grey values, or the "
            "path of a picture."
        )
    found = load(given, propose=True)
    for line in found.understood.lines() if found.understood is not None else ():
        (progress or Silent()).say(line)
    return found.microstructure


def as_structures(given: StructuresLike, progress: Progress | None = None) -> Microstructure | list[Microstructure]:
    """Return the microstructure that is meant, or several of them.

    Parameters
    ----------
    given : Microstructure, array_like or path-like, or sequence of them
        As in `as_structure`. A list of rows of numbers is one array; an array of three axes is one volume.
    progress : Progress, optional
        Shows what was understood of arrays and files.

    Returns
    -------
    Microstructure or list of Microstructure
        A list if a sequence of structures was given.

    Raises
    ------
    InputError
        As in `as_structure`.

    Examples
    --------
    >>> as_structures([[0, 1], [1, 1]])
    Microstructure(2 x 2, 2 phases, 1 px)
    >>> len(as_structures([np.eye(3), np.eye(4)]))
    2
    """
    if isinstance(given, list | tuple) and all(_is_one(each) for each in given):
        return [as_structure(each, progress) for each in given]
    return as_structure(given, progress)  # type: ignore[arg-type]


def _is_one(given: object) -> bool:
    """Whether a member of a list is a structure by itself, and not a row of numbers."""
    return isinstance(given, Microstructure | str | os.PathLike) or (isinstance(given, np.ndarray) and given.ndim > 1)
