"""Reading of fitted models of a library, of whichever kind they are."""

from __future__ import annotations

import os
from pathlib import Path

from matlens.core.model_files import MODEL, guarded_model
from matlens.library.model import LibraryModel
from matlens.library.stacking.model import StackedModel

__all__ = ["read_library_model"]


def read_library_model(folder: str | os.PathLike[str], *, device: str = "auto") -> LibraryModel:
    """Read a mixture or an ensemble, as the folder holds.

    Parameters
    ----------
    folder : path-like
        Folder with the model.
    device : {"auto", "cpu", "cuda"}
        Device for predictions.

    Returns
    -------
    LibraryModel
        The fitted model; a `StackedModel` where a mixture was written.

    Raises
    ------
    InputError
        If there is no model.
    ResourceError
        If the model is damaged, or its predictions differ from those when it was written.

    Examples
    --------
    >>> read_library_model("nowhere")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
    """
    alone = LibraryModel.load(folder, device=device)
    if not alone.more_:
        return alone
    with guarded_model(Path(folder) / MODEL):
        return StackedModel.of(alone, alone.more_)
