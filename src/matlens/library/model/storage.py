"""A fitted ensemble as two files, JSON and safetensors, from which it loads without code being executed."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from matlens.core.device import chosen_device
from matlens.core.model_files import MODEL, read_model_files, write_model_files
from matlens.errors import ResourceError
from matlens.hooks import Arrays
from matlens.library.model.ensemble import Ensemble
from matlens.library.model.kernel.kernel_parts import KernelParts
from matlens.library.model.mixture import Mixture
from matlens.library.model.model import LibraryModel
from matlens.library.model.network_inputs import NetworkInputs
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.warp import Warp
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["SCHEMA", "read_library_model", "write_library_model"]

SCHEMA = "matlens library model 2"
_PLAIN = ("axis_name", "axis_unit", "spectrum_name", "spectrum_unit", "fraction_name")
_ELSEWHERE = ("preprocessing", "device", "cache")  # stored otherwise, or of the machine and not of the model
_ALIKE = 1e-3  # of the standard deviation: predictions on another machine differ in rounding only


def write_library_model(model: LibraryModel, folder: str | os.PathLike[str]) -> Path:
    """Write a fitted model: ``model.json`` (what it is) and ``arrays.safetensors`` (weights, and the library).

    Parameters
    ----------
    model : LibraryModel
        Fitted.
    folder : path-like
        Made if missing; a model in it is replaced.

    Returns
    -------
    Path
        The folder.

    Examples
    --------
    >>> import tempfile
    >>> x = np.random.default_rng(0).dirichlet([1, 1], 20)
    >>> library = MaterialsLibrary(x, ("Fe", "Pd"), {"P": x[:, 0]})
    >>> model = LibraryModel(n_models=2).fit(library)
    >>> again = read_library_model(write_library_model(model, tempfile.mkdtemp()))
    >>> bool(np.array_equal(again.predict(library), model.predict(library)))
    True
    """
    place = Path(folder)
    mixture = model.ensemble_
    arrays: Arrays = {f"network.{name}": value.cpu().numpy() for name, value in mixture.networks.parameters.items()}
    if mixture.kernel is not None:
        arrays |= {f"kernel.{name}": value for name, value in mixture.kernel.arrays().items()}
    arrays |= {f"inputs.{name}": value for name, value in model.network_inputs_.arrays().items()}
    arrays |= {"held_out": model.held_out_, "held_out_spread": model.held_out_spread_}
    words, more = _library_parts(model.library_)
    arrays |= {f"library.{name}": value for name, value in more.items()}
    content = {
        "parameters": _parameters(model),
        "target": model.target_,
        "unit": model.unit_,
        "warp": asdict(model.warp_),
        "preprocessing": model.preprocessing_.settings(),
        "chains_tried": model.chains_tried_,
        "sizes": dict(mixture.networks.sizes),
        "share": mixture.share,
        "example": _example(model),
        "library": words,
    }
    write_model_files(place, SCHEMA, arrays, content, ("numpy", "torch"))
    return place


def read_library_model(folder: str | os.PathLike[str], *, device: str = "cpu") -> LibraryModel:
    """Read a model that `write_library_model` or ``matlens learn`` wrote, and check that it predicts as it did.

    Parameters
    ----------
    folder : path-like
        Where it lies.
    device : {"auto", "cpu", "cuda"}
        Where it is to predict.

    Raises
    ------
    InputError
        If there is no model.
    ResourceError
        If it is damaged, or predicts otherwise than when it was written.

    Examples
    --------
    See `write_library_model`.

    >>> read_library_model("nowhere")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
    """
    place = Path(folder)
    content, arrays = read_model_files(place, SCHEMA)
    try:
        model = _model(content, arrays, device)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, IndexError) as error:
        raise ResourceError(f"{place / MODEL} is damaged ({error!r}); copy the model again or train anew.") from error
    found, expected = _example(model), content["example"]
    if not abs(found - expected) <= _ALIKE * float(model.warp_.slopes([model.warp_.low, model.warp_.high]).max()):
        raise ResourceError(
            f"the model in {place} predicts {found:.9g} where it predicted {expected:.9g} when it was written; "
            "restore the versions named in model.json, or train anew."
        )
    return model


def _model(content: dict[str, Any], arrays: Arrays, device: str) -> LibraryModel:
    where = chosen_device(device)
    asked = dict(content["parameters"])
    chain = Preprocessing.from_settings(content["preprocessing"])
    own = asked.pop("own_preprocessing")
    model = LibraryModel(**asked, preprocessing=chain if own else None, device=device)
    model.network_inputs_ = NetworkInputs.from_settings(_under("inputs.", arrays), chain)
    model.chains_tried_ = dict(content.get("chains_tried", {}))
    model.warp_ = Warp(**content["warp"])
    weights = {name: torch.from_numpy(value).to(where) for name, value in _under("network.", arrays).items()}
    preset = PRESETS[asked["preset"]]
    inputs = tuple(content["sizes"])
    networks = Ensemble(preset, preset.stages(inputs)[-1], content["sizes"], weights)
    kernel = KernelParts.restored(_under("kernel.", arrays), where) if preset.sharpness is not None else None
    model.ensemble_ = Mixture(networks, kernel, content["share"])
    model.settle(_library(content["library"], _under("library.", arrays)), content["target"], content["unit"])
    model.held_out_, model.held_out_spread_ = arrays["held_out"], arrays["held_out_spread"]
    return model


def _parameters(model: LibraryModel) -> dict[str, Any]:
    asked = {name: value for name, value in model.get_params().items() if name not in _ELSEWHERE}
    return {**asked, "own_preprocessing": model.preprocessing is not None}


def _example(model: LibraryModel) -> float:
    """Prediction for the first sample."""
    library = model.library_.select([0])
    return float(model.respond(library.compositions, library.spectra if model.uses_spectrum_ else None).mean())


def _library_parts(library: MaterialsLibrary) -> tuple[dict[str, Any], Arrays]:
    """A library as words for JSON and as arrays; covariates that are no numbers become words."""
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
    return words, arrays


def _library(words: dict[str, Any], arrays: dict[str, Any]) -> MaterialsLibrary:
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
        **{name: words[name] for name in _PLAIN},
    )


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
