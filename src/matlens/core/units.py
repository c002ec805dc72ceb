"""Units of length in the spellings of people and instruments: ``0.35um``, ``micron``, ``\\u00B5m``."""

from __future__ import annotations

import re

from matlens.errors import InputError

__all__ = ["normal_unit", "parse_spacing"]

_SAME = {
    # Unicode has two letters mu, and ImageJ writes the escaped form of one of them into TIFF files.
    "um": ("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"),
    "nm": ("nm", "nanometer", "nanometers", "nanometre", "nanometres"),
    "mm": ("mm", "millimeter", "millimeters", "millimetre", "millimetres"),
    "cm": ("cm", "centimeter", "centimeters", "centimetre"),
    "m": ("m", "meter", "meters", "metre", "metres"),
    "angstrom": ("angstrom", "angstroms", "å", "\u212b"),
    "inch": ("inch", "inches", "in", '"'),
    "px": ("px", "pixel", "pixels", "voxel", "voxels", ""),
}
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
