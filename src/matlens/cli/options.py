"""The options that say where results go and how much is printed; they change no result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from matlens.core.settings import option, options

__all__ = ["Destination", "Verbosity"]

_RUN = "Run"


@options
class Destination:
    """Options that say where results go."""

    output: Annotated[
        Path | None,
        option(
            "Folder for the results (run directory); by default runs/DATE-COMMAND.",
            "-o",
            "--output",
            metavar="RUN",
            group=_RUN,
        ),
    ] = None
    open: Annotated[bool, option("Open the report in the web browser when it is finished.", "--open", group=_RUN)] = (
        False
    )
    force: Annotated[
        bool,
        option(
            "Replace an earlier run in that folder; files that MatLens did not write, or that were changed, stay.",
            "--force",
            group=_RUN,
        ),
    ] = False


@options
class Verbosity:
    """Options that say how much is printed."""

    quiet: Annotated[bool, option("Print only the folder of the results.", "-q", "--quiet", group=_RUN)] = False
    verbose: Annotated[bool, option("Print messages on the steps of the work, too.", "-v", "--verbose", group=_RUN)] = (
        False
    )
