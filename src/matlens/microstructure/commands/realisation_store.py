"""Realisations of a reconstruction in a run directory: finished ones as pictures, the others as optimiser state."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.guard import reading
from matlens.errors import Interrupted, RunError, SomeFailed
from matlens.hooks import Arrays, Progress
from matlens.microstructure.io import put_microstructure
from matlens.microstructure.reconstruction import Plan, Reconstruction, realisation_key
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import ARRAYS, write_value
from matlens.runs.directory import STATE, RunDirectory
from matlens.runs.resumable import spread
from matlens.runs.state_store import RunStateStore

__all__ = ["LOOK", "PREVIEW", "RealisationStore"]

PREVIEW = "preview.png"
LOOK = "look.npz"
_WIDE = 512  # pixels of the preview's longest side, at least
_LOOK = {2: 1024, 3: 128}  # pixels of a side of a plane, and of a volume, that are kept for those who watch
_RARELY = 20  # times as long as a look takes lies between it and the next


class RealisationStore(RunStateStore):
    """State store whose results are microstructures.

    The labels of a finished realisation are ``realisation_I.npy`` and ``.tif`` (uint8); all else of its result stays
    below ``.state``. The best so far of an interrupted one is ``partial_I.npy`` and ``.tif``, removed when the
    realisation is finished.

    Parameters
    ----------
    run : RunDirectory
        The run.
    material : Microstructure
        Gives the results their spacing, unit and phase names.
    folder : str
        Folder of the run for these realisations, where it makes more than one set of them; ends with ``/``.
    interval : float, optional
        Seconds between two saves of the state; by default 2.
    say : callable, optional
        Called with the path of ``preview.png`` when it is there for the first time; without it, none is made.

    Examples
    --------
    >>> import tempfile
    >>> run = RunDirectory.create(tempfile.mkdtemp(), "reconstruct", {})
    >>> store = RealisationStore(run, Microstructure([[0, 1], [1, 0]]))
    >>> store.finish("realisation_0", {"labels": np.eye(2, dtype=np.uint8), "loss": np.ones(1)})
    >>> sorted(file.name for file in run.path.glob("realisation_*")), store.result("realisation_0")["labels"].tolist()
    (['realisation_0.npy', 'realisation_0.tif'], [[1, 0], [0, 1]])
    """

    def __init__(
        self,
        run: RunDirectory,
        material: Microstructure,
        folder: str = "",
        *,
        interval: float | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(run, folder, interval=interval)
        self._material, self._say, self._shown = material, say, False
        self._seen, self._pause = time.monotonic(), self._interval

    def finish(self, key: str, result: Arrays) -> None:
        """Write a finished realisation; the record below ``.state`` comes last and marks it as complete.

        Parameters
        ----------
        key : str
            Key of the realisation, e.g. ``realisation_0``.
        result : Arrays
            Labels and all else of its result.
        """
        record = dict(result)
        labels = record.pop("labels")
        self._write_labels(key, labels)
        self._write_preview(np.asarray(labels))
        super().finish(key, record)
        self._run.remove(self._look)
        for suffix in (".npy", ".tif"):
            self._run.remove(f"{self._folder}{_partial(key)}{suffix}")

    def show(self, key: str, labels: Callable[[], NDArray[np.generic]], *, force: bool = False) -> None:
        """Write the look of a realisation that is not finished, if the last one is long enough ago.

        It is written as ``preview.png``, and as ``.state/look.npz`` for those who watch the run.

        Parameters
        ----------
        key : str
            Key of the realisation.
        labels : callable
            Returns its phase labels so far, at any resolution.
        force : bool
            Write it in any case.
        """
        begun = time.monotonic()
        if self._say is None or not (force or begun - self._seen >= self._pause):
            return
        found = np.asarray(labels())
        self._write_preview(found)
        step = max(1, -(-max(found.shape) // _LOOK[found.ndim]))
        part = np.ascontiguousarray(found[(slice(None, None, step),) * found.ndim], dtype=np.uint8)
        write_value(self._run, self._look, {"labels": part, "key": np.array(key)}, ARRAYS)
        self._seen = time.monotonic()
        self._pause = max(self._interval, _RARELY * (self._seen - begun))

    @property
    def _look(self) -> str:
        return f"{STATE}/{self._folder}{LOOK}"

    def _write_preview(self, found: NDArray[Any]) -> None:
        if self._say is None:
            return
        from PIL import Image  # nothing else of a run needs it

        if found.ndim == 3:  # the middle planes normal to z, y and x, one below the other on one width
            planes = [found.take(side // 2, axis=axis) for axis, side in enumerate(found.shape)]
            wide = max(plane.shape[1] for plane in planes)
            found = np.concatenate([np.pad(plane, ((0, 1), (0, wide - plane.shape[1]))) for plane in planes])
        grey = np.round(found * (255 / max(self._material.n_phases - 1, 1))).astype(np.uint8)
        enlarged = max(1, -(-_WIDE // max(grey.shape)))
        name = f"{self._folder}{PREVIEW}"
        with self._run.writing(name) as file:
            Image.fromarray(grey.repeat(enlarged, axis=0).repeat(enlarged, axis=1)).save(file, format="PNG")
        if not self._shown:
            self._shown = True
            self._say(f"first look: {self._run.path / name}")

    def result(self, key: str) -> Arrays | None:
        """Read the labels and all else of a finished realisation.

        Parameters
        ----------
        key : str
            Key of the realisation.

        Returns
        -------
        Arrays or None
            The arrays; None if it is not finished.
        """
        record = super().result(key)
        file = self._run.path / f"{self._folder}{key}.npy"
        if record is None or not file.is_file():
            return None
        with reading(file, "a realisation", f"remove it and go on with 'matlens resume {self._run.path}'", RunError):
            return {"labels": np.load(file, allow_pickle=False), **record}

    def make(self, planned: Plan[Any], progress: Progress) -> Reconstruction:
        """Make the realisations that are missing, by the workers of the run if it has any.

        Of several realisations, one that fails costs only itself; the provenance of the run names it.

        Parameters
        ----------
        planned : Plan
            The reconstruction.
        progress : Progress
            Shows how far the work is.

        Returns
        -------
        Reconstruction
            The realisations that did not fail.

        Raises
        ------
        Interrupted
            On an interrupt; the best so far is written.
        KeyboardInterrupt
            On an interrupt of workers; states and finished realisations are kept.
        SomeFailed
            If all of several realisations failed.
        """
        failed = self._spread(planned, progress)
        try:
            result = planned.run(progress, self, failed if planned.n > 1 else None)
        except Interrupted as stop:
            self.write_partial(stop.result)
            raise
        if not result.microstructures:
            raise SomeFailed(
                f"none of {planned.n} realisations could be made; the first: {next(iter(failed.values()))}"
            )
        # Realisations end in any order; the picture that stays is of the last of them.
        self._write_preview(result.microstructures[-1].labels)
        if failed:
            named = {realisation_key(index): failed[index] for index in sorted(failed)}
            self._run.mark("running", failed=named)
        return result

    def _spread(self, planned: Plan[Any], progress: Progress) -> dict[int, str]:
        """Let the workers of the run, if it has any, make the realisations that are missing; those that failed."""
        maker = cache(planned.prepared.learn)
        failed = spread(
            self._run,
            "realisation",
            {str(index): self.result_file(realisation_key(index)) for index in range(planned.n)},
            lambda index: planned.make(maker(), int(index), progress, self),
            progress=progress,
            label="realisations",
            independent=planned.n > 1,
        )
        return {int(key): reason for key, reason in (failed or {}).items()}

    def write_partial(self, result: Reconstruction | None) -> None:
        """Write the unfinished realisations of an interrupted reconstruction.

        Parameters
        ----------
        result : Reconstruction or None
            The reconstruction; None if there is none.
        """
        for index, structure in zip(result.numbers, result.microstructures) if result is not None else ():
            key = realisation_key(index)
            if self.result(key) is None:
                self._write_labels(_partial(key), structure.labels)

    def _write_labels(self, stem: str, labels: NDArray[np.generic]) -> None:
        labels, stem = np.ascontiguousarray(labels, dtype=np.uint8), self._folder + stem
        with self._run.writing(f"{stem}.npy") as file:
            np.save(file, labels, allow_pickle=False)
        with self._run.writing(f"{stem}.tif") as file:
            put_microstructure(self._material.with_labels(labels), f"{stem}.tif", file)


def _partial(key: str) -> str:
    return key.replace("realisation", "partial")
