"""The steps of ``library predict``: a table of samples to a table of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.numbers import shown
from matlens.core.unit_factors import unit_factor
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.library.commands.models import read_model
from matlens.library.commands.options import reading
from matlens.library.commands.predict.spec import PredictSpec
from matlens.library.commands.source import library_digest, read_table
from matlens.library.evidence import prediction_support
from matlens.library.io import atomic_fractions, lines_of_truth
from matlens.library.model import LibraryModel
from matlens.library.model.targets import learned_target
from matlens.library.stacking import StackedModel
from matlens.library.table import MaterialsLibrary, named
from matlens.library.validation import summarise
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.models import digest_of_model
from matlens.runs.tables import write_table

__all__ = ["prepare", "work"]

_COVERAGE = 0.9
_SAME = 0.01  # hundredths of the atoms: a composition that was learned from
_LEAST = 5  # measured samples that are scored
_PERCENT = 100


def prepare(spec: PredictSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the model and the samples; unless asked otherwise, the model's components are columns of the table.

    Parameters
    ----------
    spec : PredictSpec
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
        If there is no model of a library, or the table cannot be used or lacks what the model learned from.
    """
    model = read_model(spec.model, device=environment["device"])
    read_as = reading(spec, model.target_, **_known(model))
    samples = read_table(spec.library, read_as, target=model.target_, command="predict", learned=False)
    library = _fitting(samples, model, spec.library)
    spec = replace(
        spec,
        components=read_as.components,
        sites=read_as.sites,
        merit_units=read_as.merit_units,
        censored=read_as.censored,
        device=environment["device"],
    )
    hashes = {"library": library_digest(samples), "model": digest_of_model(spec.model)}
    said = f"{model.target_} of {len(library)} samples, {model.members_} models"
    understood = tuple(lines_of_truth(library, Path(spec.library).name))
    return Prepared(spec, said, {"inputs": {"hashes": hashes}}, (model, library), understood)


def work(run: RunDirectory, progress: Progress, found: tuple[LibraryModel, MaterialsLibrary] | None = None) -> None:
    """Predict as the run's settings say: ``predictions.csv`` and, where the figure of merit is known, ``scores.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open.
    progress : Progress
        Called with samples done and total.
    found : tuple of LibraryModel and MaterialsLibrary, optional
        The model and the samples, where they have been read already.

    Raises
    ------
    InputError
        If the model or the samples have changed since the run started.
    """
    model, library = _read(run) if found is None else found
    progress.begin(len(library), f"predicting {model.target_}")
    table, notes = _predicted(model, library)
    scores = None
    if model.target_ in library.merits and library.merits[model.target_].notna().any():
        _beside(table, model, library)
        scores, more = _scores(table, library)
        notes += more
    progress.update(len(library), "samples")
    progress.end()
    facts = {"target": model.target_, "unit": model.unit_, "members": model.members_, "samples": len(library)}
    said = _sentences(model, table, scores)
    run.mark("running", resolved=facts, notes=[*library.notes, *notes], sentences=said)
    if scores is not None:
        write_table(run, "scores", scores)
    write_table(run, "predictions", table)


def _read(run: RunDirectory) -> tuple[LibraryModel, MaterialsLibrary]:
    """Read the model and the samples again; both must be what they were."""
    spec, known = options_of(run, PredictSpec), run.settings["inputs"]["hashes"]
    model = read_model(spec.model, device=spec.device, known=known["model"])
    read_as = reading(spec, model.target_)
    samples = read_table(spec.library, read_as, target=model.target_, known=known["library"], learned=False)
    return model, _fitting(samples, model, spec.library)


def _known(model: LibraryModel) -> dict[str, tuple[str, ...]]:
    """The components as options name them: by site, where there are several."""
    library = model.library_
    if not library.sites:
        return {"components": model.components_}
    pairs = list(zip(library.components, library.sites, strict=True))
    joined = {site: "+".join(name for name, own in pairs if own == site) for site in library.sites}
    return {"sites": tuple(f"{site}={names}" for site, names in joined.items())}


def _fitting(library: MaterialsLibrary, model: LibraryModel, place: str) -> MaterialsLibrary:
    """The samples with the model's components in its order; what the model does not see is left out."""
    unknown = [name for name in library.components if name not in model.components_]
    if unknown:
        raise InputError(
            f"{place} has {named(unknown)} too, which the model does not know: it learned from "
            f"{', '.join(model.components_)}; leave such samples out, or learn from a library that has them."
        )
    missing = [name for name in model.components_ if name not in library.components]
    if missing:
        raise InputError(
            f"{place} lacks {named(missing)}, and the model learned from {', '.join(model.components_)}; give a column "
            "for each of these (0 where a sample has none)."
        )
    order = [library.component(name) for name in model.components_]
    sites = tuple(library.sites[k] for k in order) if library.sites else ()
    if sites != model.library_.sites:
        raise InputError(
            f"{place} has the sites {named(dict.fromkeys(sites)) or 'of one kind only'}, and the model learned from "
            f"{named(dict.fromkeys(model.library_.sites)) or 'one kind only'}; give the same by --sites."
        )
    found = replace(library, compositions=library.compositions[:, order], components=model.components_, sites=sites)
    found = _in_units_of(_as_fractions_of(found, model, place), model, place)
    if not model.uses_spectrum_:
        return found.without_spectra()
    if model.axis_ is None or (found.axis is not None and np.shape(found.axis) == model.axis_.shape
                               and np.allclose(found.axis, model.axis_)):  # fmt: skip
        return found
    has = "no spectra" if found.axis is None else f"spectra {_axis_words(found.axis)}"
    raise InputError(
        f"{place} has {has}, and the model learned from spectra {_axis_words(model.axis_)}; give spectra on the same "
        "axis."
    )


def _as_fractions_of(library: MaterialsLibrary, model: LibraryModel, place: str) -> MaterialsLibrary:
    """Convert mass fractions to atomic ones where the model learned from these; other differences are refused."""
    own, learned = library.fraction_name, model.library_.fraction_name
    if {own, learned} != {"wt%", "at%"}:
        return library
    if own == "at%":
        raise InputError(f"{place} has atomic fractions, and the model learned from mass fractions; convert the table.")
    return replace(
        library,
        compositions=atomic_fractions(library.compositions, library.components),
        fraction_name="at%",
        notes=(*library.notes, "mass fractions were converted to atomic fractions, which the model learned from"),
    )


def _in_units_of(library: MaterialsLibrary, model: LibraryModel, place: str) -> MaterialsLibrary:
    """Convert measured values to the unit that the model learned in; a unit of another quantity is refused."""
    name, learned = model.target_, model.library_.unit(model.target_)
    own = library.merit_units.get(name, "")
    if not own or not learned or own == learned:
        return library
    factor = unit_factor(own, learned)
    if factor is None:
        raise InputError(
            f"{place} has {name} in {own}, and the model learned it in {learned}; convert the column, or "
            f"correct the unit by --unit {name}=UNIT."
        )
    return replace(
        library,
        merits=library.merits.assign(**{name: library.merits[name] * factor}),
        merit_units={**library.merit_units, name: learned},
        notes=(*library.notes, f"{name} was converted from {own} to {learned}"),
    )


def _axis_words(axis: np.ndarray) -> str:
    return f"of {len(axis)} channels from {axis[0]:g} to {axis[-1]:g}"


def _predicted(model: LibraryModel, library: MaterialsLibrary) -> tuple[pd.DataFrame, list[str]]:
    """A row a sample, in the order of the file; and what could not be told."""
    members, notes = model.predict_members(library), []
    try:
        ends = model.predict_interval(library, _COVERAGE)
    except InputError as error:  # all members saw all samples
        ends = np.full((len(library), 2), np.nan)
        notes.append(f"no intervals: {error}")
    table = pd.DataFrame(
        {
            "sample": list(library.samples),
            "predicted": members.mean(0),
            "spread": members.std(0),
            "low": ends[:, 0],
            "high": ends[:, 1],
        }
    )
    return table.join(prediction_support(model, model.library_, library)), notes


def _beside(table: pd.DataFrame, model: LibraryModel, library: MaterialsLibrary) -> None:
    """Put what was measured beside the predictions, where the samples' table has it."""
    table["value"] = learned_target(model).values(library)
    table["censored"] = library.censoring(model.target_)
    measured = table["value"].notna() & (table["censored"] == 0) & table["low"].notna()
    table["inside"] = ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).where(measured)


def _scores(table: pd.DataFrame, library: MaterialsLibrary) -> tuple[pd.DataFrame | None, list[str]]:
    """Score the predictions of measured samples whose compositions were not learned from."""
    known, learned = table["value"].notna(), table["distance"] < _SAME
    notes = []
    if (known & learned).any():
        notes.append(
            f"{int((known & learned).sum())} of {int(known.sum())} samples with a figure of merit are of compositions "
            "that the model learned from; they are not scored."
        )
    rows = (known & ~learned).to_numpy()
    measured = table["value"][rows & (table["censored"] == 0)]
    if len(measured) < _LEAST or np.ptp(measured) == 0:
        return None, notes
    about: dict[str, Any] = {
        "model": "model",
        "partition": "new",
        "repeat": 0,
        "fold": "new",
        "group": library.replicates()[rows],
    }
    return summarise(table[rows].assign(**about), coverage=_COVERAGE), notes


def _questions(model: LibraryModel, table: pd.DataFrame) -> list[str]:
    """What is asked beside interpolation, and whether intervals were calibrated for it."""
    near, far = model.stack_.calibrated if isinstance(model, StackedModel) else (True, False)
    known = {"interpolation": near, "new region": far, "new system": False}
    said = []
    for question, calibrated in known.items():
        count = int((table["question"] == question).sum())
        if count and (question != "interpolation" or not calibrated):
            state = "calibrated by regions left out" if calibrated else "not calibrated"
            said.append(
                f"{count} of {len(table)} predictions are of the kind {question!r}; their intervals are {state}."
            )
    return said


def _sentences(model: LibraryModel, table: pd.DataFrame, scores: pd.DataFrame | None) -> list[str]:
    unit = f" {model.unit_}" if model.unit_ else ""
    value = table["predicted"].to_numpy(np.float64)
    said = [
        f"{model.target_} of {len(table)} samples: {shown(value.min())} to {shown(value.max())}{unit}, "
        f"median {shown(np.median(value))}; the largest is predicted of {table['sample'][int(value.argmax())]}."
    ]
    weak, none = (int((table["support"] == level).sum()) for level in (1, 0))
    if weak or none:
        said.append(
            f"{weak + none} of {len(table)} samples are unlike the training data ({weak} weakly supported, {none} "
            "unsupported); their intervals are not guaranteed."
        )
    said += _questions(model, table)
    if scores is not None:
        own = scores.iloc[0]
        said.append(
            f"{own['n']} measured samples have new compositions: R² {own['r2']:.3f} (90 % interval "
            f"{own['r2_low']:.3f} to {own['r2_high']:.3f}), RMSE {shown(float(own['rmse']))}{unit}"
            + (f"; {_PERCENT * own['coverage']:.0f} % lie inside their intervals." if own["coverage"] >= 0 else ".")
        )
    return said
