"""Units of length in the spellings of people and instruments: ``0.35um``, ``micron``, ``\\u00B5m``."""

from __future__ import annotations

import re

from matlens.errors import InputError

__all__ = ["converted", "in_handy_unit", "is_length", "normal_unit", "parse_spacing"]

_SAME = {
    # Unicode has two letters mu, and ImageJ writes the escaped form of one of them into TIFF files.
    "um": ("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"),
    "nm": ("nm", "nanometer", "nanometers", "nanometre", "nanometres"),
    "mm": ("mm", "millimeter", "millimeters", "millimetre", "millimetres"),
    "cm": ("cm", "centimeter", "centimeters", "centimetre"),
    "dm": ("dm", "decimeter", "decimeters", "decimetre", "decimetres"),
    "m": ("m", "meter", "meters", "metre", "metres"),
    "pm": ("pm", "picometer", "picometers", "picometre", "picometres"),
    "angstrom": ("angstrom", "angstroms", "å", "\u212b"),
    "inch": ("inch", "inches", "in", '"'),
    "px": ("px", "pixel", "pixels", "voxel", "voxels", ""),
}
_METRES = {
    "m": 1.0, "dm": 1e-1, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "angstrom": 1e-10, "pm": 1e-12,
    "inch": 0.0254,
}  # fmt: skip
_KNOWN = {name: unit for unit, names in _SAME.items() for name in names}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SPACING = re.compile(rf"\s*({_NUMBER}(?:\s*[x×]\s*{_NUMBER}){{0,2}})\s*(\D*?)\s*")


def normal_unit(unit: str) -> str:
    """Return the common spelling of a unit of length.

    Parameters
    ----------
    unit : str
        Unit as a user or a file spells it; upper and lower case are equal.

    Returns
    -------
    str
        ``"um"``, ``"nm"``, ``"mm"``, ``"cm"``, ``"m"``, ``"angstrom"``, ``"inch"`` or ``"px"``; an unknown unit is
        returned as it is, without surrounding blanks.

    Examples
    --------
    >>> normal_unit("microns"), normal_unit("px"), normal_unit("furlong")
    ('um', 'px', 'furlong')
    """
    text = unit.strip()
    return _KNOWN.get(text.lower(), text)


def is_length(unit: str | None) -> bool:
    """Return whether a unit is one of length, which pixels are not.

    Parameters
    ----------
    unit : str, optional
        Unit in any spelling.

    Returns
    -------
    bool
        Whether it can be converted into other units of length.

    Examples
    --------
    >>> is_length("micron"), is_length("px"), is_length(None)
    (True, False, False)
    """
    return unit is not None and normal_unit(unit) in _METRES


def converted(size: float, unit: str, into: str) -> float:
    """Convert a length into another unit.

    Parameters
    ----------
    size : float
        The length, in ``unit``.
    unit, into : str
        Units of length in any spelling.

    Returns
    -------
    float
        The length, in ``into``; exact to 15 digits, and unchanged where both units are the same.

    Raises
    ------
    KeyError
        If one of them is no unit of length (see `is_length`).

    Examples
    --------
    >>> converted(0.5, "um", "nm"), converted(2, "micron", "um")
    (500.0, 2)
    """
    first, second = normal_unit(unit), normal_unit(into)
    if first == second:
        return size
    return float(f"{size * (_METRES[first] / _METRES[second]):.15g}")  # 0.3 m are 300 mm, not 299.99999999999994


def in_handy_unit(sizes: tuple[float, ...], unit: str) -> tuple[tuple[float, ...], str]:
    """Express lengths in the unit of nm, um and mm that people would take for the last of them.

    Parameters
    ----------
    sizes : tuple of float
        Lengths in ``unit``; NaN where one is unknown.
    unit : str
        Unit of length.

    Returns
    -------
    sizes : tuple of float
        The same lengths in the new unit.
    unit : str
        ``"nm"`` below 0.1 um, ``"um"`` below 0.1 mm, else ``"mm"``.

    Examples
    --------
    >>> in_handy_unit((2e-9, 2e-9), "m")
    ((2.0, 2.0), 'nm')
    """
    metres = converted(sizes[-1], unit, "m")
    handy = "nm" if metres < 1e-7 else "um" if metres < 1e-4 else "mm"
    return tuple(converted(size, unit, handy) for size in sizes), handy


def parse_spacing(text: str) -> tuple[float | tuple[float, ...], str]:
    """Read a pixel size with its unit.

    Parameters
    ----------
    text : str
        ``"0.35um"``, or one size an axis in the order (z,) y, x: ``"5x2.8x2.8um"``.

    Returns
    -------
    spacing : float or tuple of float
        The size of a pixel.
    unit : str
        Its unit, in the common spelling.

    Raises
    ------
    InputError
        If the text is not one to three positive numbers and a known unit.

    Examples
    --------
    >>> parse_spacing("0.35um"), parse_spacing("5 x 2.8 x 2.8 nm")
    ((0.35, 'um'), ((5.0, 2.8, 2.8), 'nm'))
    """
    match = _SPACING.fullmatch(text)
    unit = _KNOWN.get(match[2].lower()) if match and match[2] else None
    values = tuple(float(part) for part in re.split(r"[x×]", match[1])) if match else ()
    if unit is None or not values or min(values) <= 0:
        raise InputError(
            f"the spacing {text!r} is not understood; give a positive size and a unit "
            f"({', '.join(name for name in _SAME)}), such as 0.35um or 5x2.8x2.8um (z, y, x)."
        )
    return (values[0] if len(values) == 1 else values), unit
