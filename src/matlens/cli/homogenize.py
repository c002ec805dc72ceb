"""``matlens homogenize``: the effective property of a microstructure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typer import Argument, Option

from matlens.cli.options import Cleaning, Machine, Place, Talk
from matlens.cli.work import complete, machine_settings, start_talking
from matlens.errors import InputError

__all__ = ["homogenize"]

_VALUES = "PHASE=VALUE,..."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Properties of the phases, and how to compute with them."""

    conductivity: Annotated[
        str | None,
        Option(metavar=_VALUES, help="Thermal, electrical or diffusive, by number or name: 0=1.0,1=50; 0 insulates."),
    ] = None
    young: Annotated[str | None, Option(metavar=_VALUES, help="Instead: Young's moduli, with --poisson.")] = None
    poisson: Annotated[str | None, Option(metavar=_VALUES, help="Poisson's ratios, with --young.")] = None
    unit: Annotated[str | None, Option(help='Unit of the values, e.g. "W/(m K)"; carried into the results.')] = None
    boundary: Annotated[
        str,
        Option(
            help="periodic; fixed (potentials on two faces, insulated sides); or gradient or flux (uniform on all "
            "faces), which bracket what a window can say."
        ),
    ] = "periodic"
    axes: Annotated[str | None, Option(help="Array axes to conduct along, e.g. 0,2; default all.")] = None
    tolerance: Annotated[float, Option(help="Relative residual at which a load case is solved.")] = 1e-6
    precision: Annotated[str, Option(help="float64, or float32 for half the memory.")] = "float64"


def homogenize(
    file: Annotated[str, Argument(metavar="FILE", help="Microstructure, 2-D or 3-D.")],
    asked: Asked,
    machine: Machine,
    place: Place,
    cleaning: Cleaning,
    talk: Talk,
) -> None:
    """Compute the effective conductivity or stiffness of a microstructure, with its fields and its bounds."""
    from matlens.microstructure.commands.homogenize.run import HomogenizeOrder, homogenize_in
    from matlens.microstructure.commands.inputs import Inputs, read_inputs
    from matlens.runs.directory import RunDirectory

    start_talking(talk)
    inputs = Inputs((file,), cleaning.dataset, cleaning.options().settings())
    order = HomogenizeOrder(
        inputs,
        conductivity=parse_values(asked.conductivity, "--conductivity"),
        young=parse_values(asked.young, "--young"),
        poisson=parse_values(asked.poisson, "--poisson"),
        unit=asked.unit,
        boundary=asked.boundary,
        axes=parse_axes(asked.axes),
        tolerance=asked.tolerance,
        precision=asked.precision,
    )
    found = read_inputs(inputs)
    environment = machine_settings(machine)
    settings = {**order.hashed().settings(), "environment": environment}
    run = RunDirectory.create(place.output, "homogenize", settings, force=place.force)
    complete(run, talk, step=lambda run, progress: homogenize_in(run, progress, found))


def parse_values(text: str | None, option: str) -> dict[int | str, float] | None:
    """Read ``0=1.0,1=50``.

    Examples
    --------
    >>> parse_values("pore=0,1=2.5", "--conductivity")
    {'pore': 0.0, '1': 2.5}
    """
    if text is None:
        return None
    values: dict[int | str, float] = {}
    for part in text.split(","):
        phase, equals, value = (word.strip() for word in part.rpartition("="))
        try:
            number = float(value)
        except ValueError:
            number, equals = 0.0, ""
        if not equals or not phase:
            raise InputError(f"{option} {text!r} is not understood; write a value for each phase, as 0=1.0,1=50.")
        if phase in values:
            raise InputError(f"{option} {text!r} gives phase {phase} twice; give it once.")
        values[phase] = number
    return values


def parse_axes(text: str | None) -> tuple[int, ...] | None:
    """Read ``0,2``.

    Examples
    --------
    >>> parse_axes("0,2")
    (0, 2)
    """
    try:
        return None if text is None else tuple(dict.fromkeys(int(word) for word in text.split(",")))
    except ValueError:
        raise InputError(f"the axes {text!r} are not understood; write array axes as 0,2.") from None
