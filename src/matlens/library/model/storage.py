"""Storage of fitted ensembles as JSON and safetensors, so that loading a model executes no code."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from matlens.core.atomic import Writing
from matlens.core.device import chosen_device
from matlens.core.model_files import MODEL, guarded_model, read_model_files, write_model_files
from matlens.errors import ResourceError
from matlens.hooks import Arrays
from matlens.library.model.ensemble import Ensemble
from matlens.library.model.inputs import Inputs
from matlens.library.model.kernel.kernel_parts import KernelParts
from matlens.library.model.mixture import Mixture
from matlens.library.model.output_warping import OutputWarping
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.stored_library import SCHEMA, library_from, library_parts, under
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["FittedState", "read_state", "write_state"]

_ALIKE = 1e-3  # relative to the standard deviation; predictions on another machine differ by rounding only


@dataclass(frozen=True, eq=False)
class FittedState:
    """State of a fitted `LibraryModel` that is stored.

    Parameters
    ----------
    parameters : dict
        Parameters of the estimator, except preprocessing, device and cache.
    own_preprocessing : bool
        Whether the preprocessing was given by the user (True) or chosen by the model.
    inputs : Inputs
        Maps from samples to inputs, with the preprocessing.
    ensemble : Mixture
        Networks and kernel models.
    warp : OutputWarping
        Scale of the figure of merit.
    library : MaterialsLibrary
        Training samples.
    target, unit : str
        Name and unit of the figure of merit.
    chains_tried : dict
        R squared of each preprocessing that was tried.
    held_out, held_out_spread : ndarray, shape (n,)
        Mean and standard deviation over the members that were not trained on the sample.
    more : dict
        What models that contain the ensemble keep beside it, as JSON can hold it.
    """

    parameters: dict[str, Any]
    own_preprocessing: bool
    inputs: Inputs
    ensemble: Mixture
    warp: OutputWarping
    library: MaterialsLibrary
    target: str
    unit: str
    chains_tried: dict[str, float]
    held_out: NDArray[np.float64]
    held_out_spread: NDArray[np.float64]
    more: dict[str, Any] = field(default_factory=dict)

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> NDArray[np.float64]:
        """Return the prediction of each member, shape (m, n), for fractions (n, D) and file intensities (n, C)."""
        device = next(iter(self.ensemble.networks.parameters.values())).device
        values = self.ensemble.values(self.inputs(compositions, spectra, device))
        return self.warp.values(values.double().cpu().numpy())

    def example(self) -> float:
        """Return the mean prediction for the first sample, which is compared after loading."""
        library = self.library.select([0])
        return float(self.respond(library.compositions, library.spectra if self.inputs.uses_spectrum else None).mean())


def write_state(state: FittedState, writing: Writing) -> None:
    """Write ``model.json`` (settings) and ``arrays.safetensors`` (weights and training samples).

    Parameters
    ----------
    state : FittedState
        State of the model.
    writing : callable
        Opens a file of the model for writing, from its name.
    """
    mixture = state.ensemble
    arrays: Arrays = {f"network.{name}": value.cpu().numpy() for name, value in mixture.networks.parameters.items()}
    if mixture.kernel is not None:
        arrays |= {f"kernel.{name}": value for name, value in mixture.kernel.arrays().items()}
    arrays |= {f"inputs.{name}": value for name, value in state.inputs.arrays().items()}
    arrays |= {"held_out": state.held_out, "held_out_spread": state.held_out_spread}
    words, more = library_parts(state.library)
    arrays |= {f"library.{name}": value for name, value in more.items()}
    content = {
        "parameters": {**state.parameters, "own_preprocessing": state.own_preprocessing},
        "target": state.target,
        "unit": state.unit,
        "warp": asdict(state.warp),
        "preprocessing": state.inputs.preprocessing.settings(),
        "chains_tried": state.chains_tried,
        "sizes": dict(mixture.networks.sizes),
        "share": mixture.share,
        "example": state.example(),
        "library": words,
    }
    if state.more:
        content["more"] = state.more
    write_model_files(writing, SCHEMA, arrays, content, ("numpy", "torch"))


def read_state(folder: str | os.PathLike[str], device: str) -> FittedState:
    """Inverse of `write_state`; checks that predictions are the same as when the model was written.

    Parameters
    ----------
    folder : path-like
        Folder with the model.
    device : {"auto", "cpu", "cuda"}
        Device of the weights.

    Returns
    -------
    FittedState
        State of the model.

    Raises
    ------
    InputError
        If there is no model.
    ResourceError
        If the model is damaged, or its predictions differ.
    """
    place = Path(folder)
    # Length scales of a kernel may be infinite: that of an input without an effect is.
    content, arrays = read_model_files(place, SCHEMA, ("network.", "inputs."))
    with guarded_model(place / MODEL):
        state = _state(content, arrays, chosen_device(device))
        found, expected = state.example(), float(content["example"])
        allowed = _ALIKE * float(state.warp.gradient([state.warp.low, state.warp.high]).max())
    if not abs(found - expected) <= allowed:
        raise ResourceError(
            f"the model in {place} predicts {found:.9g} where it predicted {expected:.9g} when it was written; "
            "restore the versions named in model.json, or train anew."
        )
    return state


def _state(content: dict[str, Any], arrays: Arrays, where: torch.device) -> FittedState:
    asked = dict(content["parameters"])
    own = bool(asked.pop("own_preprocessing"))
    preset, inputs = PRESETS[asked["preset"]], tuple(content["sizes"])
    weights = {name: torch.from_numpy(value).to(where) for name, value in under("network.", arrays).items()}
    networks = Ensemble(preset, preset.stages(inputs)[-1], content["sizes"], weights)
    kernel = KernelParts.from_arrays(under("kernel.", arrays), where) if preset.sharpness is not None else None
    chain = Preprocessing.from_settings(content["preprocessing"])
    warp: dict[str, Any] = {name: None if value is None else float(value) for name, value in content["warp"].items()}
    return FittedState(
        asked,
        own,
        Inputs.from_arrays(under("inputs.", arrays), chain),
        Mixture(networks, kernel, content["share"]),
        OutputWarping(**warp),
        library_from(content["library"], under("library.", arrays)),
        _text(content["target"]),
        _text(content["unit"]),
        {chain: float(score) for chain, score in content.get("chains_tried", {}).items()},
        np.asarray(arrays["held_out"], np.float64),
        np.asarray(arrays["held_out_spread"], np.float64),
        dict(content.get("more", {})),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"found {value!r}, expected text")
    return value
