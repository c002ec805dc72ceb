"""The options of ``matlens characterize``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.memory import parse_size
from matlens.core.settings import ChoiceOf, OnDevice, Seeded, Words, option, options
from matlens.microstructure.commands.options import Files, Micrographs
from matlens.microstructure.statistics import STATISTICS
from matlens.runs.command import Command

__all__ = ["COMMAND", "CharacterizeSpec"]

_BLOCKS = "Volumes larger than memory"


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
        option(
            "Statistics to compute, separated by commas; by default all, and in blocks all that can be taken so.",
            metavar="NAME,...",
        ),
    ] = None
    memory: Annotated[
        str | None,
        option(
            "Memory that the process may take, e.g. 1.5GB; a volume that needs more is measured in blocks. By default "
            "four fifths of what is free.",
            metavar="SIZE",
            group=_BLOCKS,
        ),
    ] = None
    blocks: Annotated[bool, option("Measure in blocks, also what would fit the memory.", group=_BLOCKS)] = False
    reach: Annotated[
        int, option("Largest distance of two-point probabilities in blocks.", unit="px", group=_BLOCKS, ge=1)
    ] = 64

    def __post_init__(self) -> None:
        if self.memory is not None:
            parse_size(self.memory)


COMMAND = Command(
    "characterize",
    CharacterizeSpec,
    __package__,
    example="matlens characterize sandstone.tif --spacing 2.8um -o measured",
    results=("statistics.nc", "statistics.csv"),
    workers=1,
)
