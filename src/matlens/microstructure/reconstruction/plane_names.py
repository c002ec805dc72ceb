"""Names of the planes of a volume. The command line reads them, so that nothing heavy is imported here."""

from __future__ import annotations

from matlens.errors import InputError

__all__ = ["AXES", "plane_names"]

AXES = "zyx"  # of a volume, in the order of its array


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
