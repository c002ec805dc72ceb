"""The steps of ``library learn``: checks, the ensemble, and what it is worth on samples it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pandas as pd

from matlens.core.model_files import FILES
from matlens.hooks import Progress
from matlens.library.commands.learn.spec import Baseline, LearnSpec
from matlens.library.commands.learn.tables import MODEL, read_held_out, write_checks, write_library_evidence
from matlens.library.commands.learn.trials import (
    baselines_of,
    chain_of,
    contender,
    contenders_of,
    folds_of,
    model_of,
)
from matlens.library.commands.options import reading
from matlens.library.commands.source import library_digest, read_table
from matlens.library.io import lines_of_truth
from matlens.library.model import LibraryModel
from matlens.library.model.preprocessing_choice import Choice, in_words
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.targets import resolve_task
from matlens.library.stacking import MEMBERS, StackedModel, left_out, read_library_model, stacked_predictions
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import Fold, held_out
from matlens.runs.codecs import table_codec
from matlens.runs.command import LIBRARIES, Plan, Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each
from matlens.runs.state_store import RunStateStore

__all__ = ["forecast", "prepare", "work"]

BYTES_PER_VALUE = 1.7e3  # of the spectra: 1379 samples of 1015 channels peaked at 2.7 GiB

_INTERVAL = 20.0  # seconds between two saves of a chunk: Adam keeps three times the weights of all its networks


def prepare(spec: LearnSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the library, and check all that can be checked before anything is learned.

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
        If the table cannot be used, the figure of merit is unknown or cannot be learned, a step of preprocessing does
        not fit, or there are fewer compositions than folds.
    """
    read_as = reading(spec, spec.target)
    library = read_table(spec.library, read_as, target=spec.target, command="learn")
    task = resolve_task(library, spec.target, inputs=spec.inputs, transform=spec.transform)
    target, composition, spectrum = task.target, task.composition, task.spectrum
    known = library.select(task.rows)
    chain = chain_of(spec)
    if spectrum and library.spectra is not None and library.axis is not None and chain is not None:
        chain.transform(library.spectra, library.axis)  # steps that do not fit are found before training
    folds_of(spec, known, target)
    spec = replace(
        spec,
        target=target.name,
        inputs="both" if composition and spectrum else "spectrum" if spectrum else "composition",
        resample=PRESETS[spec.preset].resampling(spec.resample),
        model=spec.model if PRESETS[spec.preset].sharpness is not None else "ensemble",  # umehara2019 is as published
        baselines=cast("tuple[Baseline, ...]", baselines_of(spec) or ("none",)),
        merit_units=read_as.merit_units,
        censored=read_as.censored,
        device=environment["device"],
    )
    settings = {"inputs": {"hashes": {"library": library_digest(library)}}}
    said = tuple(lines_of_truth(library, Path(spec.library).name))
    return Prepared(spec, f"{target.name}: {library!r}", settings, library, said)


def forecast(prepared: Prepared) -> Plan:
    """Estimate the cost of training, for all samples and for every fold; what baselines take comes on top.

    Parameters
    ----------
    prepared : Prepared
        What `prepare` returned.

    Returns
    -------
    Plan
        Size, seconds and bytes.
    """
    spec = prepared.options
    task = resolve_task(prepared.found, spec.target, inputs=spec.inputs, transform=spec.transform)
    library = prepared.found.select(task.rows)
    folds, _ = folds_of(spec, library, task.target)
    trained = spec.n_models * len(library) + spec.scoring_models * sum(len(fold.train) for fold in folds)
    channels = library.spectra.shape[1] if library.spectra is not None and spec.inputs != "composition" else 0
    size = f"{spec.n_models} models of {len(library)} samples, and {spec.scoring_models} for each of {len(folds)} folds"
    memory = LIBRARIES + BYTES_PER_VALUE * len(library) * max(channels, 1)
    return Plan(size, trained * PRESETS[spec.preset].seconds_per_sample * max(channels, 100) / 1000, memory)


def work(run: RunDirectory, progress: Progress, found: MaterialsLibrary | None = None) -> None:
    """Learn as the run's settings say, and write everything but the report.

    First the checks of the library, then the model of all samples (``model.json``, ``arrays.safetensors``), then, from
    models that did not see the samples they are judged on, ``held_out.csv``, ``paired.csv`` and ``scores.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : MaterialsLibrary, optional
        The library, where it has been read already.

    Raises
    ------
    Interrupted, KeyboardInterrupt
        On an interrupt; the state of the training, the model and trials that are finished are kept.
    """
    run.spend("trial")
    if (run.path / "scores.csv").is_file():  # written last
        return
    spec = options_of(run, LearnSpec)
    library = _read(run, spec) if found is None else found
    task = resolve_task(library, spec.target, inputs=spec.inputs, transform=spec.transform)
    write_checks(run, library, task.target, spec.seed)
    model = _model(run, spec, library, progress)
    known = library.select(task.rows)
    folds, notes = folds_of(spec, known, task.target)
    facts = {"target": model.target_, "unit": model.unit_, "members": model.members_, "samples": len(known)}
    run.mark("running", resolved=facts, notes=[*library.notes, *notes, *_prepared(model)])
    contenders = contenders_of(spec)
    trials = {
        f"{name}_{fold.partition}_{number}": (name, fold) for number, fold in enumerate(folds) for name in contenders
    }
    choices: dict[str, Choice] = {}  # of preprocessing: the contenders of a fold learn from the same samples

    def tried(trial: tuple[str, Fold]) -> pd.DataFrame:
        name, fold = trial
        return held_out(lambda: contender(spec, name, choices), known, [fold], name=name, target=task.target.name)

    label = "trials on samples held out"
    parts = each(run, "trial", trials, tried, table_codec(read_held_out), progress=progress, label=label)
    table = pd.concat(parts.values(), ignore_index=True)
    if spec.model == "auto":
        if not isinstance(model, StackedModel):  # else an interrupted run had come so far
            left = left_out(table, known, folds, MEMBERS)
            model = StackedModel(**model.get_params()).mix(model, left)
            model.put(run.writing)
        table = pd.concat([stacked_predictions(table, known, folds, MEMBERS, MODEL), table], ignore_index=True)
        contenders = (MODEL, *contenders)
    write_library_evidence(run, model, table, contenders)


def _read(run: RunDirectory, spec: LearnSpec) -> MaterialsLibrary:
    return read_table(
        spec.library, reading(spec, spec.target), target=spec.target, known=run.settings["inputs"]["hashes"]["library"]
    )


def _model(run: RunDirectory, spec: LearnSpec, library: MaterialsLibrary, progress: Progress) -> LibraryModel:
    """Fit the model to all samples, or read it where that has been done."""
    if (run.path / FILES[-1]).is_file():
        return read_library_model(run.path, device=spec.device)
    store = RunStateStore(run, "fit/", interval=_INTERVAL, progress=progress)
    model = model_of(spec)
    model.fit(library, spec.target, progress=progress, checkpoint=store)
    model.put(run.writing)
    run.drop("fit")
    return model


def _prepared(model: LibraryModel) -> list[str]:
    """Say in a sentence which way of preparing spectra was chosen, where more than one was tried."""
    if not model.chains_tried_:
        return []
    tried = "; ".join(f"{chain} {score:.3f}" for chain, score in model.chains_tried_.items())
    chosen = in_words(model.preprocessing_)
    return [
        f"preparation of spectra chosen by the model: {chosen} (R2 of a Gaussian process on compositions held out: "
        f"{tried}); baselines choose in the same way"
    ]
