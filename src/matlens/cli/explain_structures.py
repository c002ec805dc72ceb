"""What ``matlens explain`` does with a model of microstructures: what may be asked, and the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from matlens.cli.homogenize import parse_values
from matlens.cli.options import Cleaning, Place, Talk
from matlens.cli.work import complete, say

__all__ = ["StructuresAsked", "explain_structures"]

_PANEL = "Structures"


@dataclass(frozen=True, kw_only=True)
class StructuresAsked:
    """How much is explained."""

    n: Annotated[
        int,
        Option(
            "-n",
            "--number",
            min=1,
            help="Structures at most, spread evenly over those given.",
            rich_help_panel=_PANEL,
        ),
    ] = 24
    flips: Annotated[
        int, Option(min=6, help="Interface pixels of each that are flipped and solved.", rich_help_panel=_PANEL)
    ] = 40
    conductivity: Annotated[
        str | None,
        Option(
            metavar="PHASE=VALUE,...",
            help="Of the phases, where the model does not know: 0=1.0,1=50.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    weights: Annotated[
        Path | None, Option(help="File with the encoder's weights, if learn was given one.", rich_help_panel=_PANEL)
    ] = None


def explain_structures(
    model: str,
    structures: Sequence[str],
    asked: StructuresAsked,
    cleaning: Cleaning,
    settings: dict[str, Any],
    place: Place,
    talk: Talk,
) -> None:
    """Map where a model sees a property come from; ``settings`` holds seed and environment."""
    from matlens.microstructure.commands.explain.run import ExplainOrder, sensitivity_in
    from matlens.microstructure.commands.predict.run import PredictOrder
    from matlens.microstructure.physics import phase_values
    from matlens.runs.directory import RunDirectory

    weights = None if asked.weights is None else str(asked.weights)
    device = settings["environment"]["device"]
    source = PredictOrder(model, tuple(structures), None, weights, cleaning.options().settings(), device)
    found = source.read()
    target = source.read_model().target_
    given = parse_values(asked.conductivity, "--conductivity")
    values = None if given is None else tuple(float(v) for v in phase_values(found[0].structure, given, "conductivity"))
    order = ExplainOrder(source, asked.n, asked.flips, values, settings["seed"]).resolved(found)
    run = RunDirectory.create(place.output, "explain", {**order.settings(), **settings}, force=place.force)
    say(talk, f"{target} of {min(asked.n, len(found))} structures")
    complete(run, talk, step=lambda run, progress: sensitivity_in(run, progress, found))
