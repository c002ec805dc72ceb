"""Public names that dispatch or put together: `explain` for models of both sides, `segment` for files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, overload

from numpy.typing import ArrayLike

from matlens.core.arguments import checked_arguments
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.library.gradients import CompositionResponse, LibraryGradients, explain_library
from matlens.library.model import Response
from matlens.library.table import MaterialsLibrary
from matlens.microstructure.properties import SensitivityStudy, StructurePropertyModel, StructureSet, study_sensitivity
from matlens.microstructure.segmentation import Alternatives, CleaningOptions, alternatives

__all__ = ["explain", "segment"]


@overload
def explain(
    model: StructurePropertyModel,
    data: StructureSet | ArrayLike,
    *,
    phase_values: Sequence[float] | None = None,
    flips_per_structure: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> SensitivityStudy: ...


@overload
def explain(
    model: Response,
    data: MaterialsLibrary | None = None,
    *,
    hosts: str | Mapping[str, str] | None = None,
    members: bool = False,
    errors: bool = True,
    integration_steps: int = 0,
    measured: MaterialsLibrary | None = None,
    response: CompositionResponse | None = None,
    progress: Progress | None = None,
) -> LibraryGradients: ...


def explain(
    model: StructurePropertyModel | Response,
    data: StructureSet | ArrayLike | MaterialsLibrary | None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> SensitivityStudy | LibraryGradients:
    """Explain what a trained model has learned, by its gradients.

    Parameters
    ----------
    model : LibraryModel or other Response, or StructurePropertyModel
        A fitted model.
    data : MaterialsLibrary, or StructureSet or array_like of int, shape (n, *space)
        Samples or structures to explain; by default, for a library model, the library that it was fitted to.
    progress : Progress, optional
        Shows how far the computation is.
    **options
        For a library those of `matlens.library.gradients.explain_library`: ``hosts``, ``members``, ``errors``,
        ``integration_steps``, ``measured``, ``response``. For structures those of
        `matlens.microstructure.properties.study_sensitivity`: ``phase_values``, ``flips_per_structure``, ``seed``.

    Returns
    -------
    LibraryGradients or SensitivityStudy
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
        if data is None or isinstance(data, MaterialsLibrary):
            raise InputError("found no structures to explain; give a StructureSet, or labels of shape (n, *space).")
        return study_sensitivity(model, data, progress=progress, **options)
    if not isinstance(model, Response):
        raise InputError(
            f"found a model of type {type(model).__name__}; expected a LibraryModel, a baseline of one, or a "
            "StructurePropertyModel, fitted."
        )
    library = data if data is not None else getattr(model, "library_", None)
    if not isinstance(library, MaterialsLibrary):
        raise InputError("found no library to explain; give the one the model was fitted to, or another.")
    return explain_library(model, library, progress=progress, **options)


@checked_arguments
def segment(
    path: str | os.PathLike[str] | ArrayLike, options: CleaningOptions | None = None, *, dataset: str | None = None
) -> Alternatives:
    """Segment a micrograph as asked or proposed, and in other ways to compare with.

    Parameters
    ----------
    path : path-like, or array_like of shape (y, x) or (z, y, x)
        The file, or its values.
    options : CleaningOptions, optional
        What is asked for; by default a grey picture is segmented as proposed.
    dataset : str, optional
        Name of the array, in files that hold several.

    Returns
    -------
    Alternatives
        A list; each member has a ``name`` and what was ``found``: microstructure, options, thresholds, and what was
        understood. What was asked or proposed comes first.

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
