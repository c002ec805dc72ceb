"""The options of ``matlens prune``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, Shares, Words, option, options
from matlens.microstructure.commands.options import Encoded, Files, Micrographs, Preset, Shape
from matlens.runs.command import Command

__all__ = ["COMMAND", "PruneSpec"]


@options
class PruneSpec(Encoded, Micrographs, Seeded, OnDevice):
    """Find which layers or channels of a network a material needs: reconstruct it with ever fewer, and compare."""

    files: Annotated[
        Files,
        option("Micrographs, each of another material.", argument=True, many=True, metavar="FILE", exists="path"),
    ]
    depths: Annotated[
        Words | None,
        option(
            "Deepest layer of each reconstruction, e.g. none,conv1_1,pool1, where none uses no layer at all; by "
            "default every layer that the preset uses, and none. With --widths, the one layer at which the network "
            "ends.",
            metavar="LAYER,...",
        ),
    ] = None
    widths: Annotated[
        Shares | None,
        option(
            "Study widths instead of depths: shares of the channels of every layer that a network pruned for the "
            "material keeps, e.g. 1,1/2,1/4,1/8,0, where 0 uses no network at all; for matlens and vgg19 encoders.",
            metavar="SHARE,...",
        ),
    ] = None
    shape: Annotated[
        Shape | None,
        option(
            "Size of the reconstructions; by default 128x128. 64x64 is faster and less certain.",
            metavar="ROWSxCOLUMNS",
            unit="px",
        ),
    ] = None
    n: Annotated[
        int, option("Number of reconstructions of each material with each network.", "-n", "--number", ge=1)
    ] = 2
    preset: Annotated[
        Preset,
        option(
            "Settings of the reconstruction: default; fast, with fewer iterations; or li2018, as published by Li et "
            "al. (2018)."
        ),
    ] = "default"


COMMAND = Command(
    "prune",
    PruneSpec,
    __package__,
    example="matlens prune sandstone.tif --encoder vgg19-oxford -o pruned",
    results=("pruning.csv", "recommendation.json"),
    workers=1,
)
