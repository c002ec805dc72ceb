"""The options of ``matlens compare``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, option, options
from matlens.microstructure.commands.options import File, Files, Micrographs
from matlens.runs.command import Command

__all__ = ["COMMAND", "CompareSpec"]


@options
class CompareSpec(Micrographs, Seeded, OnDevice):
    """Compare a result with one or more exemplars: errors, R with its interval, verdicts, controls and copy test.

    The options from file to phases are for the exemplars; the result must hold labels.
    """

    result: Annotated[
        File,
        option(
            "A labelled file, or a run directory with realisations.", argument=True, metavar="RESULT", exists="path"
        ),
    ]
    exemplars: Annotated[
        Files,
        option("Micrographs of one material.", argument=True, many=True, metavar="EXEMPLAR", exists="file"),
    ]
    stiffness: Annotated[bool, option("Judge by the effective stiffness too; takes longer.", "--stiffness")] = False


COMMAND = Command(
    "compare",
    CompareSpec,
    __package__,
    example="matlens compare result.tif sandstone.tif -o compared",
    results=("errors.csv", "ratios.csv", "verdict.json"),
)
