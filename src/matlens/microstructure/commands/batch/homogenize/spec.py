"""The options of ``matlens batch homogenize``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from matlens.core.settings import options
from matlens.microstructure.commands.batch.options import FILES, Batch, batch_of
from matlens.microstructure.commands.homogenize.spec import COMMAND as INNER
from matlens.microstructure.commands.homogenize.spec import HomogenizeSpec
from matlens.microstructure.commands.options import Files
from matlens.runs.command import Command

__all__ = ["COMMAND", "BatchHomogenizeSpec"]


@options
class BatchHomogenizeSpec(Batch, HomogenizeSpec):
    """Compute the effective conductivity or stiffness of many microstructures.

    The result is one table, with a row for each quantity of each file, and means and spreads of the samples of each
    group. A file that fails costs only itself. Each file has a run directory of its own below 'items'.
    """

    INNER: ClassVar[Command] = INNER
    INPUT: ClassVar[str] = "file"

    file: Annotated[Files, FILES]  # type: ignore[assignment]


COMMAND = batch_of(BatchHomogenizeSpec, "matlens batch homogenize scans/*.tif --conductivity 0=1,1=50 -o effective")
