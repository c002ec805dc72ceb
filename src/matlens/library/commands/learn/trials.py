"""What ``library learn`` tries: the model and its baselines, on the folds of every partition."""

from __future__ import annotations

from collections.abc import MutableMapping

from matlens.errors import InputError
from matlens.library.baselines import BASELINES
from matlens.library.commands.learn.spec import LearnSpec
from matlens.library.commands.learn.tables import MODEL
from matlens.library.model import LibraryModel
from matlens.library.model.preprocessing_choice import Choice
from matlens.library.model.targets import Target, training_rows
from matlens.library.spectra import Preprocessing
from matlens.library.stacking import ENSEMBLE, MEMBERS
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, Fold
from matlens.library.validation.partitions import systems
from matlens.library.validation.scoring import LibraryLearner

__all__ = ["baselines_of", "chain_of", "contender", "contenders_of", "folds_of", "model_of"]


def model_of(spec: LearnSpec, **other: object) -> LibraryModel:
    """Make the model with the command's options, not yet fitted.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.
    **other : object
        Parameters of `LibraryModel` that replace those of the options.

    Returns
    -------
    LibraryModel
        The model.

    Examples
    --------
    >>> model_of(LearnSpec(library="a.csv", preprocessing=["snv"]), n_models=3).n_models
    3
    """
    asked = {
        name: getattr(spec, name)
        for name in ("preset", "inputs", "n_models", "resample", "transform", "seed", "device")
    }
    return LibraryModel(**asked | {"preprocessing": chain_of(spec)} | other)


def chain_of(spec: LearnSpec) -> Preprocessing | None:
    """Return the preprocessing of spectra that the options name.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.

    Returns
    -------
    Preprocessing or None
        The steps; None for those of the preset.
    """
    return Preprocessing.parse(spec.preprocessing) if spec.preprocessing else None


def baselines_of(spec: LearnSpec) -> tuple[str, ...]:
    """List the baselines that are scored.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.

    Returns
    -------
    tuple of str
        Their names.

    Examples
    --------
    >>> baselines_of(LearnSpec(library="a.csv", baselines=["none"]))
    ()
    """
    if "none" in spec.baselines:
        return ()
    return tuple(BASELINES) if "all" in spec.baselines or not spec.baselines else spec.baselines


def contender(spec: LearnSpec, name: str, cache: MutableMapping[str, Choice]) -> LibraryLearner:
    """Make the model with fewer networks, or a baseline of the same inputs, not yet fitted.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command; ``resample`` is no longer ``auto``.
    name : str
        ``"model"`` or ``"ensemble"``, or a baseline's.
    cache : mutable mapping
        Choices of preprocessing that were made before, by what they were made of.

    Returns
    -------
    LibraryLearner
        The model.
    """
    if name in (MODEL, ENSEMBLE):
        # Models that all saw all samples would leave nothing to make intervals of: each is spared a tenth.
        resample = "groups" if spec.resample == "none" else spec.resample
        return model_of(spec, n_models=spec.scoring_models, resample=resample, cache=cache)
    return BASELINES[name](
        inputs=spec.inputs,
        preprocessing=chain_of(spec),
        transform=spec.transform,
        seed=spec.seed,
        cache=cache,
    )


def contenders_of(spec: LearnSpec) -> tuple[str, ...]:
    """List the models that are trained on every fold: those of the mixture, if there is one, and the baselines.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.

    Returns
    -------
    tuple of str
        Their names; the mixture itself is made of their predictions.

    Examples
    --------
    >>> contenders_of(LearnSpec(library="a.csv", baselines=["pls"]))
    ('ensemble', 'gaussian-process', 'kernel-ridge', 'ridge', 'pls')
    >>> contenders_of(LearnSpec(library="a.csv", baselines=["pls"], model="ensemble"))
    ('model', 'pls')
    """
    first = MEMBERS if spec.model == "auto" else (MODEL,)
    return tuple(dict.fromkeys([*first, *baselines_of(spec)]))


def folds_of(spec: LearnSpec, library: MaterialsLibrary, target: Target) -> tuple[list[Fold], list[str]]:
    """List the folds from which something can be learned.

    Parameters
    ----------
    spec : LearnSpec
        Options of the command.
    library : MaterialsLibrary
        Samples with a known figure of merit.
    target : Target
        Figure of merit on the scale to learn on.

    Returns
    -------
    list of Fold
        Folds of every partition.
    list of str
        Sentences on what cannot be held out.

    Raises
    ------
    InputError
        If there are fewer compositions than folds, or no fold is left.
    """
    every, notes = _every_fold(spec, library)
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


def _every_fold(spec: LearnSpec, library: MaterialsLibrary) -> tuple[list[Fold], list[str]]:
    found: list[Fold] = []
    notes: list[str] = []
    for name in dict.fromkeys(spec.held_out):
        if name == "systems":
            try:
                largest = sorted(systems(library), key=lambda fold: -len(fold.held))[: spec.systems]
            except InputError as error:  # one system only: the other partitions stand by themselves
                notes.append(str(error))
                continue
            found += sorted(largest, key=lambda fold: int(fold.held[0]))
        else:  # only regions depend on where they start, so that drawing others anew would repeat them
            found += PARTITIONS[name](library, spec.folds, spec.repeats if name == "regions" else 1, spec.seed)
    return found, notes
