"""``matlens inspect``: say what is understood of files; nothing is asked and nothing written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from matlens.cli.options import Verbosity
from matlens.cli.terminal import echo
from matlens.cli.work import set_up_logging
from matlens.core.settings import check_paths, option, options
from matlens.errors import MatlensError
from matlens.library.commands.options import Table, reading
from matlens.microstructure.commands.options import Files, Micrographs, cleaning_of
from matlens.runs.sources import kind_of_source

__all__ = ["InspectSpec", "inspect"]


@options
class InspectSpec(Micrographs, Table):
    """Say what is read from images, volumes and tables: size, pixel size, phases, and what would be assumed.

    A grey image is shown with the phases that other commands would take without options. Nothing is written.
    """

    files: Annotated[
        Files,
        option("Images, volumes or tables to look at.", argument=True, many=True, metavar="FILE", exists="path"),
    ]
    target: Annotated[
        str | None, option("Figure of merit of tables, which is never taken for a component.", metavar="NAME")
    ] = None


def inspect(spec: InspectSpec, verbosity: Verbosity) -> None:
    """Print the line of truth of each file, and the notes under it.

    Parameters
    ----------
    spec : InspectSpec
        Options of the command.
    verbosity : Verbosity
        Quiet leaves out the notes.

    Raises
    ------
    typer.Exit
        With code 2 if a file could not be read, after all others.
    """
    set_up_logging(verbosity)
    check_paths(spec)
    failed = False
    for file in spec.files:
        try:
            lines = _library(file, spec) if kind_of_source(file) == "library" else _structure(file, spec)
        except MatlensError as error:
            echo(f"matlens: {error}", error=True)
            failed = True
        else:
            for line in lines[:1] if verbosity.quiet else lines:
                echo(line)
    if failed:
        raise typer.Exit(2)


def _structure(file: str, spec: InspectSpec) -> list[str]:
    from matlens.microstructure.segmentation import load

    found = load(file, cleaning_of(spec), dataset=spec.dataset, propose=True)
    return [] if found.understood is None else found.understood.lines()


def _library(file: str, spec: InspectSpec) -> list[str]:
    from matlens.library.io import lines_of_truth, read_library

    asked = replace(reading(spec, spec.target), ignore_unread=True)  # files that are not read are noted
    library = read_library(file, options=asked, target=spec.target, varied=False)
    return lines_of_truth(library, Path(file).name)
