"""Options of the segmentation of a raw micrograph, as a user writes them on the command line."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator

from matlens.core.settings import absolute, changed, option, options
from matlens.core.units import parse_spacing
from matlens.errors import InputError
from matlens.microstructure.io.channels import Channel

__all__ = ["CleaningOptions", "parse_crop", "parse_flatten", "parse_slice", "parse_threshold"]

_GROUP = "From file to phases"
_MAX_CLASSES = 5  # the exhaustive search of multi-Otsu grows as levels**(classes - 1)
_DEGREE = 4  # of the polynomial background, by default


@options
class CleaningOptions:
    """Options of the segmentation of an image, in the order of the steps.

    Every field is text, a whole number or a flag, so that the options can be stored in a settings file as they are.

    Parameters
    ----------
    channel : str, optional
        For colour images: ``"grey"``, ``"red"``, ``"green"``, ``"blue"``, or ``"colours"``, which makes every colour a
        phase.
    slice : str, optional
        One slice of a volume, ``"z=40"`` (or ``y=``, ``x=``), counted from 0; negative numbers count from the far end.
    crop : str, optional
        Part to keep in pixels, ``"x0:x1,y0:y1"`` (``,z0:z1`` in volumes), or ``"auto"`` to trim dark or bright edges.
    data_bar : str or int, optional
        Number of rows of the data bar below the micrograph to cut off, or ``"auto"`` to find it.
    mask : str, optional
        File of an image of the same size, black where the micrograph is not to be used. Black pixels are left out of
        the background, the thresholds and the sample.
    unmasked : bool
        Whether points that were not indexed are a phase, and what lies outside a round field of view is sample, where
        they would be masked otherwise.
    flatten : str, optional
        Division by the background: ``"polynomial"`` (robust fit of degree 4), ``"polynomial:DEGREE"`` or
        ``"gaussian:SIGMA"`` (standard deviation in pixels).
    median : int
        Side of the median filter in pixels; 0 for none.
    threshold : str, optional
        ``"otsu"``, ``"multiotsu:K"``, grey values ``"v1,v2,..."``, or ``"labels"``, which makes every value a phase.
    phases : str, optional
        Names of the phases with commas between them, in the order of the labels: from dark to bright in grey pictures.
    invert : bool
        Whether to reverse the order of the phases.
    min_object, min_hole : int
        Smallest object (cluster of a phase other than 0) and hole (cluster of phase 0) to keep, in pixels: pixels of
        the result for grey images, pixels of the file for labels, which are downsampled last.
    fill_mask : int
        Masked patches smaller than this, in pixels of the result, are given the nearest phase; 0 fills none.
    downsample : int
        Side in pixels of the blocks that become one pixel: grey values by their mean, labels by majority. A block with
        a masked pixel is masked.
    spacing : str, optional
        Size of a pixel of the file, such as ``"0.35um"``; replaces the one from the file.

    Raises
    ------
    InputError
        If an option is not understood.

    Examples
    --------
    >>> CleaningOptions(threshold="otsu", median=3, spacing="0.35um").settings()
    {'median': 3, 'threshold': 'otsu', 'spacing': '0.35um'}
    """

    channel: Annotated[
        Channel | None,
        option(
            "How a colour image is read: as grey values, by one of its channels, or with each colour as a phase "
            "(colours); needed for colour images only.",
            group=_GROUP,
        ),
    ] = None
    slice: Annotated[
        str | None,
        option("Slice of a volume to take as a picture, counted from 0, e.g. z=40.", metavar="AXIS=N", group=_GROUP),
    ] = None
    crop: Annotated[
        str | None,
        option(
            "Part of the image to keep (in volumes ,z0:z1, too); auto cuts off dark or bright edges.",
            metavar="x0:x1,y0:y1",
            unit="px",
            group=_GROUP,
        ),
    ] = None
    data_bar: Annotated[
        str | int | None,
        option(
            "Height of the data bar below the image, which is cut off; auto finds it.",
            metavar="ROWS",
            unit="px",
            group=_GROUP,
        ),
    ] = None
    mask: Annotated[
        str | None,
        BeforeValidator(absolute),
        option(
            "Image of the same size that is black where the micrograph must not be used.",
            metavar="FILE",
            exists="file",
            group=_GROUP,
        ),
    ] = None
    unmasked: Annotated[
        bool,
        option(
            "Mask nothing that holds a value: points of an EBSD map that were not indexed are a phase, and what lies "
            "outside a round field of view counts as sample.",
            group=_GROUP,
        ),
    ] = False
    flatten: Annotated[
        str | None,
        option(
            "Even out the brightness: divide by a fitted polynomial[:DEGREE] (degree 4 if not given), or by a blurred "
            "image, gaussian:SIGMA, with its standard deviation in pixels.",
            metavar="METHOD",
            group=_GROUP,
        ),
    ] = None
    median: Annotated[
        int, option("Side of the window of a median filter against noise; 0 for none.", unit="px", group=_GROUP, ge=0)
    ] = 0
    threshold: Annotated[
        str | None,
        option(
            "How grey values become phases: otsu (two phases), multiotsu:K (K phases), or grey values v1,v2,... that "
            "separate the phases, from dark to bright; labels makes every value a phase. Without it, a grey image is "
            "segmented as 'matlens inspect' proposes.",
            metavar="METHOD",
            group=_GROUP,
        ),
    ] = None
    phases: Annotated[
        str | None,
        option(
            "Names of the phases in their order, from dark to bright in grey images, e.g. matrix,hydride.",
            metavar="NAME,...",
            group=_GROUP,
        ),
    ] = None
    invert: Annotated[
        bool,
        option(
            "Reverse the order of the phases, e.g. from bright to dark instead of from dark to bright.", group=_GROUP
        ),
    ] = False
    min_object: Annotated[
        int,
        option(
            "Remove connected patches of phases other than 0 that are smaller than this.", unit="px", group=_GROUP, ge=0
        ),
    ] = 0
    min_hole: Annotated[
        int, option("Fill connected patches of phase 0 that are smaller than this.", unit="px", group=_GROUP, ge=0)
    ] = 0
    fill_mask: Annotated[
        int,
        option(
            "Give masked patches that are smaller than this the phase of their nearest neighbour.",
            unit="px",
            group=_GROUP,
            ge=0,
        ),
    ] = 0
    downsample: Annotated[
        int, option("Number of pixels along each axis that are joined to one.", unit="px", group=_GROUP, ge=1)
    ] = 1
    spacing: Annotated[
        str | None,
        option(
            "Size of a pixel of the file with its unit, e.g. 0.35um; by default as the file says.",
            metavar="SIZE",
            group=_GROUP,
        ),
    ] = None

    def __post_init__(self) -> None:
        for text, parse in (
            (self.slice, parse_slice),
            (self.crop, parse_crop),
            (self.flatten, parse_flatten),
            (self.threshold, parse_threshold),
            (self.spacing, parse_spacing),
        ):
            if text is not None:
                parse(text)
        _data_bar_rows(self.data_bar)
        names = self.phase_names
        if self.phases is not None and (len(names) < 2 or len(set(names)) < len(names) or not all(names)):
            raise InputError(f"the phases {self.phases!r} are not understood; write two or more different names: a,b.")

    @property
    def data_bar_rows(self) -> int | None:
        """Number of rows of the data bar to cut off; None to find it."""
        return _data_bar_rows(self.data_bar)

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases that are asked for; empty where none are."""
        return tuple(name.strip() for name in self.phases.split(",")) if self.phases else ()

    def settings(self) -> dict[str, Any]:
        """Give the options that differ from doing nothing, ready for a settings file."""
        return changed(self)


def parse_slice(text: str) -> tuple[int, int]:
    """Parse ``"z=40"`` to an axis and a position.

    Parameters
    ----------
    text : str
        The option.

    Returns
    -------
    axis : int
        Axis of the array from behind: -1 for x, -2 for y, -3 for z.
    position : int
        Number of the slice, counted from 0, or negative from the far end.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> parse_slice("z=40")
    (-3, 40)
    """
    axis, _, number = text.replace(" ", "").lower().partition("=")
    try:
        return -1 - ("x", "y", "z").index(axis), int(number)
    except ValueError:
        raise InputError(f"the slice {text!r} is not understood; write an axis and a number, as z=40.") from None


def parse_crop(text: str) -> tuple[slice, ...] | None:
    """Parse ``"x0:x1,y0:y1[,z0:z1]"`` to slices in array order ((z,) y, x).

    Either end may be left out, and negative numbers count from the far border.

    Parameters
    ----------
    text : str
        Part to keep in pixels, or ``"auto"``.

    Returns
    -------
    tuple of slice or None
        One slice for each axis; None for ``"auto"``.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> parse_crop("10:200,:-50")
    (slice(None, -50, None), slice(10, 200, None))
    """
    if text.strip().lower() == "auto":
        return None
    try:
        pairs = [part.split(":") for part in text.split(",")]
        slices = [slice(*(int(end) if end.strip() else None for end in (low, high))) for low, high in pairs]
    except ValueError:
        slices = []
    if len(slices) not in (2, 3):
        raise InputError(
            f"the crop {text!r} is not understood; write x0:x1,y0:y1 in pixels (,z0:z1 in volumes) or auto."
        )
    return tuple(reversed(slices))


def parse_flatten(text: str) -> tuple[str, float]:
    """Parse ``"polynomial"``, ``"polynomial:DEGREE"`` or ``"gaussian:SIGMA"``.

    Parameters
    ----------
    text : str
        The option.

    Returns
    -------
    method : str
        ``"polynomial"`` or ``"gaussian"``.
    value : float
        Degree, 4 by default, or standard deviation in pixels.

    Raises
    ------
    InputError
        If the text is none of these, or the number is out of range (degree 1 to 8, standard deviation above 0 pixels).

    Examples
    --------
    >>> parse_flatten("polynomial"), parse_flatten("gaussian:40")
    (('polynomial', 4.0), ('gaussian', 40.0))
    """
    method, _, number = text.strip().lower().partition(":")
    value = _number(number) if number else float(_DEGREE) if method == "polynomial" else math.nan
    fits = value > 0 if method == "gaussian" else method == "polynomial" and value in range(1, 9)
    if not fits:
        raise InputError(
            f"the flattening {text!r} is not understood; write polynomial, polynomial:DEGREE or gaussian:SIGMA."
        )
    return method, value


def parse_threshold(text: str) -> int | tuple[float, ...]:
    """Parse ``"otsu"`` (2 classes), ``"multiotsu:K"`` (K classes), grey values ``"v1,v2,..."`` or ``"labels"``.

    Parameters
    ----------
    text : str
        The option.

    Returns
    -------
    int or tuple of float
        Number of classes, or the thresholds themselves in ascending order, of which labels have none.

    Raises
    ------
    InputError
        If the text is none of these, or K is not in 2..5.

    Examples
    --------
    >>> parse_threshold("otsu"), parse_threshold("multiotsu:3"), parse_threshold("120,60.5")
    (2, 3, (60.5, 120.0))
    """
    word = text.strip().lower()
    if word == "otsu":
        return 2
    if word == "labels":
        return ()
    name, _, number = word.partition(":")
    if name == "multiotsu" and number.isdigit() and 2 <= int(number) <= _MAX_CLASSES:
        return int(number)
    values = tuple(sorted({_number(part) for part in word.split(",")}))
    if not all(math.isfinite(value) for value in values):
        raise InputError(
            f"the threshold {text!r} is not understood; write otsu, multiotsu:K (K = 2..{_MAX_CLASSES}), "
            "grey values v1,v2,... or labels."
        )
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _data_bar_rows(value: str | int | None) -> int | None:
    if isinstance(value, str) and value.strip().lower() == "auto":
        return None
    rows = 0 if value is None else int(value) if str(value).strip().isdigit() else -1
    if rows < 0:
        raise InputError(f"the data bar {value!r} is not understood; write auto or its number of rows.")
    return rows
