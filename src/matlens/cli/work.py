"""What every command that fills a run directory does: talk, choose the machine, work, report, say where it lies."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer

from matlens.cli.options import Machine, Talk
from matlens.errors import InputError

if TYPE_CHECKING:
    from matlens.hooks import Progress
    from matlens.runs.directory import RunDirectory

    Step = Callable[[RunDirectory, Progress], None]

__all__ = [
    "complete",
    "described",
    "machine_settings",
    "parse_fraction",
    "parse_options",
    "parse_shape",
    "say",
    "start_talking",
    "steps_of",
    "unasked",
    "words",
]

_STEPS = {
    "reconstruct": "matlens.microstructure.commands.reconstruct.run:reconstruct_in",
    "rebuild": "matlens.microstructure.commands.rebuild.run:rebuild_in",
    "characterize": "matlens.microstructure.commands.characterize.run:characterize_in",
    "compare": "matlens.microstructure.commands.compare.run:compare_files_in",
    "prune": "matlens.microstructure.commands.prune.run:prune_in",
    "homogenize": "matlens.microstructure.commands.homogenize.run:homogenize_in",
    "generate": "matlens.microstructure.commands.generate.run:generate_in",
    "learn": "matlens.microstructure.commands.learn.run:learn_in",
    "predict": "matlens.microstructure.commands.predict.run:predict_in",
    "explain": "matlens.microstructure.commands.explain.run:sensitivity_in",
    "learn-library": "matlens.library.commands.learn.run:learn_library_in",
    "predict-library": "matlens.library.commands.predict.run:predict_library_in",
    "explain-library": "matlens.library.commands.explain.run:explain_library_in",
    "suggest": "matlens.library.commands.suggest.run:suggest_in",
}


def start_talking(talk: Talk) -> None:
    """Send the library's log to the terminal, as much of it as is asked."""
    level = logging.DEBUG if talk.verbose else logging.ERROR if talk.quiet else logging.WARNING
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    logging.getLogger("matlens").setLevel(level)


def say(talk: Talk, text: str) -> None:
    """Print a line unless asked to be quiet."""
    if not talk.quiet:
        typer.echo(text)


def machine_settings(machine: Machine) -> dict[str, Any]:
    """Choose device and threads, and describe what the bytes of the result depend on."""
    from matlens.core.device import chosen_device, set_threads
    from matlens.runs.provenance import environment

    device = str(chosen_device(machine.device))
    return environment(threads=set_threads(machine.threads), device=device)


def complete(run: RunDirectory, talk: Talk, *, fresh: bool = True, step: Step | None = None) -> None:
    """Do what the run's settings say, write its report, and print where it lies.

    Parameters
    ----------
    run : RunDirectory
        Open; is closed at the end.
    talk : Talk
        How much is printed.
    fresh : bool
        Whether the run was made just now: then bad input leaves nothing behind.
    step : callable, optional
        The work; by default what the run's command does.
    """
    from matlens.runs.lifecycle import working
    from matlens.runs.progress import progress_for

    with working(run, fresh=fresh):
        from matlens.report.build import build_report, headlines  # takes a while, and the run is there to go on with

        (step or steps_of(run, talk))(run, progress_for(quiet=talk.quiet))
        report = build_report(run)
    if talk.quiet:
        typer.echo(str(run.path))
    else:
        for line in headlines(run):
            typer.echo(line)
        typer.echo(f"results: {run.path}")
        typer.echo(f"report:  {report}")


def steps_of(run: RunDirectory, talk: Talk) -> Step:
    """Look up the work that belongs to a run's command."""
    from matlens.cli.demo import demo_in

    command = str(run.settings.get("command"))
    if command == "demo":
        return lambda run, progress: demo_in(run, progress, talk)
    if command not in _STEPS:
        raise InputError(f"{run.path} was made by the command {command!r}, which this version cannot resume.")
    module, _, name = _STEPS[command].partition(":")
    step: Step = getattr(import_module(module), name)
    return step


def described(choices: Mapping[str, Any]) -> str:
    """Say in one line what a reconstruction will do, with every choice resolved.

    Examples
    --------
    >>> choices = {"n": 2, "shape": [64, 64], "encoder": "filterbank", "preset": "fast", "seed": 0, "device": "cpu"}
    >>> described({**choices, "threads": 1})
    '2 x 64x64 px, encoder filterbank, preset fast, seed 0, device cpu, threads 1'
    """
    size = "x".join(str(side) for side in choices["shape"])
    names = [name for name in ("encoder", "preset", "seed", "device", "threads") if name in choices]
    if "encoder" not in choices:  # a baseline
        names.insert(0, "method")
    named = ", ".join(f"{name} {choices[name]}" for name in names)
    return f"{choices['n']} x {size} px, {named}"


def words(text: str | None) -> tuple[str, ...]:
    """Read ``Bi,V,W``.

    Examples
    --------
    >>> words("Bi, V,W"), words(None)
    (('Bi', 'V', 'W'), ())
    """
    found = (part.strip() for part in (text or "").split(","))
    return tuple(dict.fromkeys(part for part in found if part))


def unasked(group: Any, why: str) -> None:
    """Refuse options that mean nothing here, rather than pass over them.

    Examples
    --------
    >>> unasked(Machine(threads=2), "is not for this")
    Traceback (most recent call last):
    matlens.errors.InputError: --threads is not for this; leave it out.
    """
    for option in fields(group):
        if getattr(group, option.name) != option.default:
            raise InputError(f"--{option.name.replace('_', '-')} {why}; leave it out.")


def parse_shape(text: str | None) -> tuple[int, ...] | None:
    """Read ``128x128``.

    Examples
    --------
    >>> parse_shape("128x96")
    (128, 96)
    """
    if text is None:
        return None
    try:
        sides = tuple(int(side) for side in text.lower().replace("×", "x").split("x"))
    except ValueError:
        sides = ()
    if len(sides) not in (2, 3) or min(sides) < 1:
        raise InputError(f"the shape {text!r} is not understood; write rows x columns in pixels, e.g. --shape 128x128.")
    return sides


def parse_options(texts: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` several times.

    Examples
    --------
    >>> parse_options(["reach=12", "terms=two-point,lineal-path"])
    {'reach': '12', 'terms': 'two-point,lineal-path'}
    """
    pairs = [text.partition("=") for text in texts]
    for text, (name, sign, _) in zip(texts, pairs):
        if not (name.strip() and sign):
            raise InputError(f"the option {text!r} is not understood; write NAME=VALUE, e.g. --set reach=12.")
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_fraction(text: str) -> str | tuple[float, ...]:
    """Read ``exact``, ``sampled``, or one number a phase.

    Examples
    --------
    >>> parse_fraction("0.3,0.7")
    (0.3, 0.7)
    """
    if text in ("exact", "sampled"):
        return text
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"the fraction {text!r} is not understood; write exact, sampled, or a number for each phase, as 0.3,0.7."
        ) from None
