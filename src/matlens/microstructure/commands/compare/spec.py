"""The options of ``matlens compare``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.microstructure.commands.options import File, Files, Micrographs
from matlens.runs.command import Command

__all__ = ["COMMAND", "CompareSpec"]


@options
class CompareSpec(Micrographs, Seeded, OnDevice):
    """Test whether a reconstructed structure is statistically equivalent to micrographs of the material.

    The differences are compared with those between windows of the micrographs themselves, and copied parts are looked
    for. The options 'From file to phases' apply to the micrographs; the result must hold phase labels already.
    """

    result: Annotated[
        File,
        option(
            "File of phase labels, or run directory of 'matlens reconstruct'.",
            argument=True,
            metavar="RESULT",
            exists="path",
        ),
    ]
    exemplars: Annotated[
        Files,
        option(
            "Micrographs of the material to compare with, all of one material.",
            argument=True,
            many=True,
            metavar="EXEMPLAR",
            exists="path",
        ),
    ]
    stiffness: Annotated[
        bool,
        option(
            "Compare the effective stiffness, too, besides the effective conductivity; takes longer.", "--stiffness"
        ),
    ] = False


COMMAND = Command(
    "compare",
    CompareSpec,
    __package__,
    example="matlens compare result.tif sandstone.tif -o compared",
    results=("errors.csv", "ratios.csv", "verdict.json"),
)
