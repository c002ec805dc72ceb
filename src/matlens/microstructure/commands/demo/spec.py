"""The options of ``matlens demo``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.runs.command import Command

__all__ = ["COMMAND", "DemoSpec"]


@options
class DemoSpec(Seeded, OnDevice):
    """Reconstruct a material from a photograph of it that is installed with MatLens: gravel, stones and gaps.

    For a combinatorial library see 'matlens library demo'.
    """

    paper: Annotated[
        bool,
        option(
            "Reconstruct the seven materials of Li et al. (2018) instead; bring their images with 'matlens fetch "
            "li2018'.",
            "--paper",
        ),
    ] = False


COMMAND = Command("demo", DemoSpec, __package__, example="matlens demo -o demo", results=("report.html",))
