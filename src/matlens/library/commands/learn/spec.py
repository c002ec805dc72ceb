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
    """Learn to predict a figure of merit from composition and spectrum, and test the model on samples held out.

    The model is a mixture of an ensemble of neural networks and classical models that have gradients. Baselines are
    tested on the same samples.
    """

    library: LibraryFile
    target: Annotated[
        str | None,
        option("Figure of merit to learn: name of its column; needed if the table has several.", metavar="NAME"),
    ] = None
    inputs: Annotated[
        Literal["auto", "composition", "spectrum", "both"],
        option("What the model learns from; auto takes all that the table holds."),
    ] = "auto"
    model: Annotated[
        Literal["auto", "ensemble"],
        option(
            "Kind of model: auto mixes an ensemble of networks, a Gaussian process, kernel ridge and ridge regression "
            "by how well they predict samples held out; ensemble takes the networks alone, as umehara2019 always does."
        ),
    ] = "auto"
    n_models: Annotated[int, option("Number of models in the ensemble.", "--models", "--n-models", ge=1)] = 50
    transform: Annotated[
        Literal["none", "log10"], option("Scale to learn on: none or log10; gradients are on the same scale.")
    ] = "none"
    preset: Annotated[
        Literal["default", "umehara2019"],
        option(
            "Architecture and training of the networks: default, which scored best in tests; or umehara2019, as "
            "published by Umehara et al. (2019)."
        ),
    ] = "default"
    preprocessing: Annotated[
        Words,
        option(
            "Preprocessing of the spectra, in the order given: crop:LOW:HIGH, cut:LOW:HIGH (leave out), resample:STEP, "
            "calibrate:FOUND:TRUE (shift the axis by a reference peak), smooth:CHANNELS:ORDER (Savitzky-Golay), "
            "despike, band-maximum:LOW:HIGH (divide by the largest intensity of a band), area (divide by the area), "
            "snv (standard normal variate), detrend, baseline; LOW, HIGH and STEP in the unit of the axis. By default "
            "the preset chooses.",
            metavar="STEP,...",
            group=_MODEL,
        ),
    ] = ()
    resample: Annotated[
        Literal["auto", "none", "bootstrap", "groups"],
        option(
            "Samples that each model of the ensemble learns from: all (none); compositions drawn with replacement "
            "(bootstrap); or all but a tenth of the compositions (groups); auto takes what the preset says.",
            group=_MODEL,
        ),
    ] = "auto"
    held_out: Annotated[
        tuple[Partition, ...],
        BeforeValidator(words_of),
        option(
            "What is held out to test the model: compositions with all their replicates (grouped), regions of similar "
            "composition (regions), co-alloy systems (systems), or single rows (shuffled, for comparison only).",
            metavar="HOW,...",
            group=_SCORES,
        ),
    ] = ("grouped", "regions", "systems")
    folds: Annotated[
        int, option("Number of parts for cross-validation, each of which is held out once.", group=_SCORES, ge=2)
    ] = 5
    repeats: Annotated[int, option("Number of random partitions into regions of composition.", group=_SCORES, ge=1)] = 2
    systems: Annotated[
        int,
        option(
            "Largest number of co-alloy systems that are held out; the largest systems come first.", group=_SCORES, ge=1
        ),
    ] = 10
    baselines: Annotated[
        tuple[Baseline, ...],
        BeforeValidator(words_of),
        option(
            "Classical models that are tested on the same samples; all, or none.",
            metavar="NAME,...",
            group=_SCORES,
        ),
    ] = ("all",)
    scoring_models: Annotated[
        int,
        option(
            "Number of models in the ensembles that are trained for the tests; fewer save time.", group=_SCORES, ge=1
        ),
    ] = 10

    def __post_init__(self) -> None:
        if not self.held_out:
            raise InputError("nothing would be held out; choose from grouped, regions, systems, shuffled.")


COMMAND = Command(
    "library learn",
    LearnSpec,
    __package__,
    example="matlens library learn photoanodes.csv --target P -o model",
    results=("model.json", "scores.csv", "held_out.csv"),
    workers=1,
)
