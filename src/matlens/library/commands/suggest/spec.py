"""The options of ``matlens library suggest``."""

from __future__ import annotations

from typing import Annotated

from matlens.core.settings import OnDevice, Seeded, Words, option, options
from matlens.library.commands.options import ModelFolder, Path
from matlens.runs.command import Command

__all__ = ["COMMAND", "SuggestSpec"]

_LIMITS = "What may be made"


@options
class SuggestSpec(Seeded, OnDevice):
    """Suggest compositions to make next, each with its expected gain and with how well the data support it.

    Each suggestion is a change of a measured composition.
    """

    model: ModelFolder
    n: Annotated[int, option("Number of suggestions.", "-n", "--number", ge=1)] = 10
    insight: Annotated[
        Path | None,
        option(
            "Run directory of 'matlens library explain' whose gradients are used; by default they are computed.",
            metavar="RUN",
            exists="folder",
        ),
    ] = None
    minimise: Annotated[bool, option("Look for a small figure of merit instead of a large one.")] = False
    least_support: Annotated[
        int,
        option(
            "How well measurements must support a suggestion. 2: several measured compositions are near it; 1: some "
            "are not far; 0: it may also lead beyond all measurements.",
            "--support",
            "--least-support",
            ge=0,
            le=2,
        ),
    ] = 0
    tested: Annotated[
        bool,
        option(
            "Test the model on co-alloy systems that it has never seen, beside the baselines; takes long.",
            "--test",
            "--test-systems",
        ),
    ] = False
    increment: Annotated[
        float | None,
        option(
            "Smallest step of the synthesis: all fractions are multiples of it; by default about a twentieth of the "
            "range of a component.",
            "--step",
            "--increment",
            unit="at%",
            group=_LIMITS,
        ),
    ] = None
    bounds: Annotated[
        Words,
        option(
            "Smallest and largest fraction of components, e.g. W=0:8, or W=0:0.5% up to 1; by default the measured "
            "range and a quarter of it more.",
            metavar="NAME=LOW:HIGH,...",
            unit="at%",
            group=_LIMITS,
        ),
    ] = ()
    forbidden: Annotated[
        Words,
        option(
            "Pairs of components that must not be in one composition, e.g. W-Mo.",
            "--forbid",
            "--forbidden",
            metavar="A-B,...",
            group=_LIMITS,
        ),
    ] = ()
    most: Annotated[
        int | None, option("Largest number of components in a composition; by default any number.", group=_LIMITS, ge=1)
    ] = None
    moves: Annotated[
        int, option("Largest number of components that a suggestion changes: 1 or 2.", group=_LIMITS, ge=1, le=2)
    ] = 2
    apart: Annotated[
        float | None,
        option(
            "Smallest difference between two suggestions, as atoms exchanged; by default two steps of --increment.",
            unit="at%",
            group=_LIMITS,
        ),
    ] = None


COMMAND = Command(
    "library suggest",
    SuggestSpec,
    __package__,
    example="matlens library suggest model --insight insight --bounds W=0:8 -o plan",
    results=("suggestions.csv", "plate.csv"),
    workers=1,
)
