"""``matlens reconstruct``: new microstructures that are statistically equivalent to given ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from matlens.cli.options import Cleaning, Machine, Place, Seed, Talk
from matlens.cli.work import (
    complete,
    described,
    machine_settings,
    parse_fraction,
    parse_options,
    parse_shape,
    say,
    start_talking,
)
from matlens.errors import InputError

__all__ = ["Asked", "reconstruct"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be made."""

    target: Annotated[
        Path | None, Option(metavar="STATISTICS.NC", help="Statistics to have, instead of micrographs to resemble.")
    ] = None
    shape: Annotated[
        str | None, Option(metavar="ROWSxCOLUMNS", help="Size in pixels, e.g. 128x128; default the first file's.")
    ] = None
    method: Annotated[
        str, Option(help="matching, or a baseline: annealing, gaussian-field, tree, quilting or particles.")
    ] = "matching"
    options: Annotated[
        list[str] | None, Option("--set", metavar="NAME=VALUE", help="An option of the baseline; may be given again.")
    ] = None
    encoder: Annotated[str, Option(help="auto, filterbank, vgg19-oxford or vgg19-torchvision.")] = "auto"
    weights: Annotated[Path | None, Option(help="File with the encoder's weights.")] = None
    preset: Annotated[str, Option(help="default, fast or li2018.")] = "default"
    n: Annotated[int, Option("-n", "--number", min=1, help="How many realisations.")] = 1
    fraction: Annotated[
        str, Option(help="Volume fractions: exact (the exemplar's), sampled, or one a phase, e.g. 0.3,0.7.")
    ] = "exact"


def reconstruct(
    asked: Asked,
    chance: Seed,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
    files: Annotated[list[str] | None, Argument(metavar="FILE...", help="Micrographs of one material.")] = None,
) -> None:
    """Make microstructures that are statistically equivalent to one or more micrographs, and prove it.

    With --target no micrograph is needed: they are made from two-point probabilities, lineal path and fractions alone.
    """
    from matlens.microstructure.commands.inputs import Inputs, read_inputs
    from matlens.microstructure.commands.reconstruct.run import Order, reconstruct_in, resolved
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    if asked.target is not None:
        rebuild(asked.target, files or [], asked, chance, machine, place, talk)
        return
    if not files:
        raise InputError("nothing to resemble: name one or more micrographs, or statistics with --target (see --help).")
    inputs = Inputs(tuple(files), cleaning.dataset, cleaning.options().settings())
    found = read_inputs(inputs)
    inputs = inputs.hashed()
    environment = machine_settings(machine)
    order, choices = resolved(
        Order(
            inputs,
            parse_shape(asked.shape),
            asked.encoder,
            None if asked.weights is None else str(asked.weights.absolute()),
            asked.preset,
            asked.n,
            parse_fraction(asked.fraction),
            chance.seed,
            environment["device"],
            asked.method,
            parse_options(asked.options or []),
        ),
        [segmentation.microstructure for segmentation in found],
    )
    settings = {**order.settings(), "resolved": choices, "environment": environment}
    run = RunDirectory.create(place.output, "reconstruct", settings, force=place.force)
    say(talk, described(choices))
    complete(run, talk, step=lambda run, progress: reconstruct_in(run, progress, found))


def rebuild(
    target: Path, files: list[str], asked: Asked, chance: Seed, machine: Machine, place: Place, talk: Talk
) -> None:
    """Make microstructures from statistics alone."""
    from matlens.microstructure.commands.rebuild.run import RebuildOrder, rebuild_in
    from matlens.runs.directory import RunDirectory

    if files:
        raise InputError(f"found --target and {files[0]}; give either statistics to have or micrographs to resemble.")
    if asked.method not in ("matching", "annealing") or asked.weights is not None:
        raise InputError("--target works by annealing; leave out --method and --weights.")
    options = parse_options(asked.options or [])
    if unknown := sorted(set(options) - {"moves"}):
        raise InputError(f"--target knows no option {unknown[0]!r} of --set; it has moves (swaps a pixel).")
    fraction = parse_fraction(asked.fraction)
    order = RebuildOrder(
        str(target.absolute()), parse_shape(asked.shape), asked.n, fraction, options.get("moves", "100"), chance.seed
    )
    order, choices = order.resolved()
    settings = {**order.settings(), "resolved": choices, "environment": machine_settings(machine)}
    run = RunDirectory.create(place.output, "rebuild", settings, force=place.force)
    size = "x".join(str(side) for side in choices["shape"])
    say(talk, f"{choices['n']} x {size} px from {target.name} by annealing, seed {chance.seed}")
    complete(run, talk, step=rebuild_in)
