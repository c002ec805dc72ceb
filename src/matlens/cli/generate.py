"""``matlens generate``: labelled structures to learn from, and to test on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typer import Option

from matlens.cli.options import Machine, Place, Seed, Talk
from matlens.cli.work import complete, machine_settings, parse_shape, say, start_talking
from matlens.errors import InputError

__all__ = ["generate"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be made."""

    families: Annotated[
        str, Option(help="all, or some of fields,bicontinuous,particles,ellipses,sheets,cell_walls.")
    ] = "all"
    n: Annotated[int, Option("-n", "--n", "--number", min=1, help="Structures to learn from.")] = 1000
    test: Annotated[int, Option(min=0, help="Structures of the frozen test set, which no seed changes.")] = 300
    size: Annotated[str, Option(metavar="SIDE", help="Size in pixels, e.g. 64 or 64x96.")] = "64"
    conductivity_contrast: Annotated[
        str, Option(metavar="C,...", help="Conductivities of phase 1 (that of phase 0 is 1), or none.")
    ] = "10,50,1000"
    stiffness_contrast: Annotated[
        str, Option(metavar="C,...", help="Young's moduli of phase 1 (that of phase 0 is 1), or none.")
    ] = "10,100"
    workers: Annotated[int, Option(min=1, help="Processes; the result does not depend on their number.")] = 2


def generate(asked: Asked, chance: Seed, machine: Machine, place: Place, talk: Talk) -> None:
    """Make two-phase structures of several families, with their effective conductivities and stiffnesses.

    Runs on the processor, each of the --workers with one thread.
    """
    from matlens.microstructure.commands.generate.run import GenerateOrder, generate_in
    from matlens.microstructure.problems import FAMILIES
    from matlens.microstructure.properties import Recipe
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    recipe = Recipe(
        families=tuple(FAMILIES) if asked.families == "all" else tuple(dict.fromkeys(_words(asked.families))),
        shape=parse_side(asked.size),
        conductivity_contrasts=parse_contrasts(asked.conductivity_contrast),
        stiffness_contrasts=parse_contrasts(asked.stiffness_contrast),
        seed=chance.seed,
    )
    if not (recipe.conductivity_contrasts or recipe.stiffness_contrasts):
        raise InputError(
            "found no contrasts, neither of conductivity nor of stiffness, so there would be no property to learn; "
            "give --conductivity-contrast or --stiffness-contrast numbers, e.g. 10,50."
        )
    if machine.device == "cuda":
        raise InputError("data sets are made on the processor, found device cuda; leave --device out.")
    environment = machine_settings(Machine(device="cpu", threads=machine.threads or 1))
    order = GenerateOrder(recipe, asked.n, asked.test, asked.workers)
    run = RunDirectory.create(
        place.output, "generate", {**order.settings(), "environment": environment}, force=place.force
    )
    size = "x".join(str(side) for side in recipe.shape)
    say(talk, f"{asked.n} + {asked.test} structures of {size} px: {', '.join(recipe.families)}, seed {recipe.seed}")
    complete(run, talk, step=generate_in)


def parse_side(text: str) -> tuple[int, int]:
    """Read ``64`` or ``64x96``.

    Examples
    --------
    >>> parse_side("64"), parse_side("64x96")
    ((64, 64), (64, 96))
    """
    sides = parse_shape(text if "x" in text.lower().replace("×", "x") else f"{text}x{text}")
    if sides is None or len(sides) != 2:
        raise InputError(f"the size {text!r} is not understood; write one side or two in pixels, e.g. --size 64.")
    return sides[0], sides[1]


def parse_contrasts(text: str) -> tuple[float, ...]:
    """Read ``10,50,1000`` or ``none``.

    Examples
    --------
    >>> parse_contrasts("10,50"), parse_contrasts("none")
    ((10.0, 50.0), ())
    """
    try:
        return () if text == "none" else tuple(float(word) for word in _words(text))
    except ValueError:
        raise InputError(f"the contrasts {text!r} are not understood; write numbers as 10,50 or none.") from None


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]
