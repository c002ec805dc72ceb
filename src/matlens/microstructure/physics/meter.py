"""Progress of iterative solves, in percent of the decades by which the residual must fall."""

from __future__ import annotations

from math import log

from matlens.core.numbers import shown
from matlens.hooks import Progress

__all__ = ["Meter"]


class Meter:
    """Report iterations and residuals of successive solves as progress.

    Parameters
    ----------
    progress : Progress
        Called with the percent done, 100 for each solve.
    solves : int
        Expected number of solves.
    tolerance : float
        Residual at which each solve ends.
    label : str
        Name of the computed property.

    Examples
    --------
    >>> from matlens.hooks import Silent
    >>> meter = Meter(Silent(), 2, 1e-4, "conductivity")
    >>> meter(1, 1e-2), meter(2, 1e-4), meter(1, 1e-1)
    (None, None, None)
    >>> meter.done
    125
    """

    def __init__(self, progress: Progress, solves: int, tolerance: float, label: str) -> None:
        self.done = 0
        self._progress, self._solves, self._tolerance = progress, solves, tolerance
        self._solve = self._iteration = 0
        progress.begin(100 * solves, label)

    def __call__(self, iteration: int, residual: float) -> None:
        """Report an iteration; a number that is not larger than the last one begins the next solve."""
        if iteration <= self._iteration:
            self._solve += 1
        self._iteration = iteration
        share = log(max(residual, self._tolerance)) / log(self._tolerance) if residual < 1 else 0.0
        reached = 100 * min(self._solve, self._solves - 1) + int(100 * share)
        self.done = max(self.done, reached)
        text = f"load case {self._solve + 1}, iteration {iteration}, residual {shown(residual, 2)}"
        self._progress.update(self.done, text)

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.end()
