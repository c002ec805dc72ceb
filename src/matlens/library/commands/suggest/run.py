"""The steps of ``suggest``: what to make next, ranked, and as a list for the plate."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.library.baselines import BASELINES
from matlens.library.commands.explain.tables import GRADIENTS
from matlens.library.commands.learn.tables import MODEL
from matlens.library.evidence import additions_left_out, summarise_additions
from matlens.library.gradients import explain_library
from matlens.library.model import LibraryModel
from matlens.library.suggestions import Campaign, Limits, plate_list, suggest
from matlens.library.validation.partitions import systems
from matlens.runs.codecs import TABLE
from matlens.runs.directory import RunDirectory
from matlens.runs.models import digest_of_model, read_unchanged
from matlens.runs.resumable import each
from matlens.runs.tables import write_table

__all__ = ["SuggestOrder", "Wishes", "suggest_in"]

_MEMBERS = 10  # of ensembles trained to be tested


@dataclass(frozen=True)
class Wishes:
    """What may be suggested, as it is written on the command line: shares in hundredths.

    Parameters
    ----------
    bounds : tuple of str
        ``"W=0:8"``.
    forbid : tuple of str
        Pairs of components that must not meet, ``"W-Mo"``.
    step : float, optional
        Increment of the synthesis.
    most : int, optional
        Components in a composition.
    moves : int
        Components changed, 1 or 2.
    support : int
        Least support of a move: 2, 1 or 0.
    minimise : bool
        Whether small figures of merit are wanted.
    apart : float, optional
        By how much suggestions differ at least.

    Examples
    --------
    >>> Wishes(bounds=("W=0:8",), step=2).campaign(seed=0).limits
    Limits(bounds={'W': (0.0, 0.08)}, increment=0.02, forbidden=(), most=None)
    """

    bounds: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    step: float | None = None
    most: int | None = None
    moves: int = 2
    support: int = 0
    minimise: bool = False
    apart: float | None = None

    def campaign(self, *, seed: int) -> Campaign:
        """Make the library's options of them, and check them."""
        return Campaign(
            limits=Limits.of(self.bounds, self.step, self.forbid, self.most),
            moves=self.moves,
            least_support=self.support,
            minimise=self.minimise,
            apart=None if self.apart is None else self.apart / 100,
            seed=seed,
        )


@dataclass(frozen=True)
class SuggestOrder:
    """What is asked, as a settings file holds it.

    Parameters
    ----------
    model : str
        Folder of the model.
    n : int
        Suggestions.
    wishes : Wishes
        What may be suggested.
    insight : str, optional
        Run directory of ``explain``, where there is one; without, gradients are read anew.
    tested : bool
        Whether models that never saw a co-alloy system are asked for it, as a test.
    seed : int
        Of what is drawn.
    device : str
        Where the model runs.
    digest : str
        Hash of the model when the run started.

    Examples
    --------
    >>> order = SuggestOrder("/model", 5, Wishes(forbid=("W-Mo",)))
    >>> SuggestOrder.of(order.settings()) == order
    True
    """

    model: str
    n: int = 10
    wishes: Wishes = Wishes()
    insight: str | None = None
    tested: bool = False
    seed: int = 0
    device: str = "cpu"
    digest: str = ""

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it, paths absolute."""
        asked = {
            "model": os.path.abspath(self.model),
            "n": self.n,
            "insight": None if self.insight is None else os.path.abspath(self.insight),
            "tested": self.tested,
            "digest": self.digest,
            "wishes": asdict(self.wishes),
        }
        return {"seed": self.seed, "device": self.device, "suggest": asked}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> SuggestOrder:
        """Read it back."""
        asked = dict(settings["suggest"])
        wishes: dict[str, Any] = {
            name: tuple(each) if isinstance(each, list) else each for name, each in asked.pop("wishes").items()
        }
        return cls(**asked, wishes=Wishes(**wishes), seed=settings["seed"], device=settings["device"])

    def checked(self) -> LibraryModel:
        """Read the model, once the wishes have been found to fit its library.

        Raises
        ------
        InputError
            If there is no model, it has changed, or a component or bound does not fit.
        """
        model = read_unchanged(self.model, self.digest, self.device)
        self.wishes.campaign(seed=self.seed).limits.resolved(model.library_)
        if self.tested:
            systems(model.library_)  # raises where none can be left out
        return model

    def resolved(self) -> SuggestOrder:
        """Note what the model is."""
        return replace(self, digest=digest_of_model(self.model))

    def read_insight(self, model: LibraryModel, progress: Progress) -> xr.Dataset:
        """Read the gradients where a run of ``explain`` holds them, or from the model.

        Raises
        ------
        InputError
            If the run holds none, or those of another library.
        """
        if self.insight is None:
            return explain_library(model, model.library_, progress=progress)
        file = Path(self.insight) / GRADIENTS
        if not file.is_file():
            raise InputError(f"{self.insight} holds no {GRADIENTS}; name a run directory of 'matlens explain'.")
        with xr.open_dataset(file, engine="h5netcdf") as dataset:
            found = dataset.load()
        if tuple(map(str, found["sample"].values)) != model.library_.samples:
            raise InputError(f"{file} is of other samples than the model in {self.model}; explain this model first.")
        return found


def suggest_in(run: RunDirectory, progress: Progress, model: LibraryModel | None = None) -> None:
    """Suggest as the run's settings say: ``plate.csv``, where it is asked ``beyond.csv``, last ``suggestions.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open.
    progress : Progress
        Shows how far the work is.
    model : LibraryModel, optional
        The model, where it has been read already.

    Raises
    ------
    InputError
        If nothing is left to suggest within the limits.
    """
    order = SuggestOrder.of(run.settings)
    found = order.checked() if model is None else model
    insight = order.read_insight(found, progress)
    campaign = order.wishes.campaign(seed=order.seed)
    table = suggest(found, found.library_, insight, order.n, campaign=campaign, progress=progress)
    said = _sentences(table, order)
    if order.tested:
        tested = _beyond(run, order, found, progress)
        write_table(run, "beyond", tested)
        said.append(_tested(tested))
    facts = {name: table.attrs[name] for name in ("target", "unit", "best", "increment")}
    run.mark("running", resolved=facts, sentences=said)
    write_table(run, "plate", plate_list(table))
    write_table(run, "suggestions", table)
    run.drop("additions")


def _beyond(run: RunDirectory, order: SuggestOrder, model: LibraryModel, progress: Progress) -> pd.DataFrame:
    """Scores of the model and the baselines on co-alloy systems they never saw; those made before are read."""
    asked = model.get_params() | {"n_models": min(_MEMBERS, model.members_), "seed": order.seed, "cache": {}}
    shared = {name: asked[name] for name in ("inputs", "preprocessing", "transform", "seed", "cache")}
    makers = {MODEL: partial(LibraryModel, **asked)} | {
        name: partial(make, **shared) for name, make in BASELINES.items()
    }

    def tried(name: str) -> pd.DataFrame:
        return additions_left_out(makers[name], model.library_, name=name, target=model.target_, progress=progress)

    parts = each(run, "additions", {name: name for name in makers}, tried, TABLE)
    return summarise_additions(pd.concat(parts.values(), ignore_index=True), seed=order.seed)


def _tested(found: pd.DataFrame) -> str:
    """What the test says of the model's differences."""
    own = found[(found["model"] == MODEL) & (found["way"] == "difference")].iloc[0]
    return (
        f"Asked for co-alloys that it never saw, the model has the sign of {100 * own['sign']:.0f} % of {own['n']} "
        f"additions right ({100 * own['sign_low']:.0f} to {100 * own['sign_high']:.0f} %), and its sizes correlate by "
        f"{own['size']:.2f} with those measured."
    )


def _sentences(table: pd.DataFrame, order: SuggestOrder) -> list[str]:
    """What is suggested first, and how much of it has support."""
    about, first = table.attrs, table.iloc[0]
    unit = f" {about['unit']}" if about["unit"] else ""
    counts = [int((table["support"] == level).sum()) for level in (2, 1, 0)]
    said = [
        f"{len(table)} suggestions for {'less' if order.wishes.minimise else 'more'} {about['target']}: {counts[0]} "
        f"along measured compositions, {counts[1]} with little measured beside them, {counts[2]} beyond what was "
        "measured.",
        f"First: {first['move']}, {first['expected']:.4g}{unit} expected ({first['low']:.4g} to {first['high']:.4g}) "
        f"where the best measured composition is at {about['best']:.4g}; {first['reason']}.",
    ]
    if len(table) < order.n:
        said.append(f"No more than {len(table)} of {order.n} differ enough within the limits.")
    return said
