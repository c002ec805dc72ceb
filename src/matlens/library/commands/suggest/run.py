"""The steps of ``library suggest``: what to make next, ranked, and as a list for the plate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from matlens.core.numbers import shown
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.library.baselines import BASELINES
from matlens.library.commands.explain.tables import GRADIENTS
from matlens.library.commands.learn.tables import MODEL
from matlens.library.commands.models import read_model, warnings_of_model
from matlens.library.commands.suggest.spec import SuggestSpec
from matlens.library.evidence import additions_left_out, summarise_additions
from matlens.library.gradients import explain_library
from matlens.library.model import LibraryModel
from matlens.library.suggestions import Campaign, Limits, plate_list, suggest
from matlens.library.table import MaterialsLibrary
from matlens.library.validation.partitions import systems
from matlens.runs.codecs import DATASET, TABLE, read_file
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.models import digest_of_model
from matlens.runs.resumable import each
from matlens.runs.tables import write_table

__all__ = ["prepare", "work"]

_MEMBERS = 10  # of ensembles trained to be tested


def prepare(spec: SuggestSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the model and, where they are asked for, gradients; check that the limits fit the model's library.

    Parameters
    ----------
    spec : SuggestSpec
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
        If there is no model of a library, a component or a bound does not fit, or gradients are of another library.
    """
    model = read_model(spec.model, device=environment["device"])
    _campaign(spec, model).limits.resolved(model.library_)
    if spec.tested:
        systems(model.library_)  # raises where none can be left out
    insight = _insight(spec, model)
    said = f"{model.target_} of {len(model.library_)} samples, {model.members_} models"
    settings = {"inputs": {"hashes": {"model": digest_of_model(spec.model)}}}
    return Prepared(replace(spec, device=environment["device"]), said, settings, (model, insight))


def work(run: RunDirectory, progress: Progress, found: tuple[LibraryModel, xr.Dataset | None] | None = None) -> None:
    """Suggest as the run's settings say: ``plate.csv``, where it is asked ``beyond.csv``, last ``suggestions.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open.
    progress : Progress
        Shows how far the work is.
    found : tuple of LibraryModel and Dataset or None, optional
        The model, and the gradients of the run of ``library explain`` that is named, where they have been read already.

    Raises
    ------
    InputError
        If nothing is left to suggest within the limits.
    """
    spec = options_of(run, SuggestSpec)
    model, insight = _read(run, spec) if found is None else found
    if insight is None:
        insight = explain_library(model, model.library_, progress=progress)
    table = suggest(model, model.library_, insight, spec.n, campaign=_campaign(spec, model), progress=progress)
    said = _sentences(table, spec)
    if spec.tested:
        tested = _beyond(run, spec, model, progress)
        write_table(run, "beyond", tested)
        said.append(_tested(tested))
    facts = {name: value for name, value in table.attrs.items() if name != "components" and value == value}  # no NaN
    run.mark("running", resolved=facts, sentences=said, warnings=[*warnings_of_model(spec.model), *_warnings(table)])
    write_table(run, "plate", plate_list(table))
    write_table(run, "suggestions", table)
    run.spend("additions")


def _read(run: RunDirectory, spec: SuggestSpec) -> tuple[LibraryModel, xr.Dataset | None]:
    model = read_model(spec.model, device=spec.device, known=run.settings["inputs"]["hashes"]["model"])
    return model, _insight(spec, model)


def _insight(spec: SuggestSpec, model: LibraryModel) -> xr.Dataset | None:
    """Read the gradients of the run that is named; None where none is, so that the model must be asked."""
    if spec.insight is None:
        return None
    file = Path(spec.insight) / GRADIENTS
    if not file.is_file():
        raise InputError(f"{spec.insight} holds no {GRADIENTS}; name a run directory of 'matlens library explain'.")
    found = read_file(file, DATASET)
    if tuple(map(str, found["sample"].values)) != model.library_.samples:
        raise InputError(f"{file} is of other samples than the model in {spec.model}; explain this model first.")
    return found


def _campaign(spec: SuggestSpec, model: LibraryModel) -> Campaign:
    """Make the library's options of what is asked, and check them."""
    return Campaign(
        limits=Limits.from_settings(spec.bounds, spec.increment, spec.forbidden, spec.most, model.library_.components),
        moves=spec.moves,
        least_support=spec.least_support,
        minimise=spec.minimise,
        apart=None if spec.apart is None else spec.apart / 100,
        seed=spec.seed,
    )


def _beyond(run: RunDirectory, spec: SuggestSpec, model: LibraryModel, progress: Progress) -> pd.DataFrame:
    """Scores of the model and the baselines on co-alloy systems they never saw; those made before are read."""
    asked: dict[str, Any] = {"n_models": min(_MEMBERS, model.members_), "seed": spec.seed, "cache": {}}
    shared = {name: getattr(model, name) for name in ("inputs", "preprocessing", "transform")}
    shared |= {name: asked[name] for name in ("seed", "cache")}
    makers: dict[str, Callable[[], Any]] = {MODEL: partial(_Again, model, asked)}
    makers |= {name: partial(make, **shared) for name, make in BASELINES.items()}

    def tried(name: str) -> pd.DataFrame:
        return additions_left_out(makers[name], model.library_, name=name, target=model.target_, progress=progress)

    parts = each(run, "additions", {name: name for name in makers}, tried, TABLE)
    return summarise_additions(pd.concat(parts.values(), ignore_index=True), seed=spec.seed)


@dataclass(frozen=True)
class _Again:
    """A model of the same kind as another, to be trained on other samples."""

    model: LibraryModel
    changed: Mapping[str, Any]

    def fit(self, library: MaterialsLibrary, _: str | None) -> LibraryModel:
        return self.model.again(library, **self.changed)


def _tested(found: pd.DataFrame) -> str:
    """What the test says of the model's differences."""
    own = found[(found["model"] == MODEL) & (found["way"] == "difference")].iloc[0]
    return (
        f"Asked for co-alloys that it never saw, the model has the sign of {100 * own['sign']:.0f} % of {own['n']} "
        f"additions right ({100 * own['sign_low']:.0f} to {100 * own['sign_high']:.0f} %), and its sizes correlate by "
        f"{own['size']:.2f} with those measured."
    )


def _sentences(table: pd.DataFrame, spec: SuggestSpec) -> list[str]:
    """What to make first, what is expected of it, whether it beats what was measured, and how many have support."""
    about, first = table.attrs, table.iloc[0]
    unit = f" {about['unit']}" if about["unit"] else ""
    counts = [int((table["support"] == level).sum()) for level in (2, 1, 0)]
    samples = f"mean of {about['measured_samples']} samples" if about["measured_samples"] > 1 else "one sample"
    lead = "Make "
    if not any(counts[:2]):
        lead = "Every suggestion is a guess beyond what was measured. The first is "
    elif not first["support"]:
        lead = "The first suggestion, a guess beyond what was measured, is "
    best = (
        f"the best measured composition (of sample {about['best_sample']}) has {shown(about['measured'])}{unit} "
        f"({samples}; the model expects {shown(about['best'])})"
    )
    said = (
        [] if _beats(table, spec) else [f"No suggestion is expected to beat what was measured: {best}.{_closer(about)}"]
    )
    said.append(
        f"{lead}{first['move']}: {shown(first['expected'])}{unit} expected ({shown(first['low'])} to "
        f"{shown(first['high'])})" + ("." if said else f", where {best}.")
    )
    said.append(
        f"{len(table)} suggestions for {'less' if spec.minimise else 'more'} {about['target']}, ranked by the gain "
        f"expected over that composition: {counts[0]} supported, {counts[1]} with weak support, {counts[2]} "
        "unsupported."
    )
    if len(table) < spec.n:
        said.append(f"No more than {len(table)} of {spec.n} differ enough within the limits.")
    return said


def _beats(table: pd.DataFrame, spec: SuggestSpec) -> bool:
    return bool(((-1 if spec.minimise else 1) * table["gain"] > 0).any())


def _closer(about: Mapping[Any, Any]) -> str:
    """What a smaller step would show where nothing on this grid is expected to be better."""
    unit = about["fraction_name"]
    if math.isfinite(about["finer"]):
        return (
            f" A smaller step is needed: with --step {100 * about['finer']:g} a gain is expected close to it, and with "
            f"{100 * about['increment']:g} {unit} it is not."
        )
    if not about["open"]:
        return f" All its neighbours {100 * about['increment']:g} {unit} away are measured: a smaller --step is needed."
    return ""


def _warnings(table: pd.DataFrame) -> list[str]:
    """What must be known before a suggestion is made."""
    beyond, about = int((table["support"] == 0).sum()), table.attrs
    said = []
    if beyond:
        said.append(
            f"{beyond} of {len(table)} suggestions lead beyond what was measured, and their numbers are guesses; with "
            "--support 1 only those are made that have measured compositions near them."
        )
    if about["measured_samples"] == 1:
        said.append("The best measured composition was made once; its value may be high or low by chance.")
    return said
