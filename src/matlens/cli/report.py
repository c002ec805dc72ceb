"""``matlens report``: write the report of a run directory again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument

from matlens.cli.options import Talk
from matlens.cli.work import start_talking

__all__ = ["report"]


def report(path: Annotated[Path, Argument(metavar="RUN", help="The run directory.")], talk: Talk) -> None:
    """Write a run's report.html and figures again from the tables it holds."""
    from matlens.report.build import build_report
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    with RunDirectory(path) as run:
        typer.echo(str(build_report(run)))
