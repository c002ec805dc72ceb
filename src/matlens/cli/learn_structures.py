"""What ``matlens learn`` does where the source is microstructures: what may be asked, and the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from matlens.cli.options import Cleaning, Place, Talk
from matlens.cli.work import complete, say
from matlens.errors import InputError

if TYPE_CHECKING:
    from matlens.microstructure.commands.learn.run import ModelOptions

__all__ = ["StructureData", "StructureModel", "learn_structures"]

_PANEL = "Structures: labels, model, test"


@dataclass(frozen=True, kw_only=True)
class StructureData:
    """What is learned from."""

    labels: Annotated[
        Path | None,
        Option(help="CSV table, one row a structure: its file's name, and its properties.", rich_help_panel=_PANEL),
    ] = None
    test: Annotated[
        Path | None,
        Option(
            help="Labelled structures to test on: an HDF5 file, or a CSV table that names them.", rich_help_panel=_PANEL
        ),
    ] = None
    curve: Annotated[
        str | None,
        Option(
            metavar="N,...",
            help="Also a learning curve at these numbers of structures, as 25,50,100.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    draws: Annotated[int, Option(min=1, help="How often each of these numbers is drawn.", rich_help_panel=_PANEL)] = 3


@dataclass(frozen=True, kw_only=True)
class StructureModel:
    """What model."""

    encoder: Annotated[
        str, Option(help="auto, filterbank, vgg19-oxford or vgg19-torchvision.", rich_help_panel=_PANEL)
    ] = "auto"
    weights: Annotated[Path | None, Option(help="File with the encoder's weights.", rich_help_panel=_PANEL)] = None
    depth: Annotated[
        str, Option(help="Last layer: auto, its name, or the run directory of a pruning study.", rich_help_panel=_PANEL)
    ] = "auto"
    head: Annotated[
        str,
        Option(
            help="auto, ridge, gp, boosting, or network-frozen, -partly-frozen, -free, -scratch.",
            rich_help_panel=_PANEL,
        ),
    ] = "auto"
    features: Annotated[str, Option(help="encoder, two-point or volume-fraction.", rich_help_panel=_PANEL)] = "encoder"
    scale: Annotated[
        str, Option(help="auto, linear, log, or bounds (needs values of the phases).", rich_help_panel=_PANEL)
    ] = "auto"
    phase_values: Annotated[
        str | None,
        Option(
            metavar="V,...",
            help="The property of each phase alone; default: what a name as k_00_c50 tells.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    coverage: Annotated[
        float, Option(help="Share of new structures that should lie inside the intervals.", rich_help_panel=_PANEL)
    ] = 0.9


def learn_structures(
    source: str,
    target: str,
    data: StructureData,
    model: StructureModel,
    cleaning: Cleaning,
    settings: dict[str, Any],
    place: Place,
    talk: Talk,
) -> None:
    """Learn a property of labelled microstructures; ``settings`` holds seed and environment."""
    from matlens.microstructure.commands.learn.run import LearnOrder, learn_in
    from matlens.runs.directory import RunDirectory

    order = LearnOrder(
        source,
        None if data.labels is None else str(data.labels),
        target,
        options_of(model),
        None if data.test is None else str(data.test),
        parse_numbers(data.curve),
        data.draws,
        cleaning.options().settings(),
        settings["seed"],
        settings["environment"]["device"],
    )
    found = order.read()
    order = order.resolved(found)
    run = RunDirectory.create(place.output, "learn", {**order.settings(), **settings}, force=place.force)
    train, test = found
    size = "x".join(str(side) for side in train.shape)
    tested = "" if test is None else f", tested on {len(test)} more"
    say(talk, f"{target} of {len(train)} structures of {size} px{tested}")
    complete(run, talk, step=lambda run, progress: learn_in(run, progress, found))


def options_of(model: StructureModel) -> ModelOptions:
    """Make the library's options of a command's, with the depth that a pruning study recommends read from it."""
    from matlens.microstructure.commands.learn.run import ModelOptions
    from matlens.microstructure.pruning import read_recommendation
    from matlens.microstructure.pruning.recommendation import studied_encoder

    encoder, depth = model.encoder, model.depth
    if Path(depth).is_dir() or len(Path(depth).parts) > 1:
        encoder = studied_encoder(depth) if encoder == "auto" and model.weights is None else encoder
        depth = read_recommendation(depth)
    return ModelOptions(
        encoder,
        None if model.weights is None else str(model.weights),
        depth,
        model.head,
        model.features,
        model.scale,
        parse_phase_values(model.phase_values),
        model.coverage,
    )


def parse_numbers(text: str | None) -> tuple[int, ...]:
    """Read ``25,50,100``.

    Examples
    --------
    >>> parse_numbers("25,50"), parse_numbers(None)
    ((25, 50), ())
    """
    try:
        return () if text is None else tuple(dict.fromkeys(int(word) for word in text.split(",")))
    except ValueError:
        raise InputError(f"the numbers {text!r} are not understood; write them as 25,50,100.") from None


def parse_phase_values(text: str | None) -> tuple[float, ...] | None:
    """Read ``1,50``, or ``none``.

    Examples
    --------
    >>> parse_phase_values("1,50"), parse_phase_values("none"), parse_phase_values(None)
    ((1.0, 50.0), (), None)
    """
    try:
        return None if text is None else () if text == "none" else tuple(float(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"the phase values {text!r} are not understood; write a number for each phase, as 1,50, or none."
        ) from None
