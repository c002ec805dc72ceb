"""The options of ``matlens library demo``."""

from __future__ import annotations

from matlens.core.settings import OnDevice, Seeded, options
from matlens.runs.command import Command

__all__ = ["COMMAND", "DemoSpec"]


@options
class DemoSpec(Seeded, OnDevice):
    """Learn from a library of photoanodes of a known law, explain the model, and suggest what to make next.

    The library is made up, with the columns and the layout of Umehara et al. (2019).
    """


COMMAND = Command(
    "library demo",
    DemoSpec,
    __package__,
    example="matlens library demo -o demo",
    results=("report.html",),
)
