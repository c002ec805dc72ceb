"""The options of ``matlens batch reconstruct``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from matlens.core.settings import options
from matlens.microstructure.commands.batch.options import FILES, Batch, batch_of
from matlens.microstructure.commands.options import Files
from matlens.microstructure.commands.reconstruct.spec import COMMAND as INNER
from matlens.microstructure.commands.reconstruct.spec import ReconstructSpec
from matlens.runs.command import Command

__all__ = ["COMMAND", "BatchReconstructSpec"]


@options
class BatchReconstructSpec(Batch, ReconstructSpec):
    """Reconstruct many micrographs, each of a material of its own.

    The result is one table, with a row for each quantity of each file, and means and spreads of the samples of each
    group. A file that fails costs only itself. Each file has a run directory of its own below 'items'.
    """

    INNER: ClassVar[Command] = INNER
    INPUT: ClassVar[str] = "files"

    files: Annotated[Files, FILES]


COMMAND = batch_of(BatchReconstructSpec, "matlens batch reconstruct samples.csv -o rebuilt --workers 4")
