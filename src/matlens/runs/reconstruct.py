"""The steps of ``reconstruct`` in a run directory; every step can be killed and done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from matlens.encoders import load_encoder
from matlens.errors import InputError, Interrupted, RunError
from matlens.io import Segmentation
from matlens.reconstruction import Reconstruction, reconstruct
from matlens.reconstruction.hooks import Progress
from matlens.reconstruction.presets import find_preset
from matlens.runs.checkpoint import RunCheckpoint
from matlens.runs.compare import compare_in
from matlens.runs.directory import RunDirectory
from matlens.runs.inputs import Inputs, exemplars_of
from matlens.runs.tables import write_table

__all__ = ["Order", "reconstruct_in", "resolved"]


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
    weights_sha256: str | None = None

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        return {
            "seed": self.seed,
            "device": self.device,
            "inputs": self.inputs.settings(),
            "reconstruct": {
                "shape": None if self.shape is None else list(self.shape),
                "encoder": self.encoder,
                "weights": self.weights,
                "weights_sha256": self.weights_sha256,
                "preset": self.preset,
                "n": self.n,
                "fraction": self.fraction if isinstance(self.fraction, str) else list(self.fraction),
            },
        }

    def sentence(self, threads: int) -> str:
        """Say in one line what will be done, with every choice resolved."""
        size = " x ".join(str(side) for side in self.shape or ())
        return (
            f"{self.n} of {size} px, encoder {self.encoder}, preset {self.preset}, seed {self.seed}, {self.device}, "
            f"threads {threads}"
        )

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
            asked.get("weights_sha256"),
        )


def reconstruct_in(run: RunDirectory, progress: Progress, found: Sequence[Segmentation] | None = None) -> None:
    """Reconstruct as the run's settings say, compare with the exemplars, and write everything but the report.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Told how far it is.
    found : sequence of Segmentation, optional
        The inputs, where they have been read already.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt; the best so far is written as ``partial_I.npy`` and ``.tif``.
    """
    order = Order.of(run.settings)
    _check_weights(order)
    exemplars = exemplars_of(run, order.inputs, found)
    checkpoint = RunCheckpoint(run, exemplars[0])
    try:
        result = reconstruct(
            exemplars if len(exemplars) > 1 else exemplars[0],
            order.shape,
            encoder=order.encoder,
            weights=order.weights,
            preset=order.preset,
            n=order.n,
            fraction=order.fraction,
            seed=order.seed,
            device=order.device,
            progress=progress,
            checkpoint=checkpoint,
        )
    except Interrupted as stop:
        _keep_partial(checkpoint, stop.result)
        raise
    _write_outcome(run, result)
    progress.begin(1, "comparing with the exemplar")
    compare_in(run, result.microstructures, exemplars, seed=order.seed)
    progress.end()


def _write_outcome(run: RunDirectory, result: Reconstruction) -> None:
    write_table(run, "history", result.history)
    names = result.microstructure.phase_names
    rows = [
        {"realisation": index, "phase": names[phase], "before_decoding": before, "after_decoding": after}
        for index, pair in enumerate(zip(np.atleast_2d(result.fraction_before), np.atleast_2d(result.fraction_after)))
        for phase, (before, after) in enumerate(zip(*pair))
    ]
    write_table(run, "fractions", pd.DataFrame(rows))
    run.mark(
        "running",
        resolved=result.settings,
        notes=list(result.notes),
        stopped=[str(status) for status in result.status],
        evaluations=np.asarray(result.evaluations).tolist(),
        seconds=np.asarray(result.seconds).tolist(),
    )


def _keep_partial(checkpoint: RunCheckpoint, result: Reconstruction | None) -> None:
    """Write the realisations of a partial result that are not finished."""
    for index, structure in enumerate(result.microstructures if result is not None else ()):
        if checkpoint.result(index) is None:
            checkpoint.partial(index, structure.labels)


def resolved(order: Order, found: Sequence[Segmentation]) -> Order:
    """Check an order against its inputs and fill in what is left to MatLens, so that a resumed run chooses the same.

    Raises
    ------
    InputError
        If the shape does not fit the inputs, or encoder or preset is unknown.
    ResourceError
        If weights are not at hand, or cannot be used.
    """
    find_preset(order.preset)
    first = found[0].microstructure
    shape = first.shape if order.shape is None else order.shape
    if len(shape) != first.ndim:
        size = "x".join(str(side) for side in shape)
        raise InputError(f"the shape {size} has {len(shape)} sides, the exemplar {first.ndim} axes; give one an axis.")
    encoder = load_encoder(order.encoder, weights=order.weights)
    return replace(order, shape=shape, encoder=encoder.name, weights_sha256=encoder.source.get("sha256"))


def _check_weights(order: Order) -> None:
    """A resumed run must not go on with other weights than it began with."""
    found = load_encoder(order.encoder, weights=order.weights).source.get("sha256")
    if found != order.weights_sha256:
        raise RunError(
            f"the weights of {order.encoder} at hand have the SHA-256 {found}, those of this run "
            f"{order.weights_sha256}; bring the old ones back or start a new run."
        )
