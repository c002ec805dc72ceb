"""A fitted structure-property model as two files, JSON and safetensors; reading them executes no code.

A regression is stored as its training rows and fitted again when it is read; a network is stored with its weights.
Stored predictions are compared with those of the model that was read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from matlens.core.atomic import Writing
from matlens.core.device import chosen_device
from matlens.core.model_files import read_model_files, write_model_files
from matlens.core.nearness import Nearness
from matlens.errors import InputError, ResourceError
from matlens.microstructure.encoders import find_encoder
from matlens.microstructure.properties.features import EncoderFeatures, Features
from matlens.microstructure.properties.learners import FeatureLearner, Learner, Training
from matlens.microstructure.properties.network import Freedom, NetworkLearner
from matlens.microstructure.properties.scales import Scale

__all__ = ["FittedState", "StoredModel", "write_state"]

Arrays = dict[str, NDArray[Any]]
# docs/decisions/0026-intervals-and-storage-of-property-models.md
SCHEMA = "matlens model 1"
# Arrays of a network beside its encoder's weights; "spread" is the standard deviation under its name in schema 1.
_OUTPUT = ("mean", "spread", "output.weight", "output.bias")
# In standard deviations of the values: for one and the same sum, and for a network on another machine.
_EXACT, _ALIKE = 1e-6, 1e-3


@dataclass(frozen=True, eq=False)
class FittedState:
    """Parts of a fitted `StructurePropertyModel`; storage knows these and not the estimator.

    Parameters
    ----------
    parameters : dict of str to object
        Parameters of the estimator, without those that belong to the machine.
    facts : dict of str to object
        Fitted attributes of plain types by name, without the underscore at the end.
    scale : Scale
        Scale on which the property is learned.
    learner : Learner
        Fitted learner.
    training : Training
        Training data.
    held_out : DataFrame
        Predictions of structures in held-out groups.
    selection : DataFrame
        Error of each candidate in cross-validation.

    Examples
    --------
    See `StructurePropertyModel.save`.
    """

    parameters: dict[str, Any]
    facts: dict[str, Any]
    scale: Scale
    learner: Learner
    training: Training
    held_out: pd.DataFrame
    selection: pd.DataFrame


def write_state(state: FittedState, writing: Writing) -> None:
    """Write ``model.json`` (settings and facts) and ``arrays.safetensors`` (training data and weights).

    Parameters
    ----------
    state : FittedState
        Parts of the fitted model.
    writing : callable
        Opens a file of the model for writing, from its name.

    Raises
    ------
    InputError
        If the learner is of a kind that cannot be stored.
    RunError
        If a file cannot be written.

    Examples
    --------
    See `StructurePropertyModel.save`.
    """
    training = state.training
    arrays: Arrays = {
        "rows": _narrow(training.rows),
        "values": training.values,
        "groups": np.unique(training.groups, return_inverse=True)[1].astype(np.int64),
        "natural": training.natural,
        "examples": training.examples,
        "example_values": state.learner.predict(training.examples)[0],
    }
    held_out = state.held_out.drop(columns="structure")
    arrays |= {f"held_out.{name}": held_out[name].to_numpy() for name in held_out}
    learner, own = _learner_facts(state.learner, str(state.facts["chosen"]["depth"]))
    arrays |= own
    values = state.parameters["phase_values"]
    content = {
        "parameters": {
            **state.parameters,
            "extras": list(state.parameters["extras"]),
            "phase_values": None if values is None else [float(value) for value in values],
        },
        # JSON has no NaN, which the width of intervals is where none were asked for.
        "fitted": {name: None if value != value else value for name, value in state.facts.items()},
        "scale": {"kind": state.scale.kind, "phase_values": list(state.scale.phase_values)},
        "learner": learner,
        "structures": [str(name) for name in state.held_out["structure"]],
        "selection": state.selection.to_dict("records"),
    }
    write_model_files(writing, SCHEMA, arrays, content, ("numpy", "scikit-learn", "torch"))


class StoredModel:
    """A model in a folder, read part by part: its learner needs features that the estimator makes.

    Parameters
    ----------
    folder : path-like
        Folder of the model, e.g. the run directory of ``matlens learn``.

    Raises
    ------
    InputError
        If the folder holds no model.
    ResourceError
        If the files are damaged or of another schema.

    Examples
    --------
    >>> StoredModel("nowhere")
    Traceback (most recent call last):
    matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.place = Path(folder)
        finite = ("rows", "values", "example_values", "network.")
        self.content, self.arrays = read_model_files(self.place, SCHEMA, finite)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the estimator, without those that belong to the machine.

        Returns
        -------
        dict of str to object
            Parameters by name; ``encoder`` is the name of the encoder.
        """
        asked = self.content["parameters"]
        return {**asked, "extras": tuple(asked["extras"]), "encoder": self.content["learner"].get("encoder", "auto")}

    def attributes(self) -> dict[str, Any]:
        """Return the fitted attributes of the estimator, but for its learner and domain.

        Returns
        -------
        dict of str to object
            Attributes by name, with the underscore at the end.
        """
        facts = self.content["fitted"].items()
        found = {f"{name}_": tuple(value) if isinstance(value, list) else value for name, value in facts}
        scale, names = self.content["scale"], ("value", "predicted", "inside")
        kept = {name: self.arrays[f"held_out.{name}"] for name in names if f"held_out.{name}" in self.arrays}
        return {
            **found,
            "factor_": float("nan") if found["factor_"] is None else found["factor_"],
            "scale_": Scale(scale["kind"], tuple(scale["phase_values"])),
            "selection_": pd.DataFrame(self.content["selection"], columns=["depth", "head", "error"]),
            "held_out_": pd.DataFrame({"structure": self.content["structures"]}).assign(**kept),
            "training_": self._training(),
        }

    def learner(self, features: Callable[[str], Features], device: str) -> Learner:
        """Restore the learner, and check that it predicts as it did when it was written.

        Parameters
        ----------
        features : callable
            Takes the depth that was chosen and returns the features, of the encoder cut after it; called for
            regressions only.
        device : {"auto", "cpu", "cuda"}
            Device of a network.

        Returns
        -------
        Learner
            Fitted learner.

        Raises
        ------
        ResourceError
            If the features are of other weights, or a prediction differs from the stored one.
        """
        training, expected = self._training(), self.arrays["example_values"]
        unit = max(float(training.values.std()), 1e-12)
        facts, chosen = self.content["learner"], self.content["fitted"]["chosen"]
        depth = str(chosen["depth"])
        found: Learner
        if facts["kind"] == "network":
            found = self._network(depth, device)
        else:
            found = _regression(facts, features(depth), depth, chosen["head"]).fit_rows(training.rows, training.values)
            _agree(self.place, found.head.predict(training.rows[: len(expected)])[0], expected, _EXACT * unit)
        _agree(self.place, found.predict(training.examples)[0], expected, _ALIKE * unit)
        return found

    def domain(self, learner: Learner) -> Nearness:
        """Restore the distances to the training structures.

        Parameters
        ----------
        learner : Learner
            Result of `learner`.

        Returns
        -------
        Nearness
            Distances in the feature space of the learner.
        """
        training = self._training()
        rows, groups = training.rows[training.natural], training.groups[training.natural]
        return Nearness.fit(learner.head.reduced(rows) if isinstance(learner, FeatureLearner) else rows, groups)

    def _training(self) -> Training:
        arrays = self.arrays
        rows, natural = arrays["rows"].astype(np.float64), arrays["natural"].astype(bool)
        return Training(rows, arrays["values"], arrays["groups"], natural, arrays["examples"])

    def _network(self, depth: str, device: str) -> NetworkLearner:
        facts, fitted, where = self.content["learner"], self.content["fitted"], chosen_device(device)
        kept = {
            name.removeprefix("network."): torch.from_numpy(array)
            for name, array in self.arrays.items()
            if name.startswith("network.")
        }
        weights = {name: tensor for name, tensor in kept.items() if name not in _OUTPUT}
        encoder = find_encoder(facts["encoder"]).load_class().restore(facts["encoder"], weights).to(where)
        learner = NetworkLearner(
            encoder,
            depth,
            cast("Freedom", facts["freedom"]),
            phases=fitted["phases"],
            periodic=fitted["periodic"],
            seed=self.content["parameters"]["seed"],
        )
        learner.encoder = encoder  # of a network from scratch, the trained weights and not new random ones
        learner.centre, learner.unit = facts["centre"], facts["unit"]
        learner.mean, learner.std = (kept[name].to(where) for name in ("mean", "spread"))
        learner.output = torch.nn.Linear(learner.mean.shape[0], 1).to(where)
        learner.output.load_state_dict({"weight": kept["output.weight"], "bias": kept["output.bias"]})
        return learner


def _regression(facts: dict[str, Any], features: Features, depth: str, head: Any) -> FeatureLearner:
    """Return the learner before its fit."""
    if isinstance(features, EncoderFeatures) and features.encoder.fingerprint(depth) != facts["weights_sha256"]:
        source = facts["source"]
        raise ResourceError(
            f"the model was trained on other weights of {facts['encoder']} than those at hand (file "
            f"{source.get('file', 'unknown')}, SHA-256 {source.get('sha256', 'unknown')[:12]}); name that file with "
            "--weights, or pass its encoder."
        )
    learner = FeatureLearner(features, head)
    learner.head.theta = None if facts["theta"] is None else np.array(facts["theta"])
    return learner


def _agree(place: Path, found: NDArray[np.float64], expected: NDArray[np.float64], margin: float) -> None:
    worst = int(np.abs(found - expected).argmax())
    if not abs(found[worst] - expected[worst]) <= margin:
        raise ResourceError(
            f"the model in {place} predicts {found[worst]:.9g} where it predicted {expected[worst]:.9g} when it was "
            "written; restore the versions named in model.json, or train anew."
        )


def _learner_facts(learner: Learner, depth: str) -> tuple[dict[str, Any], Arrays]:
    """Return the facts of the learner, and the arrays it needs beside its training rows."""
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
        encoder = learner.features.encoder
        source = {name: str(value) for name, value in encoder.source.items()}
        facts |= {"encoder": encoder.name, "source": source, "weights_sha256": encoder.fingerprint(depth)}
    return facts, {}


def _narrow(rows: NDArray[np.float64]) -> NDArray[Any]:
    """Convert to single precision if that loses nothing, as for features of an encoder."""
    single = rows.astype(np.float32)
    return single if np.array_equal(single, rows) else rows
