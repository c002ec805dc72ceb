"""The options of ``matlens library predict``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, option, options
from matlens.library.commands.options import ModelFolder, Path, Table
from matlens.runs.command import Command

__all__ = ["COMMAND", "PredictSpec"]


@options
class PredictSpec(Table, OnDevice):
    """Predict a figure of merit with intervals, and mark samples that are unlike those learned from.

    Where the table has the figure of merit, too, predictions of new compositions are scored.
    """

    model: ModelFolder
    library: Annotated[
        Path,
        option(
            "Table or folder of samples with the components (and the axis) that the model learned from.",
            argument=True,
            metavar="LIBRARY",
            exists="path",
        ),
    ]


COMMAND = Command(
    "library predict",
    PredictSpec,
    __package__,
    example="matlens library predict model new_samples.csv -o predicted",
    results=("predictions.csv",),
    former=("predict-library",),
)
