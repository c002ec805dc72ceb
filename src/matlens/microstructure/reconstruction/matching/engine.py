"""One realisation: a field moved through the stages of a schedule until its loss stops falling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.hooks import Arrays, Progress, StateStore
from matlens.microstructure.encoders import Encoder, Loss
from matlens.microstructure.reconstruction.matching.levels import reduce, refine, variance
from matlens.microstructure.reconstruction.matching.objective import Match, match, resolved_loss
from matlens.microstructure.reconstruction.matching.optimisers.adam import Adam
from matlens.microstructure.reconstruction.matching.optimisers.base import Objective, Optimiser, OptimiserState
from matlens.microstructure.reconstruction.matching.optimisers.lbfgs import LBFGS
from matlens.microstructure.reconstruction.matching.presets import Preset
from matlens.microstructure.reconstruction.matching.terms import Sharpness
from matlens.microstructure.reconstruction.phases import PhaseCode
from matlens.microstructure.reconstruction.result import realisation_key

__all__ = ["Problem", "Solved", "Stage", "Stop", "schedule", "solve"]

_PATIENCE, _TOLERANCE = 20, 1e-3  # a stage ends when 20 iterations gain less than a thousandth


class Stop(Enum):
    """Why the last stage ended; the text says what to do about it."""

    BUDGET = "used all its evaluations; a preset with more of them may match more closely"
    CONVERGED = "converged: the loss had stopped falling"
    INTERRUPTED = "interrupted before its end; resume the run to finish it"
    STALLED = "no step lowered the loss any more; the statistics asked for may contradict one another"


@dataclass(frozen=True)
class Stage:
    """A run of one optimiser at one size."""

    factor: int
    evaluations: int
    sharpness: float = 0.0

    @property
    def name(self) -> str:
        """For progress bars and tables."""
        size = "full size" if self.factor == 1 else f"1/{self.factor} size"
        return f"{size}, sharpening" if self.sharpness else size


def schedule(factors: Sequence[int], preset: Preset, loss: Loss) -> tuple[Stage, ...]:
    """Lay out the stages from coarse to fine.

    Examples
    --------
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> [stage.name for stage in schedule([2, 1], PRESETS["fast"], Loss({}, coarse=70, fine=50))]
    ['1/2 size', 'full size', 'full size, sharpening', 'full size, sharpening']
    """
    ends = [(max(1, round(loss.fine * share / 100)), weight) for share, weight in preset.sharpening]
    stages = [Stage(factor, loss.coarse) for factor in factors[:-1]]
    stages.append(Stage(1, loss.fine - sum(count for count, _ in ends)))
    return (*stages, *(Stage(1, count, weight) for count, weight in ends))


@dataclass(frozen=True)
class Problem:
    """What is solved: exemplars, sizes and settings, the same for all realisations but for the noise and fractions."""

    encoder: Encoder
    exemplars: tuple[Tensor, ...]
    size: tuple[int, int]
    preset: Preset
    correlation_length: float
    seed: int
    factors: tuple[int, ...]
    code: PhaseCode = field(init=False)
    matches: dict[tuple[float, ...], Match] = field(init=False, default_factory=dict, repr=False)
    stages: tuple[Stage, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", PhaseCode(self.exemplars[0].shape[1]))
        loss, _ = resolved_loss(self.preset, self.encoder)
        object.__setattr__(self, "stages", schedule(self.factors, self.preset, loss))

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the exemplars' fields."""
        return float(torch.stack([self.code.field(image).std() for image in self.exemplars]).mean())

    @property
    def evaluations(self) -> int:
        """Budget of one realisation."""
        return sum(stage.evaluations for stage in self.stages) + self.preset.swaps

    def match(self, factor: int, fractions: Tensor) -> Match:
        """The loss at one level, kept for the next realisation of the same fractions."""
        key = (factor, *fractions.tolist())
        if key not in self.matches:
            images = [reduce(image, factor) for image in self.exemplars]
            size = [side // factor for side in self.size]
            length = self.correlation_length / factor
            self.matches[key] = match(self.encoder, images, size, fractions, self.preset, length)
        return self.matches[key]

    def objective(self, fractions: Tensor) -> Objective:
        """Loss and gradient of a field at full size."""
        return _Objective(self.code, self.match(1, fractions))

    def optimiser(self) -> Optimiser:
        """Fresh settings of the preset's optimiser."""
        bounds = None
        if self.preset.bounded:
            values = torch.cat([self.code.field(image).flatten() for image in self.exemplars])
            bounds = (float(values.min()), float(values.max()))
        return Adam(bounds=bounds) if self.preset.optimiser == "adam" else LBFGS(bounds=bounds)

    def noise(self, realisation: int, stage: int) -> torch.Generator:
        """Noise of its own for each realisation and stage, whatever was drawn before."""
        words = np.random.SeedSequence([self.seed, realisation, stage]).generate_state(2, np.uint32)
        return torch.Generator().manual_seed(int(words[0]) << 32 | int(words[1]))

    def start(self, realisation: int, fractions: Tensor) -> Tensor:
        """White noise around the mean field, as strong as the exemplars vary: from less, coarse levels stay grey."""
        size = [side // self.stages[0].factor for side in self.size]
        mean = self.code.field(fractions.reshape(1, -1, 1, 1))
        noise = torch.randn(1, mean.shape[1], *size, generator=self.noise(realisation, 0)).to(mean)
        return mean + self.standard_deviation * noise

    def next_start(self, x: Tensor, realisation: int, stage: int) -> Tensor:
        """The last stage's field, enlarged where this stage is finer."""
        factor = self.stages[stage - 1].factor // self.stages[stage].factor
        if factor == 1:
            return x
        fine = [reduce(image, self.stages[stage].factor) for image in self.exemplars]
        wanted = sum(variance(image) for image in fine) / len(fine)
        full = sum(variance(image) for image in self.exemplars) / len(fine)
        lacking = max(wanted - variance(self.code.indicators(x)), 0.0) / full
        return refine(x, factor, 0.5 * lacking**0.5 * self.standard_deviation, self.noise(realisation, stage))


@dataclass(frozen=True)
class Solved:
    """A field and how it came about.

    ``history`` rows are stage, evaluations so far, total, then ``terms``; ``objective`` is the loss at full size.
    """

    field: Tensor
    history: NDArray[np.float64]
    terms: tuple[str, ...]
    stop: Stop
    notes: tuple[str, ...]
    evaluations: int
    objective: Objective


_Border = tuple[int, OptimiserState, int]
"""A point to go on from: stage, the optimiser's state and the rows of history up to it."""


def _losses(problem: Problem, fractions: Tensor) -> tuple[list[str], dict[int, Match]]:
    """Names of all terms of all stages, and the loss of each level by its factor."""
    matches = {stage.factor: problem.match(stage.factor, fractions) for stage in problem.stages}
    names = [term.name for found in reversed(matches.values()) for term in found.terms]
    if any(stage.sharpness for stage in problem.stages):
        names.append(Sharpness(0).name)
    return list(dict.fromkeys(names)), matches


def solve(
    problem: Problem,
    fractions: Tensor,
    realisation: int,
    progress: Progress,
    checkpoint: StateStore,
    on_interrupt: Callable[[Solved], None],
) -> Solved:
    """Move a field through all stages.

    ``on_interrupt`` is told the state at the last iteration border before KeyboardInterrupt goes on.
    """
    names, matches = _losses(problem, fractions)
    key = realisation_key(realisation)
    kept = checkpoint.load(key)
    history = [] if kept is None else [list(row) for row in kept["history"].tolist()]
    optimiser = problem.optimiser()
    stop: Stop | None = None
    state: OptimiserState | None = None
    border: _Border | None = None

    try:
        for index in range(int(kept["stage"]) if kept else 0, len(problem.stages)):
            stage = problem.stages[index]
            found = matches[stage.factor]
            if stage.sharpness:
                found = found.with_terms(Sharpness(stage.sharpness))
            objective = _Objective(problem.code, found)
            if kept is not None:
                state, kept = optimiser.restore(kept, problem.exemplars[0]), None
                before = history[-1][1] - state.evaluations
            else:
                before = history[-1][1] if history else 0.0
                x = (
                    problem.start(realisation, fractions)
                    if state is None
                    else problem.next_start(state.x, realisation, index)
                )
                state = optimiser.start(x, objective)
                history.append([index, before + state.evaluations, state.loss, *objective.values(names)])
            border = (index, state, len(history))
            while (stop := _reason(state, stage, history)) is None:
                last, state = state, optimiser.step(state, objective)
                # A step that was not taken leaves the point, and so its mismatches, as they were.
                parts = objective.values(names) if state.x is not last.x else history[-1][3:]
                history.append([index, before + state.evaluations, state.loss, *parts])
                border = (index, state, len(history))
                progress.update(int(before + state.evaluations), f"loss {state.loss:.3g}, {stage.name}")
                checkpoint.save(key, lambda: _state(border, history))  # noqa: B023 (called at once)
    except KeyboardInterrupt:
        if border is not None:
            checkpoint.save(key, lambda: _state(border, history), force=True)
            on_interrupt(_solved(problem, names, matches, history, border, Stop.INTERRUPTED))
        raise
    assert border is not None  # there is a stage, and it begins with an evaluation
    return _solved(problem, names, matches, history, border, stop or Stop.BUDGET)


def _solved(
    problem: Problem,
    names: Sequence[str],
    matches: Mapping[int, Match],
    history: Sequence[Sequence[float]],
    border: _Border,
    stop: Stop,
) -> Solved:
    """The field at an iteration border, at full size."""
    at, state, rows = border
    x = state.x
    if problem.stages[at].factor > 1:
        x = torch.nn.functional.interpolate(x, size=problem.size, mode="bilinear")
    table = np.array(history[:rows], dtype=float)
    notes = tuple(dict.fromkeys(note for found in matches.values() for note in found.notes))
    return Solved(x, table, tuple(names), stop, notes, int(table[-1, 1]), _Objective(problem.code, matches[1]))


class _Objective:
    """Loss and gradient of a field; remembers the weighted mismatches of the last point."""

    def __init__(self, code: PhaseCode, found: Match) -> None:
        self._code, self._match = code, found
        self._last: dict[str, float] = {}

    def __call__(self, x: Tensor) -> tuple[float, Tensor]:
        x = x.detach().requires_grad_(True)
        parts = self._match.mismatches(self._code.indicators(x))
        loss = torch.stack(list(parts.values())).sum()
        (gradient,) = torch.autograd.grad(loss, x)
        self._last = {name: float(part.detach()) for name, part in parts.items()}
        return float(loss.detach()), gradient

    def values(self, names: Sequence[str]) -> list[float]:
        return [self._last.get(name, float("nan")) for name in names]


def _reason(state: OptimiserState, stage: Stage, history: Sequence[Sequence[float]]) -> Stop | None:
    """Why to end the stage now, if at all."""
    if state.stuck:
        return Stop.STALLED
    if state.evaluations >= stage.evaluations:
        return Stop.BUDGET
    recent = [row[2] for row in history[-_PATIENCE - 1 :] if row[0] == history[-1][0]]
    if len(recent) > _PATIENCE and recent[0] - recent[-1] < _TOLERANCE * abs(recent[0]):
        return Stop.CONVERGED
    return None


def _state(border: _Border, history: Sequence[Sequence[float]]) -> Arrays:
    index, state, rows = border
    return {**state.arrays(), "stage": np.array(index), "history": np.array(history[:rows], dtype=float)}
