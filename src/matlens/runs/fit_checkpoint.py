"""The state of a training, kept in a run directory, so that a stopped one goes on with the same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from matlens.core.atomic import atomic_write
from matlens.hooks import Arrays, NoCheckpoint
from matlens.runs.directory import STATE, RunDirectory

__all__ = ["FitCheckpoint"]

INTERVAL = 20.0  # seconds of work that a kill may cost; Ctrl-C costs none


class FitCheckpoint(NoCheckpoint):
    """The training's checkpoint hook: ``.state/checkpoint_NAME_I.npz`` holds the state of chunk I.

    Parameters
    ----------
    run : RunDirectory
        Where to keep it.
    name : str
        Of the training, where a run has several.
    interval : float, optional
        Seconds between two saves of the same chunk.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "learn-library", {})
    >>> checkpoint = FitCheckpoint(run, interval=0)
    >>> checkpoint.save(0, lambda: {"x": np.arange(3)})
    >>> checkpoint.load(0)
    {'x': array([0, 1, 2])}
    >>> checkpoint.drop()
    >>> checkpoint.load(0) is None
    True
    """

    def __init__(self, run: RunDirectory, name: str = "fit", *, interval: float | None = None) -> None:
        self._run, self._name = run, name
        self._interval = INTERVAL if interval is None else interval
        self._last: dict[int, float] = {}
        self._start = time.monotonic()

    def load(self, realisation: int) -> Arrays | None:
        """Return the state last saved of this chunk, or None."""
        path = self._run.path / self._file(realisation)
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as content:
            return {key: content[key] for key in content.files}

    def save(self, realisation: int, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Write ``state()`` when this chunk's interval is over, or always with ``force``."""
        if force or time.monotonic() - self._last.get(realisation, self._start) >= self._interval:
            arrays: dict[str, NDArray[np.generic]] = state()
            with atomic_write(self._run.claim(self._file(realisation))) as temporary:
                np.savez(temporary, allow_pickle=False, **arrays)
            self._last[realisation] = time.monotonic()

    def drop(self) -> None:
        """Remove what was kept: the training is finished and its result stored."""
        for file in (self._run.path / STATE).glob(f"checkpoint_{self._name}_*.npz"):
            self._run.remove(f"{STATE}/{file.name}")

    def _file(self, number: int) -> str:
        return f"{STATE}/checkpoint_{self._name}_{number}.npz"
