"""Public names that dispatch or put together: `explain` for models of both sides, `segment` for files."""

from __future__ import annotations

import os
from typing import Any, overload

import xarray as xr
from numpy.typing import ArrayLike

from matlens.core.arguments import checked_arguments
from matlens.errors import InputError
from matlens.library.gradients import explain_library
from matlens.library.model import Response
from matlens.library.table import MaterialsLibrary
from matlens.microstructure.properties import SensitivityStudy, StructurePropertyModel, StructureSet, study_sensitivity
from matlens.microstructure.segmentation import Alternative, CleaningOptions, alternatives

__all__ = ["explain", "segment"]


@overload
def explain(model: StructurePropertyModel, data: StructureSet | ArrayLike, **options: Any) -> SensitivityStudy: ...


@overload
def explain(model: Response, data: MaterialsLibrary | None = None, **options: Any) -> xr.Dataset: ...


def explain(model: Any, data: Any = None, **options: Any) -> Any:
    """Explain what a trained model has learned, by its gradients.

    Parameters
    ----------
    model : LibraryModel or other Response, or StructurePropertyModel
        A fitted model.
    data : MaterialsLibrary, or StructureSet or array_like of int, shape (n, *space)
        Samples or structures to explain; by default, for a library model, the library that it was fitted to.
    **options
        Options of `matlens.library.gradients.explain_library` or of
        `matlens.microstructure.properties.study_sensitivity`.

    Returns
    -------
    xarray.Dataset or SensitivityStudy
        For a library, gradients at its samples (docs/gradients_schema.md); for structures, sensitivities of their
        pixels.

    Raises
    ------
    InputError
        If the model is of neither kind, or a library model was not fitted to a library and none is given.

    Notes
    -----
    Umehara et al., npj Comput. Mater. 5, 34 (2019), read gradients of a model of a library.

    Examples
    --------
    >>> explain(3)
    Traceback (most recent call last):
    matlens.errors.InputError: found a model of type int; expected a LibraryModel, a baseline of one, or a
    StructurePropertyModel, fitted.
    """
    if isinstance(model, StructurePropertyModel):
        return study_sensitivity(model, data, **options)
    if not isinstance(model, Response):
        raise InputError(
            f"found a model of type {type(model).__name__}; expected a LibraryModel, a baseline of one, or a "
            "StructurePropertyModel, fitted."
        )
    library = data if data is not None else getattr(model, "library_", None)
    if not isinstance(library, MaterialsLibrary):
        raise InputError("found no library to explain; give the one the model was fitted to, or another.")
    return explain_library(model, library, **options)


@checked_arguments
def segment(
    path: str | os.PathLike[str], options: CleaningOptions | None = None, *, dataset: str | None = None
) -> list[Alternative]:
    """Segment a micrograph as asked or proposed, and in other ways to compare with.

    Parameters
    ----------
    path : path-like
        The file.
    options : CleaningOptions, optional
        What is asked for; by default a grey picture is segmented as proposed.
    dataset : str, optional
        Name of the array, in files that hold several.

    Returns
    -------
    list of Alternative
        Each with a ``name`` and what was ``found``: microstructure, options, thresholds, and what was understood. What
        was asked or proposed comes first.

    Raises
    ------
    InputError
        If the file cannot be read or segmented.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = f"{tempfile.mkdtemp()}/m.npy"
    >>> np.save(path, np.repeat([0, 255], 8)[:, None] * np.ones((1, 16), int))
    >>> segment(path)[0].found.microstructure
    Microstructure(16 x 16, 2 phases, 1 px)
    """
    return alternatives(path, options, dataset=dataset)
