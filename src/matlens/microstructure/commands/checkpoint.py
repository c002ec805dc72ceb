"""Checkpoints in a run directory: what the engine needs to go on with the same bytes after being killed."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from matlens.core.atomic import atomic_write
from matlens.hooks import Arrays
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import STATE, RunDirectory

__all__ = ["INTERVAL", "RunCheckpoint"]

INTERVAL = 2.0  # seconds of work that a kill may cost


class RunCheckpoint:
    """The engine's checkpoint hook, kept in a run directory.

    A realisation in the making is ``.state/checkpoint_I.npz``; a finished one is ``realisation_I.npy`` and ``.tif``
    (uint8 labels), with its record in ``.state/record_I.npz``. The best so far of an interrupted one is
    ``partial_I.npy`` and ``.tif``, removed when the realisation is finished.

    Parameters
    ----------
    run : RunDirectory
        Where to keep it.
    material : Microstructure
        Gives the results their spacing, unit and phase names.
    interval : float, optional
        Seconds between two saves of the state; by default 2.
    folder : str
        Folder of the run to keep all this in, where a run makes more than one set of realisations; ends with ``/``.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "reconstruct", {})
    >>> checkpoint = RunCheckpoint(run, Microstructure([[0, 1], [1, 0]]), interval=0)
    >>> checkpoint.save(0, lambda: {"x": np.arange(3)})
    >>> checkpoint.load(0)
    {'x': array([0, 1, 2])}
    """

    def __init__(
        self, run: RunDirectory, material: Microstructure, *, interval: float | None = None, folder: str = ""
    ) -> None:
        self._run, self._folder = run, folder
        self._material = material
        self._interval = INTERVAL if interval is None else interval
        self._last = time.monotonic()

    def load(self, realisation: int) -> Arrays | None:
        """Return the state last saved for this realisation, or None."""
        return self._read(self._state_name(realisation))

    def save(self, realisation: int, state: Callable[[], Arrays], *, force: bool = False) -> None:
        """Write ``state()`` when the interval is over, or always with ``force``."""
        if force or time.monotonic() - self._last >= self._interval:
            self._write(self._state_name(realisation), state())
            self._last = time.monotonic()  # after the write: a slow disk must not fill the time with saving

    def finished(self, realisation: int, labels: NDArray[np.uint8], record: Arrays) -> None:
        """Write a finished realisation; its record comes last and says that all is there."""
        self._write_labels(f"realisation_{realisation}", labels)
        self._write(self._record_name(realisation), record)
        partial = f"{self._folder}partial_{realisation}"
        for name in (self._state_name(realisation), f"{partial}.npy", f"{partial}.tif"):
            self._run.remove(name)

    def result(self, realisation: int) -> tuple[NDArray[np.uint8], Arrays] | None:
        """Return the labels and the record of a finished realisation, or None."""
        record = self._read(self._record_name(realisation))
        file = self._run.path / f"{self._folder}realisation_{realisation}.npy"
        if record is None or not file.is_file():
            return None
        return np.load(file, allow_pickle=False), record

    def partial(self, realisation: int, labels: NDArray[np.uint8]) -> None:
        """Write the best so far of a realisation that was interrupted."""
        self._write_labels(f"partial_{realisation}", labels)

    def _write_labels(self, stem: str, labels: NDArray[np.uint8]) -> None:
        labels, stem = np.ascontiguousarray(labels, dtype=np.uint8), self._folder + stem
        with atomic_write(self._run.claim(f"{stem}.npy")) as temporary:
            np.save(temporary, labels, allow_pickle=False)
        write_microstructure(self._material.with_labels(labels), self._run.claim(f"{stem}.tif"))

    def _write(self, name: str, arrays: Arrays) -> None:
        with atomic_write(self._run.claim(name)) as temporary:
            np.savez(temporary, allow_pickle=False, **arrays)

    def _read(self, name: str) -> Arrays | None:
        path = self._run.path / name
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as content:
            return {key: content[key] for key in content.files}

    def _state_name(self, realisation: int) -> str:
        return f"{STATE}/{self._folder}checkpoint_{realisation}.npz"

    def _record_name(self, realisation: int) -> str:
        return f"{STATE}/{self._folder}record_{realisation}.npz"
