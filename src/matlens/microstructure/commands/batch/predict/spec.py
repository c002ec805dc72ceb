"""The options of ``matlens batch predict``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from matlens.core.settings import options
from matlens.microstructure.commands.batch.options import FILES, Batch, batch_of
from matlens.microstructure.commands.options import Files
from matlens.microstructure.commands.predict.spec import COMMAND as INNER
from matlens.microstructure.commands.predict.spec import PredictSpec
from matlens.runs.command import Command

__all__ = ["COMMAND", "BatchPredictSpec"]


@options
class BatchPredictSpec(Batch, PredictSpec):
    """Predict a property of many structures, each file by itself.

    The result is one table, with a row for each quantity of each file, and means and spreads of the samples of each
    group. A file that fails costs only itself. Each file has a run directory of its own below 'items'.
    """

    INNER: ClassVar[Command] = INNER
    INPUT: ClassVar[str] = "structures"

    structures: Annotated[Files, FILES]


COMMAND = batch_of(BatchPredictSpec, "matlens batch predict model samples.csv -o predicted")
