"""The steps of ``learn`` in a run directory: the model, and the evidence of what it is worth on structures unseen."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from matlens.core.model_files import FILES
from matlens.core.settings import asked_for
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.commands.labelled import fingerprint, phase_values_of, read_sets
from matlens.microstructure.commands.learn.spec import LearnSpec
from matlens.microstructure.commands.learn.tables import read_predictions, write_evidence
from matlens.microstructure.commands.learn.trials import Trial, run_trial, trials_of
from matlens.microstructure.commands.samples import understood_of
from matlens.microstructure.encoders import Encoder, load_encoder, resolve_encoder
from matlens.microstructure.properties import StructurePropertyModel, StructureSet
from matlens.microstructure.pruning import read_recommendation
from matlens.microstructure.pruning.recommendation import studied_encoder
from matlens.microstructure.segmentation import CleaningOptions
from matlens.runs.codecs import table_codec
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each

__all__ = ["prepare", "work"]

Sets = tuple[StructureSet, StructureSet | None]


def prepare(spec: LearnSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the structures, and resolve encoder, depth and values of the phases.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.

    Raises
    ------
    InputError
        If anything is missing or does not fit, or a learning curve asks for more structures than there are.
    """
    spec = replace(_with_studied_depth(spec), device=environment["device"])
    found = read(spec)
    trials_of_run(spec, found)
    train, test = found
    values = spec.phase_values
    if values is None:
        values = phase_values_of(spec.target, len(train.phase_names))
    encoder = resolve_encoder(spec.encoder) if spec.weights is None else spec.encoder
    spec = replace(spec, encoder=encoder, phase_values=values)
    size = "x".join(str(side) for side in train.shape)
    tested = "" if test is None else f", tested on {len(test)} more"
    said = f"{spec.target} of {len(train)} structures of {size} px{tested}"
    lines = train.provenance.get("understood", ())
    return Prepared(spec, said, {"inputs": {"hashes": list(_hashes(found))}}, found, understood_of(lines))


def _with_studied_depth(spec: LearnSpec) -> LearnSpec:
    """Read the depth, and the encoder it belongs to, from a pruning study where one is named."""
    if not Path(spec.depth).is_dir() and len(Path(spec.depth).parts) == 1:
        return spec
    encoder = studied_encoder(spec.depth) if spec.encoder == "auto" and spec.weights is None else spec.encoder
    return replace(spec, encoder=encoder, depth=read_recommendation(spec.depth))


def read(spec: LearnSpec, hashes: Sequence[str] = ()) -> Sets:
    """Read the structures, and check that they have not changed since the run started.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.
    hashes : sequence of str
        Hashes from the start of the run; empty when it starts now.

    Returns
    -------
    tuple of StructureSet and StructureSet or None
        Structures to learn from, and those to test on.

    Raises
    ------
    InputError
        If anything is missing, does not fit, or has changed.
    """
    found = read_sets(spec.structures, spec.labels, spec.target, spec.test, asked_for(CleaningOptions, spec).settings())
    if hashes and tuple(hashes) != _hashes(found):
        raise InputError(
            "the structures or labels have changed since the run started; put the old ones back or start a new run."
        )
    return found


def trials_of_run(spec: LearnSpec, found: Sets) -> list[Trial]:
    """List the trials of a run.

    Families are not left out one by one if a network would have to be trained for each.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.
    found : tuple of StructureSet and StructureSet or None
        Structures to learn from, and those to test on.

    Returns
    -------
    list of Trial
        Trials in the order of the work.
    """
    by = None if _trains_network(spec) else spec.target
    return trials_of(*found, spec.seed, spec.curve, spec.draws, by)


def notes_of_run(spec: LearnSpec, train: StructureSet) -> list[str]:
    """List what is not tested, and why.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.
    train : StructureSet
        Structures to learn from.

    Returns
    -------
    list of str
        Sentences for the report.
    """
    left_out = [
        trial for trial in trials_of(train, None, spec.seed, families_by=spec.target) if trial.kind == "families"
    ]
    if not (_trains_network(spec) and left_out):
        return []
    return ["families are not left out one by one, as that would train the network anew without each of them."]


def _trains_network(spec: LearnSpec) -> bool:
    return spec.head.startswith("network-")


def unfitted(
    spec: LearnSpec, cache: MutableMapping[str, Any], encoder: Encoder | None, scale: str | None = None
) -> StructurePropertyModel:
    """Make the model with the command's options, not yet fitted.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.
    cache : mutable mapping
        Features that were computed before.
    encoder : Encoder or None
        Encoder with weights of the user; None for a registered one.
    scale : str, optional
        Scale in place of that of the options.

    Returns
    -------
    StructurePropertyModel
        The model.
    """
    return StructurePropertyModel(
        encoder or spec.encoder,
        depth=spec.depth,
        head=spec.head,
        features=spec.features,
        scale=scale or spec.scale,
        phase_values=spec.phase_values or None,
        coverage=spec.coverage,
        seed=spec.seed,
        device=spec.device,
        cache=cache,
    )


def work(run: RunDirectory, progress: Progress, found: Sets | None = None) -> None:
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
    run.spend("trial")
    if (run.path / "scores.csv").is_file():  # written last
        return
    spec = options_of(run, LearnSpec)
    sets = read(spec, run.settings["inputs"]["hashes"]) if found is None else found
    train = sets[0]
    with FeatureCache() as cache:
        encoder = None if spec.weights is None else load_encoder(spec.encoder, weights=spec.weights, device=spec.device)
        model = _model(run, spec, train, cache, encoder, progress)
        facts = {**model.chosen_, "structures": len(train), "target": spec.target}
        run.mark("running", resolved=facts, notes=notes_of_run(spec, train))
        trials = trials_of_run(spec, sets)
        template = unfitted(spec, cache, encoder, model.chosen_["scale"])
        tables = _tables(run, trials, sets, model, template, progress)
    write_evidence(run, model, tables)


def _model(
    run: RunDirectory,
    spec: LearnSpec,
    train: StructureSet,
    cache: FeatureCache,
    encoder: Encoder | None,
    progress: Progress,
) -> StructurePropertyModel:
    """Fit the model to all structures, or read it where that has been done."""
    if (run.path / FILES[-1]).is_file():
        return StructurePropertyModel.load(run.path, encoder=encoder, device=spec.device, cache=cache)
    model = unfitted(spec, cache, encoder).fit(train, spec.target, progress=progress)
    model.put(run.writing)
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


def _hashes(found: Sets) -> tuple[str, ...]:
    return tuple(fingerprint(part) for part in found if part is not None)
