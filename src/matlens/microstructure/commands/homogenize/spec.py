"""The options of ``matlens homogenize``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from matlens.core.memory import parse_size
from matlens.core.settings import OnDevice, option, options
from matlens.errors import InputError
from matlens.microstructure.commands.options import File, Micrographs, PhaseValues
from matlens.runs.command import Command

__all__ = ["COMMAND", "HomogenizeSpec", "parse_axes"]

_VALUES = "PHASE=VALUE,..."
_WINDOWS = "Volumes larger than memory"


def parse_axes(value: Any) -> Any:
    """Parse ``0,2``; a value that is no text is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        Axes, each once, or the value.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> parse_axes("0,2")
    (0, 2)
    """
    if not isinstance(value, str):
        return value
    try:
        return tuple(dict.fromkeys(int(word) for word in value.split(",")))
    except ValueError:
        raise InputError(f"the axes {value!r} are not understood; write array axes as 0,2.") from None


@options
class HomogenizeSpec(Micrographs, OnDevice):
    """Compute the effective conductivity or stiffness of a microstructure, with its local fields and rigorous bounds.

    Give either --conductivity, or --young and --poisson.
    """

    file: Annotated[
        File, option("Image or volume of the microstructure.", argument=True, metavar="FILE", exists="path")
    ]
    conductivity: Annotated[
        PhaseValues | None,
        option(
            "Conductivity (or diffusivity) of each phase, by number, name or value in the file, in the unit of --unit, "
            "e.g. 0=1.0,1=50; 0 for an insulating phase.",
            metavar=_VALUES,
        ),
    ] = None
    young: Annotated[
        PhaseValues | None,
        option(
            "Young's modulus of each phase, by number, name or value in the file, in the unit of --unit, e.g. "
            "0=70,1=400; to compute the stiffness.",
            metavar=_VALUES,
        ),
    ] = None
    poisson: Annotated[
        PhaseValues | None,
        option(
            "Poisson's ratio of each phase, by number, name or value in the file, e.g. 0=0.33,1=0.2; goes with "
            "--young.",
            metavar=_VALUES,
        ),
    ] = None
    unit: Annotated[
        str | None,
        option('Unit of the conductivities or moduli that are given, e.g. "W/(m K)"; results have the same unit.'),
    ] = None
    boundary: Annotated[
        Literal["periodic", "fixed", "gradient", "flux"],
        option(
            "Boundary conditions. periodic: the structure repeats; fixed: fixed potentials on two opposite faces, "
            "insulated sides; gradient: uniform gradient on all faces, an upper estimate; flux: uniform flux on all "
            "faces, a lower estimate."
        ),
    ] = "periodic"
    scheme: Annotated[
        Literal["auto", "rotated", "staggered"],
        option(
            "Discretisation of conduction. rotated: cells conduct across corners, too; needs a periodic boundary, no "
            "insulating phase; staggered: across faces alone; auto takes rotated where it can."
        ),
    ] = "auto"
    axes: Annotated[
        tuple[int, ...] | None,
        BeforeValidator(parse_axes),
        option(
            "Axes of the array along which the conductivity is computed, e.g. 0,2; by default all.", metavar="AXIS,..."
        ),
    ] = None
    tolerance: Annotated[float, option("Relative residual of the equations at which the solver stops.", gt=0)] = 1e-6
    precision: Annotated[
        Literal["float64", "float32"], option("Floating-point precision of the solver; float32 takes half the memory.")
    ] = "float64"
    memory: Annotated[
        str | None,
        option(
            "Memory that the process may take, e.g. 4GB; a volume that needs more is homogenised in windows, one by "
            "one. These are apparent properties of windows, not the effective property of the whole.",
            metavar="SIZE",
            group=_WINDOWS,
        ),
    ] = None
    window: Annotated[
        int | None,
        option(
            "Largest side of disjoint windows, which are homogenised one by one; by default the largest that fit "
            "--memory, where the whole does not.",
            unit="px",
            group=_WINDOWS,
            ge=8,
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.memory is not None:
            parse_size(self.memory)
        stiffness = self.young is not None and self.poisson is not None
        if stiffness == (self.conductivity is not None) or (self.young is None) != (self.poisson is None):
            raise InputError(
                "give --conductivity, or both --young and --poisson, with a value for each phase, e.g. "
                "--conductivity 0=1,1=50."
            )
        if stiffness and (self.boundary != "periodic" or self.axes is not None):
            raise InputError(
                "the stiffness is that of a periodic structure in all directions; leave out --boundary and --axes."
            )


COMMAND = Command(
    "homogenize",
    HomogenizeSpec,
    __package__,
    example='matlens homogenize sandstone.tif --conductivity 0=0.6,1=5.5 --unit "W/(m K)" -o effective',
    results=("tensor.csv", "bounds.csv", "fields.nc"),
    workers=1,
)
