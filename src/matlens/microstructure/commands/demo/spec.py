"""The options of ``matlens demo``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.runs.command import Command

__all__ = ["COMMAND", "DemoSpec"]


@options
class DemoSpec(Seeded, OnDevice):
    """Reconstruct a photograph of gravel and a bicontinuous structure, which are part of MatLens.

    For a combinatorial library see matlens library demo.
    """

    paper: Annotated[bool, option("The seven materials of Li et al. 2018 instead.", "--paper")] = False


COMMAND = Command("demo", DemoSpec, __package__, example="matlens demo -o demo", results=("report.html",))
