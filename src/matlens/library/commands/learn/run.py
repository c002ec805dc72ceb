"""The steps of ``learn`` for a library: checks, the ensemble, and what it is worth on samples unseen."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from matlens.core.model_files import FILES
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.library.baselines import BASELINES
from matlens.library.commands.learn.tables import MODEL, read_held_out, write_checks, write_library_evidence
from matlens.library.commands.source import LibrarySource
from matlens.library.model import LibraryModel
from matlens.library.model.preprocessing_choice import Choice, in_words
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.resampling import RESAMPLINGS
from matlens.library.model.targets import resolve_inputs, target_of, training_rows
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, Fold, held_out
from matlens.library.validation.partitions import grouped, regions, systems
from matlens.library.validation.scoring import LibraryLearner
from matlens.runs.codecs import table_codec
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each
from matlens.runs.state_store import RunStateStore

__all__ = ["LearnLibraryOrder", "LibraryModelOptions", "Scoring", "learn_library_in"]

_INTERVAL = 20.0  # seconds between two saves of a chunk: Adam keeps three times the weights of all its networks


@dataclass(frozen=True)
class LibraryModelOptions:
    """What model is asked for; see `matlens.LibraryModel` for the meaning.

    ``prepare`` holds steps as `matlens.library.spectra.Preprocessing.parse` takes them; without any, the preset's own
    are taken.

    Examples
    --------
    >>> LibraryModelOptions(prepare=("snv",)).model(seed=1, device="cpu").preprocessing.settings()
    [{'name': 'snv'}]
    """

    preset: str = "default"
    inputs: str = "auto"
    n_models: int = 50
    resample: str = "auto"
    transform: str = "none"
    prepare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value, there in (
            ("preset", self.preset, PRESETS),
            ("resample", self.resample, ("auto", *RESAMPLINGS)),
        ):
            if value not in there:
                raise InputError(f"{name} {value!r} is not known; choose one of {', '.join(there)}.")

    def model(self, *, seed: int, device: str, cache: MutableMapping[str, Choice] | None = None) -> LibraryModel:
        """Make the model, not yet fitted."""
        asked = {name: value for name, value in asdict(self).items() if name != "prepare"}
        return LibraryModel(**asked, preprocessing=self.chain, seed=seed, device=device, cache=cache)

    @property
    def sees_all(self) -> bool:
        """Whether every member sees every sample."""
        resample = (
            PRESETS[self.preset].resample if self.resample == "auto" and self.preset in PRESETS else self.resample
        )
        return resample == "none"

    @property
    def chain(self) -> Preprocessing | None:
        """What is done to spectra; None: what the preset does."""
        return Preprocessing.parse(self.prepare) if self.prepare else None


@dataclass(frozen=True)
class Scoring:
    """How samples are held out, and what is set beside the ensemble.

    Parameters
    ----------
    held_out : tuple of str
        Partitions: "grouped", "regions", "systems", "shuffled".
    folds : int
        Of each partition.
    repeats : int
        Partitions into regions, each from another random start.
    systems : int
        Co-alloy systems left out one by one at most, those with the most samples.
    baselines : tuple of str
        Names, or "all", or "none".
    members : int
        Of ensembles trained to be scored.

    Examples
    --------
    >>> Scoring(baselines=("ridge",)).contenders
    ('model', 'ridge')
    """

    held_out: tuple[str, ...] = ("grouped", "regions", "systems")
    folds: int = 5
    repeats: int = 2
    systems: int = 10
    baselines: tuple[str, ...] = ("all",)
    members: int = 10

    def __post_init__(self) -> None:
        for name in self.held_out:
            if name not in PARTITIONS:
                raise InputError(f"found the partition {name!r}; choose from {', '.join(PARTITIONS)}.")
        if not self.held_out:
            raise InputError(f"nothing would be held out; choose from {', '.join(PARTITIONS)}.")
        for name in self.baselines:
            if name not in (*BASELINES, "all", "none"):
                raise InputError(f"found the baseline {name!r}; choose all, none, or from {', '.join(BASELINES)}.")

    @property
    def contenders(self) -> tuple[str, ...]:
        """The model and the baselines that are scored."""
        if "none" in self.baselines:
            return (MODEL,)
        return (MODEL, *(BASELINES if "all" in self.baselines or not self.baselines else self.baselines))

    def partitions(self, library: MaterialsLibrary, seed: int) -> tuple[list[Fold], list[str]]:
        """List the folds of every partition, and say in sentences which cannot be made.

        Raises
        ------
        InputError
            If there are fewer compositions than folds.
        """
        found: list[Fold] = []
        notes: list[str] = []
        for name in dict.fromkeys(self.held_out):
            if name == "systems":
                try:
                    largest = sorted(systems(library), key=lambda fold: -len(fold.held))[: self.systems]
                except InputError as error:
                    notes.append(str(error))
                    continue
                found += sorted(largest, key=lambda fold: int(fold.held[0]))
            elif name == "regions":
                found += regions(library, self.folds, self.repeats, seed)
            else:
                found += (
                    grouped(library, self.folds, 1, seed)
                    if name == "grouped"
                    else PARTITIONS[name](library, self.folds, 1, seed)
                )
        return found, notes


@dataclass(frozen=True)
class LearnLibraryOrder:
    """What is asked, as a settings file holds it.

    Parameters
    ----------
    source : LibrarySource
        The library.
    target : str, optional
        Figure of merit; without a name, the only one.
    options : LibraryModelOptions
        What model.
    scoring : Scoring
        How it is scored.
    seed : int
        Of training and folds.
    device : str
        Where the ensemble is trained.

    Examples
    --------
    >>> order = LearnLibraryOrder(LibrarySource("/library.csv"), "P", LibraryModelOptions(n_models=5))
    >>> LearnLibraryOrder.of(order.settings()) == order
    True
    """

    source: LibrarySource
    target: str | None = None
    options: LibraryModelOptions = LibraryModelOptions()
    scoring: Scoring = Scoring()
    seed: int = 0
    device: str = "cpu"

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        asked = {"target": self.target, **self.source.settings()}
        return {
            "seed": self.seed,
            "device": self.device,
            "learn-library": {**asked, "model": asdict(self.options), "scoring": asdict(self.scoring)},
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> LearnLibraryOrder:
        """Read it back."""
        asked = settings["learn-library"]
        parts: list[dict[str, Any]] = [
            {name: tuple(value) if isinstance(value, list) else value for name, value in asked[part].items()}
            for part in ("model", "scoring")
        ]
        return cls(
            LibrarySource.of(asked),
            asked.get("target"),
            LibraryModelOptions(**parts[0]),
            Scoring(**parts[1]),
            settings["seed"],
            settings["device"],
        )

    def resolved(self, library: MaterialsLibrary) -> LearnLibraryOrder:
        """Note what the library is and which figure of merit it has, once all that can be checked beforehand was.

        Raises
        ------
        InputError
            If the figure of merit is unknown or cannot be learned, or there are fewer compositions than folds.
        """
        target = target_of(library, self.target, self.options.transform)
        _, spectrum = resolve_inputs(library, self.options.inputs)
        known = library.select(training_rows(library, target, composition_only=not spectrum))
        if spectrum and library.spectra is not None and library.axis is not None and self.options.chain is not None:
            self.options.chain.transform(library.spectra, library.axis)  # steps that do not fit are said at once
        self.folds(known)
        return replace(self, source=self.source.resolved(library), target=target.name)

    def folds(self, library: MaterialsLibrary) -> tuple[list[Fold], list[str]]:
        """List the folds from which something can be learned, and say in sentences what cannot be held out.

        Raises
        ------
        InputError
            If there are fewer compositions than folds, or none is left.
        """
        target = target_of(library, self.target, self.options.transform)
        every, notes = self.scoring.partitions(library, self.seed)
        found = []
        for fold in every:
            try:
                training_rows(library.select(fold.train), target)
            except InputError as error:
                notes.append(f"{fold.partition} {fold.name} is not held out: of what is left, {error}")
            else:
                found.append(fold)
        if not found:
            raise InputError(" ".join(notes) or "nothing can be held out; choose another partition.")
        return found, notes

    def contender(self, name: str, cache: MutableMapping[str, Choice]) -> LibraryLearner:
        """Make the model, with fewer members, or a baseline of the same inputs, not yet fitted.

        Members that all see all samples would leave nothing to make intervals of: then each is spared a tenth.
        """
        options = self.options
        if name == MODEL:
            resample = "groups" if options.sees_all else options.resample
            scored = replace(options, n_models=self.scoring.members, resample=resample)
            return scored.model(seed=self.seed, device=self.device, cache=cache)
        return BASELINES[name](
            inputs=options.inputs,
            preprocessing=options.chain,
            transform=options.transform,
            seed=self.seed,
            cache=cache,
        )


def learn_library_in(run: RunDirectory, progress: Progress, library: MaterialsLibrary | None = None) -> None:
    """Learn as the run's settings say, and write everything but the report.

    First the checks of the library, then the model of all samples (``model.json``, ``arrays.safetensors``), then, from
    models that did not see the samples they are judged on, ``held_out.csv``, ``paired.csv`` and ``scores.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    library : MaterialsLibrary, optional
        The library, where it has been read already.

    Raises
    ------
    Interrupted, KeyboardInterrupt
        On an interrupt; the state of the training, the model and trials that are finished are kept.
    """
    if (run.path / "scores.csv").is_file():  # written last
        return
    order = LearnLibraryOrder.of(run.settings)
    found = order.source.read() if library is None else library
    write_checks(run, found, str(order.target), order.options.transform, order.seed)
    model = _model(run, order, found, progress)
    known = found.select(training_rows(found, target_of(found, order.target, order.options.transform)))
    folds, notes = order.folds(known)
    facts = {"target": model.target_, "unit": model.unit_, "members": model.members_, "samples": len(known)}
    run.mark("running", resolved=facts, notes=[*found.notes, *notes, *_prepared(model)])
    trials = {
        f"{name}_{fold.partition}_{number}": (name, fold)
        for number, fold in enumerate(folds)
        for name in order.scoring.contenders
    }
    choices: dict[str, Choice] = {}  # of preprocessing: the contenders of a fold learn from the same samples

    def tried(trial: tuple[str, Fold]) -> pd.DataFrame:
        name, fold = trial
        return held_out(lambda: order.contender(name, choices), known, [fold], name=name, target=order.target)

    label = "trials on samples held out"
    parts = each(run, "trial", trials, tried, table_codec(read_held_out), progress=progress, label=label)
    write_library_evidence(run, model, pd.concat(parts.values(), ignore_index=True), order.scoring.contenders)
    run.drop("trial")


def _model(run: RunDirectory, order: LearnLibraryOrder, library: MaterialsLibrary, progress: Progress) -> LibraryModel:
    """Fit the model to all samples, or read it where that has been done."""
    if (run.path / FILES[-1]).is_file():
        return LibraryModel.load(run.path, device=order.device)
    store = RunStateStore(run, "fit/", interval=_INTERVAL)
    model = order.options.model(seed=order.seed, device=order.device)
    model.fit(library, order.target, progress=progress, checkpoint=store)
    for name in FILES:
        run.claim(name)
    model.save(run.path)
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
