"""``matlens explain``: where a model says that a property comes from, and whether it is right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from matlens.cli.homogenize import parse_values
from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import complete, machine_settings, say, start_talking

__all__ = ["explain"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How much is explained."""

    n: Annotated[int, Option("-n", "--number", min=1, help="Structures at most, spread evenly over those given.")] = 24
    flips: Annotated[int, Option(min=6, help="Interface pixels of each that are flipped and solved.")] = 40
    conductivity: Annotated[
        str | None,
        Option(metavar="PHASE=VALUE,...", help="Of the phases, where the model does not know: 0=1.0,1=50."),
    ] = None
    weights: Annotated[Path | None, Option(help="File with the encoder's weights, if learn was given one.")] = None


def explain(
    model: Annotated[str, Argument(metavar="MODEL", help="Run directory of learn, or folder of a saved model.")],
    structures: Annotated[
        list[str], Argument(metavar="STRUCTURES...", help="Pictures, folders, HDF5 files; best those not learned from.")
    ],
    asked: Asked,
    chance: Seed,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
) -> None:
    """Map where a model sees a property come from, and score it against solving structures with pixels flipped."""
    from matlens.physics import phase_values
    from matlens.runs import ExplainOrder, PredictOrder, RunDirectory, sensitivity_in
    from matlens.runs.sensitivity import model_of

    start_talking(talk)
    model_of(model)
    environment = machine_settings(machine)
    weights = None if asked.weights is None else str(asked.weights)
    source = PredictOrder(model, tuple(structures), None, weights, cleaning.options().settings(), environment["device"])
    found = source.read()
    target = source.read_model().target_
    given = parse_values(asked.conductivity, "--conductivity")
    values = None if given is None else tuple(float(v) for v in phase_values(found[0].structure, given, "conductivity"))
    order = ExplainOrder(source, asked.n, asked.flips, values, chance.seed).resolved(found)
    run = RunDirectory.create(
        place.output, "explain", {**order.settings(), "environment": environment}, force=place.force
    )
    say(talk, f"{target} of {min(asked.n, len(found))} structures")
    complete(run, talk, step=lambda run, progress: sensitivity_in(run, progress, found))
