"""The kind and the hash of a stored model, found without loading the model."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from matlens.errors import InputError
from matlens.runs.provenance import sha256

__all__ = ["digest_of_model", "kind_of_model"]


def kind_of_model(folder: str | os.PathLike[str]) -> Literal["structures", "library"]:
    """Return whether a folder holds a model of structures or of a library.

    Parameters
    ----------
    folder : path-like
        Folder of the model.

    Returns
    -------
    {"structures", "library"}
        Kind of the model.

    Raises
    ------
    InputError
        If it holds no model, or one that cannot be read.

    Examples
    --------
    >>> kind_of_model("nowhere")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model; name a run directory of 'matlens [library] learn'.
    """
    file = Path(folder) / "model.json"
    if not file.is_file():
        raise InputError(f"{folder} holds no model; name a run directory of 'matlens [library] learn'.")
    try:
        schema = str(json.loads(file.read_text(encoding="utf-8"))["schema"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{file} is damaged; learn the model again.") from None
    return "library" if schema.startswith("matlens library model") else "structures"


def digest_of_model(folder: str | os.PathLike[str]) -> str:
    """Compute the hash of a stored model.

    Parameters
    ----------
    folder : path-like
        Folder of the model.

    Returns
    -------
    str
        SHA-256 of model.json, which contains the hash of the model's arrays.

    Raises
    ------
    InputError
        If the folder holds no model.

    Examples
    --------
    >>> digest_of_model("nowhere")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere...model.json cannot be read (No such file or directory); check the path.
    """
    return sha256(Path(folder) / "model.json")
