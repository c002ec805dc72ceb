"""The options of ``matlens explain``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.microstructure.commands.options import OfModel, PhaseValues
from matlens.runs.command import Command

__all__ = ["COMMAND", "ExplainSpec"]


@options
class ExplainSpec(OfModel, Seeded, OnDevice):
    """Map which pixels matter to a model's predictions; best of structures that it has not learned from.

    Maps are scored against solving structures with pixels flipped, where the property is a conductivity.
    """

    n: Annotated[int, option("Structures at most, spread evenly over those given.", "-n", "--number", ge=1)] = 24
    flips: Annotated[int, option("Interface pixels of each that are flipped and solved.", ge=6)] = 40
    conductivity: Annotated[
        PhaseValues | None,
        option("Of the phases, where the model does not know: 0=1.0,1=50.", metavar="PHASE=VALUE,..."),
    ] = None


COMMAND = Command(
    "explain",
    ExplainSpec,
    __package__,
    example="matlens explain model structures/test.h5 -o explained",
    results=("map_0.nc", "agreement.csv", "summary.csv"),
)
