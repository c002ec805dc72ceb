"""The options of ``matlens characterize``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import ChoiceOf, OnDevice, Seeded, Words, option, options
from matlens.microstructure.commands.options import Files, Micrographs
from matlens.microstructure.statistics import STATISTICS
from matlens.runs.command import Command

__all__ = ["COMMAND", "CharacterizeSpec"]


@options
class CharacterizeSpec(Micrographs, Seeded, OnDevice):
    """Measure statistics of micrographs: fractions, correlations, lineal path, clusters, surface and topology."""

    files: Annotated[
        Files,
        option(
            "Micrographs or volumes to measure; each is measured by itself.",
            argument=True,
            many=True,
            metavar="FILE",
            exists="path",
        ),
    ]
    statistics: Annotated[
        Words | None,
        ChoiceOf(lambda: tuple(STATISTICS), several=True),
        option("Statistics to compute, separated by commas; by default all.", metavar="NAME,..."),
    ] = None


COMMAND = Command(
    "characterize",
    CharacterizeSpec,
    __package__,
    example="matlens characterize sandstone.tif --spacing 2.8um -o measured",
    results=("statistics.nc", "statistics.csv"),
)
