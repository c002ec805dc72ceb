"""The options of ``matlens characterize``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.microstructure.commands.options import Files, Micrographs
from matlens.runs.command import Command

__all__ = ["COMMAND", "CharacterizeSpec"]


@options
class CharacterizeSpec(Micrographs, Seeded, OnDevice):
    """Measure the statistics of micrographs: fractions, correlations, lineal path, clusters, surface and topology."""

    files: Annotated[Files, option("Micrographs to measure.", argument=True, many=True, metavar="FILE", exists="file")]


COMMAND = Command(
    "characterize",
    CharacterizeSpec,
    __package__,
    example="matlens characterize sandstone.tif --spacing 2.8um -o measured",
    results=("statistics.nc", "statistics.csv"),
)
