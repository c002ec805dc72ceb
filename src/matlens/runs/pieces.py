"""Pieces of work: several short tasks that are handed over at once, where each handing over costs more than a task."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

__all__ = ["SHORT", "Pieces"]

SHORT = 0.5
"""Seconds of work of a piece: little is lost with it, and long tasks are pieces by themselves."""


class Pieces:
    """Keys of tasks that wait, cut into pieces by the time that the last tasks took.

    The first pieces are single tasks. Who makes a piece hands back what it has not begun after `SHORT` seconds, so that
    a long task among short ones keeps none of them waiting.

    Parameters
    ----------
    keys : sequence of str
        Keys of the tasks.

    Examples
    --------
    >>> pieces = Pieces([str(number) for number in range(100)])
    >>> first = pieces.take(4)
    >>> first
    ('0',)
    >>> pieces.back(first, made=1, seconds=0.05)
    >>> pieces.take(4)
    ('1', '2', '3', '4', '5', '6', '7', '8', '9', '10')
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._waiting = deque(keys)
        self._seconds = SHORT  # of a task

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, parts: int) -> tuple[str, ...]:
        """Take the next piece.

        Parameters
        ----------
        parts : int
            Number of pieces that can be in work, among which the last tasks are shared out evenly.

        Returns
        -------
        tuple of str
            Keys, at least one if any is left.
        """
        fair = -(-len(self._waiting) // parts)
        size = min(max(int(SHORT / self._seconds), 1), fair)
        return tuple(self._waiting.popleft() for _ in range(size))

    def back(self, piece: Sequence[str], made: int, seconds: float) -> None:
        """Note how long a piece took, and let what was not begun wait again.

        Parameters
        ----------
        piece : sequence of str
            Its keys.
        made : int
            How many of them were made, at least one.
        seconds : float
            How long that took.
        """
        self._seconds = max(seconds / made, 1e-6)
        self._waiting.extendleft(reversed(piece[made:]))
