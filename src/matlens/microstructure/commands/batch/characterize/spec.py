"""The options of ``matlens batch characterize``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from matlens.core.settings import options
from matlens.microstructure.commands.batch.options import FILES, Batch, batch_of
from matlens.microstructure.commands.characterize.spec import COMMAND as INNER
from matlens.microstructure.commands.characterize.spec import CharacterizeSpec
from matlens.microstructure.commands.options import Files
from matlens.runs.command import Command

__all__ = ["COMMAND", "BatchCharacterizeSpec"]


@options
class BatchCharacterizeSpec(Batch, CharacterizeSpec):
    """Measure statistics of many micrographs or volumes, each by itself.

    The result is one table, with a row for each quantity of each file, and means and spreads of the samples of each
    group. A file that fails costs only itself. Each file has a run directory of its own below 'items'.
    """

    INNER: ClassVar[Command] = INNER
    INPUT: ClassVar[str] = "files"

    files: Annotated[Files, FILES]


COMMAND = batch_of(BatchCharacterizeSpec, "matlens batch characterize as_cast annealed -o measured --workers 4")
