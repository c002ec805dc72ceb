"""The steps of ``prune`` in a run directory; realisations that are finished are never made again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matlens.hooks import Progress
from matlens.microstructure.commands.inputs import Inputs, exemplars_of, read_inputs, stored_inputs
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.commands.reconstruct.run import check_weights
from matlens.microstructure.pruning import Pruning, PruningStudy, plan_pruning
from matlens.microstructure.pruning.recommendation import RECOMMENDATION, RULE
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["PruneOrder", "cell_folder", "prune_in"]


@dataclass(frozen=True)
class PruneOrder:
    """What is asked of a pruning study, as a settings file holds it; see `matlens.prune` for the meaning.

    Examples
    --------
    >>> order = PruneOrder(Inputs(("problem:gravel",)), shape=(64, 64), depths=("none", "pool1"))
    >>> PruneOrder.of(order.settings()).depths
    ('none', 'pool1')
    """

    inputs: Inputs
    shape: tuple[int, ...] | None = None
    encoder: str = "auto"
    weights: str | None = None
    preset: str = "default"
    depths: tuple[str, ...] | None = None
    n: int = 2
    seed: int = 0
    device: str = "cpu"

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        return {
            "seed": self.seed,
            "device": self.device,
            "inputs": self.inputs.settings(),
            "prune": {
                "shape": None if self.shape is None else list(self.shape),
                "encoder": self.encoder,
                "weights": self.weights,
                "preset": self.preset,
                "depths": None if self.depths is None else list(self.depths),
                "n": self.n,
            },
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> PruneOrder:
        """Read it back."""
        asked = settings["prune"]
        return cls(
            Inputs.from_settings(settings["inputs"]),
            tuple(asked["shape"]) if "shape" in asked else None,
            asked["encoder"],
            asked.get("weights"),
            asked["preset"],
            tuple(asked["depths"]) if "depths" in asked else None,
            asked["n"],
            settings["seed"],
            settings["device"],
        )

    def plan(self, exemplars: Sequence[Microstructure]) -> Pruning:
        """Check it against its micrographs."""
        return plan_pruning(
            dict(zip(self.inputs.names, exemplars, strict=True)),
            self.shape,
            encoder=self.encoder,
            weights=self.weights,
            preset=self.preset,
            depths=self.depths,
            n=self.n,
            seed=self.seed,
            device=self.device,
        )

    def resolved(self, exemplars: Sequence[Microstructure]) -> tuple[PruneOrder, dict[str, Any]]:
        """Fill in what is left to MatLens, so that a resumed run chooses the same; the choices in words too.

        Raises
        ------
        InputError
            If something asked for cannot be done.
        ResourceError
            If weights are not at hand, or cannot be used.
        """
        choices = self.plan(exemplars).settings
        shape, depths = tuple(choices["shape"]), tuple(choices["depths"])
        return replace(self, shape=shape, depths=depths, encoder=choices["encoder"]), choices


def prune_in(run: RunDirectory, progress: Progress, found: Sequence[Segmentation] | None = None) -> None:
    """Study as the run's settings say, and write everything but the report.

    Realisations are kept in ``MATERIAL/DEPTH/``; then come ``pruning.csv`` (one row a material and depth),
    ``ratios.csv``, ``cells.csv``, ``scales.csv`` and ``recommendation.json``.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : sequence of Segmentation, optional
        The inputs, where they have been read already.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt; finished realisations and the state of the one in the making are kept.
    """
    order = PruneOrder.of(run.settings)
    if found is None and stored_inputs(run) is None:
        found = read_inputs(order.inputs, alike=False)
    exemplars = exemplars_of(run, order.inputs, found)
    work = order.plan(exemplars)
    check_weights(run, work.settings["weights"])

    def store(material: str, depth: str) -> RealisationStore:
        return RealisationStore(run, work.exemplars[material], cell_folder(material, depth))

    study = work.run(progress, store)
    write_table(run, "pruning", study.table)
    write_table(run, "ratios", study.ratios)
    write_table(run, "cells", study.cells)
    write_table(run, "scales", study.scales)
    run.write_text(RECOMMENDATION, json.dumps(_outcome(study), indent=2, ensure_ascii=False) + "\n")
    run.mark("running", resolved=study.settings, notes=study.notes)


def cell_folder(material: str, depth: str) -> str:
    """Where a run keeps the realisations of one material and depth.

    Examples
    --------
    >>> cell_folder("alloy", "pool1")
    'alloy/pool1/'
    """
    return f"{material}/{depth}/"


def _outcome(study: PruningStudy) -> dict[str, Any]:
    return {
        "layer": study.layer,
        "encoder": study.settings["encoder"],
        "weights": study.settings["weights"],
        "rule": RULE,
        "materials": {
            name: {"depth": r.depth, "layer": r.layer, "best": r.best, "joint": r.joint, "sentences": r.sentences}
            for name, r in study.recommendations.items()
        },
    }
