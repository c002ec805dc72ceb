"""The size of a reconstruction that is asked for, checked before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from matlens.errors import InputError

__all__ = ["SMALLEST", "checked_shape"]

SMALLEST = 16  # pixels on a side: below, no encoder has a layer with enough positions


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Check the size of a reconstruction.

    Parameters
    ----------
    shape : sequence of int
        Sides in pixels.

    Returns
    -------
    tuple of int
        Height and width, or depth, height and width of a volume.

    Raises
    ------
    InputError
        If there are not two or three sides, or one is below 16 pixels.

    Examples
    --------
    >>> checked_shape([64, 96])
    (64, 96)
    """
    sides = tuple(int(side) for side in shape)
    words = "x".join(map(str, sides))
    if len(sides) not in (2, 3):
        raise InputError(f"the shape {words} has {len(sides)} sides; give height x width, or depth x height x width.")
    if min(sides) < SMALLEST:
        raise InputError(f"the shape {words} is too small; each side needs at least {SMALLEST} pixels.")
    return sides
