"""The steps of ``reconstruct`` in a run directory; every step can be killed and done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from matlens.errors import Interrupted, RunError
from matlens.hooks import Progress
from matlens.microstructure.commands.compare.run import compare_in
from matlens.microstructure.commands.inputs import Inputs, exemplars_of
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.reconstruction import Plan, Prepared, Reconstruction, find_method, plan
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["Order", "check_weights", "reconstruct_in", "resolved", "write_outcome"]


@dataclass(frozen=True)
class Order:
    """What is asked of a reconstruction, as a settings file holds it; see `matlens.reconstruct` for the meaning.

    Examples
    --------
    >>> order = Order(Inputs(("problem:gravel",)), shape=(64, 64), seed=3)
    >>> Order.of(order.settings()).shape
    (64, 64)
    """

    inputs: Inputs
    shape: tuple[int, ...] | None = None
    encoder: str = "auto"
    weights: str | None = None
    preset: str = "default"
    n: int = 1
    fraction: str | tuple[float, ...] = "exact"
    seed: int = 0
    device: str = "cpu"
    method: str = "matching"
    options: Mapping[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        return {
            "seed": self.seed,
            "device": self.device,
            "inputs": self.inputs.settings(),
            "reconstruct": {
                "method": self.method,
                "options": dict(self.options),
                "shape": None if self.shape is None else list(self.shape),
                "encoder": self.encoder,
                "weights": self.weights,
                "preset": self.preset,
                "n": self.n,
                "fraction": self.fraction if isinstance(self.fraction, str) else list(self.fraction),
            },
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Order:
        """Read it back."""
        asked = settings["reconstruct"]
        fraction = asked["fraction"]
        return cls(
            Inputs.of(settings["inputs"]),
            tuple(asked["shape"]) if "shape" in asked else None,
            asked["encoder"],
            asked.get("weights"),
            asked["preset"],
            asked["n"],
            fraction if isinstance(fraction, str) else tuple(fraction),
            settings["seed"],
            settings["device"],
            asked.get("method", "matching"),
            asked.get("options", {}),
        )


def reconstruct_in(run: RunDirectory, progress: Progress, found: Sequence[Segmentation] | None = None) -> None:
    """Reconstruct as the run's settings say, compare with the exemplars, and write everything but the report.

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
        On KeyboardInterrupt; the best so far is written as ``partial_I.npy`` and ``.tif``.
    """
    order = Order.of(run.settings)
    exemplars = exemplars_of(run, order.inputs, found)
    work = _plan(order, exemplars)
    check_weights(run, work.settings.get("weights", {}))
    store = RealisationStore(run, exemplars[0])
    try:
        result = work.run(progress, store)
    except Interrupted as stop:
        store.write_partial(stop.result)
        raise
    write_outcome(run, result)
    compare_in(run, result.microstructures, exemplars, progress, seed=order.seed)


def write_outcome(run: RunDirectory, result: Reconstruction) -> None:
    """Write loss history and volume fractions, and keep what was learned on the way."""
    write_table(run, "history", result.history)
    names = result.microstructure.phase_names
    rows = [
        {"realisation": index, "phase": names[phase], "before_decoding": before, "after_decoding": after}
        for index, pair in enumerate(zip(result.fraction_before, result.fraction_after))
        for phase, (before, after) in enumerate(zip(*pair))
    ]
    write_table(run, "fractions", pd.DataFrame(rows))
    run.mark(
        "running",
        resolved=result.settings,
        notes=list(result.notes),
        stopped=list(result.status),
        evaluations=list(result.evaluations),
        seconds=[None if np.isnan(spent) else round(spent, 2) for spent in result.seconds],
    )


def resolved(order: Order, exemplars: Sequence[Microstructure]) -> tuple[Order, dict[str, Any]]:
    """Check an order against its exemplars and fill in what is left to MatLens, so that a resumed run chooses the same.

    Parameters
    ----------
    order : Order
        As asked.
    exemplars : sequence of Microstructure
        What it is about.

    Returns
    -------
    order : Order
        With shape, encoder or options filled in.
    choices : dict
        Every choice in words a settings file can hold.

    Raises
    ------
    InputError
        If something asked for cannot be done.
    ResourceError
        If weights are not at hand, or cannot be used.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> order = Order(Inputs(("problem:bicontinuous",)), encoder="filterbank")
    >>> resolved(order, [bicontinuous((32, 32), seed=0)])[0].shape
    (32, 32)
    """
    choices = _plan(order, exemplars).settings
    filled = {"encoder": choices.get("encoder", order.encoder), "options": choices.get("options", order.options)}
    return replace(order, shape=tuple(choices["shape"]), **filled), choices


def _plan(order: Order, exemplars: Sequence[Microstructure]) -> Plan[Prepared]:
    return plan(
        exemplars,
        order.shape,
        method=find_method(order.method, order.options),
        encoder=order.encoder,
        weights=order.weights,
        preset=order.preset,
        n=order.n,
        fraction=order.fraction,
        seed=order.seed,
        device=order.device,
    )


def check_weights(run: RunDirectory, now: Mapping[str, str]) -> None:
    """A resumed run must not go on with other weights than it began with.

    Raises
    ------
    RunError
        If the weights' hash differs from the one in the run's settings.
    """
    then = run.settings.get("resolved", {}).get("weights")
    if then is not None and then.get("sha256") != now.get("sha256"):
        raise RunError(
            f"the encoder's weights at hand ({now.get('sha256', 'none')}) are not those this run began with "
            f"({then.get('sha256', 'none')}); bring the old ones back or start a new run."
        )
