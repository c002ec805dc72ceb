"""``matlens predict``: the property of structures by a model that ``learn`` made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from matlens.cli.options import Cleaning, Machine, Place, Talk
from matlens.cli.work import complete, machine_settings, say, start_talking
from matlens.errors import InputError

__all__ = ["predict"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What goes with the structures."""

    labels: Annotated[Path | None, Option(help="CSV table with the property, to score the predictions.")] = None
    weights: Annotated[Path | None, Option(help="File with the encoder's weights, if learn was given one.")] = None


def predict(
    model: Annotated[str, Argument(metavar="MODEL", help="Run directory of learn, or folder of a saved model.")],
    structures: Annotated[
        list[str], Argument(metavar="STRUCTURES...", help="Pictures or volumes of any size, folders, HDF5 files.")
    ],
    asked: Asked,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
) -> None:
    """Predict the property of structures, with intervals and a flag where they are unlike those learned from."""
    from matlens.runs import PredictOrder, RunDirectory, kind_of_model, predict_in

    start_talking(talk)
    if kind_of_model(model) == "library":
        raise InputError(
            f"{model} holds the model of a library, and predict is for structures; use 'matlens suggest', or "
            "LibraryModel.predict_interval in Python."
        )
    environment = machine_settings(machine)
    order = PredictOrder(
        model,
        tuple(structures),
        None if asked.labels is None else str(asked.labels),
        None if asked.weights is None else str(asked.weights),
        cleaning.options().settings(),
        environment["device"],
    )
    found = order.read()
    target = order.read_model().target_
    order = order.resolved(found)
    run = RunDirectory.create(
        place.output, "predict", {**order.settings(), "environment": environment}, force=place.force
    )
    say(talk, f"{target} of {len(found)} structures")
    complete(run, talk, step=lambda run, progress: predict_in(run, progress, found))
