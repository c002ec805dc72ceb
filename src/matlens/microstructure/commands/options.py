"""Options that several commands on microstructures share, each declared once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from matlens.core.guard import reading
from matlens.core.settings import ChoiceOf, absolute, asked_for, option, options, read_options
from matlens.errors import InputError
from matlens.microstructure.axes import AXES
from matlens.microstructure.encoders import ENCODERS
from matlens.microstructure.reconstruction.plane_names import place_of, plane_names
from matlens.microstructure.segmentation.options import CleaningOptions

__all__ = [
    "Encoded",
    "File",
    "Files",
    "Fraction",
    "Micrographs",
    "OfModel",
    "PhaseValues",
    "Preset",
    "Shape",
    "ShapeOrFull",
    "cleaning_of",
    "parse_anchors",
    "parse_fraction",
    "parse_phase_values",
    "parse_planes",
    "parse_shape",
]

Preset = Literal["default", "fast", "li2018"]


def parse_shape(value: Any) -> Any:
    """Parse ``128x128``; a value that is no text is returned unchanged.

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
        If the text does not name two or three positive sides.

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
    """Parse ``exact``, ``sampled``, or a number for each phase; a value that is no text is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        Rule, fractions, or the value.

    Raises
    ------
    InputError
        If the text is not of this form.

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


def parse_phase_values(value: Any, info: ValidationInfo) -> Any:
    """Parse ``0=1.0,1=50``: a value for each phase; a value that is no text is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.
    info : ValidationInfo
        Pydantic's facts on the field, whose name the error names.

    Returns
    -------
    Any
        Value by number, name or value in the file of the phase, or the value.

    Raises
    ------
    InputError
        If the text is not of this form, or names a phase twice.

    Examples
    --------
    >>> @options
    ... class Spec:
    ...     conductivity: Annotated[PhaseValues | None, option("Conductivities.")] = None
    >>> Spec(conductivity="pore=0,1=2.5").conductivity
    {'pore': 0.0, '1': 2.5}
    """
    if not isinstance(value, str):
        return value
    said = f"--{info.field_name}"
    values: dict[int | str, float] = {}
    for part in value.split(","):
        phase, equals, text = (word.strip() for word in part.rpartition("="))
        try:
            number = float(text)
        except ValueError:
            number, equals = 0.0, ""
        if not equals or not phase:
            raise InputError(f"{said} {value!r} is not understood; write a value for each phase, as 0=1.0,1=50.")
        if phase in values:
            raise InputError(f"{said} {value!r} gives phase {phase} twice; give it once.")
        values[phase] = number
    return values


def parse_planes(value: Any) -> Any:
    """Parse ``xy=top.tif`` texts, given once or several times; a value that is no text or list is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        File of each plane or planes.

    Raises
    ------
    InputError
        If a text is not of this form, or a plane is not named.

    Examples
    --------
    >>> parse_planes(["xy=top.tif", "xz,yz=side.tif"])
    {'xy': 'top.tif', 'xz,yz': 'side.tif'}
    """
    if value is None or isinstance(value, Mapping):
        return value
    found: dict[str, str] = {}
    for text in [value] if isinstance(value, str) else list(value):
        names, equals, file = (word.strip() for word in str(text).partition("="))
        if not (names and equals and file):
            raise InputError(
                f"--plane {text!r} does not name the plane: write the axis of the columns and that of the rows before "
                f"the file, as xz,yz={names or file}."
            )
        found[",".join(plane_names(names))] = file
    return found


def parse_anchors(value: Any) -> Any:
    """Parse ``z=0:slice.tif`` texts, given once or more often; a value that is no text or list is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        File of each known plane by its place.

    Raises
    ------
    InputError
        If a text is not of this form, or a place is given twice.

    Examples
    --------
    >>> parse_anchors(["z=0:slice.tif", "x=31:side.tif"])
    {'z=0': 'slice.tif', 'x=31': 'side.tif'}
    """
    if value is None or isinstance(value, Mapping):
        return value
    found: dict[str, str] = {}
    for text in [value] if isinstance(value, str) else list(value):
        place, colon, file = (word.strip() for word in str(text).partition(":"))
        if not (place and colon and file):
            raise InputError(
                f"--anchor {text!r} does not say where the plane lies: write the axis normal to it and its number "
                "before the file, as z=0:slice.tif."
            )
        axis, number = place_of(place)
        name = f"{AXES[axis]}={number}"
        if name in found:
            raise InputError(f"--anchor gives the plane {name} twice; give it once.")
        found[name] = file
    return found


def _shape_or_full(value: Any) -> Any:
    return value if value == "full" else parse_shape(value)


Shape = Annotated[tuple[int, ...], BeforeValidator(parse_shape)]
"""Sides in pixels, in the order of array axes; written ``128x128``."""

ShapeOrFull = Annotated[tuple[int, ...] | Literal["full"], BeforeValidator(_shape_or_full)]
"""Sides in pixels, or the size of the file."""

Fraction = Annotated[Literal["exact", "sampled"] | tuple[float, ...], BeforeValidator(parse_fraction)]
"""Volume fractions of what is made."""

PhaseValues = Annotated[dict[int | str, float], BeforeValidator(parse_phase_values)]
"""A value for each phase, by number, name or value in the file; written ``0=1.0,1=50``."""

File = Annotated[str, AfterValidator(absolute)]
"""A path; absolute, as a run may be resumed from another folder."""

Files = tuple[File, ...]


@options
class Micrographs(CleaningOptions):
    """Options of reading and segmenting micrographs."""

    dataset: Annotated[
        str | None,
        option(
            "Name of the array to read, for files that hold several arrays; of a TIFF file the number of a picture, "
            "page=N, channel=N (or the channel's name) or time=N.",
            metavar="NAME",
            group="From file to phases",
        ),
    ] = None
    segmentation: Annotated[
        File | None,
        option(
            "Settings that 'matlens segment' has written (segmentation.toml); options given besides go before them.",
            metavar="FILE",
            exists="file",
            group="From file to phases",
        ),
    ] = None


def cleaning_of(options: Micrographs) -> CleaningOptions:
    """Return the options of the segmentation: those given, and for the others those of the settings file.

    Parameters
    ----------
    options : Micrographs
        Options of a command.

    Returns
    -------
    CleaningOptions
        The options.

    Raises
    ------
    InputError
        If the file holds something else.

    Examples
    --------
    >>> cleaning_of(Micrographs(threshold="otsu")).settings()
    {'threshold': 'otsu'}
    """
    given = asked_for(CleaningOptions, options)
    if options.segmentation is None:
        return given
    with reading(options.segmentation, "settings of a segmentation", "name a segmentation.toml"):
        stored = tomllib.loads(Path(options.segmentation).read_text(encoding="utf-8"))
        return read_options(CleaningOptions, {**stored, **given.settings()})


@options
class Encoded:
    """Options of commands that use an encoder."""

    encoder: Annotated[
        str,
        ChoiceOf(lambda: ("auto", *ENCODERS)),
        option(
            "Pre-trained network that describes the images by its features; auto takes matlens, whose weights come "
            "with the package.",
            group="Encoder",
        ),
    ] = "auto"
    weights: Annotated[
        File | None,
        option(
            "File with the weights of the network (.safetensors or .pth); by default the published file that 'matlens "
            "fetch' brings.",
            metavar="FILE",
            exists="file",
            group="Encoder",
        ),
    ] = None


@options
class OfModel(CleaningOptions):
    """Options of commands that apply a model of a property to structures."""

    model: Annotated[
        File,
        option(
            "Run directory of 'matlens learn', or folder of a saved model.",
            argument=True,
            metavar="MODEL",
            exists="folder",
        ),
    ]
    structures: Annotated[
        Files,
        option(
            "Images or volumes of any size, folders of them, or HDF5 files written by 'matlens generate'.",
            argument=True,
            many=True,
            metavar="STRUCTURES",
            exists="path",
        ),
    ] = ()
    weights: Annotated[
        File | None,
        option(
            "File with the weights of the network; needed only if the model was learned with such a file.",
            metavar="FILE",
            exists="file",
        ),
    ] = None
