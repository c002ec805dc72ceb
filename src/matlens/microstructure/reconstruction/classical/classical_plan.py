"""A checked order for a baseline: the same fractions, seeds, checkpoints and results as the matching engine's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from matlens.errors import Interrupted
from matlens.hooks import Arrays, Progress, StateStore
from matlens.microstructure.reconstruction.classical.base import Baseline, Made, Maker, Task
from matlens.microstructure.reconstruction.classical.registry import options_of
from matlens.microstructure.reconstruction.fractions import FractionRule, asked_fractions
from matlens.microstructure.reconstruction.result import Reconstruction
from matlens.microstructure.structure import Microstructure

__all__ = ["BaselinePlan", "flip_to_counts", "plan_baseline"]

_INTERRUPTED = "interrupted before its end; resume the run to finish it"
_Done = tuple[Arrays, float]
"""Result and seconds of one realisation."""


@dataclass(frozen=True)
class BaselinePlan:
    """Every choice resolved, nothing computed yet. Made by `plan_baseline`, carried out by `run`."""

    baseline: Baseline
    exemplars: tuple[Microstructure, ...]
    shape: tuple[int, ...]
    fraction: FractionRule
    settings: dict[str, Any]
    notes: tuple[str, ...]

    def run(self, progress: Progress, checkpoint: StateStore) -> Reconstruction:
        """Make all realisations; those that ``checkpoint`` has the result of are taken from it."""
        done: list[_Done] = []
        maker: Maker | None = None
        for index in range(self.settings["n"]):
            task, begun = self._task(index, progress, checkpoint), time.perf_counter()
            kept = checkpoint.result(task.key)
            if kept is not None:
                done.append((kept, float("nan")))
                continue
            try:
                maker = maker or self.baseline.learn(self.exemplars, self.shape, task.seed)
                result = _finished(maker(task), task)
            except KeyboardInterrupt:
                partial = task.partial()
                if partial is not None:
                    done.append((_finished(Made(partial, _INTERRUPTED), task), time.perf_counter() - begun))
                raise Interrupted("interrupted; what was done so far is kept.", self._result(done)) from None
            finally:
                progress.end()
            checkpoint.finish(task.key, result)
            done.append((result, time.perf_counter() - begun))
        return self._result(done)

    def _task(self, index: int, progress: Progress, checkpoint: StateStore) -> Task:
        seed: int = self.settings["seed"]
        fractions = asked_fractions(self.exemplars, self.shape, self.fraction, seed, index)
        return Task(self.shape, fractions, seed, index, progress, checkpoint)

    def _result(self, done: Sequence[_Done]) -> Reconstruction:
        first = self.exemplars[0]
        records = [record for record, _ in done]
        structures = tuple(first.with_labels(r["labels"], periodic=bool(r["periodic"])) for r in records)
        notes = [str(note) for record in records for note in record["notes"]]
        return Reconstruction(
            structures,
            pd.concat([_history(i, record) for i, record in enumerate(records)] or [pd.DataFrame()], ignore_index=True),
            np.array([record["fraction_before"] for record in records]).reshape(-1, first.n_phases),
            np.array([m.volume_fractions for m in structures]).reshape(-1, first.n_phases),
            dict(self.settings),
            tuple(dict.fromkeys([*self.notes, *notes])),
            tuple(str(record["status"]) for record in records),
            tuple(int(record["evaluations"]) for record in records),
            tuple(spent for _, spent in done),
        )


def plan_baseline(
    baseline: Baseline,
    exemplars: Sequence[Microstructure],
    shape: Sequence[int],
    *,
    n: int = 1,
    fraction: FractionRule = "exact",
    seed: int = 0,
) -> BaselinePlan:
    """Let a baseline check what it is asked for; exemplars, shape and numbers are checked already.

    Raises
    ------
    InputError
        If the method does not suit the exemplars.

    Examples
    --------
    >>> from matlens.hooks import NoStore, Silent
    >>> from matlens.microstructure.problems import bicontinuous
    >>> from matlens.microstructure.reconstruction import find_baseline
    >>> work = plan_baseline(find_baseline("gaussian-field"), [bicontinuous((32, 32), seed=1)], (48, 32))
    >>> work.run(Silent(), NoStore()).microstructure
    Microstructure(48 x 32, 2 phases, 1 px, periodic)
    """
    notes = baseline.check(exemplars, shape)
    settings = {
        "method": baseline.name,
        "options": options_of(baseline),
        "shape": [int(side) for side in shape],
        "fraction": fraction if isinstance(fraction, str) else [float(value) for value in fraction],
        "n": n,
        "seed": seed,
        "device": "cpu",
    }
    return BaselinePlan(baseline, tuple(exemplars), tuple(int(side) for side in shape), fraction, settings, notes)


def flip_to_counts(
    labels: NDArray[np.uint8], counts: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Give pixels at interfaces to phases that lack some until every phase has its count.

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
    """Labels at the exact counts, and what is to be known of how they were made."""
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
        "evaluations": np.array(made.evaluations),
        "periodic": np.array(made.periodic),
        "fraction_before": found / found.sum(),
    }


def _history(index: int, record: Arrays) -> pd.DataFrame:
    rows = record["history"]
    stages = [str(record["stages"][int(stage)]) for stage in rows[:, 0]]
    table = pd.DataFrame(rows[:, 2:], columns=["total", *(str(name) for name in record["terms"])])
    table.insert(0, "evaluation", rows[:, 1].astype(int))
    table.insert(0, "level", stages)
    table.insert(0, "realisation", index)
    return table
