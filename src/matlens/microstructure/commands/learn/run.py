"""The steps of ``learn`` in a run directory: the model, and the evidence of what it is worth on structures unseen."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from matlens.core.model_files import FILES
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.commands.labelled import fingerprint, phase_values_of, read_sets
from matlens.microstructure.commands.learn.tables import read_predictions, write_evidence
from matlens.microstructure.commands.learn.trials import Trial, run_trial, trials_of
from matlens.microstructure.encoders import Encoder, load_encoder, resolve_encoder
from matlens.microstructure.properties import StructurePropertyModel, StructureSet, read_model
from matlens.runs.codecs import table_codec
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each

__all__ = ["LearnOrder", "ModelOptions", "learn_in"]

Sets = tuple[StructureSet, StructureSet | None]


@dataclass(frozen=True)
class ModelOptions:
    """What model is asked for; see `matlens.StructurePropertyModel` for the meaning.

    ``weights`` is a file with the encoder's weights. ``phase_values`` None means those that the target's name tells,
    and an empty tuple none.
    """

    encoder: str = "auto"
    weights: str | None = None
    depth: str = "auto"
    head: str = "auto"
    features: str = "encoder"
    scale: str = "auto"
    phase_values: tuple[float, ...] | None = None
    coverage: float = 0.9

    def load_encoder(self, device: str) -> Encoder | None:
        """Load the encoder where its weights are a file of the user; None where its name says all."""
        return None if self.weights is None else load_encoder(self.encoder, weights=self.weights, device=device)


@dataclass(frozen=True)
class LearnOrder:
    """What is asked, as a settings file holds it.

    Parameters
    ----------
    structures, labels, target, test, cleaning
        As of `matlens.microstructure.commands.labelled.read_sets`.
    options : ModelOptions
        What model.
    curve : tuple of int
        Numbers of structures at which a learning curve is taken; empty for none.
    draws : int
        How often each number is drawn.
    seed : int
        Of folds, draws and training.
    device : str
        Where the encoder runs.
    hashes : tuple of str
        What the structures were when the run started.

    Examples
    --------
    >>> order = LearnOrder("structures", "labels.csv", "k_eff", ModelOptions(head="gp"), curve=(25, 50))
    >>> LearnOrder.of(order.settings()) == replace(order, structures=os.path.abspath("structures"),
    ...                                            labels=os.path.abspath("labels.csv"))
    True
    """

    structures: str
    labels: str | None
    target: str
    options: ModelOptions = ModelOptions()
    test: str | None = None
    curve: tuple[int, ...] = ()
    draws: int = 3
    cleaning: Mapping[str, Any] | None = None
    seed: int = 0
    device: str = "cpu"
    hashes: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it, paths absolute."""
        model = asdict(self.options)
        model["weights"] = _absolute(self.options.weights)
        model["phase_values"] = None if self.options.phase_values is None else list(self.options.phase_values)
        return {
            "seed": self.seed,
            "device": self.device,
            "learn": {
                "structures": _absolute(self.structures),
                "labels": _absolute(self.labels),
                "target": self.target,
                "test": _absolute(self.test),
                "curve": list(self.curve),
                "draws": self.draws,
                "cleaning": dict(self.cleaning or {}) or None,
                "hashes": list(self.hashes),
                **model,
            },
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> LearnOrder:
        """Read it back."""
        asked = dict(settings["learn"])
        values = asked.get("phase_values")
        values = None if values is None else tuple(values)
        model = {name: asked[name] for name in ModelOptions.__dataclass_fields__ if name in asked}
        return cls(
            asked["structures"],
            asked.get("labels"),
            asked["target"],
            ModelOptions(**{**model, "phase_values": values}),
            asked.get("test"),
            tuple(asked["curve"]),
            asked["draws"],
            asked.get("cleaning"),
            settings["seed"],
            settings["device"],
            tuple(asked["hashes"]),
        )

    def read(self) -> Sets:
        """Read the structures; they must be those that the run started with.

        Raises
        ------
        InputError
            If anything is missing, does not fit, or has changed.
        """
        found = read_sets(self.structures, self.labels, self.target, self.test, self.cleaning)
        if self.hashes and self.hashes != _hashes(found):
            raise InputError(
                "the structures or labels have changed since the run started; put the old ones back or start a new run."
            )
        return found

    def resolved(self, found: Sets) -> LearnOrder:
        """Note what the structures are and what was left to MatLens, so that a resumed run chooses the same.

        Raises
        ------
        InputError
            If the encoder is not known, or a learning curve asks for more structures than there are.
        """
        self.trials(found)
        asked = self.options
        values = asked.phase_values
        if values is None:
            values = phase_values_of(self.target, len(found[0].phase_names))
        encoder = resolve_encoder(asked.encoder) if asked.weights is None else asked.encoder
        return replace(self, hashes=_hashes(found), options=replace(asked, encoder=encoder, phase_values=values))

    def trials(self, found: Sets) -> list[Trial]:
        """List the trials; families are not left out one by one where a network would be trained for each."""
        by = None if self.network else self.target
        return trials_of(*found, self.seed, self.curve, self.draws, by)

    def notes(self, train: StructureSet) -> list[str]:
        """Say what is not tried."""
        left_out = [
            trial for trial in trials_of(train, None, self.seed, families_by=self.target) if trial.kind == "families"
        ]
        if not (self.network and left_out):
            return []
        return ["families are not left out one by one, as that would train the network anew without each of them."]

    @property
    def network(self) -> bool:
        """Whether the encoder itself is trained."""
        return self.options.head.startswith("network-")

    def model(self, cache: MutableMapping[str, Any], encoder: Encoder | None) -> StructurePropertyModel:
        """Make the model, not yet fitted."""
        asked = {name: value for name, value in asdict(self.options).items() if name not in ("encoder", "weights")}
        asked["phase_values"] = self.options.phase_values or None
        return StructurePropertyModel(
            encoder or self.options.encoder, **asked, seed=self.seed, device=self.device, cache=cache
        )


def learn_in(run: RunDirectory, progress: Progress, found: Sets | None = None) -> None:
    """Learn as the run's settings say, and write everything but the report.

    First the model (``model.json``, ``arrays.safetensors``); then, from models that did not see the structures they
    are judged on, ``predictions.csv``, ``coverage.csv``, ``families.csv``, ``learning_curve.csv`` and
    ``scores.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : tuple of StructureSet, optional
        The structures, where they have been read already.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt; features, the model and trials that are finished are kept.
    """
    if (run.path / "scores.csv").is_file():  # written last
        return
    order = LearnOrder.of(run.settings)
    train, test = order.read() if found is None else found
    with FeatureCache() as cache:
        encoder = order.options.load_encoder(order.device)
        model = _model(run, order, train, cache, encoder, progress)
        facts = {**model.chosen_, "structures": len(train), "target": order.target}
        run.mark("running", resolved=facts, notes=order.notes(train))
        trials = order.trials((train, test))
        template = order.model(cache, encoder).set_params(scale=model.chosen_["scale"])
        tables = _tables(run, trials, (train, test), model, template, progress)
    write_evidence(run, model, tables)
    run.drop("trial")


def _model(
    run: RunDirectory,
    order: LearnOrder,
    train: StructureSet,
    cache: FeatureCache,
    encoder: Encoder | None,
    progress: Progress,
) -> StructurePropertyModel:
    """Fit the model to all structures, or read it where that has been done."""
    if (run.path / FILES[-1]).is_file():
        return read_model(run.path, encoder=encoder, device=order.device, cache=cache)
    model = order.model(cache, encoder).fit(train, order.target, progress=progress)
    for name in FILES:
        run.claim(name)
    model.save(run.path)
    return model


def _tables(
    run: RunDirectory,
    trials: list[Trial],
    sets: Sets,
    model: StructurePropertyModel,
    template: StructurePropertyModel,
    progress: Progress,
) -> dict[Trial, pd.DataFrame]:
    """Predictions of every trial; those made before are read."""
    label = "trials on structures held out"
    codec = table_codec(read_predictions)
    found = each(
        run,
        "trial",
        {trial.key: trial for trial in trials},
        lambda trial: run_trial(trial, sets, model, template),
        codec,
        progress=progress,
        label=label,
    )
    return {trial: found[trial.key] for trial in trials}


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)


def _hashes(found: Sets) -> tuple[str, ...]:
    return tuple(fingerprint(part) for part in found if part is not None)
