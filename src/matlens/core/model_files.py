"""A fitted model as two files, ``model.json`` and ``arrays.safetensors``; reading them executes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from matlens._version import __version__
from matlens.core.atomic import Writing
from matlens.core.guard import reading
from matlens.core.registry import sha256_of
from matlens.errors import InputError, ResourceError

__all__ = ["ARRAYS", "FILES", "MODEL", "guarded_model", "read_model_files", "write_model_files"]

Arrays = dict[str, NDArray[Any]]
FILES = ARRAYS, MODEL = "arrays.safetensors", "model.json"
"""The files of a model, in the order of writing: ``model.json`` comes last, so that its presence means that the model
is complete."""


def write_model_files(
    writing: Writing,
    schema: str,
    arrays: Mapping[str, NDArray[Any]],
    content: Mapping[str, Any],
    packages: Sequence[str],
) -> None:
    """Write a model as ``arrays.safetensors`` and ``model.json``.

    Parameters
    ----------
    writing : callable
        Opens a file of the model for writing, from its name.
    schema : str
        Name and version of the model's format, such as ``"library model 2"``.
    arrays : mapping of str to ndarray
        Arrays of the model, by name.
    content : mapping of str to object
        All other facts, as JSON can hold them; NaN and infinity are not allowed.
    packages : sequence of str
        Installed packages whose versions are stored.

    Raises
    ------
    RunError
        If a file cannot be written.
    ValueError
        If ``content`` holds NaN or infinity.

    Examples
    --------
    >>> import tempfile
    >>> from matlens.core.atomic import writing_into
    >>> place = Path(tempfile.mkdtemp())
    >>> write_model_files(writing_into(place), "a model 1", {"x": np.arange(2)}, {"target": "P"}, ["numpy"])
    >>> content, arrays = read_model_files(place, "a model 1")
    >>> content["target"], arrays["x"].tolist()
    ('P', [0, 1])
    """
    stored = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    with writing(ARRAYS) as file:
        file.write(stored)
    facts = {
        "schema": schema,
        "arrays_sha256": hashlib.sha256(stored).hexdigest(),
        "versions": {"matlens": __version__, **{name: version(name) for name in packages}},
        **content,
    }
    with writing(MODEL) as file:
        file.write((json.dumps(facts, indent=1, allow_nan=False) + "\n").encode())


def read_model_files(place: Path, schema: str, finite: tuple[str, ...] = ()) -> tuple[dict[str, Any], Arrays]:
    """Read the two files that `write_model_files` wrote, and check that they belong together.

    What a model makes of them is read within `guarded_model`.

    Parameters
    ----------
    place : Path
        Folder of the model.
    schema : str
        Expected name and version of the format.
    finite : tuple of str
        Beginnings of the names of arrays that hold finite numbers only, such as weights.

    Returns
    -------
    content : dict
        Content of ``model.json``: what was given to `write_model_files`, with schema, hash and versions.
    arrays : dict of str to ndarray
        The arrays, by name.

    Raises
    ------
    InputError
        If the folder holds no ``model.json``.
    ResourceError
        If ``model.json`` cannot be read or has another schema, or if the arrays are missing, have another SHA-256,
        cannot be read, or hold NaN or infinity where numbers are expected.

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
    with guarded_model(file):
        content = dict(json.loads(file.read_text(encoding="utf-8")))
    if content.get("schema") != schema:
        raise ResourceError(
            f"{file} is of the schema {content.get('schema')!r} where {schema!r} is expected; use the version of "
            "MatLens that wrote it, or train anew."
        )
    stored = place / ARRAYS
    if not stored.is_file() or sha256_of(stored) != content.get("arrays_sha256"):
        raise ResourceError(f"{stored} is missing or not the file written with the model; copy both files again.")
    with guarded_model(stored):
        arrays = load_file(stored)
    for name, array in arrays.items():
        if name.startswith(finite) and not (array.dtype.kind in "biuf" and np.isfinite(array).all()):
            raise ResourceError(
                f"{stored} holds {name!r} with NaN, infinity or no numbers, where finite numbers are expected; copy "
                "the model again or train anew."
            )
    return content, arrays


def guarded_model(place: Path) -> AbstractContextManager[None]:
    """Guard the reading of a model or of one of its files (see `matlens.core.guard.reading`).

    Parameters
    ----------
    place : Path
        Folder of the model, or the file.

    Returns
    -------
    context manager
        Raises ResourceError in place of other exceptions.

    Examples
    --------
    >>> with guarded_model(Path("model.json")):
    ...     {}["target"]
    Traceback (most recent call last):
    matlens.errors.ResourceError: model.json cannot be read as a part of a model (no entry 'target'); copy the model
    again or train anew.
    """
    return reading(place, "a part of a model", "copy the model again or train anew", ResourceError)
