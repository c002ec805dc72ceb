"""The steps of ``library explain``: gradients, what they say, and how far to trust it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.commands.explain.spec import ExplainSpec
from matlens.library.commands.explain.tables import (
    averages_table,
    axis_table,
    pairs_table,
    regions_of,
    said_of,
    write_gradients,
)
from matlens.library.commands.models import read_model, warnings_of_model
from matlens.library.evidence import (
    check_insight,
    component_groups,
    conclusions,
    label_null,
    peak_table,
    run_reference_analyses,
    spectral_bands,
    statements,
)
from matlens.library.gradients import (
    CompositionResponse,
    default_hosts,
    explain_library,
    fit_composition_response,
    without_spikes,
)
from matlens.library.model import LibraryModel
from matlens.library.suggestions import candidates, with_deciding_samples
from matlens.library.table import MaterialsLibrary
from matlens.runs.codecs import DATASET, TABLE, read_file
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.models import digest_of_model
from matlens.runs.pool import Serial
from matlens.runs.resumable import each
from matlens.runs.tables import read_table, write_table

__all__ = ["prepare", "work"]


def prepare(spec: ExplainSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the model, and check that hosts and regions fit its library.

    Parameters
    ----------
    spec : ExplainSpec
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
        If there is no model of a library, a host is unknown or absent everywhere, or a region is not understood or
        empty.
    """
    model = read_model(spec.model, device=environment["device"])
    library = model.library_
    default_hosts(library.compositions, library.components, _hosts(spec, library), library.site_numbers)
    about = {
        "composition": (("sample", "component"), library.compositions),
        "merit": ("sample", library.merit(model.target_)),
    }
    regions_of(xr.Dataset(about, {"component": list(library.components)}), spec.regions, seed=spec.seed)
    said = f"{model.target_} of {len(library)} samples, {model.members_} models"
    settings = {"inputs": {"hashes": {"model": digest_of_model(spec.model)}}}
    return Prepared(replace(spec, device=environment["device"]), said, settings, model)


def work(run: RunDirectory, progress: Progress, found: LibraryModel | None = None) -> None:
    """Explain as the run's settings say, and write everything but the report.

    Writes ``gradients.nc`` and then, as tables, groups, correlations, bands, regions, checks, reference analyses, and
    last the statements.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : LibraryModel, optional
        The model, where it has been read already.

    Raises
    ------
    InputError
        If a host or a region is not known.
    KeyboardInterrupt
        On an interrupt; gradients, which workers leave for last, and finished models of permuted labels are kept.
    """
    run.spend("permuted")
    if (run.path / "statements.csv").is_file():  # written last
        return
    spec = options_of(run, ExplainSpec)
    model = _read(run, spec) if found is None else found
    known = without_spikes(model.library_, model.preprocessing_)
    response = fit_composition_response(known) if model.uses_spectrum_ else None
    shared = not isinstance(run.pool, Serial)
    # A worker repeats all that comes before the work that it shares.
    null = _null(run, spec, model, response, progress) if shared else None
    insight = _explain(spec, model, model.library_, response, progress, steps=spec.integration_steps)
    write_gradients(run, insight, members=spec.members)
    if not shared:
        null = _null(run, spec, model, response, progress)
    said, notes = _told(run, spec, model, insight, null, progress)
    few = _conclude(run, model, insight, said, response)
    facts = {"target": model.target_, "unit": model.unit_, "members": model.members_}
    facts["samples"] = insight.sizes["sample"]
    run.mark(
        "running",
        resolved=facts,
        notes=[*_notes(spec, insight), *notes],
        sentences=said_of(said, few),
        warnings=[*warnings_of_model(spec.model), *_warnings(run)],
    )
    write_table(run, "statements", said)


def _read(run: RunDirectory, spec: ExplainSpec) -> LibraryModel:
    return read_model(spec.model, device=spec.device, known=run.settings["inputs"]["hashes"]["model"])


def _hosts(spec: ExplainSpec, library: MaterialsLibrary) -> dict[str, str] | str | None:
    """Give hosts as `explain_library` takes them."""
    asked = spec.hosts or {}
    named = {name: host for name, host in asked.items() if name}
    if "" not in asked:
        return named or None
    return dict.fromkeys(library.components, asked[""]) | named if named else asked[""]


def _explain(
    spec: ExplainSpec,
    model: LibraryModel,
    library: MaterialsLibrary,
    response: CompositionResponse | None,
    progress: Progress,
    *,
    errors: bool = True,
    steps: int = 0,
) -> xr.Dataset:
    """Read gradients with every model of the ensemble."""
    return explain_library(
        model,
        library,
        hosts=_hosts(spec, library),
        members=True,
        errors=errors,
        integration_steps=steps,
        response=response,
        progress=progress,
    )


def _told(
    run: RunDirectory,
    spec: ExplainSpec,
    model: LibraryModel,
    insight: xr.Dataset,
    null: xr.Dataset | None,
    progress: Progress,
) -> tuple[pd.DataFrame, list[str]]:
    """Every table but the statements, which are returned with notes on what could not be told."""
    library, notes = model.library_, []
    progress.begin(4, "statements")
    groups = bands = None
    try:
        groups = component_groups(insight, null, seed=spec.seed)
        write_table(run, "groups", groups.groups)
        write_table(run, "correlations", pairs_table(groups))
    except InputError as error:  # too few samples or components to compare; the gradients stand by themselves
        notes.append(f"no groups of components: {error}")
    if "spectral_gradient" in insight:
        bands = spectral_bands(insight, null)
        write_table(run, "bands", bands)
        write_table(run, "component_axis", axis_table(insight))
    if "peak_gradient" in insight:
        write_table(run, "peaks", peak_table(insight))
    progress.update(1, "groups and bands")
    regions = regions_of(insight, spec.regions, seed=spec.seed)
    write_table(run, "regions", averages_table(insight, regions))
    checks = check_insight(insight, model=model, library=library, null=null, seed=spec.seed)
    write_table(run, "sanity", checks)
    progress.update(2, "checks")
    compared = run_reference_analyses(insight, library, model.target_, transform=model.transform, seed=spec.seed)
    write_table(run, "ways", compared)
    progress.update(3, "reference analyses")
    r2, beyond = (held_out_score(spec.model, partition) for partition in ("grouped", "regions"))
    said = statements(insight, checks=checks, groups=groups, bands=bands, regions=regions, held_out=r2, beyond=beyond)
    progress.end()
    return said, notes


def _conclude(
    run: RunDirectory,
    model: LibraryModel,
    insight: xr.Dataset,
    said: pd.DataFrame,
    response: CompositionResponse | None,
) -> pd.DataFrame:
    """Write the few conclusions, each with what would reverse it and the sample that would tell most."""
    found = conclusions(insight, said)
    known = candidates(model, model.library_, response) if len(found) else None
    few = with_deciding_samples(found, insight, known, model.library_)
    write_table(run, "conclusions", few)
    return few


def held_out_score(folder: str | os.PathLike[str], partition: str = "grouped") -> float | None:
    """Read R squared of the model on held-out samples from the run that learned it.

    Parameters
    ----------
    folder : path-like
        Run directory of ``library learn``, or folder of a model.
    partition : {"grouped", "regions", "systems"}
        What was held out.

    Returns
    -------
    float or None
        The score; None where no scores are stored.

    Examples
    --------
    >>> held_out_score("nowhere") is None
    True
    """
    file = Path(folder) / "scores.csv"
    if not file.is_file():
        return None
    scores = read_file(file, TABLE)
    own = scores[(scores["model"] == "model") & (scores["partition"] == partition)]
    return float(own["r2"].iloc[0]) if len(own) else None


def _null(
    run: RunDirectory,
    spec: ExplainSpec,
    model: LibraryModel,
    response: CompositionResponse | None,
    progress: Progress,
) -> xr.Dataset | None:
    """Statistics of models of permuted labels; those made before are read."""
    if not spec.permutations:
        return None
    numbers = {str(number): number for number in range(spec.permutations)}
    made = partial(_permuted, spec, model, response)
    label = "models of permuted labels"
    parts = each(run, "permuted", numbers, made, DATASET, progress=progress, label=label)
    return xr.concat(list(parts.values()), "permutation")


def _permuted(spec: ExplainSpec, model: LibraryModel, response: CompositionResponse | None, number: int) -> xr.Dataset:
    """One of them: a smaller model of the same kind, in a mixture with the same weights."""
    members = min(spec.permuted_models, model.members_)

    def fit(permuted: MaterialsLibrary, _: int) -> xr.Dataset:
        fitted = model.again(permuted, n_models=members, seed=spec.seed + 1 + number)
        return _explain(spec, fitted, permuted, response, Silent(), errors=False)

    return label_null(fit, model.library_, target=model.target_, permutations=1, seed=spec.seed + number)


def _warnings(run: RunDirectory) -> list[str]:
    """What speaks against trusting the gradients: checks that failed."""
    checks = read_table(run, "sanity")
    failed: list[str] = [] if checks is None else list(checks.loc[~checks["passed"].astype(bool), "sentence"])
    return [f"Check failed: {text}" for text in failed]


def _notes(spec: ExplainSpec, insight: xr.Dataset) -> list[str]:
    notes = [str(insight.attrs[name]) for name in ("identifiability", "total_check") if insight.attrs.get(name)]
    if not spec.permutations:
        notes.append("no models of permuted labels were trained, so that groups and bands lack that null.")
    return notes
