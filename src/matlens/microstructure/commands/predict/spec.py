"""The options of ``matlens predict``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, option, options
from matlens.microstructure.commands.options import File, OfModel
from matlens.runs.command import Command

__all__ = ["COMMAND", "PredictSpec"]


@options
class PredictSpec(OfModel, OnDevice):
    """Predict a property of structures, with prediction intervals, and mark structures unlike the training data."""

    labels: Annotated[
        File | None,
        option(
            "CSV table with the true property, one row for each file, to test the predictions.",
            metavar="CSV",
            exists="file",
        ),
    ] = None


COMMAND = Command(
    "predict",
    PredictSpec,
    __package__,
    example="matlens predict model sandstone.tif -o predicted",
    results=("predictions.csv",),
)
