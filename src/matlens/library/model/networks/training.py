"""Training of a chunk of members, epoch by epoch, with a state that can be stored after each epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.hooks import Arrays
from matlens.library.model.presets.preset import Preset, Stage

__all__ = ["ChunkTrainer", "TrainingSet", "stream"]


@dataclass(frozen=True)
class TrainingSet:
    """Training data of all members.

    Parameters
    ----------
    inputs : mapping of str to Tensor, shape (n, features)
        Inputs "composition" and "spectrum" in single precision.
    target : Tensor, shape (n,)
        Standardised figure of merit in single precision.
    rows : sequence of ndarray of int
        Training rows of each member; rows can be repeated.
    seed : int
        Seed of initial weights, orders of rows and dropout.
    """

    inputs: Mapping[str, Tensor]
    target: Tensor
    rows: Sequence[NDArray[np.intp]]
    seed: int

    @property
    def length(self) -> int:
        """Number of rows of an epoch; members with fewer training rows use some twice."""
        return max(map(len, self.rows))


def stream(seed: int, *key: int) -> torch.Generator:
    """Return a random generator that depends only on its seed and key, for example of member, stage and epoch.

    Parameters
    ----------
    seed : int
        Seed of the ensemble.
    *key : int
        Numbers that identify the stream.

    Returns
    -------
    torch.Generator
        Generator of the stream.

    Examples
    --------
    >>> torch.randperm(5, generator=stream(0, 1, 2)).tolist() == torch.randperm(5, generator=stream(0, 1, 2)).tolist()
    True
    """
    word = np.random.SeedSequence(seed, spawn_key=key).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(word >> np.uint64(1)))


class ChunkTrainer:
    """Trains some members of an ensemble together; each gets the same weights as if it were trained alone.

    Parameters
    ----------
    preset : Preset
        Preset that defines the networks.
    stages : sequence of Stage
        Stages of the training.
    data : TrainingSet
        Training data.
    members : sequence of int
        Numbers of the members in the ensemble, which determine their rows and random numbers.

    Examples
    --------
    >>> from matlens.library.model.presets.registry import PRESETS
    >>> x, y = torch.rand(40, 2), torch.rand(40)
    >>> data = TrainingSet({"composition": x}, y, [np.arange(40)] * 2, seed=0)
    >>> preset = PRESETS["umehara2019"]
    >>> trainer = ChunkTrainer(preset, preset.stages(("composition",)), data, [0, 1])
    >>> losses = [trainer.epoch() for _ in range(3)]
    >>> losses[-1] < losses[0], trainer.done
    (True, False)
    """

    def __init__(self, preset: Preset, stages: Sequence[Stage], data: TrainingSet, members: Sequence[int]) -> None:
        self.preset, self.stages, self.data, self.members = preset, stages, data, list(members)
        self.carried: dict[str, Tensor] = {}
        self.stage, self.passed = 0, 0
        self._begin()

    @property
    def done(self) -> bool:
        """Whether all stages are finished."""
        return self.stage == len(self.stages)

    def epoch(self) -> float:
        """Train for one epoch and return the mean loss over members."""
        stage, network = self.stages[self.stage], self.network
        orders, bits = self._draw()
        steps = -(-self.data.length // stage.batch)
        losses = torch.zeros((), device=network.vector.device)
        with torch.no_grad():
            for number, rows in enumerate(torch.split(orders, stage.batch, 1)):
                self._set_rate(self.passed * steps + number, stage.epochs * steps)
                losses += self._step(rows.contiguous(), None if bits is None else bits[:, number]) * rows.shape[1]
        self.passed += 1
        if self.passed == stage.epochs:
            self._end()
        return float(losses) / orders.shape[1]

    def parameters(self) -> dict[str, Tensor]:
        """Return the weights of the present network by name, each of shape (members, ...)."""
        return {name: value.clone() for name, value in self.network.named.items()}

    def arrays(self) -> Arrays:
        """Return the complete state at the end of an epoch."""
        state = {"stage": torch.tensor(self.stage), "passed": torch.tensor(self.passed), "vector": self.network.vector}
        state |= {f"carried.{name}": value for name, value in self.carried.items()}
        state |= {f"adam.{name}": value for name, value in self.optimiser.state[self.network.vector].items()}
        return {name: value.cpu().numpy().copy() for name, value in state.items()}

    def restore(self, arrays: Arrays) -> None:
        """Inverse of `arrays`: continue from a stored state."""
        self.stage, self.passed = int(arrays["stage"]), int(arrays["passed"])
        device = self.data.target.device
        kept = {name: torch.from_numpy(np.array(value)).to(device) for name, value in arrays.items()}
        self.carried = {name[8:]: value for name, value in kept.items() if name.startswith("carried.")}
        self._make(self.stages[min(self.stage, len(self.stages) - 1)])
        self.network.vector.copy_(kept["vector"])
        state = {name[5:]: value for name, value in kept.items() if name.startswith("adam.")}
        if state:
            self.optimiser.state[self.network.vector] = state

    def _begin(self) -> None:
        """Make the network of the present stage, at its first weights."""
        stage = self.stages[self.stage]
        self._make(stage)
        for position, member in enumerate(self.members):
            random = stream(self.data.seed, member, self.stage)
            for name, value in self.network.named.items():
                if name.endswith("weight"):
                    deviation = value.shape[-2] ** -0.5 if stage.deviation is None else stage.deviation
                    start = torch.empty(value.shape[1:])
                    torch.nn.init.trunc_normal_(start, 0.0, deviation, -2 * deviation, 2 * deviation, generator=random)
                    value[position] = start
        for name, value in self.carried.items():
            if name.startswith(stage.carried) and name in self.network.named:
                self.network.named[name].copy_(value)

    def _make(self, stage: Stage) -> None:
        sizes = {name: value.shape[1] for name, value in self.data.inputs.items()}
        self.network = self.preset.network(stage, sizes, len(self.members), self.data.target.device)
        self.network.vector.grad = self.network.with_gradient()
        # Adam where nothing decays; its tensor of moments is the explicit state
        self.optimiser = torch.optim.AdamW([self.network.vector], lr=stage.rate, weight_decay=stage.decay, fused=True)

    def _end(self) -> None:
        """Keep what a later stage may take over, and begin the next."""
        self.carried |= self.parameters()
        self.stage, self.passed = self.stage + 1, 0
        if not self.done:
            self._begin()

    def _draw(self) -> tuple[Tensor, Tensor | None]:
        """Orders of the rows, shape (m, length), and random words for dropout, shape (m, steps, words)."""
        batch, device = self.stages[self.stage].batch, self.data.target.device
        words, steps = self.network.words(batch), -(-self.data.length // batch)
        orders, bits = [], []
        for member in self.members:
            random = stream(self.data.seed, member, self.stage, self.passed)
            orders.append(_order(self.data.rows[member], self.data.length, random))
            if words:
                bits.append(torch.empty(steps, words, dtype=torch.int64).random_(-(2**63), None, generator=random))
        return torch.stack(orders).to(device), torch.stack(bits).to(device) if bits else None

    def _set_rate(self, step: int, steps: int) -> None:
        if self.stages[self.stage].cosine:
            falling = 0.5 + 0.5 * math.cos(math.pi * step / steps)
            self.optimiser.param_groups[0]["lr"] = self.stages[self.stage].rate * falling

    def _step(self, rows: Tensor, bits: Tensor | None) -> Tensor:
        """One step of every member on its own rows, shape (m, B), and random words; returns the mean loss."""
        inputs = {name: self._rows_of(name, rows) for name in self.stages[self.stage].inputs}
        error = self.network.forward(inputs, bits) - self.data.target[rows]
        loss = error.square().mean()
        self.network.backward(error.mul_(2 / rows.shape[1]))
        self.optimiser.step()
        return loss

    def _rows_of(self, name: str, rows: Tensor) -> Tensor:
        values = self.data.inputs[name]
        return values.index_select(0, rows.flatten()).view(*rows.shape, -1)


def _order(rows: NDArray[np.intp], length: int, random: torch.Generator) -> Tensor:
    """A member's rows in a fresh order, and from the start again where an epoch is longer than they are."""
    own = torch.from_numpy(rows)
    passes = [own[torch.randperm(len(rows), generator=random)] for _ in range(-(-length // len(rows)))]
    return torch.cat(passes)[:length]
