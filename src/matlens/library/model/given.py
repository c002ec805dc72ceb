"""What users give for a library: a `MaterialsLibrary`, a table of pandas, or an array of fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from matlens.errors import InputError
from matlens.library.io import LibraryOptions, read_library
from matlens.library.table import MaterialsLibrary

__all__ = ["LibraryLike", "as_library", "with_values"]

LibraryLike: TypeAlias = MaterialsLibrary | pd.DataFrame | ArrayLike


def as_library(given: LibraryLike, components: Sequence[str] = (), target: str | None = None) -> MaterialsLibrary:
    """Return the library that is meant.

    Parameters
    ----------
    given : MaterialsLibrary, DataFrame, or array_like of shape (n, D)
        A table is understood as `matlens.read_library` understands a file; an array holds fractions.
    components : sequence of str
        Names of the components that a model knows; by default they are recognised, or numbered.
    target : str, optional
        Figure of merit that is going to be learned.

    Returns
    -------
    MaterialsLibrary
        The library.

    Raises
    ------
    InputError
        If the table cannot be understood, or the array does not hold fractions.

    Examples
    --------
    >>> as_library(np.array([[0.5, 0.5], [0.2, 0.8]]))
    MaterialsLibrary(2 samples, x0-x1, no merit, no spectra)
    """
    if isinstance(given, MaterialsLibrary):
        return given
    if isinstance(given, pd.DataFrame):
        options = LibraryOptions(components=tuple(components))
        found = read_library(given, options=options, target=target, varied=False)
        if len(found) != len(given):
            raise InputError(
                f"{len(given) - len(found)} of {len(given)} rows of the table hold means or other summaries of "
                "samples; leave them out."
            )
        return found
    array = np.asarray(given)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InputError(
            f"found a {type(given).__name__} of shape {array.shape}; expected a MaterialsLibrary, a DataFrame with the "
            "columns of a library, or fractions of shape (n, D)."
        )
    return MaterialsLibrary(
        array, tuple(components) or tuple(f"x{k}" for k in range(array.shape[1])), pd.DataFrame(index=range(len(array)))
    )


def with_values(library: MaterialsLibrary, values: ArrayLike, name: str) -> MaterialsLibrary:
    """Return a library with one figure of merit, whose values are given beside it.

    Parameters
    ----------
    library : MaterialsLibrary
        The samples.
    values : array_like, shape (n,)
        The values; NaN where a sample was not measured.
    name : str
        Name of the figure of merit; its unit stays, if the library has it.

    Returns
    -------
    MaterialsLibrary
        The library.

    Examples
    --------
    >>> with_values(as_library([[1.0]]), [3.0], "P").merit().tolist()
    [3.0]
    """
    units = {name: library.merit_units.get(name, "")}
    return replace(
        library, merits=pd.DataFrame({name: np.asarray(values, dtype=float)}), merit_units=units, censored=None
    )
