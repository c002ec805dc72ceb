"""``matlens suggest``: what to make next, from a model of a library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from matlens.cli.options import Machine, Place, Seed, Talk
from matlens.cli.work import complete, machine_settings, say, start_talking, words
from matlens.errors import InputError

__all__ = ["suggest"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What may be suggested; shares are in hundredths (at%)."""

    n: Annotated[int, Option("-n", "--number", min=1, help="Suggestions.")] = 10
    step: Annotated[
        float | None, Option(help="Increment of the synthesis in at%, e.g. 2; default: a twentieth of the usual range.")
    ] = None
    bounds: Annotated[
        str | None, Option(metavar="NAME=LOW:HIGH,...", help="Of components, in at%, e.g. W=0:8,Bi=40:60.")
    ] = None
    forbid: Annotated[str | None, Option(metavar="A-B,...", help="Pairs of components that must not meet.")] = None
    most: Annotated[int | None, Option(min=1, help="Components in a composition, at most.")] = None
    moves: Annotated[int, Option(min=1, max=2, help="Components changed at once, at most.")] = 2
    support: Annotated[
        int, Option(min=0, max=2, help="Least support: 2 along measured compositions, 1 little measured, 0 beyond too.")
    ] = 0
    minimise: Annotated[bool, Option("--minimise", help="A small figure of merit is wanted.")] = False
    apart: Annotated[
        float | None, Option(help="By how much suggestions differ at least, in at%; default: two increments.")
    ] = None
    tested: Annotated[
        bool,
        Option("--test", help="Also ask models that never saw a co-alloy system for it, and baselines (takes long)."),
    ] = False
    insight: Annotated[Path | None, Option(help="Run directory of explain, where there is one.")] = None


def suggest(
    model: Annotated[str, Argument(metavar="MODEL", help="Run directory of learn with a library.")],
    asked: Asked,
    chance: Seed,
    machine: Machine,
    place: Place,
    talk: Talk,
) -> None:
    """Suggest compositions to make next, each a move from a measured one, with its expected gain and its support."""
    from matlens.library.commands.suggest.run import SuggestOrder, Wishes, suggest_in
    from matlens.runs.directory import RunDirectory
    from matlens.runs.models import kind_of_model

    start_talking(talk)
    if kind_of_model(model) != "library":
        raise InputError(f"{model} holds a model of structures; name one that 'matlens learn' made of a library.")
    environment = machine_settings(machine)
    wishes = Wishes(
        bounds=words(asked.bounds),
        forbid=words(asked.forbid),
        step=asked.step,
        most=asked.most,
        moves=asked.moves,
        support=asked.support,
        minimise=asked.minimise,
        apart=asked.apart,
    )
    insight = None if asked.insight is None else str(asked.insight)
    order = SuggestOrder(model, asked.n, wishes, insight, asked.tested, chance.seed, environment["device"]).resolved()
    found = order.checked()
    run = RunDirectory.create(
        place.output, "suggest", {**order.settings(), "environment": environment}, force=place.force
    )
    say(talk, f"{found.target_} of {len(found.library_)} samples, {found.members_} models")
    complete(run, talk, step=lambda run, progress: suggest_in(run, progress, found))
