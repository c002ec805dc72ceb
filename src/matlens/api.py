"""`explain` for models of both kinds: of structures and of libraries."""

from __future__ import annotations

from typing import Any, overload

import xarray as xr
from numpy.typing import ArrayLike

from matlens.errors import InputError
from matlens.library.gradients import explain_library
from matlens.library.model import Response
from matlens.library.table import MaterialsLibrary
from matlens.microstructure.properties import SensitivityStudy, StructurePropertyModel, StructureSet, study_sensitivity

__all__ = ["explain"]


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
