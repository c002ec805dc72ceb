"""``matlens predict``: the property of structures, or of samples of a library, by a model that ``learn`` made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from matlens.cli.learn_library import LibraryReading
from matlens.cli.options import Cleaning, Machine, Place, Talk
from matlens.cli.predict_library import predict_library
from matlens.cli.work import complete, machine_settings, say, start_talking, unasked
from matlens.errors import InputError

__all__ = ["predict"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What goes with the structures."""

    labels: Annotated[Path | None, Option(help="CSV table with the property, to score the predictions.")] = None
    weights: Annotated[Path | None, Option(help="File with the encoder's weights, if learn was given one.")] = None


def predict(
    model: Annotated[str, Argument(metavar="MODEL", help="Run directory of learn, or folder of a saved model.")],
    sources: Annotated[
        list[str],
        Argument(
            metavar="SOURCES...",
            help="For a model of structures: pictures or volumes of any size, folders, HDF5 files. For a model of a "
            "library: one table, or folder, of samples with the same components (and axis).",
        ),
    ],
    asked: Asked,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    reading: LibraryReading,
    talk: Talk,
) -> None:
    """Predict a property, with intervals, and say where structures or samples are unlike those learned from."""
    from matlens.microstructure.commands.predict.run import PredictOrder, predict_in
    from matlens.runs.directory import RunDirectory
    from matlens.runs.models import kind_of_model

    start_talking(talk)
    if kind_of_model(model) == "library":
        for of_structures in (asked, cleaning):
            unasked(of_structures, "is for models of structures, and this one is of a library")
        if len(sources) > 1:
            raise InputError(f"found {len(sources)} sources, and a model of a library takes one table; name one.")
        predict_library(model, sources[0], reading, {"environment": machine_settings(machine)}, place, talk)
        return
    unasked(reading, "is for models of a library, and this one is of structures")
    environment = machine_settings(machine)
    order = PredictOrder(
        model,
        tuple(sources),
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
