"""Ensemble of networks: training in chunks that fit the processor cache; values and gradients in one pass."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.core.threads import side_by_side
from matlens.errors import Interrupted
from matlens.hooks import Arrays, NoStore, Progress, Silent, StateStore
from matlens.library.model.networks.stacked import StackedNetwork
from matlens.library.model.networks.training import ChunkTrainer, TrainingSet
from matlens.library.model.presets.preset import Preset, Stage

__all__ = ["Ensemble", "chunks_of", "train"]

_CACHED = 2**19  # parameters of a chunk: with gradients and moments 8 MB, about what a core's share of the cache holds
_MOST = 32  # members of a chunk; more would leave nothing to the other threads
_BLOCK = 2**21  # numbers of the largest activation when values and gradients are asked for


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trained networks of m members (deep ensemble: Lakshminarayanan, Pritzel and Blundell, NeurIPS 30, 2017).

    Parameters
    ----------
    preset : Preset
        Preset that defines the networks.
    stage : Stage
        Last stage of the training.
    sizes : mapping of str to int
        Number of features of each input.
    parameters : mapping of str to Tensor, shape (m, ...)
        Weights by name.

    Examples
    --------
    >>> from matlens.library.model.presets.registry import PRESETS
    >>> data = TrainingSet({"composition": torch.rand(20, 2)}, torch.rand(20), [np.arange(20)] * 3, seed=0)
    >>> stage = Stage("composition", ("composition",), epochs=2)
    >>> ensemble = train(PRESETS["umehara2019"], (stage,), data)
    >>> values, gradients = ensemble.gradients(data.inputs)
    >>> values.shape, gradients["composition"].shape
    (torch.Size([3, 20]), torch.Size([3, 20, 2]))
    """

    preset: Preset
    stage: Stage
    sizes: Mapping[str, int]
    parameters: Mapping[str, Tensor]

    @property
    def members(self) -> int:
        """Number of networks."""
        return len(next(iter(self.parameters.values())))

    def values(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return the outputs of all members, shape (m, n), for inputs of shape (n, features)."""
        return self._run(inputs, differentiate=False, progress=Silent())[0]

    def gradients(
        self, inputs: Mapping[str, Tensor], progress: Progress | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return outputs, shape (m, n), and gradients with respect to each input, shape (m, n, features)."""
        return self._run(inputs, differentiate=True, progress=progress or Silent())

    def _run(
        self, inputs: Mapping[str, Tensor], *, differentiate: bool, progress: Progress
    ) -> tuple[Tensor, dict[str, Tensor]]:
        inputs = {name: inputs[name].float() for name in self.stage.inputs}
        first = next(iter(inputs.values()))
        values = first.new_empty(self.members, len(first))
        found = {name: first.new_empty(self.members, *x.shape) for name, x in inputs.items() if differentiate}
        lock, done = threading.Lock(), 0

        def work(members: NDArray[np.intp]) -> None:
            nonlocal done
            network = self._network(members)
            low, high = int(members[0]), int(members[-1]) + 1
            batch = max(1, _BLOCK // (len(members) * max(2 * sum(self.sizes.values()), 64)))
            for start in range(0, len(first), batch):
                rows = slice(start, start + batch)
                part = {name: x[rows].expand(len(members), -1, -1) for name, x in inputs.items()}
                out = network.forward(part)
                values[low:high, rows] = out
                if differentiate:
                    for name, gradient in network.backward(torch.ones_like(out), inputs=True).items():
                        found[name][low:high, rows] = gradient
            with lock:
                done += len(members)
                progress.update(done)

        progress.begin(self.members, "gradients of the members" if differentiate else "predictions of the members")
        side_by_side(work, chunks_of(self.members, self._chunk_size(first)))
        progress.end()
        return values, found

    def _chunk_size(self, like: Tensor) -> int:
        per_member = sum(value[0].numel() for value in self.parameters.values())
        return self.members if like.is_cuda else _CACHED // per_member

    def _network(self, members: NDArray[np.intp]) -> StackedNetwork:
        device = next(iter(self.parameters.values())).device
        network = self.preset.network(self.stage, self.sizes, len(members), device)
        for name, value in network.named.items():
            value.copy_(self.parameters[name][int(members[0]) : int(members[-1]) + 1])
        return network


def chunks_of(members: int, size: int, *, even: bool = True) -> list[NDArray[np.intp]]:
    """Divide members into chunks of about equal size.

    Parameters
    ----------
    members : int
        Number of members.
    size : int
        Greatest size of a chunk.
    even : bool
        Whether their number is even, as for two threads.

    Returns
    -------
    list of ndarray of int
        Numbers of the members of each chunk.

    Examples
    --------
    >>> [len(chunk) for chunk in chunks_of(10, 4)], [len(chunk) for chunk in chunks_of(1, 4)]
    ([3, 3, 2, 2], [1])
    >>> [len(chunk) for chunk in chunks_of(10, 4, even=False)]
    [4, 3, 3]
    """
    count = -(-members // max(1, min(size, _MOST)))
    count += count % 2 if even else 0
    return [chunk for chunk in np.array_split(np.arange(members), count) if len(chunk)]


def train(
    preset: Preset,
    stages: Sequence[Stage],
    data: TrainingSet,
    *,
    progress: Progress | None = None,
    checkpoint: StateStore | None = None,
) -> Ensemble:
    """Train one network for each entry of ``data.rows``.

    Chunks are trained in parallel and each member has its own random numbers, so that neither the number of threads nor
    an interruption changes the result.

    Parameters
    ----------
    preset : Preset
        Preset that defines the networks.
    stages : sequence of Stage
        Stages of the training.
    data : TrainingSet
        Training data; its device is used for the training.
    progress : Progress, optional
        Called with epochs done and total, of all chunks together.
    checkpoint : StateStore, optional
        Stores the state of chunk I under ``chunk_I`` after each epoch, so that training can resume. What others make of
        the chunks is its result.

    Returns
    -------
    Ensemble
        The trained networks.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt, after all running chunks have saved their state.
    """
    store, report = checkpoint or NoStore(), progress or Silent()
    work = _Work(preset, tuple(stages), data, store, report)
    # What may resume elsewhere has the same chunks on any number of threads.
    even = checkpoint is not None or torch.get_num_threads() > 1
    chunks = chunks_of(len(data.rows), _chunk_size(preset, stages, data), even=even)
    said = f"training {len(data.rows)} networks"

    keys = [_key(number) for number in range(len(chunks))]

    def alone(key: str) -> Arrays:
        report.begin(work.epochs, said)
        (part,) = side_by_side(partial(work.chunk, chunks), [keys.index(key)], work.stop)
        return {name: value.numpy(force=True) for name, value in part.items()}

    store.share(keys, alone, f"{said} in chunks")
    report.begin(len(chunks) * work.epochs, said)
    try:
        parts = side_by_side(partial(work.chunk, chunks), range(len(chunks)), work.stop)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; what was done so far is kept.") from None
    report.end()
    sizes = {name: x.shape[1] for name, x in data.inputs.items()}
    merged = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return Ensemble(preset, stages[-1], sizes, merged)


def _chunk_size(preset: Preset, stages: Sequence[Stage], data: TrainingSet) -> int:
    if data.target.is_cuda:
        return len(data.rows)
    sizes = {name: x.shape[1] for name, x in data.inputs.items()}
    return _CACHED // max(preset.network(stage, sizes, 1, "cpu").size for stage in stages)


def _key(number: int) -> str:
    return f"chunk_{number}"


class _Work:
    """State that is shared by the threads that train chunks."""

    def __init__(
        self, preset: Preset, stages: tuple[Stage, ...], data: TrainingSet, checkpoint: StateStore, progress: Progress
    ) -> None:
        self.preset, self.stages, self.data = preset, stages, data
        self.checkpoint, self.progress = checkpoint, progress
        self.stop, self.lock, self.done = threading.Event(), threading.Lock(), 0
        self.epochs = sum(stage.epochs for stage in stages)

    def chunk(self, chunks: Sequence[NDArray[np.intp]], number: int) -> dict[str, Tensor]:
        """Train one chunk, from its checkpoint if there is one."""
        key = _key(number)
        with self.lock:
            made = self.checkpoint.result(key)
            kept = self.checkpoint.load(key)
        if made is not None:
            self._passed(self.epochs)
            return {name: torch.from_numpy(value).to(self.data.target.device) for name, value in made.items()}
        trainer = ChunkTrainer(self.preset, self.stages, self.data, chunks[number].tolist())
        if kept is not None:
            trainer.restore(kept)
            self._passed(sum(stage.epochs for stage in self.stages[: trainer.stage]) + trainer.passed)
        while not trainer.done and not self.stop.is_set():
            name = trainer.stages[trainer.stage].name
            loss = trainer.epoch()
            with self.lock:
                self.checkpoint.save(key, trainer.arrays, force=trainer.done)
            self._passed(1, f"loss {loss:.3g}, {name}")
        if self.stop.is_set():
            with self.lock:
                self.checkpoint.save(key, trainer.arrays, force=True)
        return trainer.parameters()

    def _passed(self, epochs: int, text: str = "") -> None:
        with self.lock:
            self.done += epochs
            self.progress.update(self.done, text)
