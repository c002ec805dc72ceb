"""The options of ``matlens prune``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, Words, option, options
from matlens.microstructure.commands.options import Encoded, Files, Micrographs, Preset, Shape
from matlens.runs.command import Command

__all__ = ["COMMAND", "PruneSpec"]


@options
class PruneSpec(Encoded, Micrographs, Seeded, OnDevice):
    """Find how deep a network must be for a material: reconstruct it with ever fewer of the network's layers."""

    files: Annotated[
        Files,
        option("Micrographs, each of a material of its own.", argument=True, many=True, metavar="FILE", exists="file"),
    ]
    depths: Annotated[
        Words | None,
        option(
            "Layers to end at, e.g. none,conv1_1,pool1; by default the preset's loss layers, and none.",
            metavar="LAYER,...",
        ),
    ] = None
    shape: Annotated[
        Shape | None,
        option(
            "Size of what is made; by default 128x128. 64x64 is faster and less certain.",
            metavar="ROWSxCOLUMNS",
            unit="px",
        ),
    ] = None
    n: Annotated[int, option("Realisations of each material and depth.", "-n", "--number", ge=1)] = 2
    preset: Annotated[Preset, option("Settings of the matching engine.")] = "default"


COMMAND = Command(
    "prune",
    PruneSpec,
    __package__,
    example="matlens prune sandstone.tif --encoder vgg19-oxford -o pruned",
    results=("pruning.csv", "recommendation.json"),
)
