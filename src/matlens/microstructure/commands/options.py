"""Options that several commands on microstructures share, each declared once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from matlens.core.settings import ChoiceOf, absolute, option, options
from matlens.errors import InputError
from matlens.microstructure.encoders import ENCODERS
from matlens.microstructure.segmentation.options import CleaningOptions

__all__ = ["Encoded", "File", "Files", "Fraction", "Micrographs", "Preset", "Shape", "parse_fraction", "parse_shape"]

Preset = Literal["default", "fast", "li2018"]


def parse_shape(value: Any) -> Any:
    """Read ``128x128``; what is no text is left as it is.

    Examples
    --------
    >>> parse_shape("128x96"), parse_shape((64, 64))
    ((128, 96), (64, 64))
    """
    if not isinstance(value, str):
        return value
    try:
        sides = tuple(int(side) for side in value.lower().replace("×", "x").split("x"))
    except ValueError:
        sides = ()
    if len(sides) not in (2, 3) or min(sides) < 1:
        raise InputError(
            f"the shape {value!r} is not understood; write rows x columns in pixels, e.g. --shape 128x128."
        )
    return sides


def parse_fraction(value: Any) -> Any:
    """Read ``exact``, ``sampled``, or one number a phase; what is no text is left as it is.

    Examples
    --------
    >>> parse_fraction("0.3,0.7"), parse_fraction("exact")
    ((0.3, 0.7), 'exact')
    """
    if not isinstance(value, str) or value in ("exact", "sampled"):
        return value
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        raise InputError(
            f"the fraction {value!r} is not understood; write exact, sampled, or a number for each phase, as 0.3,0.7."
        ) from None


Shape = Annotated[tuple[int, ...], BeforeValidator(parse_shape)]
"""Sides in pixels, in the order of array axes; written ``128x128``."""

Fraction = Annotated[Literal["exact", "sampled"] | tuple[float, ...], BeforeValidator(parse_fraction)]
"""Volume fractions of what is made."""

File = Annotated[str, AfterValidator(absolute)]
"""A path; absolute, as a run may be resumed from another folder."""

Files = tuple[File, ...]


@options
class Micrographs(CleaningOptions):
    """How micrographs are read and made phases."""

    dataset: Annotated[str | None, option("Which array, in files that hold several.", group="From file to phases")] = (
        None
    )


@options
class Encoded:
    """Options of work that an encoder does."""

    encoder: Annotated[
        str, ChoiceOf(lambda: ("auto", *ENCODERS)), option("The network whose features are matched.", group="Encoder")
    ] = "auto"
    weights: Annotated[
        File | None,
        option("File with the encoder's weights.", metavar="FILE", exists="file", group="Encoder"),
    ] = None
