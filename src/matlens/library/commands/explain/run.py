"""The steps of ``explain`` for a model of a library: gradients, what they say, and how far to trust it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.commands.explain.tables import (
    averages_table,
    axis_table,
    pairs_table,
    regions_of,
    said_of,
    write_gradients,
)
from matlens.library.evidence import check_insight, component_groups, label_null, older_ways, spectral_bands, statements
from matlens.library.gradients import (
    CompositionResponse,
    default_hosts,
    explain_library,
    fit_composition_response,
)
from matlens.library.model import LibraryModel
from matlens.library.table import MaterialsLibrary
from matlens.runs.codecs import DATASET
from matlens.runs.directory import RunDirectory
from matlens.runs.models import digest_of_model, read_unchanged
from matlens.runs.resumable import each
from matlens.runs.tables import write_table

__all__ = ["ExplainLibraryOrder", "explain_library_in"]


@dataclass(frozen=True)
class ExplainLibraryOrder:
    """What is asked, as a settings file holds it.

    Parameters
    ----------
    model : str
        Folder of the model.
    hosts : mapping of str to str
        What each component replaces in the scheme ``exchange``; under the key "" the host of all others.
    members : bool
        Keep the gradients of every model in ``gradients.nc``.
    regions : tuple of str
        Where to average, as `matlens.library.commands.explain.tables.regions_of` reads them.
    permutations : int
        Ensembles trained on permuted labels; 0 for none.
    permuted_members : int
        Members of each of them.
    steps : int
        Of integrated gradients; 0 for none.
    seed : int
        Of what is drawn.
    device : str
        Where the model runs.
    digest : str
        Hash of the model when the run started.

    Examples
    --------
    >>> order = ExplainLibraryOrder("/model", {"W": "V"}, regions=("W=1:5",))
    >>> ExplainLibraryOrder.of(order.settings()) == order
    True
    """

    model: str
    hosts: Mapping[str, str] = field(default_factory=dict)
    members: bool = False
    regions: tuple[str, ...] = ()
    permutations: int = 19
    permuted_members: int = 5
    steps: int = 32
    seed: int = 0
    device: str = "cpu"
    digest: str = ""

    def __post_init__(self) -> None:
        if self.permutations == 1:
            raise InputError("one ensemble of permuted labels tells nothing; ask for 19 permutations (5 %), or for 0.")

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it, paths absolute."""
        asked = {name: value for name, value in vars(self).items() if name not in ("seed", "device")}
        asked |= {"model": os.path.abspath(self.model), "hosts": dict(self.hosts), "regions": list(self.regions)}
        return {"seed": self.seed, "device": self.device, "explain-library": asked}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ExplainLibraryOrder:
        """Read it back."""
        asked = dict(settings["explain-library"])
        asked["regions"] = tuple(asked["regions"])
        return cls(**asked, seed=settings["seed"], device=settings["device"])

    def read_model(self) -> LibraryModel:
        """Read the model; it must be the one that the run started with.

        Raises
        ------
        InputError
            If there is none, or it has changed.
        """
        return read_unchanged(self.model, self.digest, self.device)

    def checked(self) -> LibraryModel:
        """Read the model, once hosts and regions have been found to fit its library.

        Raises
        ------
        InputError
            If a host is unknown or absent everywhere, or a region is not understood or empty.
        """
        model = self.read_model()
        library = model.library_
        default_hosts(library.compositions, library.components, self.exchange_hosts(library))
        about = {
            "composition": (("sample", "component"), library.compositions),
            "merit": ("sample", library.merit(model.target_)),
        }
        regions_of(xr.Dataset(about, {"component": list(library.components)}), self.regions, seed=self.seed)
        return model

    def resolved(self) -> ExplainLibraryOrder:
        """Note what the model is."""
        return replace(self, digest=digest_of_model(self.model))

    def exchange_hosts(self, library: MaterialsLibrary) -> dict[str, str] | str | None:
        """Hosts as `explain_library` takes them."""
        named = {name: host for name, host in self.hosts.items() if name}
        if "" not in self.hosts:
            return named or None
        return dict.fromkeys(library.components, self.hosts[""]) | named if named else self.hosts[""]

    def explain(
        self,
        model: LibraryModel,
        library: MaterialsLibrary,
        response: CompositionResponse | None,
        progress: Progress,
        *,
        errors: bool = True,
        steps: int = 0,
    ) -> xr.Dataset:
        """Read gradients with every member."""
        return explain_library(
            model,
            library,
            hosts=self.exchange_hosts(library),
            members=True,
            errors=errors,
            integration_steps=steps,
            response=response,
            progress=progress,
        )


def explain_library_in(run: RunDirectory, progress: Progress, model: LibraryModel | None = None) -> None:
    """Explain as the run's settings say, and write everything but the report.

    Writes ``gradients.nc`` and then, as tables, groups, correlations, bands, regions, checks, what older ways show, and
    last the statements.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    model : LibraryModel, optional
        The model, where it has been read already.

    Raises
    ------
    InputError
        If a host or a region is not known.
    KeyboardInterrupt
        On an interrupt; gradients and finished ensembles of permuted labels are kept.
    """
    if (run.path / "statements.csv").is_file():  # written last
        return
    order = ExplainLibraryOrder.of(run.settings)
    found = order.read_model() if model is None else model
    response = fit_composition_response(found.library_) if found.uses_spectrum_ else None
    insight = order.explain(found, found.library_, response, progress, steps=order.steps)
    write_gradients(run, insight, members=order.members)
    null = _null(run, order, found, response, progress)
    said, notes = _told(run, order, found, insight, null, progress)
    facts = {"target": found.target_, "unit": found.unit_, "members": found.members_}
    facts["samples"] = insight.sizes["sample"]
    run.mark("running", resolved=facts, notes=[*_notes(order, insight), *notes], sentences=said_of(said))
    write_table(run, "statements", said)
    run.drop("permuted")


def _told(
    run: RunDirectory,
    order: ExplainLibraryOrder,
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
        groups = component_groups(insight, null, seed=order.seed)
        write_table(run, "groups", groups.groups)
        write_table(run, "correlations", pairs_table(groups))
    except InputError as error:  # too few samples or components to compare; the gradients stand by themselves
        notes.append(f"no groups of components: {error}")
    if "spectral_gradient" in insight:
        bands = spectral_bands(insight, null)
        write_table(run, "bands", bands)
        write_table(run, "component_axis", axis_table(insight))
    progress.update(1, "groups and bands")
    regions = regions_of(insight, order.regions, seed=order.seed)
    write_table(run, "regions", averages_table(insight, regions))
    checks = check_insight(insight, model=model, library=library, null=null, seed=order.seed)
    write_table(run, "sanity", checks)
    progress.update(2, "checks")
    write_table(run, "ways", older_ways(insight, library, model.target_, transform=model.transform, seed=order.seed))
    progress.update(3, "older ways")
    r2 = held_out_score(order.model)
    said = statements(insight, checks=checks, groups=groups, bands=bands, regions=regions, held_out=r2)
    progress.end()
    return said, notes


def held_out_score(folder: str | os.PathLike[str]) -> float | None:
    """R squared of the model on compositions left out, where the run that learned it says.

    Examples
    --------
    >>> held_out_score("nowhere") is None
    True
    """
    file = Path(folder) / "scores.csv"
    if not file.is_file():
        return None
    scores = pd.read_csv(file)
    own = scores[(scores["model"] == "model") & (scores["partition"] == "grouped")]
    return float(own["r2"].iloc[0]) if len(own) else None


def _null(
    run: RunDirectory,
    order: ExplainLibraryOrder,
    model: LibraryModel,
    response: CompositionResponse | None,
    progress: Progress,
) -> xr.Dataset | None:
    """Statistics of ensembles of permuted labels; those made before are read."""
    if not order.permutations:
        return None
    numbers = {str(number): number for number in range(order.permutations)}
    made = partial(_permuted, order, model, response)
    label = "ensembles of permuted labels"
    parts = each(run, "permuted", numbers, made, DATASET, progress=progress, label=label)
    return xr.concat(list(parts.values()), "permutation")


def _permuted(
    order: ExplainLibraryOrder, model: LibraryModel, response: CompositionResponse | None, number: int
) -> xr.Dataset:
    """One of them: a small ensemble of the same kind."""
    members = min(order.permuted_members, model.members_)
    asked = model.get_params() | {"n_models": members, "seed": order.seed + 1 + number}

    def fit(permuted: MaterialsLibrary, _: int) -> xr.Dataset:
        fitted = LibraryModel(**asked).fit(permuted, model.target_)
        return order.explain(fitted, permuted, response, Silent(), errors=False)

    return label_null(fit, model.library_, target=model.target_, permutations=1, seed=order.seed + number)


def _notes(order: ExplainLibraryOrder, insight: xr.Dataset) -> list[str]:
    notes = [str(insight.attrs[name]) for name in ("identifiability", "total_check") if insight.attrs.get(name)]
    if not order.permutations:
        notes.append("no ensembles of permuted labels were trained, so that groups and bands lack that null.")
    return notes
