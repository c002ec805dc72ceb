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
    """Suggest compositions to make next, each a move from a measured one, with its expected gain and its support."""

    model: ModelFolder
    n: Annotated[int, option("Number of suggestions.", "-n", "--number", ge=1)] = 10
    insight: Annotated[
        Path | None,
        option("Run directory of 'matlens library explain', to use its gradients.", metavar="RUN", exists="folder"),
    ] = None
    minimise: Annotated[bool, option("A small figure of merit is wanted.")] = False
    least_support: Annotated[
        int,
        option(
            "Least support of a move: 2 along measured compositions, 1 where little was measured, 0 beyond, too.",
            "--support",
            "--least-support",
            ge=0,
            le=2,
        ),
    ] = 0
    tested: Annotated[
        bool,
        option("Test it on co-alloy systems that models and baselines have never seen; takes long.", "--test"),
    ] = False
    increment: Annotated[
        float | None,
        option(
            "Fractions are multiples of it; by default a twentieth of the usual range.",
            "--step",
            "--increment",
            unit="at%",
            group=_LIMITS,
        ),
    ] = None
    bounds: Annotated[
        Words,
        option("Least and greatest fraction, e.g. W=0:8.", metavar="NAME=LOW:HIGH,...", unit="at%", group=_LIMITS),
    ] = ()
    forbidden: Annotated[
        Words,
        option("Pairs of components that must not meet.", "--forbid", "--forbidden", metavar="A-B,...", group=_LIMITS),
    ] = ()
    most: Annotated[int | None, option("Components in a composition, at most.", group=_LIMITS, ge=1)] = None
    moves: Annotated[int, option("Components changed at once, at most.", group=_LIMITS, ge=1, le=2)] = 2
    apart: Annotated[
        float | None,
        option("Suggestions differ by this at least; by default two increments.", unit="at%", group=_LIMITS),
    ] = None


COMMAND = Command(
    "library suggest",
    SuggestSpec,
    __package__,
    example="matlens library suggest model --insight insight --bounds W=0:8 -o plan",
    results=("suggestions.csv", "plate.csv"),
    former=("suggest",),
)
