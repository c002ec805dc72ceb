"""``matlens prune``: how deep a network must be for a material."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import complete, described, machine_settings, parse_shape, say, start_talking

__all__ = ["prune"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is studied."""

    shape: Annotated[
        str | None,
        Option(metavar="ROWSxCOLUMNS", help="Size of what is made; default 128x128. 64x64 is quicker and cruder."),
    ] = None
    encoder: Annotated[str, Option(help="auto, filterbank, vgg19-oxford or vgg19-torchvision.")] = "auto"
    weights: Annotated[Path | None, Option(help="File with the encoder's weights.")] = None
    preset: Annotated[str, Option(help="default, fast or li2018.")] = "default"
    depths: Annotated[
        str | None,
        Option(help="Layers to end at, e.g. none,conv1_1,pool1; default: the preset's loss layers, and none."),
    ] = None
    n: Annotated[int, Option("-n", "--number", min=1, help="Realisations of each material and depth.")] = 2


def prune(
    files: Annotated[list[str], Argument(metavar="FILE...", help="Micrographs, each of a material of its own.")],
    asked: Asked,
    chance: Seed,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
) -> None:
    """Reconstruct with ever fewer layers of a network: what each layer is worth for a material, and what it costs."""
    from matlens.microstructure.commands.inputs import Inputs, read_inputs
    from matlens.microstructure.commands.prune.run import PruneOrder, prune_in
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    inputs = Inputs(tuple(files), cleaning.dataset, cleaning.options().settings())
    found = read_inputs(inputs, alike=False)
    environment = machine_settings(machine)
    order, choices = PruneOrder(
        inputs.hashed(),
        parse_shape(asked.shape),
        asked.encoder,
        None if asked.weights is None else str(asked.weights.absolute()),
        asked.preset,
        None if asked.depths is None else tuple(name.strip() for name in asked.depths.split(",")),
        asked.n,
        chance.seed,
        environment["device"],
    ).resolved([segmentation.microstructure for segmentation in found])
    settings = {**order.settings(), "resolved": choices, "environment": environment}
    run = RunDirectory.create(place.output, "prune", settings, force=place.force)
    say(talk, f"{len(found)} material(s) x {len(choices['depths'])} depths x {described(choices)}")
    complete(run, talk, step=lambda run, progress: prune_in(run, progress, found))
