"""The options of ``matlens library demo``."""

from __future__ import annotations

from matlens.core.settings import OnDevice, Seeded, options
from matlens.runs.command import Command

__all__ = ["COMMAND", "DemoSpec"]


@options
class DemoSpec(Seeded, OnDevice):
    """Learn from a synthetic library of photoanodes, explain the model, and suggest what to make next.

    The library follows a known law, and has the columns and the layout of that of Umehara et al. (2019).
    """


COMMAND = Command(
    "library demo",
    DemoSpec,
    __package__,
    example="matlens library demo -o demo",
    results=("report.html",),
)
