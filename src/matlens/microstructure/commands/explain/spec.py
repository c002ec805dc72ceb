"""The options of ``matlens explain``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.microstructure.commands.options import OfModel, PhaseValues
from matlens.runs.command import Command

__all__ = ["COMMAND", "ExplainSpec"]


@options
class ExplainSpec(OfModel, Seeded, OnDevice):
    """Map which pixels of a structure matter to the property that a model predicts.

    Structures outside the training data show most. Where the property is a conductivity, the maps are
    compared with physics: single pixels are changed to the other phase, and the conductivity is computed anew.
    """

    n: Annotated[
        int, option("Largest number of structures to explain, taken evenly from those given.", "-n", "--number", ge=1)
    ] = 24
    flips: Annotated[
        int,
        option(
            "Number of interface pixels of each structure that are changed to the other phase to compute their effect.",
            ge=6,
        ),
    ] = 40
    conductivity: Annotated[
        PhaseValues | None,
        option(
            "Conductivity of each phase, by number, name or value in the file, e.g. 0=1.0,1=50; needed where the model "
            "does not know it.",
            metavar="PHASE=VALUE,...",
        ),
    ] = None


COMMAND = Command(
    "explain",
    ExplainSpec,
    __package__,
    example="matlens explain model structures/test.h5 -o explained",
    results=("map_0.nc", "agreement.csv", "summary.csv"),
    workers=1,
)
