"""The model of a library that a command starts from."""

from __future__ import annotations

import os
from pathlib import Path

from matlens.errors import InputError
from matlens.library.model import LibraryModel
from matlens.library.stacking import read_library_model
from matlens.runs.codecs import JSON, read_file
from matlens.runs.directory import PROVENANCE
from matlens.runs.models import digest_of_model, kind_of_model

__all__ = ["read_model", "warnings_of_model"]


def read_model(folder: str | os.PathLike[str], *, device: str, known: str = "") -> LibraryModel:
    """Read a model that ``library learn`` made, or that was saved in Python.

    Parameters
    ----------
    folder : path-like
        A run directory of ``library learn``, or a folder with a saved model.
    device : str
        Where it is going to run.
    known : str
        Hash of the model when the run started; empty where the run starts now.

    Returns
    -------
    LibraryModel

    Raises
    ------
    InputError
        If there is no model, it is one of structures, or it has changed.
    """
    if kind_of_model(folder) == "structures":
        raise InputError(
            f"{folder} holds a model of structures; use 'matlens predict' or 'matlens explain', or name a run "
            "directory of 'matlens library learn'."
        )
    model = read_library_model(folder, device=device)
    if known and known != digest_of_model(folder):
        raise InputError(f"the model in {folder} has changed since the run started; start a new run.")
    return model


def warnings_of_model(folder: str | os.PathLike[str]) -> list[str]:
    """Return what the run that learned a model warns of: alarms of the data, and tests in which the model fails.

    Parameters
    ----------
    folder : path-like
        A run directory of ``library learn``, or a folder with a saved model.

    Returns
    -------
    list of str
        Sentences; none where the model was saved in Python.

    Examples
    --------
    >>> warnings_of_model("nowhere")
    []
    """
    file = Path(folder) / PROVENANCE
    return [str(text) for text in read_file(file, JSON).get("warnings", ())] if file.is_file() else []
