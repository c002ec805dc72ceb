"""A fitted model as two files, ``model.json`` and ``arrays.safetensors``; reading them executes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from matlens._version import __version__
from matlens.core.atomic import atomic_write
from matlens.core.registry import sha256_of
from matlens.errors import InputError, ResourceError, RunError

__all__ = ["ARRAYS", "FILES", "MODEL", "read_model_files", "write_model_files"]

Arrays = dict[str, NDArray[Any]]
FILES = ARRAYS, MODEL = "arrays.safetensors", "model.json"
"""What a model consists of; the second is written last, and says that all is there."""


def write_model_files(
    place: Path, schema: str, arrays: Mapping[str, NDArray[Any]], content: Mapping[str, Any], packages: Sequence[str]
) -> None:
    """Write both files; the folder is made if it is not there.

    Parameters
    ----------
    place : Path
        The folder.
    schema : str
        What kind of model, and of which version.
    arrays : mapping of str to ndarray
        The numbers.
    content : mapping of str to object
        Everything else, as JSON can hold it; NaN cannot be.
    packages : sequence of str
        Whose versions are noted.

    Raises
    ------
    RunError
        If they cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> write_model_files(place, "a model 1", {"x": np.arange(2)}, {"target": "P"}, ["numpy"])
    >>> content, arrays = read_model_files(place, "a model 1")
    >>> content["target"], arrays["x"].tolist()
    ('P', [0, 1])
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{place} cannot be made a folder ({error.strerror or error}); name another.") from error
    with atomic_write(place / ARRAYS) as temporary:
        temporary.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
    facts = {
        "schema": schema,
        "arrays_sha256": sha256_of(place / ARRAYS),
        "versions": {"matlens": __version__, **{name: version(name) for name in packages}},
        **content,
    }
    with atomic_write(place / MODEL) as temporary:
        temporary.write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_model_files(place: Path, schema: str) -> tuple[dict[str, Any], Arrays]:
    """Read both files, and check that they belong together.

    Raises
    ------
    InputError
        If there is no model.
    ResourceError
        If it is damaged, or of another schema.

    Examples
    --------
    See `write_model_files`.

    >>> read_model_files(Path("nowhere"), "a model 1")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
    """
    file = place / MODEL
    if not file.is_file():
        raise InputError(f"{place} holds no model (no {MODEL}); name a folder that 'matlens learn' wrote.")
    try:
        content = dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ResourceError(f"{file} cannot be read ({error}); copy the model again or train anew.") from error
    if content.get("schema") != schema:
        raise ResourceError(
            f"{file} is of the schema {content.get('schema')!r} where {schema!r} is expected; use the version of "
            "MatLens that wrote it, or train anew."
        )
    arrays = place / ARRAYS
    if not arrays.is_file() or sha256_of(arrays) != content.get("arrays_sha256"):
        raise ResourceError(f"{arrays} is missing or not the file written with the model; copy both files again.")
    return content, load_file(arrays)
