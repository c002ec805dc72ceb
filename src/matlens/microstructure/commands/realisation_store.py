"""Realisations of a reconstruction in a run directory: finished ones as pictures, the others as optimiser state."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.guard import reading
from matlens.errors import RunError
from matlens.hooks import Arrays, Progress
from matlens.microstructure.io import put_microstructure
from matlens.microstructure.reconstruction import Plan, Reconstruction, realisation_key
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import spread
from matlens.runs.state_store import RunStateStore

__all__ = ["PREVIEW", "RealisationStore"]

PREVIEW = "preview.png"
_WIDE = 512  # pixels of the preview's longest side, at least


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
        self.show(key, lambda: labels)
        super().finish(key, record)
        for suffix in (".npy", ".tif"):
            self._run.remove(f"{self._folder}{_partial(key)}{suffix}")

    def show(self, key: str, labels: Callable[[], NDArray[np.generic]]) -> None:
        """Write ``preview.png``, the first look at a realisation that is not finished.

        Parameters
        ----------
        key : str
            Key of the realisation.
        labels : callable
            Returns its phase labels so far, at any resolution.
        """
        if self._say is None:
            return
        from PIL import Image  # nothing else of a run needs it

        found = np.asarray(labels())
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

    def spread(self, planned: Plan[Any], progress: Progress) -> None:
        """Let the workers of the run, if it has any, make the realisations that are missing.

        Parameters
        ----------
        planned : Plan
            The reconstruction; its ``run`` reads from this store what they made.
        progress : Progress
            Shows how many are made.

        Raises
        ------
        KeyboardInterrupt
            On an interrupt; states and finished realisations are kept.
        SomeFailed
            If realisations failed; all others are finished.
        """
        maker = cache(planned.prepared.learn)
        shared = spread(
            self._run,
            "realisation",
            {str(index): self.result_file(realisation_key(index)) for index in range(planned.n)},
            lambda index: planned.make(maker(), int(index), progress, self),
            progress=progress,
            label="realisations",
        )
        last = self.result(realisation_key(planned.n - 1)) if shared else None
        if last is not None:  # workers end in any order, and the preview is that of one process
            self.show(realisation_key(planned.n - 1), lambda: last["labels"])

    def write_partial(self, result: Reconstruction | None) -> None:
        """Write the unfinished realisations of an interrupted reconstruction.

        Parameters
        ----------
        result : Reconstruction or None
            The reconstruction; None if there is none.
        """
        for index, structure in enumerate(result.microstructures if result is not None else ()):
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
