"""The options of ``matlens draws``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import Seeded, Words, option, options
from matlens.runs.command import Command


@options
class DrawsSpec(Seeded):
    """Draw random numbers, each task in as many steps as are asked for."""

    n: Annotated[int, option("Number of tasks.", "-n", "--number", ge=1)] = 4
    steps: Annotated[int, option("Steps of each task, after each of which its state is saved.", ge=1)] = 1
    seconds: Annotated[float, option("Time of each step.", ge=0, unit="s")] = 0.0
    fail: Annotated[Words, option("Tasks that fail.", metavar="KEY,...")] = ()
    kill: Annotated[Words, option("Tasks that kill their process.", metavar="KEY,...")] = ()


COMMAND = Command("draws", DrawsSpec, __package__, "matlens draws -n 10", ("draws.csv",), workers=1, torch=False)
