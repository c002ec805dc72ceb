"""A fitted model as two files, ``model.json`` and ``arrays.safetensors``; reading them executes nothing.

A regression on features is kept as its training rows and fitted again on reading, with the parameters of its kernel as
they were; an encoder is kept by name and by the hash of its weights. A trained network is kept whole.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from matlens.core.device import chosen_device
from matlens.core.model_files import MODEL, read_model_files, write_model_files
from matlens.core.nearness import Nearness
from matlens.errors import InputError, ResourceError
from matlens.microstructure.encoders import Encoder, find_encoder
from matlens.microstructure.properties.features import EncoderFeatures
from matlens.microstructure.properties.learners import FeatureLearner
from matlens.microstructure.properties.model import StructurePropertyModel
from matlens.microstructure.properties.network import Freedom, NetworkLearner
from matlens.microstructure.properties.scales import Scale

__all__ = ["read_model", "write_model"]

Arrays = dict[str, NDArray[Any]]
SCHEMA = "matlens model 1"
_ELSEWHERE = ("encoder", "device", "cache")  # parameters that belong to the machine, not to the model
_OUTPUT = ("mean", "spread", "output.weight", "output.bias")  # of a network, beside its encoder's weights
_EXACT, _ALIKE = 1e-6, 1e-3  # in spreads of the values: of one and the same sum; of a network on another machine


def write_model(model: StructurePropertyModel, folder: str | os.PathLike[str]) -> Path:
    """Write a fitted model; the folder is made if it is not there.

    Raises
    ------
    NotFittedError
        If the model has not been fitted.
    RunError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> labels = np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge").fit(labels * 1, np.arange(12.0))
    >>> again = read_model(write_model(model, tempfile.mkdtemp()))
    >>> bool(np.allclose(again.predict(labels * 1), model.predict(labels * 1)))
    True
    """
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(model, "learner_")
    place = Path(folder)
    training = model.training_
    arrays: Arrays = {
        "rows": _narrow(training.rows),
        "values": training.values,
        "groups": np.unique(training.groups, return_inverse=True)[1].astype(np.int64),
        "natural": training.natural,
        "examples": training.examples,
        "example_values": model.learner_.predict(training.examples)[0],
    }
    held_out = model.held_out_.drop(columns="structure")
    arrays |= {f"held_out.{name}": held_out[name].to_numpy() for name in held_out}
    learner, own = _learner_facts(model)
    arrays |= own
    content = {
        "parameters": _parameters(model),
        "fitted": _fitted(model),
        "scale": {"kind": model.scale_.kind, "phase_values": list(model.scale_.phase_values)},
        "learner": learner,
        "structures": [str(name) for name in model.held_out_["structure"]],
        "selection": model.selection_.to_dict("records"),
    }
    write_model_files(place, SCHEMA, arrays, content, ("numpy", "scikit-learn", "torch"))
    return place


def read_model(
    folder: str | os.PathLike[str],
    *,
    encoder: Encoder | None = None,
    device: str = "auto",
    cache: MutableMapping[str, Any] | None = None,
) -> StructurePropertyModel:
    """Read a model that `write_model`, `StructurePropertyModel.save` or ``matlens learn`` wrote, and check it.

    Parameters
    ----------
    folder : path-like
        Where it lies, e.g. the run directory of ``matlens learn``.
    encoder : Encoder, optional
        The encoder it was trained with, where that is not one of MatLens' own weights.
    device : {"auto", "cpu", "cuda"}
        Where the encoder runs.
    cache : mutable mapping, optional
        Where features are kept.

    Returns
    -------
    StructurePropertyModel
        Predicts as the one that was written.

    Raises
    ------
    InputError
        If there is no model.
    ResourceError
        If it is damaged, its encoder is not on this machine or another one, or it predicts otherwise than it did.

    Examples
    --------
    See `write_model`.

    >>> read_model("nowhere")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
    """
    place = Path(folder)
    content, arrays = read_model_files(place, SCHEMA)
    try:
        asked = content["parameters"] | {"extras": tuple(content["parameters"]["extras"])}
        model = StructurePropertyModel(encoder or content["learner"].get("encoder", "auto"), **asked)
        model.set_params(device=device, cache=cache)
        for name, value in content["fitted"].items():
            setattr(model, f"{name}_", tuple(value) if isinstance(value, list) else value)
        model.scale_ = Scale(content["scale"]["kind"], tuple(content["scale"]["phase_values"]))
        model.factor_ = float("nan") if model.factor_ is None else model.factor_
        model.selection_ = pd.DataFrame(content["selection"], columns=["depth", "head", "error"])
        _restore(model, place, content, arrays)
    except (KeyError, TypeError, AttributeError) as error:
        raise ResourceError(f"{place / MODEL} is damaged ({error!r}); copy the model again or train anew.") from error
    return model


def _restore(model: StructurePropertyModel, place: Path, content: dict[str, Any], arrays: Arrays) -> None:
    """Fill in what fitting leaves: learner, domain, training rows, held-out predictions."""
    from matlens.microstructure.properties.learners import Training

    rows, values, groups = arrays["rows"].astype(np.float64), arrays["values"], arrays["groups"]
    natural = arrays["natural"].astype(bool)
    examples, expected = arrays["examples"], arrays["example_values"]
    unit = max(float(values.std()), 1e-12)
    if content["learner"]["kind"] == "network":
        model.learner_ = _network(content["learner"], arrays, model)
        model.domain_ = Nearness.fit(rows[natural], groups[natural])
    else:
        learner = _regression(content["learner"], model).fit_rows(rows, values)
        model.learner_ = learner
        model.domain_ = Nearness.fit(learner.head.reduced(rows[natural]), groups[natural])
        _agree(place, learner.head.predict(rows[: len(expected)])[0], expected, _EXACT * unit)
    _agree(place, model.learner_.predict(examples)[0], expected, _ALIKE * unit)
    model.training_ = Training(rows, values, groups, natural, examples)
    kept = {
        name: arrays[f"held_out.{name}"] for name in ("value", "predicted", "inside") if f"held_out.{name}" in arrays
    }
    model.held_out_ = pd.DataFrame({"structure": content["structures"]}).assign(**kept)


def _parameters(model: StructurePropertyModel) -> dict[str, Any]:
    asked = {name: value for name, value in model.get_params(deep=False).items() if name not in _ELSEWHERE}
    values = asked["phase_values"]
    asked["extras"] = list(asked["extras"])
    return {**asked, "phase_values": None if values is None else [float(value) for value in values]}


def _fitted(model: StructurePropertyModel) -> dict[str, Any]:
    """Numbers and words that fitting found: target, phases, spacing, what was chosen, width of intervals."""
    found = {name.removesuffix("_"): value for name, value in vars(model).items() if name.endswith("_")}
    plain = {name: value for name, value in found.items() if isinstance(value, str | bool | int | float | tuple | dict)}
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in plain.items()}


def _agree(place: Path, found: NDArray[np.float64], expected: NDArray[np.float64], margin: float) -> None:
    worst = int(np.abs(found - expected).argmax())
    if not abs(found[worst] - expected[worst]) <= margin:
        raise ResourceError(
            f"the model in {place} predicts {found[worst]:.9g} where it predicted {expected[worst]:.9g} when it was "
            "written; restore the versions named in model.json, or train anew."
        )


def _learner_facts(model: StructurePropertyModel) -> tuple[dict[str, Any], Arrays]:
    """What tells the learner, and the arrays it needs beside its training rows."""
    learner = model.learner_
    if isinstance(learner, NetworkLearner):
        weights = learner.encoder.weights_to(learner.layers[-1])
        weights |= {"mean": learner.mean, "spread": learner.std}
        weights |= {"output.weight": learner.output.weight, "output.bias": learner.output.bias}
        facts = {
            "kind": "network", "encoder": learner.encoder.name, "freedom": learner.freedom,
            "centre": learner.centre, "unit": learner.unit,
        }  # fmt: skip
        return facts, {f"network.{name}": tensor.detach().cpu().numpy() for name, tensor in weights.items()}
    if not isinstance(learner, FeatureLearner):
        raise InputError(f"a model with a learner of its own ({type(learner).__name__}) cannot be stored.")
    theta = learner.head.theta
    facts = {"kind": "features", "theta": None if theta is None else [float(value) for value in theta]}
    if isinstance(learner.features, EncoderFeatures):
        encoder, depth = learner.features.encoder, str(model.chosen_["depth"])
        source = {name: str(value) for name, value in encoder.source.items()}
        facts |= {"encoder": encoder.name, "source": source, "weights_sha256": encoder.fingerprint(depth)}
    return facts, {}


def _regression(facts: dict[str, Any], model: StructurePropertyModel) -> FeatureLearner:
    """The learner without its fit, its encoder cut after the depth that was chosen."""
    asked, depth = model.depth, str(model.chosen_["depth"])
    model.depth = depth or asked
    try:
        features, _ = model._features()
    finally:
        model.depth = asked
    if isinstance(features, EncoderFeatures) and features.encoder.fingerprint(depth) != facts["weights_sha256"]:
        source = facts["source"]
        raise ResourceError(
            f"the model was trained on other weights of {facts['encoder']} than those at hand (file "
            f"{source.get('file', 'unknown')}, SHA-256 {source.get('sha256', 'unknown')[:12]}); name that file with "
            "--weights, or pass its encoder."
        )
    learner = FeatureLearner(features, model.chosen_["head"])
    learner.head.theta = None if facts["theta"] is None else np.array(facts["theta"])
    return learner


def _network(facts: dict[str, Any], arrays: Arrays, model: StructurePropertyModel) -> NetworkLearner:
    kept = {
        name.removeprefix("network."): torch.from_numpy(array)
        for name, array in arrays.items()
        if name.startswith("network.")
    }
    weights = {name: tensor for name, tensor in kept.items() if name not in _OUTPUT}
    encoder = (
        find_encoder(facts["encoder"]).load_class().restore(facts["encoder"], weights).to(chosen_device(model.device))
    )
    depth, freedom = str(model.chosen_["depth"]), cast("Freedom", facts["freedom"])
    learner = NetworkLearner(
        encoder, depth, freedom, phases=model.phases_, periodic=model.periodic_, seed=model.seed
    )  # fmt: skip
    learner.encoder = encoder  # of a network from scratch, the trained weights and not new random ones
    learner.centre, learner.unit = facts["centre"], facts["unit"]
    learner.mean, learner.std = (kept[name].to(chosen_device(model.device)) for name in ("mean", "spread"))
    learner.output = torch.nn.Linear(learner.mean.shape[0], 1).to(chosen_device(model.device))
    learner.output.load_state_dict({"weight": kept["output.weight"], "bias": kept["output.bias"]})
    return learner


def _narrow(rows: NDArray[np.float64]) -> NDArray[Any]:
    """Single precision where that loses nothing, as with features of an encoder."""
    single = rows.astype(np.float32)
    return single if np.array_equal(single, rows) else rows
