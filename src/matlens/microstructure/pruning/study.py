"""Pruning studies: the quality and the cost of reconstruction at each depth or each width of a network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from matlens.core.arguments import checked_arguments
from matlens.errors import InputError, Interrupted
from matlens.hooks import Labelled, NoStore, Progress, Silent, StateStore
from matlens.microstructure.pruning.by_depth import Depths, truncated
from matlens.microstructure.pruning.by_width import Widths, plan_widths
from matlens.microstructure.pruning.cells import Cell, PruningStudy
from matlens.microstructure.reconstruction import Matching, MatchingWork, Plan, Preset, Reconstruction, plan_method
from matlens.microstructure.reconstruction.matching.cost import evaluation_cost
from matlens.microstructure.reconstruction.matching.presets import find_preset
from matlens.microstructure.segmentation import StructureLike, StructuresLike, as_structure, as_structures
from matlens.microstructure.statistics.equivalence.panel import Panel, window_for
from matlens.microstructure.structure import Microstructure

__all__ = ["Pruning", "plan_pruning", "prune"]

Materials = Microstructure | Sequence[Microstructure] | Mapping[str, Microstructure]
Checkpoints = Callable[[str, str], StateStore]
"""Gives the store of one material and depth or width."""

_SIDE = 128  # pixels; the default size of what is made


@checked_arguments
def prune(
    exemplars: StructuresLike | Mapping[str, StructureLike],
    shape: Sequence[int] | None = None,
    *,
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    depths: Sequence[str] | None = None,
    widths: Sequence[float] | None = None,
    n: int = 2,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
) -> PruningStudy:
    """Reconstruct with fewer layers or channels, and find the cheapest network that stays equivalent to the best.

    Parameters
    ----------
    exemplars : Microstructure, array_like or path-like, or sequence or mapping of them
        Two-dimensional micrographs, each of a material of its own.
    shape : (int, int), optional
        Height and width of the realisations in pixels; by default 128 x 128, or less if a micrograph is smaller.
    encoder, weights, preset, device
        As in `matlens.reconstruct`.
    depths : sequence of str, optional
        Layers to end at; by default the loss layers of the preset and ``"none"``, the loss without a network. A layer
        that is no loss layer of the preset is added to those above it. With ``widths``, the one layer at which the
        network ends; by default the deepest that the preset uses.
    widths : sequence of float, optional
        Shares of the channels of every layer to keep, such as ``[1, 1/2, 1/4]``; 0 stands for no network. The network,
        VGG-19 or ``"matlens"``, is pruned in closed form for each material by itself
        (`matlens.microstructure.pruning.width.narrowed`). By default depths are studied.
    n : int
        Realisations of each material and depth or width. Realisations of equal number start from equal noise.
    seed : int
        Seed; the same seed, threads, device and versions give the same structures and verdicts, but other times.
    progress : Progress, optional
        Called with evaluations done and total, for each realisation.
    checkpoints : callable, optional
        Takes the name of a material and of a depth or width, and returns the `StateStore` of optimiser state and
        finished realisations, so that a run can resume.

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
        On KeyboardInterrupt, with the study of what is finished.

    Notes
    -----
    Truncation of the network after each loss layer is the "model pruning" of Li et al., Sci. Rep. 8, 13461 (2018). The
    rule of the recommendation is `matlens.microstructure.pruning.recommendation.rule`. In a study of width, controls
    whose channels are removed at random, and with the most important ones first, stand beside every width.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> exemplar = bicontinuous((64, 64), wavelength=12, seed=1)
    >>> study = prune(exemplar, (32, 32), encoder="filterbank", preset="fast", depths=["none", "scale1"], n=1)
    >>> study.table["depth"].tolist()
    ['none', 'scale1', 'white noise', 'blurred noise']
    >>> asked = {"encoder": "matlens", "preset": "fast", "depths": ["conv1_1"], "n": 1}
    >>> prune(exemplar, (32, 32), widths=[1/2], **asked).table["width"].tolist()
    ['1/2', '1/2 random', '1/2 reversed', 'white noise', 'blurred noise']
    """
    work = plan_pruning(
        _structures(exemplars, progress),
        shape,
        encoder=encoder,
        weights=weights,
        preset=preset,
        depths=depths,
        widths=widths,
        n=n,
        seed=seed,
        device=device,
    )
    return work.run(progress or Silent(), checkpoints or (lambda material, name: NoStore()))


def _structures(given: StructuresLike | Mapping[str, StructureLike], progress: Progress | None) -> Materials:
    if isinstance(given, Mapping):
        return {name: as_structure(one, progress) for name, one in given.items()}
    return as_structures(given, progress)


@dataclass(frozen=True)
class Pruning:
    """Checked plan of a pruning study, made by `plan_pruning` and executed by `run`.

    Attributes
    ----------
    exemplars : dict of str to Microstructure
        The micrographs by name.
    cuts : Depths or Widths
        How the network is pruned.
    n : int
        Realisations of each material and depth or width.
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
    >>> work.cuts.names, work.cell("foam", "scale1").shape
    (('none', 'scale1'), (64, 64))
    """

    exemplars: dict[str, Microstructure]
    cuts: Depths | Widths
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
            Takes the name of a material and of a depth or width, and returns a `StateStore`.

        Returns
        -------
        PruningStudy
            The study.

        Raises
        ------
        Interrupted
            On KeyboardInterrupt, with the study of what is finished.
        """
        study = PruningStudy(dict(self.exemplars), dict(self.settings), notes=list(self.notes), axis=self.cuts.axis)
        try:
            work = self._ranked(study, progress)
            for name in self.exemplars:
                work._material(study, name, progress, checkpoints)
        except (KeyboardInterrupt, Interrupted):
            raise Interrupted(f"interrupted; the {self.cuts.axis}s that were finished are kept.", study) from None
        return study

    def _ranked(self, study: PruningStudy, progress: Progress) -> Pruning:
        """Return the plan with the channels of a study of width ranked."""
        if not isinstance(self.cuts, Widths):
            return self
        with _doing(progress, "importance of the channels"):
            study.ranking = self.cuts.rank() if self.cuts.ranking is None else self.cuts.ranking
        return replace(self, cuts=replace(self.cuts, ranking=study.ranking))

    def _material(self, study: PruningStudy, name: str, progress: Progress, checkpoints: Checkpoints) -> None:
        names = self.cuts.names
        before, total = list(self.exemplars).index(name), len(self.exemplars) * len(names)
        with _doing(progress, f"{name}: its windows"):
            panel = Panel(self.exemplars[name], self.settings["shape"], self.settings["seed"])
        for number, cut in enumerate(names, start=before * len(names) + 1):
            label = f"{name}, {cut} ({number} of {total})"
            with _doing(progress, f"{label}, preparing"):
                work = self.cell(name, cut)
            result = work.run(Labelled(progress, label), checkpoints(name, cut))
            with _doing(progress, f"{label}, judging"):
                study.add(name, cut, replace(_measured(work, result, panel), facts=self.cuts.facts(cut)))
        with _doing(progress, f"{name}: controls"):
            for noise, structures in panel.noises(self.settings["n"]).items():
                study.add(name, noise, Cell(structures, panel(structures, copying=False)))
        study.conclude(name)

    def cell(self, material: str, name: str) -> Plan[MatchingWork]:
        """Plan the reconstruction of one material at one depth or width.

        Parameters
        ----------
        material : str
            Name of the material.
        name : str
            Depth or width of the network; of a width, the channels must have been ranked.

        Returns
        -------
        Plan
            Reconstruction by feature matching.
        """
        matching = self.cuts.matching(material, name)
        return plan_method(matching, self.exemplars[material], self.settings["shape"], n=self.n, seed=self.seed)


def plan_pruning(
    exemplars: Materials,
    shape: Sequence[int] | None = None,
    *,
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    depths: Sequence[str] | None = None,
    widths: Sequence[float] | None = None,
    n: int = 2,
    seed: int = 0,
    device: str = "auto",
) -> Pruning:
    """Check the arguments of `prune` and resolve every setting.

    Parameters
    ----------
    exemplars, shape, encoder, weights, preset, depths, widths, n, seed, device
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
    materials = {name: m.whole("pruning") for name, m in _named(exemplars).items()}
    chosen = find_preset(preset)
    network = Matching(encoder, weights).loaded(device)
    cuts: Depths | Widths
    if widths is None:
        presets, notes = truncated(chosen, network, depths)
        cuts = Depths(network, presets, device)
    else:
        cuts, notes = plan_widths(network, chosen, materials, widths, depths, seed=seed, device=device)
    smallest = [min(sides) for sides in zip(*(m.shape for m in materials.values()))]
    asked = [min(_SIDE, side) for side in smallest] if shape is None else [int(side) for side in shape]
    checked = [plan_method(cuts.whole, exemplar, asked, n=n, seed=seed) for exemplar in materials.values()]
    for exemplar in materials.values():
        window_for(exemplar, asked)
    resolved = checked[0].settings
    settings = {
        **{name: resolved[name] for name in ("encoder", "weights", "shape", "n", "seed", "device", "threads")},
        "preset": chosen.name,
        **cuts.settings(),
        "materials": list(materials),
    }
    return Pruning(materials, cuts, n, seed, settings, tuple(notes))


@contextmanager
def _doing(progress: Progress, label: str) -> Iterator[None]:
    progress.begin(1, label)
    try:
        yield
    finally:
        progress.end()


def _measured(work: Plan[MatchingWork], result: Reconstruction, panel: Panel) -> Cell:
    """Compare the realisations of a depth or width with the material, and measure the cost of an evaluation."""
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
