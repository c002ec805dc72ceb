"""What ``matlens learn`` does where the source is a library: what may be asked, and the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from matlens.cli.options import Place, Talk
from matlens.cli.work import complete, say, words

if TYPE_CHECKING:
    from matlens.library.commands.learn.run import LibraryModelOptions, Scoring

__all__ = ["LibraryAsked", "LibraryReading", "learn_library"]

_READING = "Libraries: how the table is read (default: as its columns say)"
_MODEL = "Libraries: model, and samples held out"


@dataclass(frozen=True, kw_only=True)
class LibraryReading:
    """How the table of a library is read."""

    components: Annotated[
        str | None, Option(metavar="NAME,...", help="Columns of the fractions.", rich_help_panel=_READING)
    ] = None
    sample: Annotated[str | None, Option(metavar="NAME", help="Column of the ids.", rich_help_panel=_READING)] = None
    covariates: Annotated[
        str | None, Option(metavar="NAME,...", help="Columns such as plate, x, y.", rich_help_panel=_READING)
    ] = None
    spectra: Annotated[
        Path | None,
        Option(help="File or folder with the spectra, where the table has none.", rich_help_panel=_READING),
    ] = None
    axis_columns: Annotated[
        str | None,
        Option(metavar="FIRST:LAST", help="Columns of the spectrum, or none.", rich_help_panel=_READING),
    ] = None
    axis_name: Annotated[str | None, Option(help='E.g. "Raman shift".', rich_help_panel=_READING)] = None
    axis_unit: Annotated[str | None, Option(help="E.g. cm-1.", rich_help_panel=_READING)] = None
    fraction_unit: Annotated[str | None, Option(help="fraction or percent.", rich_help_panel=_READING)] = None
    fraction_name: Annotated[str | None, Option(help="at%, wt% ...", rich_help_panel=_READING)] = None
    unit: Annotated[str | None, Option(help="Unit of the figure of merit.", rich_help_panel=_READING)] = None
    censored: Annotated[
        str | None,
        Option(metavar="LIMIT", help="Saturated from there: >10, or <0.1.", rich_help_panel=_READING),
    ] = None
    sheet: Annotated[str | None, Option(help="Sheet of a workbook.", rich_help_panel=_READING)] = None

    def settings(self, target: str | None) -> dict[str, Any]:
        """Make the library's settings of them, and check them."""
        from matlens.library.io import LibraryOptions

        return LibraryOptions(
            components=words(self.components),
            covariates=words(self.covariates),
            sample=self.sample,
            spectra=None if self.spectra is None else str(self.spectra.absolute()),
            axis_columns=self.axis_columns,
            axis_name=self.axis_name,
            axis_unit=self.axis_unit,
            fraction_unit=self.fraction_unit,
            fraction_name=self.fraction_name,
            merit_units=(f"{target}={self.unit}",) if self.unit else (),
            censored=(f"{target}{self.censored}",) if self.censored else (),
            sheet=self.sheet,
        ).settings()


@dataclass(frozen=True, kw_only=True)
class LibraryAsked:
    """What is learned from a library, and how it is scored."""

    preset: Annotated[str, Option(help="default, or umehara2019 as published.", rich_help_panel=_MODEL)] = "default"
    inputs: Annotated[
        str, Option(help="auto (all there is), composition, spectrum or both.", rich_help_panel=_MODEL)
    ] = "auto"
    models: Annotated[int, Option(min=1, help="Members of the ensemble.", rich_help_panel=_MODEL)] = 50
    resample: Annotated[
        str, Option(help="What members see: auto, none, bootstrap or groups.", rich_help_panel=_MODEL)
    ] = "auto"
    transform: Annotated[
        str, Option(help="Of the figure of merit: none or log10; gradients are then of it.", rich_help_panel=_MODEL)
    ] = "none"
    prepare: Annotated[
        str | None,
        Option(
            metavar="STEP,...",
            help="Of each spectrum, in this order: crop:LOW:HIGH, resample:STEP, despike, band-maximum:LOW:HIGH, area, "
            "snv, baseline.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    held_out: Annotated[
        str,
        Option(metavar="HOW,...", help="grouped (by composition), regions, systems, shuffled.", rich_help_panel=_MODEL),
    ] = "grouped,regions,systems"
    folds: Annotated[int, Option(min=2, help="Of each partition.", rich_help_panel=_MODEL)] = 5
    repeats: Annotated[int, Option(min=1, help="Partitions into regions.", rich_help_panel=_MODEL)] = 2
    systems: Annotated[
        int, Option(min=1, help="Co-alloy systems left out at most, the largest ones.", rich_help_panel=_MODEL)
    ] = 10
    baselines: Annotated[
        str,
        Option(
            metavar="NAME,...",
            help="all, none, or some of ridge, pls, random-forest, kernel-ridge, gaussian-process.",
            rich_help_panel=_MODEL,
        ),
    ] = "all"
    scoring_models: Annotated[
        int, Option(min=1, help="Members where samples are held out.", rich_help_panel=_MODEL)
    ] = 10

    def options(self) -> LibraryModelOptions:
        """Make the model's options of them, and check them."""
        from matlens.library.commands.learn.run import LibraryModelOptions

        return LibraryModelOptions(
            self.preset, self.inputs, self.models, self.resample, self.transform, words(self.prepare)
        )

    def scoring(self) -> Scoring:
        """Make the scoring's options of them, and check them."""
        from matlens.library.commands.learn.run import Scoring

        return Scoring(
            words(self.held_out),
            self.folds,
            self.repeats,
            self.systems,
            words(self.baselines),
            self.scoring_models,
        )


def learn_library(
    source: str,
    target: str | None,
    reading: LibraryReading,
    asked: LibraryAsked,
    settings: dict[str, Any],
    place: Place,
    talk: Talk,
) -> None:
    """Learn a figure of merit from a library; ``settings`` holds seed and environment."""
    from matlens.library.commands.learn.run import LearnLibraryOrder, learn_library_in
    from matlens.library.commands.source import LibrarySource
    from matlens.runs.directory import RunDirectory

    order = LearnLibraryOrder(
        LibrarySource(source, reading.settings(target)),
        target,
        asked.options(),
        asked.scoring(),
        settings["seed"],
        settings["environment"]["device"],
    )
    library = order.source.read()
    order = order.resolved(library)
    run = RunDirectory.create(place.output, "learn-library", {**settings, **order.settings()}, force=place.force)
    say(talk, f"{order.target}: {library!r}")
    complete(run, talk, step=lambda run, progress: learn_library_in(run, progress, library))
