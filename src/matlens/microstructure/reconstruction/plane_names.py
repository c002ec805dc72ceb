"""Names of the planes of a volume. The command line reads them, so that nothing heavy is imported here."""

from __future__ import annotations

from matlens.errors import InputError
from matlens.microstructure.axes import AXES

__all__ = ["place_of", "plane_names"]


def plane_names(text: str) -> list[str]:
    """Split and check names of planes.

    Parameters
    ----------
    text : str
        Names separated by commas, each of two letters out of x, y and z: the axis along which columns are counted, and
        that along which rows are. In a picture ``xz``, x grows to the right and z downward.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    InputError
        If a name is not that of a plane, or a plane is named twice.

    Examples
    --------
    >>> plane_names("xz,yz")
    ['xz', 'yz']
    """
    names = [name.strip().lower() for name in text.split(",")]
    if any(len(name) != 2 or len(set(name)) != 2 or not set(name) <= set(AXES) for name in names):
        raise InputError(
            f"the plane {text!r} is not understood; write the axis of the columns, then that of the rows, such as xy, "
            "or several planes that look alike, such as xz,yz."
        )
    if len({frozenset(name) for name in names}) < len(names):
        raise InputError(f"{text!r} names a plane twice; name it once.")
    return names


def place_of(text: str) -> tuple[int, int]:
    """Read the place of a plane in a volume.

    Parameters
    ----------
    text : str
        The axis that is normal to the plane, and the number of the plane along it, such as ``z=0``.

    Returns
    -------
    axis : int
        Axis of the array.
    place : int
        Number of the plane, from 0.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> place_of("z=0"), place_of("x = 31")
    ((0, 0), (2, 31))
    """
    axis, _, place = (part.strip().lower() for part in text.partition("="))
    if len(axis) != 1 or axis not in AXES or not place.isdecimal():
        raise InputError(
            f"the place {text!r} of a known plane is not understood; write the axis normal to it and its number from "
            "0, such as z=0."
        )
    return AXES.index(axis), int(place)
