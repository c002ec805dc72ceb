"""Names of the axes of a structure. The command line reads them, so that nothing heavy is imported here."""

__all__ = ["AXES", "AXES_OF_PLANES"]

AXES = "zyx"
"""Axes of a volume in the order of its array; those of an image are the last two."""

AXES_OF_PLANES = {"xy": 0, "xz": 1, "yz": 2}
"""The axis of the array that is normal to each plane; names give the columns first, then the rows."""
