"""``matlens explain``: what a model has learned, and whether it is right."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from matlens.cli.explain_library import LibraryExplained, explain_library
from matlens.cli.explain_structures import StructuresAsked, explain_structures
from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import machine_settings, start_talking, unasked
from matlens.errors import InputError

__all__ = ["explain"]


def explain(
    model: Annotated[str, Argument(metavar="MODEL", help="Run directory of learn, or folder of a saved model.")],
    chance: Seed,
    machine: Machine,
    place: Place,
    pictured: StructuresAsked,
    cleaning: Cleaning,
    asked: LibraryExplained,
    talk: Talk,
    structures: Annotated[
        list[str] | None,
        Argument(
            metavar="[STRUCTURES...]",
            help="For a model of structures: pictures, folders, HDF5 files; best those not learned from. A model of a "
            "library holds what it needs.",
        ),
    ] = None,
) -> None:
    """Say what a model has learned: of structures, which pixels matter; of a library, gradients and what they support.

    What a model of structures says is scored against solving structures with pixels flipped.
    """
    from matlens.runs.models import kind_of_model

    start_talking(talk)
    kind = kind_of_model(model)
    settings = {"environment": machine_settings(machine), "seed": chance.seed}
    if kind == "library":
        if structures:
            raise InputError(
                f"found {structures[0]} beside the model of a library, which needs no files; leave it out."
            )
        for group in (pictured, cleaning):
            unasked(group, "is for models of structures, and this one is of a library")
        explain_library(model, asked, settings, place, talk)
        return
    unasked(asked, "is for models of a library, and this one is of structures")
    if not structures:
        raise InputError("found no structures to explain; name pictures, folders or sets behind the model.")
    explain_structures(model, structures, pictured, cleaning, settings, place, talk)
