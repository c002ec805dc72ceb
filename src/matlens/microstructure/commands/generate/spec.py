"""The options of ``matlens generate``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from matlens.core.settings import Seeded, Words, option, options
from matlens.errors import InputError
from matlens.microstructure.commands.options import parse_shape
from matlens.runs.command import Command

__all__ = ["COMMAND", "FAMILY_NAMES", "GenerateSpec", "parse_contrasts", "parse_sides"]

FAMILY_NAMES = ("fields", "bicontinuous", "particles", "ellipses", "sheets", "cell_walls")
"""Those of `matlens.microstructure.problems.FAMILIES`, whose module is not loaded for a help."""


def parse_sides(value: Any) -> Any:
    """Parse ``64`` or ``64x96``; a value that is no text is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        Sides in pixels, or the value.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> parse_sides("64"), parse_sides("64x96")
    ((64, 64), (64, 96))
    """
    if not isinstance(value, str):
        return value
    sides = parse_shape(value if "x" in value.lower().replace("×", "x") else f"{value}x{value}")
    if len(sides) != 2:
        raise InputError(f"the size {value!r} is not understood; write one side or two in pixels, e.g. --shape 64.")
    return sides


def parse_contrasts(value: Any) -> Any:
    """Parse ``10,50,1000`` or ``none``; a value that is no text is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        Contrasts, or the value.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> parse_contrasts("10,50"), parse_contrasts("none")
    ((10.0, 50.0), ())
    """
    if not isinstance(value, str):
        return value
    try:
        return () if value == "none" else tuple(float(word) for word in value.split(","))
    except ValueError:
        raise InputError(f"the contrasts {value!r} are not understood; write numbers as 10,50 or none.") from None


def _all_families(names: tuple[str, ...]) -> tuple[str, ...]:
    return FAMILY_NAMES if names == ("all",) else names


Contrasts = Annotated[tuple[float, ...], BeforeValidator(parse_contrasts)]


@options
class GenerateSpec(Seeded):
    """Make two-phase structures of several kinds, and compute their effective conductivity and stiffness.

    The result is a data set for 'matlens learn'. The work is done on the processor, never on a GPU.
    """

    n: Annotated[int, option("Number of structures to learn from.", "-n", "--number", ge=1)] = 1000
    test: Annotated[
        int,
        option(
            "Number of structures of the test set, which is the same for every seed.", "--test", "--test-number", ge=0
        ),
    ] = 300
    shape: Annotated[
        tuple[int, int],
        BeforeValidator(parse_sides),
        option(
            "Size of the structures: one side, or rows x columns, e.g. 64 or 64x96.",
            "--shape",
            "--size",
            metavar="SIDE",
            unit="px",
        ),
    ] = (64, 64)
    families: Annotated[
        Words,
        AfterValidator(_all_families),
        option("Kinds of structure to make, in equal numbers, or all.", metavar="NAME,..."),
    ] = FAMILY_NAMES
    conductivity_contrasts: Annotated[
        Contrasts,
        option(
            "Conductivities of phase 1 in units of the conductivity of phase 0; one property is computed for each; "
            "none for no conductivity.",
            "--conductivity-contrast",
            metavar="C,...",
        ),
    ] = (10.0, 50.0, 1000.0)
    stiffness_contrasts: Annotated[
        Contrasts,
        option(
            "Young's moduli of phase 1 in units of Young's modulus of phase 0 (Poisson's ratio 0.3, plane strain); "
            "none for no stiffness.",
            "--stiffness-contrast",
            metavar="C,...",
        ),
    ] = (10.0, 100.0)
    threads: Annotated[int, option("Number of processor threads of each process.", group="Machine", ge=1)] = 1


COMMAND = Command(
    "generate",
    GenerateSpec,
    __package__,
    example="matlens generate -n 300 --test 100 --shape 64 -o structures",
    results=("structures.h5", "test.h5"),
    workers=2,
)
