"""The library that a model learned from, as its files hold it; reading it needs no PyTorch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.model_files import MODEL, guarded_model, read_model_files
from matlens.hooks import Arrays
from matlens.library.table import MaterialsLibrary

__all__ = ["SCHEMA", "LearnedLibrary", "library_from", "library_parts", "read_learned_library", "under"]

SCHEMA = "matlens library model 2"
_PLAIN = ("axis_name", "axis_unit", "spectrum_name", "spectrum_unit", "fraction_name")


@dataclass(frozen=True, eq=False)
class LearnedLibrary:
    """What a model learned from.

    Attributes
    ----------
    library : MaterialsLibrary
        The training samples.
    target, unit : str
        Name and unit of the figure of merit, on the scale of the model.
    held_out : ndarray, shape (n,)
        Mean prediction of the members that were not trained on the sample.

    Examples
    --------
    >>> library = MaterialsLibrary([[0.5, 0.5]], ("Fe", "Co"), {"P": [1.0]})
    >>> LearnedLibrary(library, "P", "T", np.ones(1)).library.components
    ('Fe', 'Co')
    """

    library: MaterialsLibrary
    target: str
    unit: str
    held_out: NDArray[np.float64]


def read_learned_library(folder: str | os.PathLike[str]) -> LearnedLibrary:
    """Read the training samples of a model.

    Parameters
    ----------
    folder : path-like
        Run directory of ``library learn``, or folder of a saved model.

    Returns
    -------
    LearnedLibrary
        Training samples and target.

    Raises
    ------
    InputError
        If the folder holds no model.
    ResourceError
        If a file of the model is damaged.

    Examples
    --------
    >>> read_learned_library("nowhere")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
    """
    place = Path(folder)
    content, arrays = read_model_files(place, SCHEMA)
    with guarded_model(place / MODEL):
        library = library_from(content["library"], under("library.", arrays))
        held_out = np.asarray(arrays["held_out"], np.float64)
        return LearnedLibrary(library, str(content["target"]), str(content["unit"]), held_out)


def library_parts(library: MaterialsLibrary) -> tuple[dict[str, Any], Arrays]:
    """Take a library apart into text for JSON and arrays; covariates that are not numbers become text.

    Parameters
    ----------
    library : MaterialsLibrary
        The library.

    Returns
    -------
    dict
        Names, units, notes and covariates of text.
    dict of str to ndarray
        Compositions, figures of merit, spectra with their axis, limits and covariates that are numbers.

    Examples
    --------
    >>> words, arrays = library_parts(MaterialsLibrary([[0.5, 0.5]], ("Fe", "Co"), {"P": [1.0]}))
    >>> words["components"], sorted(arrays)
    (['Fe', 'Co'], ['compositions', 'merits'])
    """
    arrays: Arrays = {"compositions": library.compositions, "merits": library.merits.to_numpy(np.float64)}
    if library.spectra is not None and library.axis is not None:
        arrays |= {"spectra": library.spectra, "axis": library.axis}
    if library.censored is not None:
        arrays["censored"] = library.censored.to_numpy(np.int8)
    covariates: dict[str, Any] = {}
    for name in library.covariates:
        column = library.covariates[name]
        if pd.api.types.is_numeric_dtype(column):
            arrays[f"covariate.{name}"] = column.to_numpy()
            covariates[str(name)] = None
        else:
            covariates[str(name)] = [None if pd.isna(value) else str(value) for value in column]
    words = {name: getattr(library, name) for name in _PLAIN} | {
        "components": list(library.components),
        "samples": list(library.samples),
        "merit_units": dict(library.merit_units),
        "notes": list(library.notes),
        "covariates": covariates,
    }
    if library.sites:
        words["sites"] = list(library.sites)
    return words, arrays


def library_from(words: Mapping[str, Any], arrays: Mapping[str, Any]) -> MaterialsLibrary:
    """Put a library together again.

    Parameters
    ----------
    words, arrays : mapping
        What `library_parts` gave.

    Returns
    -------
    MaterialsLibrary
        The library.

    Examples
    --------
    >>> library_from(*library_parts(MaterialsLibrary([[0.5, 0.5]], ("Fe", "Co"), {"P": [1.0]})))
    MaterialsLibrary(1 samples, Fe-Co, P, no spectra)
    """
    names = list(words["merit_units"])
    covariates = {
        name: arrays[f"covariate.{name}"] if values is None else values for name, values in words["covariates"].items()
    }
    censored = pd.DataFrame(arrays["censored"], columns=names) if "censored" in arrays else None
    return MaterialsLibrary(
        arrays["compositions"],
        tuple(words["components"]),
        pd.DataFrame(arrays["merits"], columns=names),
        words["merit_units"],
        arrays.get("spectra"),
        arrays.get("axis"),
        samples=tuple(words["samples"]),
        covariates=pd.DataFrame(covariates, index=range(len(arrays["compositions"]))),
        censored=censored,
        notes=tuple(words["notes"]),
        sites=tuple(words.get("sites", ())),
        **{name: words[name] for name in _PLAIN},
    )


def under(prefix: str, arrays: Arrays) -> Arrays:
    """Select the arrays of one part of a model.

    Parameters
    ----------
    prefix : str
        Beginning of their names.
    arrays : dict of str to ndarray
        The arrays of the model.

    Returns
    -------
    dict of str to ndarray
        Those of the part, by names without the prefix.

    Examples
    --------
    >>> list(under("library.", {"library.axis": np.arange(2), "held_out": np.arange(2)}))
    ['axis']
    """
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
