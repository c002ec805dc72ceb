"""Pruning studies: the quality and the cost of reconstruction at each depth of a network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from matlens.errors import InputError, Interrupted
from matlens.hooks import Labelled, NoStore, Progress, Silent, StateStore
from matlens.microstructure.encoders import Encoder
from matlens.microstructure.pruning.cells import Cell, PruningStudy
from matlens.microstructure.pruning.recommendation import NO_NETWORK
from matlens.microstructure.reconstruction import Matching, MatchingWork, Plan, Preset, Reconstruction, plan_method
from matlens.microstructure.reconstruction.matching.cost import evaluation_cost
from matlens.microstructure.reconstruction.matching.objective import resolved_loss
from matlens.microstructure.reconstruction.matching.presets import find_preset
from matlens.microstructure.statistics.equivalence.panel import Panel, window_for
from matlens.microstructure.structure import Microstructure

__all__ = ["Pruning", "plan_pruning", "prune", "truncated"]

Materials = Microstructure | Sequence[Microstructure] | Mapping[str, Microstructure]
Checkpoints = Callable[[str, str], StateStore]
"""Gives the store of one material and depth."""

_SIDE = 128  # pixels; the default size of what is made


def prune(
    exemplars: Materials,
    shape: Sequence[int] | None = None,
    *,
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    depths: Sequence[str] | None = None,
    n: int = 2,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
) -> PruningStudy:
    """Reconstruct with fewer and fewer layers, and find the cheapest depth that stays equivalent to the best.

    Parameters
    ----------
    exemplars : Microstructure, or sequence or mapping of them
        Two-dimensional micrographs, each of a material of its own.
    shape : (int, int), optional
        Height and width of the realisations in pixels; by default 128 x 128, or less if a micrograph is smaller.
    encoder, weights, preset, device
        As in `matlens.reconstruct`.
    depths : sequence of str, optional
        Layers to end at; by default the loss layers of the preset and ``"none"``, the loss without a network. A layer
        that is no loss layer of the preset is added to those above it.
    n : int
        Realisations of each material and depth. Realisations of equal number start from equal noise at every depth.
    seed : int
        Seed; the same seed, threads, device and versions give the same structures and verdicts, but other times.
    progress : Progress, optional
        Called with evaluations done and total, for each realisation.
    checkpoints : callable, optional
        Takes the name of a material and a depth, and returns the `StateStore` of optimiser state and finished
        realisations, so that a run can resume.

    Returns
    -------
    PruningStudy
        Tables of cost, R and verdicts, and a recommendation per material.

    Raises
    ------
    InputError
        If an argument cannot be used.
    ResourceError
        If weights are not found.
    Interrupted
        On KeyboardInterrupt, with the study of the finished depths.

    Notes
    -----
    Truncation of the network after each loss layer is the "model pruning" of Li et al., Sci. Rep. 8, 13461 (2018). The
    rule of the recommendation is `matlens.microstructure.pruning.recommendation.RULE`.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> exemplar = bicontinuous((64, 64), wavelength=12, seed=1)
    >>> study = prune(exemplar, (32, 32), encoder="filterbank", preset="fast", depths=["none", "scale1"], n=1)
    >>> study.table["depth"].tolist()
    ['none', 'scale1', 'white noise', 'blurred noise']
    """
    work = plan_pruning(
        exemplars,
        shape,
        encoder=encoder,
        weights=weights,
        preset=preset,
        depths=depths,
        n=n,
        seed=seed,
        device=device,
    )
    return work.run(progress or Silent(), checkpoints or (lambda material, depth: NoStore()))


@dataclass(frozen=True)
class Pruning:
    """Checked plan of a pruning study, made by `plan_pruning` and executed by `run`.

    Attributes
    ----------
    exemplars : dict of str to Microstructure
        The micrographs by name.
    presets : dict of str to Preset
        Preset with the layers of each depth, from shallow to deep.
    matching : Matching
        Feature matching with the encoder that was loaded.
    n : int
        Realisations of each material and depth.
    seed : int
        Seed of the realisations.
    settings : dict
        Every setting with its resolved value.
    notes : tuple of str
        Remarks on the layers, one sentence each.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> work = plan_pruning({"foam": bicontinuous((64, 64), seed=1)}, encoder="filterbank", depths=["none", "scale1"])
    >>> list(work.presets), work.cell("foam", "scale1").shape
    (['none', 'scale1'], (64, 64))
    """

    exemplars: dict[str, Microstructure]
    presets: dict[str, Preset]
    matching: Matching
    n: int
    seed: int
    settings: dict[str, Any]
    notes: tuple[str, ...]

    def run(self, progress: Progress, checkpoints: Checkpoints) -> PruningStudy:
        """Make and compare all realisations; those whose result is stored are read from the store.

        Parameters
        ----------
        progress : Progress
            Called with evaluations done and total, for each realisation.
        checkpoints : callable
            Takes the name of a material and a depth, and returns a `StateStore`.

        Returns
        -------
        PruningStudy
            The study.

        Raises
        ------
        Interrupted
            On KeyboardInterrupt, with the study of the finished depths.
        """
        study = PruningStudy(dict(self.exemplars), dict(self.settings), notes=list(self.notes))
        try:
            for name in self.exemplars:
                self._material(study, name, progress, checkpoints)
        except (KeyboardInterrupt, Interrupted):
            raise Interrupted("interrupted; the depths that were finished are kept.", study) from None
        return study

    def _material(self, study: PruningStudy, name: str, progress: Progress, checkpoints: Checkpoints) -> None:
        before, total = list(self.exemplars).index(name), len(self.exemplars) * len(self.presets)
        with _doing(progress, f"{name}: its windows"):
            panel = Panel(self.exemplars[name], self.settings["shape"], self.settings["seed"])
        for number, depth in enumerate(self.presets, start=before * len(self.presets) + 1):
            work, label = self.cell(name, depth), f"{name}, {depth} ({number} of {total})"
            result = work.run(Labelled(progress, label), checkpoints(name, depth))
            with _doing(progress, f"{label}, judging"):
                study.add(name, depth, _measured(work, result, panel))
        with _doing(progress, f"{name}: controls"):
            for noise, structures in panel.noises(self.settings["n"]).items():
                study.add(name, noise, Cell(structures, panel(structures, copying=False)))
        study.conclude(name)

    def cell(self, material: str, depth: str) -> Plan[MatchingWork]:
        """Plan the reconstruction of one material at one depth.

        Parameters
        ----------
        material : str
            Name of the material.
        depth : str
            Depth of the network.

        Returns
        -------
        Plan
            Reconstruction by feature matching.
        """
        matching = replace(self.matching, preset=self.presets[depth])
        return plan_method(matching, self.exemplars[material], self.settings["shape"], n=self.n, seed=self.seed)


def plan_pruning(
    exemplars: Materials,
    shape: Sequence[int] | None = None,
    *,
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    depths: Sequence[str] | None = None,
    n: int = 2,
    seed: int = 0,
    device: str = "auto",
) -> Pruning:
    """Check the arguments of `prune` and resolve every setting.

    Parameters
    ----------
    exemplars, shape, encoder, weights, preset, depths, n, seed, device
        As in `prune`.

    Returns
    -------
    Pruning
        Checked plan; nothing is reconstructed yet.

    Raises
    ------
    InputError
        If an argument cannot be used.
    ResourceError
        If weights are not found.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> work = plan_pruning(bicontinuous((64, 64), seed=1), encoder="filterbank")
    >>> work.settings["depths"], work.settings["shape"]
    (['none', 'scale1', 'scale2', 'scale4', 'scale8', 'scale16'], [64, 64])
    """
    materials = _named(exemplars)
    chosen = find_preset(preset)
    network = Matching(encoder, weights).loaded(device)
    presets, notes = truncated(chosen, network, depths)
    smallest = [min(sides) for sides in zip(*(m.shape for m in materials.values()))]
    asked = [min(_SIDE, side) for side in smallest] if shape is None else [int(side) for side in shape]
    matching = Matching(network, device=device)
    work = Pruning(materials, presets, matching, n, seed, {"shape": asked}, tuple(notes))
    checked = [work.cell(name, list(presets)[-1]) for name in materials]
    for exemplar in materials.values():
        window_for(exemplar, asked)
    resolved = checked[0].settings
    settings = {
        **{name: resolved[name] for name in ("encoder", "weights", "shape", "n", "seed", "device", "threads")},
        "preset": chosen.name,
        "depths": list(presets),
        "layers": {depth: list(cut.layers or ()) for depth, cut in presets.items()},
        "materials": list(materials),
    }
    return replace(work, settings=settings)


def truncated(
    preset: Preset, encoder: Encoder, depths: Sequence[str] | None = None
) -> tuple[dict[str, Preset], list[str]]:
    """Truncate the loss of a preset at each depth.

    Parameters
    ----------
    preset : Preset
        Preset whose loss layers are truncated.
    encoder : Encoder
        Encoder that has the layers.
    depths : sequence of str, optional
        Layers to end at, as in `prune`.

    Returns
    -------
    presets : dict of str to Preset
        Preset by depth, from shallow to deep.
    notes : list of str
        Remarks on the layers, one sentence each.

    Raises
    ------
    InputError
        If a depth is unknown, or no depth has a network.

    Notes
    -----
    Li et al., Sci. Rep. 8, 13461 (2018).

    Examples
    --------
    >>> from matlens.microstructure.encoders import VGG19, random_weights
    >>> cut, _ = truncated(find_preset("default"), VGG19(random_weights(4, seed=0)), ["none", "pool1", "conv1_2"])
    >>> {depth: list(one.layers) for depth, one in cut.items()}
    {'none': [], 'conv1_2': ['conv1_1', 'conv1_2'], 'pool1': ['conv1_1', 'pool1']}
    """
    resolved, notes = resolved_loss(preset, encoder)
    loss = resolved.layers
    order = [NO_NETWORK, *(layer.name for layer in encoder.layers)]
    asked = [NO_NETWORK, *loss] if depths is None else list(depths)
    if unknown := [depth for depth in asked if depth not in order]:
        raise InputError(f"encoder {encoder.name!r} has no depth {unknown[0]!r}; choose among {', '.join(order)}.")
    if NO_NETWORK in asked and not (preset.two_point or preset.total_variation):
        asked.remove(NO_NETWORK)
        notes.append(f"the preset {preset.name} matches nothing but the network, so depth zero is white noise")
    if not set(asked) - {NO_NETWORK}:
        raise InputError(f"no depth with a network was asked for; choose among {', '.join(order[1:])}.")
    presets = {}
    for depth in sorted(set(asked), key=order.index):
        above = {name: weight for name, weight in loss.items() if order.index(name) <= order.index(depth)}
        layers = above if depth == NO_NETWORK else {**above, depth: loss.get(depth, 1.0)}
        presets[depth] = replace(preset, layers=layers)
    return presets, notes


@contextmanager
def _doing(progress: Progress, label: str) -> Iterator[None]:
    progress.begin(1, label)
    try:
        yield
    finally:
        progress.end()


def _measured(work: Plan[MatchingWork], result: Reconstruction, panel: Panel) -> Cell:
    """Compare the realisations of a depth with the material, and measure its cost."""
    problem, layers = work.prepared.problem, work.settings["layers"]
    fractions = torch.tensor(panel.exemplar.volume_fractions, dtype=torch.float32, device=work.settings["device"])
    x = problem.start(0, fractions)
    x = torch.nn.functional.interpolate(x, size=problem.size)
    cost = evaluation_cost(problem.objective(fractions), x)
    sees = max((problem.encoder.layer(name).receptive_field for name in layers), default=0)
    return Cell(result.microstructures, panel(result.microstructures), result, cost, sees)


def _named(exemplars: Materials) -> dict[str, Microstructure]:
    if isinstance(exemplars, Microstructure):
        return {"material": exemplars}
    found = exemplars if isinstance(exemplars, Mapping) else {f"material {i}": m for i, m in enumerate(exemplars)}
    if not found:
        raise InputError("no micrograph was given; give at least one.")
    return dict(found)
