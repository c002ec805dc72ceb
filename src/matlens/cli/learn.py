"""``matlens learn``: from labelled structures, or from a library, to a model of their property."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from matlens.cli.learn_library import LibraryAsked, LibraryReading, learn_library
from matlens.cli.learn_structures import StructureData, StructureModel, learn_structures
from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import machine_settings, start_talking, unasked
from matlens.errors import InputError

__all__ = ["learn"]


def learn(
    source: Annotated[
        str,
        Argument(
            metavar="SOURCE",
            help="Of structures: folder of pictures, HDF5 file, or run directory of generate. Of a library: a table "
            "(CSV, XLSX) of compositions, spectra and figures of merit, or a folder of a known layout.",
        ),
    ],
    chance: Seed,
    machine: Machine,
    place: Place,
    data: StructureData,
    model: StructureModel,
    cleaning: Cleaning,
    reading: LibraryReading,
    asked: LibraryAsked,
    talk: Talk,
    target: Annotated[str | None, Option(help="The property, or figure of merit, to learn: a column's name.")] = None,
) -> None:
    """Learn a property of microstructures, or a figure of merit of a library, and test it on what was held out."""
    from matlens.library.commands.source import is_library

    start_talking(talk)
    settings = {"environment": machine_settings(machine), "seed": chance.seed}
    if is_library(source):
        for of_structures in (data, model, cleaning):
            unasked(of_structures, "is for structures, and the source is a library")
        learn_library(source, target, reading, asked, settings, place, talk)
        return
    for of_libraries in (reading, asked):
        unasked(of_libraries, "is for libraries, and the source is structures")
    if target is None:
        raise InputError("found no property to learn; give --target, a column of the labels.")
    learn_structures(source, target, data, model, cleaning, settings, place, talk)
