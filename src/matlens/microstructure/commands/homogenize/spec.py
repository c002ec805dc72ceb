"""The options of ``matlens homogenize``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from matlens.core.settings import OnDevice, option, options
from matlens.errors import InputError
from matlens.microstructure.commands.options import File, Micrographs, PhaseValues
from matlens.runs.command import Command

__all__ = ["COMMAND", "HomogenizeSpec", "parse_axes"]

_VALUES = "PHASE=VALUE,..."


def parse_axes(value: Any) -> Any:
    """Read ``0,2``; what is no text is left as it is.

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
    """Compute the effective conductivity or stiffness of a microstructure, with its fields and its bounds."""

    file: Annotated[File, option("Microstructure, 2-D or 3-D.", argument=True, metavar="FILE", exists="file")]
    conductivity: Annotated[
        PhaseValues | None,
        option(
            "Thermal, electrical or diffusive, of each phase by number or name: 0=1.0,1=50; 0 insulates.",
            metavar=_VALUES,
        ),
    ] = None
    young: Annotated[PhaseValues | None, option("Instead: Young's moduli, with --poisson.", metavar=_VALUES)] = None
    poisson: Annotated[PhaseValues | None, option("Poisson's ratios, with --young.", metavar=_VALUES)] = None
    unit: Annotated[str | None, option('Unit of the values, e.g. "W/(m K)"; carried into the results.')] = None
    boundary: Annotated[
        Literal["periodic", "fixed", "gradient", "flux"],
        option(
            "Boundary conditions. fixed: potentials on two faces, insulated sides; gradient or flux: uniform on all "
            "faces, which bracket what a window can say."
        ),
    ] = "periodic"
    axes: Annotated[
        tuple[int, ...] | None,
        BeforeValidator(parse_axes),
        option("Array axes to conduct along, e.g. 0,2; by default all.", metavar="AXIS,..."),
    ] = None
    tolerance: Annotated[float, option("Relative residual at which a load case is solved.", gt=0)] = 1e-6
    precision: Annotated[Literal["float64", "float32"], option("Of the solver; float32 takes half the memory.")] = (
        "float64"
    )


COMMAND = Command(
    "homogenize",
    HomogenizeSpec,
    __package__,
    example='matlens homogenize sandstone.tif --conductivity pore=0.6,1=5.5 --unit "W/(m K)" -o effective',
    results=("tensor.csv", "bounds.csv", "fields.nc"),
)
