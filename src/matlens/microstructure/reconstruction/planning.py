"""From one or a few micrographs to statistically equivalent ones."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from matlens.core.device import chosen_device
from matlens.errors import InputError, Interrupted
from matlens.hooks import Arrays, NoStore, Progress, Silent, StateStore
from matlens.microstructure.encoders import load_encoder
from matlens.microstructure.reconstruction.classical.base import Baseline
from matlens.microstructure.reconstruction.classical.classical_plan import BaselinePlan, plan_baseline
from matlens.microstructure.reconstruction.classical.registry import find_baseline
from matlens.microstructure.reconstruction.fractions import FractionRule, asked_fractions, check_fraction
from matlens.microstructure.reconstruction.matching.decoding import decode_field
from matlens.microstructure.reconstruction.matching.engine import Problem, Solved, Stop, solve
from matlens.microstructure.reconstruction.matching.levels import coarse_factors
from matlens.microstructure.reconstruction.matching.objective import resolved_loss
from matlens.microstructure.reconstruction.matching.optimisers.base import Objective
from matlens.microstructure.reconstruction.matching.presets import Preset, find_preset
from matlens.microstructure.reconstruction.result import Reconstruction, realisation_key
from matlens.microstructure.statistics import correlation_length_radial
from matlens.microstructure.structure import Microstructure

__all__ = ["Plan", "plan", "plan_matching", "reconstruct"]

_Done = tuple[Arrays, float]
"""Result and seconds of one realisation."""

_SMALLEST = 16  # pixels on a side: below, no encoder has a layer with enough positions


def reconstruct(
    exemplar: Microstructure | Sequence[Microstructure],
    shape: Sequence[int] | None = None,
    *,
    method: str | Baseline = "matching",
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    n: int = 1,
    fraction: FractionRule = "exact",
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    checkpoint: StateStore | None = None,
) -> Reconstruction:
    """Make statistically equivalent microstructures from one or a few micrographs.

    Parameters
    ----------
    exemplar : Microstructure or sequence of Microstructure
        What to resemble, two-dimensional; several are fields of one material and give one target.
    shape : (int, int), optional
        Height and width in pixels; by default the first exemplar's.
    method : str or Baseline
        ``"matching"``, or a baseline of `matlens.microstructure.reconstruction.classical`: its name, or the object with
        its options. Baselines work on the processor; encoder, weights and preset mean nothing to them.
    encoder : str
        ``"auto"``, ``"filterbank"``, ``"vgg19-oxford"`` or ``"vgg19-torchvision"``.
    weights : path-like, optional
        Weights file to use instead of the registered one.
    preset : str or Preset
        ``"default"``, ``"fast"`` or ``"li2018"``.
    n : int
        Number of realisations.
    fraction : "exact", "sampled" or sequence of float
        Volume fractions: the exemplar's, scattered as windows of the material scatter, or given, one a phase.
    seed : int
        The same seed, threads, device and versions give the same bytes.
    device : str
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    progress, checkpoint : optional
        `progress`: called with evaluations done and total. `checkpoint`: stores optimiser state and finished
        realisations, so that a run can resume.

    Returns
    -------
    Reconstruction

    Raises
    ------
    InputError
        If an argument cannot be used; the sentence says what to do.
    ResourceError
        If weights are not at hand.
    Interrupted
        On KeyboardInterrupt, with the partial result.

    Notes
    -----
    Gram matrices of an encoder's features are matched by moving the pixels, after Gatys et al. (2015) and Li et al.
    (Sci. Rep. 8:13461, 2018), together with the two-point function and total variation.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> exemplar = bicontinuous((32, 32), wavelength=8, seed=1)
    >>> result = reconstruct(exemplar, encoder="filterbank", preset="fast", seed=0)
    >>> result.microstructure
    Microstructure(32 x 32, 2 phases, 1 px, periodic)
    >>> bool((result.microstructure.volume_fractions == exemplar.volume_fractions).all())
    True
    """
    work = plan(
        exemplar,
        shape,
        method=method,
        encoder=encoder,
        weights=weights,
        preset=preset,
        n=n,
        fraction=fraction,
        seed=seed,
        device=device,
    )
    return work.run(progress or Silent(), checkpoint or NoStore())


@dataclass(frozen=True)
class Plan:
    """A checked order: every choice resolved, nothing computed yet. Made by `plan_matching`, carried out by `run`."""

    exemplars: tuple[Microstructure, ...]
    shape: tuple[int, int]
    problem: Problem
    n: int
    fraction: FractionRule
    settings: dict[str, Any]
    notes: tuple[str, ...]

    def run(self, progress: Progress, checkpoint: StateStore) -> Reconstruction:
        """Make all realisations; those that ``checkpoint`` has the result of are taken from it."""
        done: list[_Done] = []
        for index in range(self.n):
            partial: list[Solved] = []
            begun = time.perf_counter()
            try:
                done.append(self._realisation(index, progress, checkpoint, partial.append))
            except KeyboardInterrupt:
                spent = time.perf_counter() - begun
                result = self._result([*done, *((self._decoded(index, part), spent) for part in partial)])
                raise Interrupted("interrupted; what was done so far is kept.", result) from None
        return self._result(done)

    def _realisation(
        self, index: int, progress: Progress, checkpoint: StateStore, on_interrupt: Callable[[Solved], None]
    ) -> _Done:
        key, begun = realisation_key(index), time.perf_counter()
        kept = checkpoint.result(key)
        if kept is not None:
            return kept, float("nan")
        progress.begin(self.problem.evaluations, f"realisation {index + 1} of {self.n}")
        try:
            solved = solve(self.problem, self._fractions(index), index, progress, checkpoint, on_interrupt)
            on_interrupt(replace(solved, stop=Stop.INTERRUPTED))  # decoding takes its time too
            result = self._decoded(index, replace(solved, objective=_counted(solved, progress)))
        finally:
            progress.end()
        checkpoint.finish(key, result)
        return result, time.perf_counter() - begun

    def _fractions(self, index: int) -> torch.Tensor:
        values = asked_fractions(self.exemplars, self.shape, self.fraction, self.problem.seed, index)
        return torch.tensor(values, dtype=torch.float32).to(self.problem.exemplars[0].device)

    def _decoded(self, index: int, solved: Solved) -> Arrays:
        asked = asked_fractions(self.exemplars, self.shape, self.fraction, self.problem.seed, index)
        # At fractions of the user's own the exemplars' clusters are no target.
        models = self.exemplars if isinstance(self.fraction, str) else ()
        found = decode_field(self.problem, solved, self.shape, asked, models, self.problem.seed + index)
        return {
            "labels": found.labels,
            "history": solved.history,
            "terms": np.array(solved.terms),
            "stop": np.array(solved.stop.name),
            "notes": np.array(solved.notes, dtype=str),
            "evaluations": np.array(solved.evaluations),
            "trades": np.array(found.trades),
            "swaps": np.array(found.swaps),
            "fraction_before": found.fractions_before,
        }

    def _result(self, done: Sequence[_Done]) -> Reconstruction:
        first = self.exemplars[0]
        periodic = self.shape == self.problem.size
        structures = tuple(first.with_labels(record["labels"], periodic=periodic) for record, _ in done)
        records = [record for record, _ in done]
        notes = [str(note) for record in records for note in record["notes"]]
        for key, what in (("trades", "lower the loss"), ("swaps", "mend thin necks")):
            if any(counts := [int(record[key]) for record in records]):
                notes.append(f"decoding let {', '.join(map(str, counts))} pairs of pixels trade phases to {what}")
        return Reconstruction(
            structures,
            pd.concat([self._history(i, r) for i, r in enumerate(records)] or [pd.DataFrame()], ignore_index=True),
            np.array([record["fraction_before"] for record in records]).reshape(-1, first.n_phases),
            np.array([m.volume_fractions for m in structures]).reshape(-1, first.n_phases),
            dict(self.settings),
            tuple(dict.fromkeys([*self.notes, *notes])),
            tuple(Stop[str(record["stop"])].value for record in records),
            tuple(int(record["evaluations"]) for record in records),
            tuple(spent for _, spent in done),
        )

    def _history(self, index: int, record: Arrays) -> pd.DataFrame:
        rows = record["history"]
        names = [str(name) for name in record["terms"]]
        stages = [self.problem.stages[int(stage)].name for stage in rows[:, 0]]
        table = pd.DataFrame(rows[:, 2:], columns=["total", *names])
        table.insert(0, "evaluation", rows[:, 1].astype(int))
        table.insert(0, "level", stages)
        table.insert(0, "realisation", index)
        return table


def _counted(solved: Solved, progress: Progress) -> Objective:
    """The objective at full size; progress shows every evaluation that decoding makes."""
    done = solved.evaluations

    def objective(x: torch.Tensor) -> tuple[float, torch.Tensor]:
        nonlocal done
        loss, gradient = solved.objective(x)
        done += 1
        progress.update(done, f"loss {loss:.3g}, decoding")
        return loss, gradient

    return objective


def plan(
    exemplar: Microstructure | Sequence[Microstructure],
    shape: Sequence[int] | None = None,
    *,
    method: str | Baseline = "matching",
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    n: int = 1,
    fraction: FractionRule = "exact",
    seed: int = 0,
    device: str = "auto",
) -> Plan | BaselinePlan:
    """Check everything `reconstruct` is asked for and resolve every choice; parameters and errors as there.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> plan(bicontinuous((32, 32), seed=1), (40, 24), method="gaussian-field").settings["method"]
    'gaussian-field'
    """
    if method == "matching":
        return plan_matching(
            exemplar,
            shape,
            encoder=encoder,
            weights=weights,
            preset=preset,
            n=n,
            fraction=fraction,
            seed=seed,
            device=device,
        )
    baseline = find_baseline(method) if isinstance(method, str) else method
    if encoder != "auto" or weights is not None or preset != "default":
        raise InputError(
            f"method {baseline.name!r} has no encoder, weights or preset; leave them out or choose method 'matching'."
        )
    exemplars, asked = _checked(exemplar, shape, n, fraction, seed)
    return plan_baseline(baseline, exemplars, asked, n=n, fraction=fraction, seed=seed)


def plan_matching(
    exemplar: Microstructure | Sequence[Microstructure],
    shape: Sequence[int] | None = None,
    *,
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    n: int = 1,
    fraction: FractionRule = "exact",
    seed: int = 0,
    device: str = "auto",
) -> Plan:
    """Check an order for the matching engine and resolve every choice; parameters and errors as in `reconstruct`.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> plan_matching(bicontinuous((32, 32), seed=1), (40, 24), encoder="filterbank").settings["made"]
    [48, 32]
    """
    exemplars, asked = _checked(exemplar, shape, n, fraction, seed)
    chosen = find_preset(preset)
    where = chosen_device(device)
    network = load_encoder(encoder, weights=weights, device=where)
    loss, notes = resolved_loss(chosen, network)
    images = tuple(torch.from_numpy(m.indicators()).float()[None].to(where) for m in exemplars)
    deepest = max((network.layer(name).stride for name in loss.layers), default=1)
    factors = coarse_factors(images, asked) if chosen.levels else [1]
    multiple = max(deepest, 4 * factors[0])  # every level then has whole pixels, and its first poolings too
    size = tuple(-(-side // multiple) * multiple for side in asked)
    if size != asked:
        made, wanted = (" x ".join(map(str, sides)) for sides in (size, asked))
        notes.append(f"made at {made} px, where the poolings divide the size, and cropped to {wanted}: not periodic")
    problem = Problem(network, images, (size[0], size[1]), chosen, _correlation_length(exemplars), seed, tuple(factors))
    settings = {
        "method": "matching",
        "encoder": network.name,
        "weights": dict(network.source),
        "preset": chosen.name,
        "layers": dict(loss.layers),
        "shape": list(asked),
        "made": list(size),
        "levels": [stage.factor for stage in problem.stages if not stage.sharpness],
        "optimiser": chosen.optimiser,
        "fraction": fraction if isinstance(fraction, str) else [float(value) for value in fraction],
        "n": n,
        "seed": seed,
        "device": where.type,
        "threads": torch.get_num_threads(),
    }
    return Plan(exemplars, asked, problem, n, fraction, settings, tuple(notes))


def _checked(
    exemplar: Microstructure | Sequence[Microstructure],
    shape: Sequence[int] | None,
    n: int,
    fraction: FractionRule,
    seed: int,
) -> tuple[tuple[Microstructure, ...], tuple[int, int]]:
    """Exemplars and shape, once what every method needs has been checked."""
    exemplars = (exemplar,) if isinstance(exemplar, Microstructure) else tuple(exemplar)
    _check_exemplars(exemplars)
    asked = _checked_shape(exemplars[0].shape if shape is None else shape)
    check_fraction(fraction, exemplars[0].n_phases)
    if n < 1:
        raise InputError(f"n={n} realisations were asked for; give at least 1.")
    if seed < 0:
        raise InputError(f"seed={seed} is negative; give 0 or more.")
    return exemplars, asked


def _correlation_length(exemplars: Sequence[Microstructure]) -> float:
    """The longest of all phases and exemplars; half the smallest side where none is as short as that."""
    lengths = np.concatenate([correlation_length_radial(m) for m in exemplars])
    return float(np.nanmax(lengths)) if np.isfinite(lengths).any() else min(min(m.shape) for m in exemplars) / 2


def _check_exemplars(exemplars: Sequence[Microstructure]) -> None:
    if not exemplars:
        raise InputError("no exemplar was given; give at least one micrograph.")
    first = exemplars[0]
    for m in exemplars:
        size = " x ".join(str(side) for side in m.shape)
        if m.ndim != 2:
            raise InputError(
                f"the exemplar is {m.ndim}-dimensional ({size}); reconstruction takes two-dimensional ones."
            )
        if min(m.shape) < _SMALLEST:
            raise InputError(f"the exemplar has {size} pixels; the smallest that can be learned from is 16 x 16.")
        if (m.n_phases, m.spacing, m.unit) != (first.n_phases, first.spacing, first.unit):
            raise InputError(
                "the exemplars differ in phases, spacing or unit; give fields of one material at one scale."
            )
    present = np.sum([m.volume_fractions for m in exemplars], axis=0) > 0
    if present.sum() < 2 or not present.all():
        raise InputError(
            f"the exemplars hold {int(present.sum())} of {first.n_phases} phases; at least two are needed and none may "
            "be empty: check the threshold or the labels."
        )
    if all((m.volume_fractions == 1).any() for m in exemplars):
        raise InputError("every exemplar is one phase throughout; at least one must hold two: check the threshold.")


def _checked_shape(shape: Sequence[int]) -> tuple[int, int]:
    sides = tuple(int(side) for side in shape)
    if len(sides) != 2:
        raise InputError(f"the shape {'x'.join(map(str, sides))} has {len(sides)} sides; give height x width.")
    if min(sides) < _SMALLEST:
        raise InputError(f"the shape {sides[0]}x{sides[1]} is too small; each side needs at least {_SMALLEST} pixels.")
    return sides[0], sides[1]
