"""Execution of a prepared method: fractions, seeds, checkpoints and results, which are common to all methods."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Generic

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import ndimage

from matlens.core.guard import reason_of
from matlens.core.threads import one_thread
from matlens.errors import Interrupted, RunError
from matlens.hooks import Arrays, Progress, StateStore
from matlens.microstructure.reconstruction.fractions import FractionRule, asked_fractions
from matlens.microstructure.reconstruction.method import Made, Maker, Task, Work
from matlens.microstructure.reconstruction.result import Reconstruction, realisation_key
from matlens.microstructure.reconstruction.sections import SectionChecks
from matlens.microstructure.reconstruction.together import Together, make_together
from matlens.microstructure.structure import Microstructure

__all__ = ["Plan", "flip_to_counts"]


_Done = tuple[Arrays, float]
"""Result and seconds of one realisation."""


@dataclass(frozen=True)
class Plan(Generic[Work]):
    """Checked plan of a reconstruction, made by `plan` and executed by `run`.

    Attributes
    ----------
    prepared : Prepared
        The method with resolved settings.
    exemplars : tuple of Microstructure
        Micrographs to resemble.
    shape : tuple of int
        Pixels of the result along each axis.
    fraction : {"exact", "sampled"} or sequence of float
        Rule of the volume fractions.
    n, seed : int
        Number of realisations, and seed of their random numbers.
    settings : dict of str to object
        Every setting with its resolved value, of plain types.
    checks : SectionChecks or None
        What was found of the sections of a volume.

    Examples
    --------
    >>> from matlens.hooks import NoStore, Silent
    >>> from matlens.microstructure.problems import bicontinuous
    >>> from matlens.microstructure.reconstruction import plan
    >>> work = plan(bicontinuous((32, 32), seed=1), (24, 24), method="gaussian-field")
    >>> work.shape, work.run(Silent(), NoStore()).microstructure
    ((24, 24), Microstructure(24 x 24, 2 phases, 1 px, periodic))
    """

    prepared: Work
    exemplars: tuple[Microstructure, ...]
    shape: tuple[int, ...]
    fraction: FractionRule
    n: int
    seed: int
    settings: dict[str, Any]
    checks: SectionChecks | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on the settings before the work, one sentence each."""
        return self.prepared.notes

    @property
    def cost(self) -> tuple[float, float]:
        """Estimated seconds and bytes of all realisations, besides Python and its packages."""
        pixels, workers = float(np.prod(self.shape)), self.side_by_side
        seconds = -(-self.n // workers) * pixels * self.prepared.seconds_per_pixel
        return seconds, workers * pixels * self.prepared.bytes_per_pixel

    def run(self, progress: Progress, checkpoint: StateStore, failed: dict[int, str] | None = None) -> Reconstruction:
        """Make all realisations; those whose result is stored are read from the store.

        Parameters
        ----------
        progress : Progress
            Shows the work on each realisation.
        checkpoint : StateStore
            Stores states and finished realisations, so that a run can resume.
        failed : dict of int to str, optional
            Realisations that are known to fail, by their numbers, with reasons. They are left out, and others that fail
            by an error of their own are added. By default such an error ends the work.

        Returns
        -------
        Reconstruction
            The realisations, with settings and history.

        Raises
        ------
        Interrupted
            On KeyboardInterrupt, with the partial result.
        """
        wanted = [index for index in range(self.n) if index not in (failed or {})]
        kept = {index: checkpoint.result(realisation_key(index)) for index in wanted}
        done: dict[int, _Done] = {i: (record, float("nan")) for i, record in kept.items() if record is not None}
        missing = [index for index in kept if index not in done]
        workers = min(self.side_by_side, len(missing))
        try:
            maker = self.prepared.learn() if missing else None
            if maker and workers > 1:
                interrupted = self._side_by_side(maker, missing, done, workers, progress, checkpoint, failed)
            else:
                interrupted = maker is not None and self._in_turn(maker, missing, done, progress, checkpoint, failed)
        except KeyboardInterrupt:
            interrupted = True
        # Results are counted from the first realisation; one that follows a gap waits in the store for the resumed run.
        wanted = [index for index in wanted if index not in (failed or {})]
        found = {index: done[index] for index in takewhile(done.__contains__, wanted)}
        if interrupted:
            raise Interrupted("interrupted; what was done so far is kept.", self._result(found))
        return self._result(found)

    def make(self, maker: Maker, index: int, progress: Progress, checkpoint: StateStore) -> None:
        """Make one realisation, as `run` does, and store it.

        Parameters
        ----------
        maker : Maker
            What ``prepared.learn()`` returns; it serves for all realisations.
        index : int
            Number of the realisation.
        progress : Progress
            Shows the work.
        checkpoint : StateStore
            Stores its state and the finished realisation.

        Raises
        ------
        KeyboardInterrupt
            On an interrupt; the state is stored.
        """
        try:
            with one_thread() if self.prepared.one_thread else nullcontext():
                _, interrupted = self._made(maker, self._task(index, progress, checkpoint), None)
        finally:
            progress.end()
        if interrupted:
            raise KeyboardInterrupt

    @property
    def side_by_side(self) -> int:
        """Number of realisations to make at a time."""
        return min(self.n, torch.get_num_threads()) if self.prepared.one_thread else 1

    def _in_turn(
        self,
        maker: Maker,
        missing: Sequence[int],
        done: dict[int, _Done],
        progress: Progress,
        checkpoint: StateStore,
        failed: dict[int, str] | None,
    ) -> bool:
        """Add realisations to those done, one after the other; return whether the user interrupted."""
        for index in missing:
            try:
                with one_thread() if self.prepared.one_thread else nullcontext():
                    found, interrupted = self._made(maker, self._task(index, progress, checkpoint), failed)
            finally:
                progress.end()
            if found is not None:
                done[index] = found
            if interrupted:
                return True
        return False

    def _side_by_side(
        self,
        maker: Maker,
        missing: Sequence[int],
        done: dict[int, _Done],
        workers: int,
        progress: Progress,
        checkpoint: StateStore,
        failed: dict[int, str] | None,
    ) -> bool:
        """Add realisations to those done, several at a time; return whether the user interrupted."""
        together = Together(progress, checkpoint, len(missing), workers)
        made = make_together(
            lambda index: self._made(maker, self._task(index, together.progress_of(index), together.store), failed),
            missing,
            together,
            workers,
        )
        done.update({index: found for index, (found, _) in made.items() if found is not None})
        return together.stop.is_set()

    def _made(self, maker: Maker, task: Task, failed: dict[int, str] | None) -> tuple[_Done | None, bool]:
        """Return a realisation, and whether the user interrupted it; it is then the best so far, or None.

        None also of one that failed, where such are counted.
        """
        begun = time.perf_counter()
        interrupted = False
        try:
            result = _finished(maker(task), task)
            task.checkpoint.finish(task.key, result)
        except KeyboardInterrupt:
            interrupted = True
            partial = task.partial()
            if partial is None:
                return None, True
            result = _finished(partial, task)
        except (Interrupted, RunError):
            raise
        except Exception as error:
            if failed is None:
                raise
            failed[task.realisation] = reason_of(error)
            return None, False
        return (result, time.perf_counter() - begun), interrupted

    def _task(self, index: int, progress: Progress, checkpoint: StateStore) -> Task:
        fractions = asked_fractions(self.exemplars, self.shape, self.fraction, self.seed, index)
        own = isinstance(self.fraction, str)
        return Task(self.shape, fractions, self.seed, index, self.n, own, progress, checkpoint)

    def _result(self, done: Mapping[int, _Done]) -> Reconstruction:
        first = self.exemplars[0]
        records = [record for record, _ in done.values()]
        structures = tuple(first.with_labels(r["labels"], periodic=bool(r["periodic"])) for r in records)
        notes = [str(note) for record in records for note in record["notes"]]
        return Reconstruction(
            structures,
            pd.concat([_history(i, record) for i, (record, _) in done.items()] or [pd.DataFrame()], ignore_index=True),
            np.array([record["fraction_before"] for record in records]).reshape(-1, first.n_phases),
            np.array([m.volume_fractions for m in structures]).reshape(-1, first.n_phases),
            dict(self.settings),
            tuple(dict.fromkeys([*self.notes, *notes, *_counted(records)])),
            tuple(str(record["status"]) for record in records),
            tuple(int(record["evaluations"]) for record in records),
            tuple(spent for _, spent in done.values()),
            tuple(done),
        )


def flip_to_counts(
    labels: NDArray[np.uint8], counts: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Flip random interface pixels until every phase has its count.

    Parameters
    ----------
    labels : ndarray of uint8
        Phase labels, which are not changed.
    counts : ndarray of int, shape (K,)
        Number of pixels of each phase.
    random : numpy.random.Generator
        Generator of the flips.

    Returns
    -------
    ndarray of uint8
        Phase labels with exactly these counts.

    Examples
    --------
    >>> labels = np.array([[0, 0, 1, 1]] * 4, dtype=np.uint8)
    >>> np.bincount(flip_to_counts(labels, np.array([4, 12]), np.random.default_rng(0)).ravel())
    array([ 4, 12])
    """
    mended = labels.copy()
    while (excess := np.bincount(mended.ravel(), minlength=len(counts)) - counts).any():
        giver, taker = int(excess.argmax()), int(excess.argmin())
        most = int(min(excess[giver], -excess[taker]))
        near = ndimage.binary_dilation(mended == taker) & (mended == giver)
        places = np.flatnonzero(near if near.any() else mended == giver)
        # A few at a time, so that the interface moves as a whole instead of growing fingers.
        share = max(1, places.size // 20)
        mended.ravel()[random.choice(places, min(most, share), replace=False)] = taker
    return mended


def _finished(made: Made, task: Task) -> Arrays:
    """Return labels with the exact counts, and the facts of the realisation, as arrays."""
    found = np.bincount(made.labels.ravel(), minlength=len(task.counts))
    flipped = int(np.abs(found - task.counts).sum()) // 2
    labels = flip_to_counts(made.labels, task.counts, task.random(2**20)) if flipped else made.labels
    said = (f"{flipped} interface pixels were flipped to reach the fractions asked for",) if flipped else ()
    return {
        "labels": np.ascontiguousarray(labels, dtype=np.uint8),
        "history": made.history,
        "terms": np.array(made.terms, dtype=str),
        "stages": np.array(made.stages, dtype=str),
        "status": np.array(made.status),
        "notes": np.array((*made.notes, *said), dtype=str),
        "counted": np.array(list(made.counts), dtype=str),
        "counts": np.array(list(made.counts.values()), dtype=np.int64),
        "evaluations": np.array(made.evaluations),
        "periodic": np.array(made.periodic),
        "fraction_before": found / found.sum() if made.fraction_before is None else made.fraction_before,
    }


def _counted(records: Sequence[Mapping[str, NDArray[Any]]]) -> list[str]:
    """Write one sentence per kind of count, with the numbers of all realisations."""
    found: dict[str, list[int]] = {}
    for record in records:
        for sentence, count in zip(record["counted"], record["counts"]):
            found.setdefault(str(sentence), []).append(int(count))
    return [sentence.format(", ".join(map(str, counts))) for sentence, counts in found.items() if any(counts)]


def _history(index: int, record: Arrays) -> pd.DataFrame:
    rows = record["history"]
    stages = [str(record["stages"][int(stage)]) for stage in rows[:, 0]]
    table = pd.DataFrame(rows[:, 2:], columns=["total", *(str(name) for name in record["terms"])])
    table.insert(0, "evaluation", rows[:, 1].astype(int))
    table.insert(0, "level", stages)
    table.insert(0, "realisation", index)
    return table
