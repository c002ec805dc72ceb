"""The options of ``matlens library learn``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from matlens.core.settings import OnDevice, Seeded, Words, option, options, words_of
from matlens.errors import InputError
from matlens.library.commands.options import LibraryFile, Table
from matlens.runs.command import Command

__all__ = ["COMMAND", "Baseline", "LearnSpec", "Partition"]

Partition = Literal["grouped", "regions", "systems", "shuffled"]
Baseline = Literal["all", "none", "ridge", "pls", "random-forest", "kernel-ridge", "gaussian-process"]
_MODEL, _SCORES = "Model", "Samples held out"


@options
class LearnSpec(Table, Seeded, OnDevice):
    """Learn a figure of merit from composition and spectrum, and score the model on samples held out.

    The model is an ensemble. Classical baselines are scored on the same samples.
    """

    library: LibraryFile
    target: Annotated[
        str | None, option("Figure of merit to learn; needed where the table has several.", metavar="NAME")
    ] = None
    inputs: Annotated[
        Literal["auto", "composition", "spectrum", "both"], option("What is learned from; auto: all there is.")
    ] = "auto"
    n_models: Annotated[int, option("Models of the ensemble.", "--models", "--n-models", ge=1)] = 50
    transform: Annotated[Literal["none", "log10"], option("Scale to learn on; gradients are on the same scale.")] = (
        "none"
    )
    preset: Annotated[
        Literal["default", "umehara2019"],
        option("Networks and training: what measured best, or as published by Umehara et al. (2019)."),
    ] = "default"
    preprocessing: Annotated[
        Words,
        option(
            "Preprocessing of each spectrum, in this order: crop:LOW:HIGH, resample:STEP, despike, "
            "band-maximum:LOW:HIGH, area, snv, detrend, baseline; by default the preset's.",
            metavar="STEP,...",
            group=_MODEL,
        ),
    ] = ()
    resample: Annotated[
        Literal["auto", "none", "bootstrap", "groups"],
        option(
            "Samples that each model sees: all, compositions drawn with replacement, or all but a tenth of the "
            "compositions; auto: the preset's.",
            group=_MODEL,
        ),
    ] = "auto"
    held_out: Annotated[
        tuple[Partition, ...],
        BeforeValidator(words_of),
        option(
            "What is left out: whole compositions (grouped), regions of composition, co-alloy systems, or single rows "
            "(shuffled).",
            metavar="HOW,...",
            group=_SCORES,
        ),
    ] = ("grouped", "regions", "systems")
    folds: Annotated[int, option("Parts that each partition has.", group=_SCORES, ge=2)] = 5
    repeats: Annotated[int, option("Partitions into regions, each drawn anew.", group=_SCORES, ge=1)] = 2
    systems: Annotated[int, option("Co-alloy systems left out at most, the largest ones.", group=_SCORES, ge=1)] = 10
    baselines: Annotated[
        tuple[Baseline, ...],
        BeforeValidator(words_of),
        option(
            "Classical models that are scored on the same samples.",
            metavar="NAME,...",
            group=_SCORES,
        ),
    ] = ("all",)
    scoring_models: Annotated[int, option("Models of the ensembles that are scored.", group=_SCORES, ge=1)] = 10

    def __post_init__(self) -> None:
        if not self.held_out:
            raise InputError("nothing would be held out; choose from grouped, regions, systems, shuffled.")


COMMAND = Command(
    "library learn",
    LearnSpec,
    __package__,
    example="matlens library learn photoanodes.csv --target P -o model",
    results=("model.json", "scores.csv", "held_out.csv"),
    former=("learn-library",),
)
