"""The optimisation of one realisation: a field passes through the stages of a schedule."""

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
from matlens.microstructure.reconstruction.anchors import Known
from matlens.microstructure.reconstruction.matching.held import Held, held_at, side_shifts
from matlens.microstructure.reconstruction.matching.levels import reduce, refine, shown, variance
from matlens.microstructure.reconstruction.matching.objective import Match, match, resolved_loss
from matlens.microstructure.reconstruction.matching.optimisers.adam import Adam
from matlens.microstructure.reconstruction.matching.optimisers.base import Objective, Optimiser, OptimiserState
from matlens.microstructure.reconstruction.matching.optimisers.lbfgs import LBFGS
from matlens.microstructure.reconstruction.matching.presets import Preset, settings_in_space
from matlens.microstructure.reconstruction.matching.terms import Sharpness
from matlens.microstructure.reconstruction.matching.volume import VolumeMatch, match_volume
from matlens.microstructure.reconstruction.phases import PhaseCode
from matlens.microstructure.reconstruction.result import realisation_key
from matlens.microstructure.reconstruction.sections import Realisability

__all__ = ["Problem", "Solved", "Stage", "Stop", "schedule", "schedule_in_space", "solve"]

_OVERHEAD = 6000  # pixels: what an evaluation of any size costs besides, measured with matlens on one thread
_MANY = 64  # planes of a level of which only some are compared at a time
_PATIENCE, _TOLERANCE = 20, 1e-3  # a stage ends when 20 iterations gain less than a thousandth


class Stop(Enum):
    """Reason why the last stage ended; the text says what to do about it.

    Attributes
    ----------
    value : str
        The reason, in words.

    Examples
    --------
    >>> Stop.CONVERGED.value
    'converged: the loss had stopped falling'
    """

    BUDGET = "used all its evaluations; a preset with more of them may match more closely"
    CONVERGED = "converged: the loss had stopped falling"
    INTERRUPTED = "interrupted before its end; resume the run to finish it"
    STALLED = "no step lowered the loss any more; the statistics asked for may contradict one another"


@dataclass(frozen=True)
class Stage:
    """Part of the schedule: one optimiser at one size.

    Attributes
    ----------
    factor : int
        Factor by which the size is reduced.
    evaluations : int
        Largest number of evaluations.
    sharpness : float
        Weight of the double-well penalty; 0 leaves it out.
    first, step : int
        First plane of a volume that is compared, and distance to the next; all planes by default.

    Examples
    --------
    >>> Stage(2, 150).name
    '1/2 size'
    """

    factor: int
    evaluations: int
    sharpness: float = 0.0
    first: int = 0
    step: int = 1

    @property
    def name(self) -> str:
        """Name of the stage, for progress and tables."""
        size = "full size" if self.factor == 1 else f"1/{self.factor} size"
        size = size if self.step == 1 else f"{size}, planes {self.first} + {self.step} n"
        return f"{size}, sharpening" if self.sharpness else size


def schedule(factors: Sequence[int], preset: Preset, loss: Loss) -> tuple[Stage, ...]:
    """List the stages from coarse to fine.

    Parameters
    ----------
    factors : sequence of int
        Factors of reduction from coarse to fine; the last one is 1.
    preset : Preset
        Preset that gives the sharpening stages.
    loss : Loss
        Evaluations on the levels.

    Returns
    -------
    tuple of Stage
        Stages in order.

    Examples
    --------
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> [stage.name for stage in schedule([2, 1], PRESETS["fast"], Loss({}, coarse=70, fine=50))]
    ['1/2 size', 'full size', 'full size, sharpening', 'full size, sharpening']
    """
    ends = [(max(1, round(loss.fine * share / 100)), weight) for share, weight in preset.sharpening]
    *coarser, fine = loss.evaluations(len(factors))
    stages = [Stage(factor, count) for factor, count in zip(factors[:-1], coarser, strict=True)]
    stages.append(Stage(1, fine - sum(count for count, _ in ends)))
    return (*stages, *(Stage(1, count, weight) for count, weight in ends))


def schedule_in_space(factors: Sequence[int], preset: Preset, shape: Sequence[int]) -> tuple[Stage, ...]:
    """List the stages of a volume from coarse to fine.

    On a level of many planes a stage compares every fourth of them, which costs a quarter, and four stages take turns:
    neighbouring planes say nearly the same.

    Parameters
    ----------
    factors : sequence of int
        Factors of reduction from coarse to fine; the last one is 1.
    preset : Preset
        Preset with settings for volumes.
    shape : sequence of int
        Sides of the volume at full size.

    Returns
    -------
    tuple of Stage
        Stages in order.

    Raises
    ------
    InputError
        If the preset has no settings for volumes.

    Examples
    --------
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> [stage.evaluations for stage in schedule_in_space([2, 1], PRESETS["default"], (64, 64, 64))]
    [120, 20, 20, 20, 20]
    """
    space = settings_in_space(preset)
    stages: list[Stage] = []
    for number, factor in enumerate(factors):
        count = space.fine if factor == 1 else space.coarse if number else space.coarsest
        step = space.step if min(shape) // factor >= _MANY else 1
        stages += [Stage(factor, count // step, 0.0, first, step) for first in range(step)]
    return tuple(stages)


@dataclass(frozen=True)
class Problem:
    """Optimisation problem, which all realisations share except for their noise and fractions.

    Attributes
    ----------
    encoder : Encoder
        Encoder whose features are matched.
    exemplars : tuple of Tensor, shape (1, K, H, W)
        Phase indicators, zero in all phases where a pixel is masked.
    size : tuple of int
        Sides of the field in pixels: height and width, or depth, height and width.
    preset : Preset
        Weights and settings.
    covariance_reach : float
        How far the covariance of the exemplars reaches, in pixels.
    seed : int
        Seed of the noise.
    factors : tuple of int
        Factors of reduction from coarse to fine.
    sections : tuple of tuple of int
        Of a volume, the numbers of the exemplars that planes normal to each axis resemble; empty for a plane.
    known : ndarray of int16, optional
        Labels of the voxels of a volume that are known, ``FREE`` elsewhere; they stay as they are.
    nearest : Realisability, optional
        The two-point target that an isotropic volume can have, instead of the sections' own.
    code : PhaseCode
        Code between phases and field.
    matches : dict
        Losses computed so far, by level and fractions.
    stages : tuple of Stage
        Schedule.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> image = torch.eye(32).expand(1, 1, 32, 32)
    >>> problem = Problem(FilterBank(), (torch.cat([1 - image, image], 1),), (32, 32), PRESETS["fast"], 2.0, 0, (1,))
    >>> problem.evaluations, problem.start(0, torch.tensor([0.5, 0.5])).shape
    (95, torch.Size([1, 1, 32, 32]))
    """

    encoder: Encoder
    exemplars: tuple[Tensor, ...]
    size: tuple[int, ...]
    preset: Preset
    covariance_reach: float
    seed: int
    factors: tuple[int, ...]
    sections: tuple[tuple[int, ...], ...] = ()
    known: Known | None = field(default=None, repr=False)
    nearest: Realisability | None = field(default=None, repr=False)
    code: PhaseCode = field(init=False)
    matches: dict[tuple[float, ...], Match | VolumeMatch] = field(init=False, default_factory=dict, repr=False)
    stages: tuple[Stage, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", PhaseCode(self.exemplars[0].shape[1]))
        if self.sections:
            stages = schedule_in_space(self.factors, self.preset, self.size)
        else:
            stages = schedule(self.factors, self.preset, resolved_loss(self.preset, self.encoder)[0])
        object.__setattr__(self, "stages", stages)

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the exemplars' fields."""
        return float(torch.stack([shown(self.code.field(image), image).std() for image in self.exemplars]).mean())

    @property
    def effort(self) -> float:
        """Largest effort of one realisation, in evaluations at full size."""
        return self.effort_before(len(self.stages)) + self.swaps

    @property
    def swaps(self) -> int:
        """Largest number of evaluations for pixel swaps after decoding."""
        return self.preset.space.swaps if self.sections and self.preset.space else self.preset.swaps

    def effort_before(self, index: int) -> float:
        """Effort of all stages before one.

        Parameters
        ----------
        index : int
            Number of the stage.

        Returns
        -------
        float
            Evaluations at full size.
        """
        return sum(stage.evaluations * self.share(stage) for stage in self.stages[:index])

    def share(self, stage: Stage) -> float:
        """Time of an evaluation in one stage over that of all pixels at full size.

        Parameters
        ----------
        stage : Stage
            The stage.

        Returns
        -------
        float
            1 at full size; a coarse level has fewer pixels, and the same overhead.
        """
        pixels = float(np.prod(self.size))
        seen = pixels / float(stage.factor ** len(self.size) * stage.step)
        return float((seen + _OVERHEAD) / (pixels + _OVERHEAD))

    @property
    def evaluations(self) -> int:
        """Largest number of evaluations of one realisation."""
        return sum(stage.evaluations for stage in self.stages) + self.swaps

    def match(self, factor: int, fractions: Tensor) -> Match | VolumeMatch:
        """Return the loss at one level; it is stored for the next realisation with the same fractions.

        Parameters
        ----------
        factor : int
            Factor of reduction of the level.
        fractions : Tensor, shape (K,)
            Volume fractions wanted.

        Returns
        -------
        Match or VolumeMatch
            Terms of the loss.
        """
        key = (factor, *fractions.tolist())
        if key not in self.matches:
            images = [reduce(image, factor) for image in self.exemplars]
            size = [side // factor for side in self.size]
            length = self.covariance_reach / factor
            if self.sections:
                faces = [[images[index] for index in numbers] for numbers in self.sections]
                change = None if self.nearest is None else self.nearest.change(factor)
                self.matches[key] = match_volume(self.encoder, faces, size, fractions, self.preset, length, change)
            else:
                self.matches[key] = match(self.encoder, images, size, fractions, self.preset, length)
        return self.matches[key]

    def objective(self, fractions: Tensor) -> Objective:
        """Return loss and gradient of a field at full size, as a function.

        Parameters
        ----------
        fractions : Tensor, shape (K,)
            Volume fractions wanted.

        Returns
        -------
        callable
            Takes a field and returns loss and gradient.
        """
        return _Objective(self.code, self.match(1, fractions), self.held(1))

    def held(self, factor: int) -> Held | None:
        """Return the voxels that stay as they are at one level.

        Parameters
        ----------
        factor : int
            Factor of reduction of the level.

        Returns
        -------
        Held or None
            The voxels; None where none is known.
        """
        return None if self.known is None else held_at(self.known, factor, self.code, self.exemplars[0])

    def optimiser(self) -> Optimiser:
        """Return the optimiser of the preset.

        Returns
        -------
        Optimiser
            L-BFGS or Adam, with bounds if the preset has them.
        """
        bounds = None
        if self.preset.bounded:
            values = torch.cat([shown(self.code.field(image), image).flatten() for image in self.exemplars])
            bounds = (float(values.min()), float(values.max()))
        if self.preset.optimiser == "adam":
            return Adam(bounds=bounds)
        return LBFGS(history=8, bounds=bounds) if self.sections else LBFGS(bounds=bounds)  # 8: most of the memory

    def noise(self, realisation: int, stage: int) -> torch.Generator:
        """Return the random generator of one realisation and stage, which does not depend on earlier draws.

        Parameters
        ----------
        realisation, stage : int
            Numbers of the realisation and of the stage.

        Returns
        -------
        torch.Generator
            Generator on the processor.
        """
        # Keyed by what it is for and never by order, so that any realisation can be repeated alone:
        # docs/decisions/0005-run-directories.md
        words = np.random.SeedSequence([self.seed, realisation, stage]).generate_state(2, np.uint32)
        return torch.Generator().manual_seed(int(words[0]) << 32 | int(words[1]))

    def start(self, realisation: int, fractions: Tensor) -> Tensor:
        """Draw the start of the coarsest level: white noise around the mean field.

        The noise has the standard deviation of the exemplars' fields; with less, coarse levels stay uniform.

        Parameters
        ----------
        realisation : int
            Number of the realisation.
        fractions : Tensor, shape (K,)
            Volume fractions wanted.

        Returns
        -------
        Tensor, shape (1, K - 1, *S)
            Field.
        """
        size = [side // self.stages[0].factor for side in self.size]
        mean = self.code.field(fractions.reshape(1, -1, *[1] * len(self.size)))
        noise = torch.randn(1, mean.shape[1], *size, generator=self.noise(realisation, 0)).to(mean)
        return mean + self.standard_deviation * noise

    def next_start(self, x: Tensor, realisation: int, stage: int) -> Tensor:
        """Return the start of a stage: the field of the stage before, enlarged if this stage is finer.

        Parameters
        ----------
        x : Tensor, shape (1, K - 1, h, w)
            Field at the end of the stage before.
        realisation, stage : int
            Numbers of the realisation and of the stage.

        Returns
        -------
        Tensor, shape (1, K - 1, h', w')
            Field.
        """
        factor = self.stages[stage - 1].factor // self.stages[stage].factor
        if factor == 1:
            return x
        fine = [reduce(image, self.stages[stage].factor) for image in self.exemplars]
        wanted = sum(variance(image) for image in fine) / len(fine)
        full = sum(variance(image) for image in self.exemplars) / len(fine)
        lacking = max(wanted - variance(self.code.indicators(x)), 0.0) / full
        noise = 0.5 * lacking**0.5 * self.standard_deviation
        shifts = None
        if self.known is not None:
            before, after = self.stages[stage - 1].factor, self.stages[stage].factor
            shifts = [side_shifts(self.known, axis, before, after) for axis in range(3)]
        return refine(x, factor, noise, self.noise(realisation, stage), shifts)


@dataclass(frozen=True)
class Solved:
    """Optimised field, with the history of its loss.

    Attributes
    ----------
    field : Tensor, shape (1, K - 1, *S)
        Field at full size.
    history : ndarray, shape (rows, 3 + terms)
        Number of the stage, evaluations so far, loss, and the weighted mismatch of each term.
    terms : tuple of str
        Names of the terms.
    stop : Stop
        Reason why the last stage ended.
    notes : tuple of str
        Remarks on layers and borders, one sentence each.
    evaluations : int
        Number of evaluations.
    objective : callable
        Takes a decoded field at full size, of pure phases, and returns loss and gradient.

    Examples
    --------
    >>> solved = Solved(torch.zeros(1, 1, 4, 4), np.empty((0, 3)), (), Stop.CONVERGED, (), 0, lambda x: (0.0, x))
    >>> solved.stop.name
    'CONVERGED'
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


def _losses(problem: Problem, fractions: Tensor) -> tuple[list[str], dict[int, Match | VolumeMatch]]:
    """Return the names of all terms of all stages, and the loss of each level by its factor."""
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
    """Optimise a field through all stages.

    Parameters
    ----------
    problem : Problem
        Exemplars, sizes and settings.
    fractions : Tensor, shape (K,)
        Volume fractions wanted.
    realisation : int
        Number of the realisation, which its noise depends on.
    progress : Progress
        Called with evaluations done, loss and stage.
    checkpoint : StateStore
        Stores the state of the optimiser; a stored state is continued.
    on_interrupt : callable
        Called on KeyboardInterrupt with the result of the last complete iteration.

    Returns
    -------
    Solved
        Field with the history of its loss.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt, after the state was stored.

    Examples
    --------
    >>> from matlens.hooks import NoStore, Silent
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> image = (torch.arange(32) // 4 % 2).float().expand(1, 1, 32, 32)
    >>> problem = Problem(FilterBank(), (torch.cat([1 - image, image], 1),), (32, 32), PRESETS["fast"], 2.0, 0, (1,))
    >>> solved = solve(problem, torch.tensor([0.5, 0.5]), 0, Silent(), NoStore(), lambda solved: None)
    >>> bool(solved.history[-1, 2] < solved.history[0, 2])
    True
    """
    names, matches = _losses(problem, fractions)
    held = {factor: problem.held(factor) for factor in matches}
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
            if isinstance(found, VolumeMatch):
                found = found.of_planes(stage.first, stage.step)
            if stage.sharpness:
                found = found.with_terms(Sharpness(stage.sharpness))
            objective = _Objective(problem.code, found, held[stage.factor])
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
                state = optimiser.start(x if (own := held[stage.factor]) is None else own.put(x), objective)
                history.append([index, before + state.evaluations, state.loss, *objective.values(names)])
            border = (index, state, len(history))
            while (stop := _reason(state, stage, history)) is None:
                last, state = state, optimiser.step(state, objective)
                # A step that was not taken leaves the point, and so its mismatches, as they were.
                parts = objective.values(names) if state.x is not last.x else history[-1][3:]
                history.append([index, before + state.evaluations, state.loss, *parts])
                border = (index, state, len(history))
                done = problem.effort_before(index) + state.evaluations * problem.share(stage)
                progress.update(done, f"loss {state.loss:.3g}, {stage.name}")
                checkpoint.save(key, lambda: _state(border, history, names))  # noqa: B023 (called at once)
                checkpoint.show(key, lambda: _nearest_phases(problem.code, state.x))  # noqa: B023 (called at once)
            if index + 1 < len(problem.stages):
                checkpoint.show(
                    key,
                    lambda: _nearest_phases(problem.code, state.x),  # noqa: B023 (called at once)
                    force=True,
                )
    except KeyboardInterrupt:
        if border is not None:
            checkpoint.save(key, lambda: _state(border, history, names), force=True)
            on_interrupt(_solved(problem, names, matches, history, border, Stop.INTERRUPTED))
        raise
    assert border is not None  # there is a stage, and it begins with an evaluation
    return _solved(problem, names, matches, history, border, stop or Stop.BUDGET)


def _solved(
    problem: Problem,
    names: Sequence[str],
    matches: Mapping[int, Match | VolumeMatch],
    history: Sequence[Sequence[float]],
    border: _Border,
    stop: Stop,
) -> Solved:
    """Return the field after the last complete iteration, at full size."""
    at, state, rows = border
    x = state.x
    if problem.stages[at].factor > 1:
        how = "bilinear" if len(problem.size) == 2 else "trilinear"
        x = torch.nn.functional.interpolate(x, size=problem.size, mode=how)
    table = np.array(history[:rows], dtype=float)
    notes = tuple(dict.fromkeys(note for found in matches.values() for note in found.notes))
    objective = _Objective(problem.code, matches[1].of_phases(), problem.held(1))
    return Solved(x, table, tuple(names), stop, notes, int(table[-1, 1]), objective)


def _nearest_phases(code: PhaseCode, x: Tensor) -> NDArray[np.int64]:
    """Return the phase of the largest amount at every pixel of a field, shape (*S)."""
    with torch.no_grad():
        phases: NDArray[np.int64] = code.indicators(x)[0].argmax(dim=0).cpu().numpy()
    return phases


class _Objective:
    """Loss and gradient of a field; stores the weighted mismatches of the last point."""

    def __init__(self, code: PhaseCode, found: Match | VolumeMatch, held: Held | None = None) -> None:
        self._code, self._match, self._held = code, found, held
        self._last: dict[str, float] = {}

    def __call__(self, x: Tensor) -> tuple[float, Tensor]:
        x = (x.detach() if self._held is None else self._held.put(x)).requires_grad_(True)
        indicators = self._code.indicators(x)
        self._last, loss, slope = self._match.evaluated(indicators)
        (gradient,) = torch.autograd.grad(indicators, x, slope)
        # With no slope there, no step of the optimiser moves a held voxel.
        return loss, gradient if self._held is None else self._held.without(gradient)

    def values(self, names: Sequence[str]) -> list[float]:
        return [self._last.get(name, float("nan")) for name in names]


def _reason(state: OptimiserState, stage: Stage, history: Sequence[Sequence[float]]) -> Stop | None:
    """Return the reason to end the stage now, or None."""
    if state.stuck:
        return Stop.STALLED
    if state.evaluations >= stage.evaluations:
        return Stop.BUDGET
    recent = [row[2] for row in history[-_PATIENCE - 1 :] if row[0] == history[-1][0]]
    if len(recent) > _PATIENCE and recent[0] - recent[-1] < _TOLERANCE * abs(recent[0]):
        return Stop.CONVERGED
    return None


def _state(border: _Border, history: Sequence[Sequence[float]], names: Sequence[str]) -> Arrays:
    index, state, rows = border
    table = np.array(history[:rows], dtype=float)
    # Going on needs no names of terms; who watches the run does.
    return {**state.arrays(), "stage": np.array(index), "history": table, "terms": np.array(names)}
