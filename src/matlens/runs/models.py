"""What kind of model a folder holds, told without loading it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from matlens.errors import InputError

__all__ = ["kind_of_model"]


def kind_of_model(folder: str | os.PathLike[str]) -> Literal["structures", "library"]:
    """Tell whether a folder holds a model of structures or one of a library.

    Raises
    ------
    InputError
        If it holds no model, or one that cannot be read.

    Examples
    --------
    >>> kind_of_model("nowhere")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model; name a run directory of 'matlens learn'.
    """
    file = Path(folder) / "model.json"
    if not file.is_file():
        raise InputError(f"{folder} holds no model; name a run directory of 'matlens learn'.")
    try:
        schema = str(json.loads(file.read_text(encoding="utf-8"))["schema"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{file} is damaged; run 'matlens learn' again.") from None
    return "library" if schema.startswith("matlens library model") else "structures"
