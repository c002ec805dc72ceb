"""The options that say where results go and how much is printed; they change no result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from matlens.core.settings import option, options

__all__ = ["Place", "Talk"]

_RUN = "Run"


@options
class Place:
    """Where results go."""

    output: Annotated[
        Path | None,
        option("The run directory; by default runs/DATE-COMMAND.", "-o", "--output", metavar="RUN", group=_RUN),
    ] = None
    force: Annotated[
        bool, option("Replace an earlier run there; files of other origin are left alone.", "--force", group=_RUN)
    ] = False


@options
class Talk:
    """How much is printed."""

    quiet: Annotated[bool, option("Print only where the results are.", "-q", "--quiet", group=_RUN)] = False
    verbose: Annotated[bool, option("Also print what happens inside.", "-v", "--verbose", group=_RUN)] = False
