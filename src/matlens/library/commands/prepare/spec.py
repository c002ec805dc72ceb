"""The options of ``matlens library prepare``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import Words, option, options
from matlens.errors import InputError
from matlens.library.commands.options import LibraryFile, Table
from matlens.runs.command import Command

__all__ = ["COMMAND", "PrepareSpec"]


@options
class PrepareSpec(Table):
    """Read a library, prepare its spectra, and write one table with all of it.

    The report says what was understood of the files, and what each step changed. All other commands read the
    table.
    """

    library: LibraryFile
    preprocessing: Annotated[
        Words,
        option(
            "Steps in the order given, as in 'library learn': crop:LOW:HIGH, cut:LOW:HIGH, resample:STEP, "
            "calibrate:FOUND:TRUE, smooth:CHANNELS:ORDER, despike, band-maximum:LOW:HIGH, area, snv, detrend, "
            "baseline.",
            "--preprocessing",
            "--prepare",
            metavar="STEP,...",
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Check the steps where their module is loaded: when the library is read."""
        if any(not step for step in self.preprocessing):
            raise InputError("a step of the preprocessing is empty; give names such as despike,baseline.")


COMMAND = Command(
    "library prepare",
    PrepareSpec,
    __package__,
    example="matlens library prepare spectra_folder --prepare despike,baseline -o prepared",
    results=("library.csv", "steps.csv", "effect.csv"),
)
