"""Feature matching as a method of reconstruction: pixels change until the Gram matrices of features match."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from matlens.core.device import chosen_device
from matlens.hooks import Progress
from matlens.microstructure.encoders import Encoder, load_encoder
from matlens.microstructure.reconstruction.anchors import FREE
from matlens.microstructure.reconstruction.default_shape import longest_reach
from matlens.microstructure.reconstruction.matching.decoding import decode_field
from matlens.microstructure.reconstruction.matching.engine import Problem, Solved, Stop, solve
from matlens.microstructure.reconstruction.matching.levels import coarse_factors
from matlens.microstructure.reconstruction.matching.objective import resolved_loss
from matlens.microstructure.reconstruction.matching.optimisers.base import Objective
from matlens.microstructure.reconstruction.matching.presets import Preset, find_preset, settings_in_space
from matlens.microstructure.reconstruction.matching.volume import KEPT
from matlens.microstructure.reconstruction.method import NO_WISHES, Made, Maker, Method, Prepared, Task, Wishes
from matlens.microstructure.structure import Microstructure

__all__ = ["Matching", "MatchingWork"]

# Up to so many pixels a second thread saves a tenth of the time on an idle machine, costs seventeen times on a busy one
# (docs/results.md), and is worth more to the next realisation.
_FEW_PIXELS = 192**2
_WHOLE = 3e-7  # seconds for each voxel: two-point term of an evaluation, one thread


@dataclass(frozen=True)
class MatchingWork(Prepared):
    """Feature matching with all settings resolved.

    Attributes
    ----------
    problem : Problem
        Optimisation problem, with the loaded encoder.
    exemplars : tuple of Microstructure
        Exemplars whose clusters decide where throats are mended.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> work = Matching("filterbank").prepare([bicontinuous((32, 32), seed=1)], (32, 32), seed=0)
    >>> work.problem.size
    (32, 32)
    """

    problem: Problem
    exemplars: tuple[Microstructure, ...]

    @property
    def seconds_per_pixel(self) -> float:
        """Processor time of one realisation for each pixel, in seconds: that of the evaluations at most allowed."""
        stages, encoder, axes = self.problem.stages, self.problem.encoder, len(self.problem.size)
        of_pixel = encoder.seconds_per_pixel * encoder.passes(self.exemplars[0].n_phases)
        if axes == 2:
            return of_pixel * (sum(stage.evaluations / stage.factor**2 for stage in stages) + self.problem.swaps)
        # A voxel lies in a plane along each axis that has sections, and in the transform of the two-point term.
        seen = sum(1 for own in self.problem.sections if own)
        steps = [(stage.evaluations, stage.factor, stage.step) for stage in stages] + [(self.problem.swaps, 1, 1)]
        return sum(count / factor**3 * (seen * of_pixel / step + _WHOLE) for count, factor, step in steps)

    @property
    def one_thread(self) -> bool:
        """Whether a realisation computes on one thread: that of few pixels on the processor."""
        return bool(self.choices["threads"] == 1)

    @property
    def bytes_per_pixel(self) -> float:
        """Memory for each pixel, in bytes: that of an evaluation with its gradient."""
        encoder = self.problem.encoder
        of_planes = encoder.bytes_per_pixel * encoder.passes(self.exemplars[0].n_phases)
        if not self.problem.sections:
            return of_planes
        # Pairs of L-BFGS, fields and indicators with their gradients; activations of planes are bounded.
        return 4 * (24 * (self.exemplars[0].n_phases - 1) + 20) + min(
            of_planes, KEPT / float(np.prod(self.problem.size))
        )

    def learn(self) -> Maker:
        """Return the function that makes a realisation; targets are measured with the first one.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """
        return self._made

    def _made(self, task: Task) -> Made:
        fractions = torch.tensor(task.fractions, dtype=torch.float32).to(self.problem.exemplars[0].device)

        def interrupted(solved: Solved) -> None:
            task.offer(lambda: self._decoded(solved, task))

        task.progress.begin(self.problem.effort, f"realisation {task.realisation + 1} of {task.n}")
        task.progress.update(0.0, "measuring the micrograph")
        solved = solve(self.problem, fractions, task.realisation, task.progress, task.checkpoint, interrupted)
        interrupted(replace(solved, stop=Stop.INTERRUPTED))  # decoding takes its time too
        return self._decoded(replace(solved, objective=_counted(solved, self.problem, task.progress)), task)

    def _decoded(self, solved: Solved, task: Task) -> Made:
        shape = tuple(task.shape)
        # At fractions of the user's own the exemplars' clusters are no target.
        models = self.exemplars if task.like_exemplar else ()
        seed = task.seed + task.realisation
        found = decode_field(self.problem, solved, shape, task.fractions, models, seed)
        return Made(
            found.labels,
            solved.stop.value,
            periodic=shape == self.problem.size,
            evaluations=solved.evaluations,
            history=solved.history,
            terms=solved.terms,
            stages=tuple(stage.name for stage in self.problem.stages),
            notes=solved.notes,
            counts={
                "decoding swapped {} pairs of pixels to lower the loss": found.swaps,
                "decoding swapped {} pairs of pixels to mend thin throats": found.mended,
            },
            fraction_before=found.fractions_before,
        )


@dataclass(frozen=True)
class Matching(Method[MatchingWork]):
    """Match the Gram matrices of an encoder's features by moving the pixels.

    Parameters
    ----------
    encoder : str or Encoder
        ``"auto"``, a key of `matlens.microstructure.encoders.ENCODERS`, or a loaded encoder.
    weights : path-like, optional
        Weights file to use instead of the registered one.
    preset : str or Preset
        A key of ``PRESETS``, or a preset.
    device : {"auto", "cpu", "cuda"}
        Device that computes.

    Notes
    -----
    Gatys, Ecker and Bethge, NeurIPS (2015), and Li et al., Sci. Rep. 8, 13461 (2018), together with the two-point
    probability and total variation.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> Matching("filterbank").prepare([bicontinuous((32, 32), seed=1)], (40, 24), seed=0).choices["made"]
    [48, 32]
    """

    name: ClassVar[str] = "matching"
    citations: ClassVar[tuple[str, ...]] = ("li2018transfer", "gatys2015texture", "liu1989limited")
    takes_masks: ClassVar[bool] = True
    holds_planes: ClassVar[bool] = True
    takes_nearest: ClassVar[bool] = True

    encoder: str | Encoder = "auto"
    weights: str | os.PathLike[str] | None = None
    preset: str | Preset = "default"
    device: str = "auto"

    def prepare(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> MatchingWork:
        """Load the encoder, and resolve layers, levels and the size of the field.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Two-dimensional exemplars.
        shape : sequence of int
            Height and width of the result in pixels.
        seed : int
            Seed of the noise.

        Returns
        -------
        MatchingWork
            Checked plan.

        Raises
        ------
        InputError
            If the encoder, the preset or the device is unknown.
        ResourceError
            If weights are not found.
        """
        return self._prepared(exemplars, shape, seed, (), NO_WISHES)

    def prepare_volume(
        self,
        exemplars: Sequence[Microstructure],
        sections: Sequence[Sequence[int]],
        shape: Sequence[int],
        seed: int,
        wishes: Wishes = NO_WISHES,
    ) -> MatchingWork:
        """Load the encoder, and resolve layers, levels and the size of the volume.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Two-dimensional exemplars.
        sections : sequence of sequence of int
            For each axis of the volume, the numbers of the exemplars that planes normal to it resemble.
        shape : sequence of int
            Depth, height and width of the result in pixels.
        seed : int
            Seed of the noise.
        wishes : Wishes
            What is asked for besides.

        Returns
        -------
        MatchingWork
            Checked plan.

        Raises
        ------
        InputError
            If the encoder, the preset or the device is unknown, or the preset makes no volumes.
        ResourceError
            If weights are not found.
        """
        return self._prepared(exemplars, shape, seed, tuple(tuple(own) for own in sections), wishes)

    def _prepared(
        self,
        exemplars: Sequence[Microstructure],
        shape: Sequence[int],
        seed: int,
        sections: tuple[tuple[int, ...], ...],
        wishes: Wishes,
    ) -> MatchingWork:
        asked = tuple(shape)
        chosen = find_preset(self.preset)
        if sections:
            settings_in_space(chosen)
        where = chosen_device(self.device)
        network = self.loaded(where)
        loss, notes = resolved_loss(chosen, network)
        images = tuple(torch.from_numpy(m.indicators()).float()[None].to(where) for m in exemplars)
        deepest = max((network.layer(name).stride for name in loss.layers), default=1)
        factors = coarse_factors(images, asked) if chosen.levels else [1]
        multiple = max(deepest, 4 * factors[0])  # every level then has whole pixels, and its first poolings too
        size = tuple(-(-side // multiple) * multiple for side in asked)
        if size != asked:
            made, wanted = (" x ".join(map(str, sides)) for sides in (size, asked))
            cropped = f"cropped to {wanted}: not periodic"
            notes.append(f"made at {made} px, where the poolings divide the size, and {cropped}")
        length = _covariance_reach(exemplars)
        known = wishes.known
        if known is not None:  # what is made beyond the shape is free
            known = np.pad(known, [(0, whole - side) for whole, side in zip(size, asked)], constant_values=FREE)
        problem = Problem(network, images, size, chosen, length, seed, tuple(factors), sections, known, wishes.nearest)
        choices = {
            "encoder": network.name,
            "weights": dict(network.source),
            "preset": chosen.name,
            "layers": dict(loss.layers),
            "made": list(size),
            "levels": list(problem.factors),
            "optimiser": chosen.optimiser,
            "device": where.type,
            "threads": 1 if where.type == "cpu" and np.prod(size) <= _FEW_PIXELS else torch.get_num_threads(),
        }
        return MatchingWork(choices, tuple(notes), problem, tuple(exemplars))

    def loaded(self, device: str | torch.device) -> Encoder:
        """Return the encoder; it is loaded if only its name was given.

        Parameters
        ----------
        device : str or torch.device
            Device of the encoder.

        Returns
        -------
        Encoder
            The encoder on the device.

        Raises
        ------
        InputError
            If no encoder has this name.
        ResourceError
            If weights are not found.
        """
        if isinstance(self.encoder, Encoder):
            return self.encoder.to(device)
        return load_encoder(self.encoder, weights=self.weights, device=device)


def _counted(solved: Solved, problem: Problem, progress: Progress) -> Objective:
    """Return the objective at full size, which shows every evaluation of decoding as progress."""
    done = problem.effort_before(len(problem.stages))

    def objective(x: torch.Tensor) -> tuple[float, torch.Tensor]:
        nonlocal done
        loss, gradient = solved.objective(x)
        done += 1.0
        progress.update(done, f"loss {loss:.3g}, decoding")
        return loss, gradient

    return objective


def _covariance_reach(exemplars: Sequence[Microstructure]) -> float:
    """Return the longest reach of the covariance of phases and exemplars; half the smallest side if none is known."""
    length = longest_reach(exemplars)
    return min(min(m.shape) for m in exemplars) / 2 if np.isnan(length) else length
