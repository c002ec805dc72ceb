"""What a preset is: networks, what they see, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from matlens.library.model.inputs import Inputs
from matlens.library.model.networks.stacked import StackedNetwork
from matlens.library.model.resampling import Resampling
from matlens.library.spectra import Preprocessing

__all__ = ["Preset", "Stage"]


@dataclass(frozen=True)
class Stage:
    """One training of one network.

    Parameters
    ----------
    name : str
        In words, for progress.
    inputs : tuple of str
        Its branches: "composition", "spectrum" or both.
    epochs, batch : int
        Passes over a member's rows, and rows a step.
    rate : float
        Of Adam.
    decay : float
        Share of the weights that a step of rate 1 would take off.
    cosine : bool
        Whether the rate falls to zero along a cosine; else it stays.
    spread : float or None
        Standard deviation of the first weights (normal, cut at two of it); None: one over the square root of what
        comes in. Biases start at zero.
    carried : tuple of str
        Beginnings of the names of parameters taken over from the stages before, e.g. "spectrum.".
    """

    name: str
    inputs: tuple[str, ...]
    epochs: int
    batch: int = 10
    rate: float = 1e-3
    decay: float = 0.0
    cosine: bool = False
    spread: float | None = 0.01
    carried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """A recipe for an ensemble.

    Parameters
    ----------
    name : str
        Its name.
    resample : {"none", "bootstrap", "groups"}
        What members see where the user does not say.
    stages : callable
        The stages, the last of which gives the model, for the inputs used.
    network : callable
        A stage's network, its weights zero: called with the stage, the sizes of the inputs, the number of members and
        the device.
    preprocessing : callable
        The chain for spectra on an axis (None: no spectra) where the user gives none.
    network_inputs : callable
        What the networks see, fitted to a library: called with it, whether composition and spectrum are used, and
        the chain.
    chains : tuple of Preprocessing
        With some, the one that predicts held-out compositions best is taken instead of `preprocessing`.
    sharpness : float or None
        With a number, inputs are scaled to where they matter (`find_covariance`), times this number, and the members
        have a kernel part beside their networks.
    """

    name: str
    resample: Resampling
    stages: Callable[[tuple[str, ...]], tuple[Stage, ...]]
    network: Callable[[Stage, Mapping[str, int], int, str | torch.device], StackedNetwork]
    preprocessing: Callable[[NDArray[np.float64] | None], Preprocessing]
    network_inputs: Callable[..., Inputs]
    chains: tuple[Preprocessing, ...] = ()
    sharpness: float | None = None

    def resampling(self, asked: str) -> Resampling:
        """Resolve what members see: as asked for, or the preset's own where that is ``"auto"``."""
        return self.resample if asked == "auto" else cast("Resampling", asked)
