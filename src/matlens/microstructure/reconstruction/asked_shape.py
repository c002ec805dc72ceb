"""The size of a reconstruction that is asked for, checked before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from matlens.errors import InputError

__all__ = ["SMALLEST", "checked_shape"]

SMALLEST = 16  # pixels on a side: below, no encoder has a layer with enough positions


def checked_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Check the size of a reconstruction.

    Parameters
    ----------
    shape : sequence of int
        Sides in pixels.

    Returns
    -------
    tuple of (int, int)
        Height and width.

    Raises
    ------
    InputError
        If there are not two sides, or one is below 16 pixels.

    Examples
    --------
    >>> checked_shape([64, 96])
    (64, 96)
    """
    sides = tuple(int(side) for side in shape)
    if len(sides) != 2:
        raise InputError(f"the shape {'x'.join(map(str, sides))} has {len(sides)} sides; give height x width.")
    if min(sides) < SMALLEST:
        raise InputError(f"the shape {sides[0]}x{sides[1]} is too small; each side needs at least {SMALLEST} pixels.")
    return sides[0], sides[1]
