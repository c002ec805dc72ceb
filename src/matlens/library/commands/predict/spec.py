"""The options of ``matlens library predict``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, option, options
from matlens.library.commands.options import ModelFolder, Path, Table
from matlens.runs.command import Command

__all__ = ["COMMAND", "PredictSpec"]


@options
class PredictSpec(Table, OnDevice):
    """Predict a figure of merit with prediction intervals, and mark samples that are unlike the training data.

    If the table holds measured values of the figure of merit, the predictions of new compositions are tested on them.
    """

    model: ModelFolder
    library: Annotated[
        Path,
        option(
            "Table or folder of new samples, with the same components (and the same axis of spectra) as the training "
            "data.",
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
)
