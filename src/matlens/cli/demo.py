"""``matlens demo``: see MatLens at work on structures, and a library, that are at hand everywhere."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from matlens.cli.demo_library import library_demo_in
from matlens.cli.options import Machine, Place, Seed, Talk
from matlens.cli.work import complete, described, machine_settings, say, start_talking
from matlens.errors import ResourceError

if TYPE_CHECKING:
    from matlens.hooks import Progress
    from matlens.runs.directory import RunDirectory

__all__ = ["demo", "demo_in"]

DEMO = {name: f"problem:{name}" for name in ("gravel", "bicontinuous")}
_PAPER = ("alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone")


def demo(
    chance: Seed,
    machine: Machine,
    place: Place,
    talk: Talk,
    paper: Annotated[bool, Option("--paper", help="The seven materials of Li et al. 2018 instead.")] = False,
) -> None:
    """Reconstruct a photograph of gravel and a bicontinuous structure, and learn from a library of photoanodes."""
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    members = _paper_members() if paper else DEMO
    settings = {
        "seed": chance.seed,
        "token": secrets.token_hex(4),  # tells members of this run from those of one that --force replaces
        "members": list(members),
        "library": not paper,
        "files": members,
        "environment": machine_settings(machine),
    }
    run = RunDirectory.create(place.output, "demo", settings, force=place.force)
    complete(run, talk, step=lambda run, progress: demo_in(run, progress, talk))


def demo_in(run: RunDirectory, progress: Progress, talk: Talk) -> None:
    """Do every part in a run directory of its own below this one; those that are finished are left alone."""
    from matlens.microstructure.commands.inputs import Inputs, read_inputs
    from matlens.microstructure.commands.reconstruct.run import Order, reconstruct_in, resolved
    from matlens.report.build import build_report, headlines
    from matlens.runs.directory import RunDirectory
    from matlens.runs.lifecycle import working

    for name, source in run.settings["files"].items():
        member = _opened(run, name)
        if member is None:
            inputs = Inputs((source,)).hashed()
            device = run.settings["environment"]["device"]
            order = Order(inputs, shape=(128, 128), seed=run.settings["seed"], device=device)
            order, choices = resolved(order, [found.microstructure for found in read_inputs(inputs)])
            say(talk, f"{name}: {described(choices)}")
            settings = {
                **order.settings(),
                "resolved": choices,
                "environment": run.settings["environment"],
                "part_of": run.settings["token"],
            }
            member = RunDirectory.create(run.path / name, "reconstruct", settings, force=True)
        if member.status == "finished":
            member.close()
            continue
        with working(member):
            reconstruct_in(member, progress)
            build_report(member)
        for line in headlines(member):
            say(talk, f"{name}: {line}")
    if run.settings.get("library"):
        library_demo_in(run, progress, talk, _opened)


def _opened(run: RunDirectory, name: str) -> RunDirectory | None:
    """Open a member that this very run has begun."""
    if not (run.path / name / "settings.toml").is_file():
        return None
    member = type(run)(run.path / name)
    if member.settings.get("part_of") == run.settings["token"]:
        return member
    member.close()
    return None


def _paper_members() -> dict[str, str]:
    from matlens.core.registry import locate

    found = {name: locate(f"li2018_{name}.npy") for name in _PAPER}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ResourceError(
            f"the images of Li et al. 2018 are not at hand ({', '.join(missing)}); run 'matlens fetch li2018' first, "
            "or name their folder in MATLENS_DATA."
        )
    return {name: str(Path(str(path)).absolute()) for name, path in found.items()}
