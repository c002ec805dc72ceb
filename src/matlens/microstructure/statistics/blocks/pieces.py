"""States that remember the faces of the boxes they cover: boxes that meet in a whole face become one box.

A state holds such boxes under keys ``"low:high"`` of their corners, each with arrays of its own. Boxes grow along the
last axis first, and along another only once they reach from end to end of all later ones: so blocks of a grid can be
taken in any order, and no order leaves boxes that fit together in no way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Box", "Piece", "as_state", "covered", "joined", "key_of"]

Box = tuple[tuple[int, ...], tuple[int, ...]]
Piece = dict[str, Any]


def key_of(box: Box) -> str:
    """Write the corners of a box as a key.

    Parameters
    ----------
    box : tuple
        First pixel of each axis, and the one behind the last.

    Returns
    -------
    str
        The key.

    Examples
    --------
    >>> key_of(((0, 4), (2, 9)))
    '0,4:2,9'
    """
    return ":".join(",".join(map(str, corner)) for corner in box)


def covered(state: dict[str, Any]) -> dict[Box, Piece]:
    """Sort the entries of a state by their boxes; those of no box are left out.

    Parameters
    ----------
    state : dict
        Entries ``"low:high/name"``, and others.

    Returns
    -------
    dict
        The arrays of each box by name.

    Examples
    --------
    >>> covered({"total": 3, "0,0:1,2/edge": 7})
    {((0, 0), (1, 2)): {'edge': 7}}
    """
    found: dict[Box, Piece] = {}
    for key, value in state.items():
        place, _, name = key.partition("/")
        if name:
            low, high = (tuple(map(int, corner.split(","))) for corner in place.split(":"))
            found.setdefault((low, high), {})[name] = value
    return found


def joined(
    pieces: list[tuple[Box, Piece]], frame: Box, join: Callable[[Piece, Piece, int, Box], Piece]
) -> list[tuple[Box, Piece]]:
    """Join boxes that meet in a whole face, as far as it goes.

    Parameters
    ----------
    pieces : list of (box, dict)
        Boxes of one grid that do not overlap, and their arrays.
    frame : tuple
        The box that all of them fill together, or will fill.
    join : callable
        Takes the arrays of the lower box, those of the upper one, the axis across the face, and the box of both;
        returns its arrays.

    Returns
    -------
    list of (box, dict)
        Fewer boxes; one if they fill the frame.

    Examples
    --------
    >>> halves = [(((0, 2), (3, 4)), {"n": 1}), (((0, 0), (3, 2)), {"n": 2})]
    >>> joined(halves, ((0, 0), (3, 4)), lambda a, b, axis, box: {"n": 10 * a["n"] + b["n"]})
    [(((0, 0), (3, 4)), {'n': 21})]
    """
    done: list[tuple[Box, Piece]] = []
    for box, piece in pieces:
        while (
            found := next((at for at, (other, _) in enumerate(done) if _axis(box, other, frame) is not None), -1)
        ) >= 0:
            other = done.pop(found)
            axis = _axis(box, other[0], frame)
            assert axis is not None
            low, high = sorted([(box, piece), other], key=lambda pair: pair[0])
            box = (low[0][0], high[0][1])
            piece = join(low[1], high[1], axis, box)
        done.append((box, piece))
    return done


def as_state(pieces: list[tuple[Box, Piece]]) -> dict[str, Any]:
    """Write boxes and their arrays as entries of a state, the inverse of `covered`.

    Parameters
    ----------
    pieces : list of (box, dict)
        The boxes.

    Returns
    -------
    dict
        The entries.

    Examples
    --------
    >>> as_state([(((0, 0), (1, 2)), {"edge": 7})])
    {'0,0:1,2/edge': 7}
    """
    return {f"{key_of(box)}/{name}": value for box, piece in pieces for name, value in piece.items()}


def _axis(one: Box, other: Box, frame: Box) -> int | None:
    """Axis along which two boxes continue each other, if there is one."""
    apart = [axis for axis in range(len(frame[0])) if any(a[axis] != b[axis] for a, b in zip(one, other))]
    if len(apart) != 1:
        return None
    axis = apart[0]
    filled = all(one[end][later] == frame[end][later] for later in range(axis + 1, len(frame[0])) for end in (0, 1))
    touch = one[1][axis] == other[0][axis] or other[1][axis] == one[0][axis]
    return axis if filled and touch else None
